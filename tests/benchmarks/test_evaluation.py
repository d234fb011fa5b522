"""The long proofs of the evaluation: killed runs, a huge set, planted regressions.

``make bench`` runs them; the quick ones are in tests/unit/evals.
"""

from __future__ import annotations

import importlib.util
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from assistant.evals import cases, gate, metrics, results, runner, summarizing
from assistant.evals.cases import EvaluationSet
from assistant.evals.errors import IncomparableError
from assistant.evals.metrics import parse
from assistant.evals.runner import Plan

HERE = Path(__file__)
ROOT = HERE.parents[2]
KILLS = 20
PLAN = Plan([parse(name) for name in metrics.DEFAULT])


def words() -> ModuleType:
    """The module of the assistant that answers by shared words."""
    path = ROOT / "tests" / "unit" / "evals" / "conftest.py"
    spec = importlib.util.spec_from_file_location("words", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["words"] = module
    spec.loader.exec_module(module)
    return module


def child(what: str, *arguments: object) -> list[str]:
    return [sys.executable, str(HERE), what, *map(str, arguments)]


def slow_run(folder: Path, out: Path) -> None:
    """In a process of its own: 150 questions at 5 ms each."""
    from assistant.settings import Settings

    module = words()
    settings = Settings(library={"data": folder})  # type: ignore[arg-type]
    assistant: Any = module.WordAssistant(settings, module.city_texts(6))
    ask = assistant.ask

    def slowly(question: str, history: Any = ()) -> Any:
        time.sleep(0.005)
        return ask(question)

    assistant.ask = slowly
    asked = [
        case.model_copy(update={"id": f"{case.id}-{n}"})
        for n in range(19)
        for case in module.city_cases(6)
    ]
    given = EvaluationSet(name="slow", cases=tuple(asked))
    print("begun", flush=True)
    runner.run(assistant, given, PLAN, out, on_progress=lambda done, _: print(done, flush=True))


def test_killed_at_twenty_moments_it_ends_with_the_same_file(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole.jsonl", tmp_path / "killed.jsonl"
    subprocess.run(child("slow", tmp_path, whole), check=True, stdout=subprocess.DEVNULL)
    chance = random.Random(11)
    for kill in range(KILLS):
        process = subprocess.Popen(child("slow", tmp_path, killed), stdout=subprocess.PIPE)
        assert process.stdout
        process.stdout.readline()  # begun
        time.sleep(chance.uniform(0, 0.12))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
        if killed.exists() and killed.stat().st_size == whole.stat().st_size and kill < KILLS - 1:
            killed.unlink()  # it was done: begin again, there are kills left
    subprocess.run(child("slow", tmp_path, killed), check=True, stdout=subprocess.DEVNULL)
    assert killed.read_bytes() == whole.read_bytes()
    asked = {row.case.id for row in results.read_rows(killed)}
    assert {timing.id for timing in results.read_timings(killed)} == asked


def huge_run(folder: Path) -> None:
    """In a process of its own: 100,000 questions from loading the set to the report."""
    import resource

    from assistant.evals import comparing, report
    from assistant.settings import Settings

    module = words()
    settings = Settings(library={"data": folder})  # type: ignore[arg-type]
    assistant: Any = module.WordAssistant(settings, module.city_texts(6))
    given = cases.load(folder / "huge.jsonl")
    measures = [parse(name) for name in ("R@1", "answer_contained@1", "abstention_AUROC")]
    path = runner.run(assistant, given, Plan(measures))
    summary = summarizing.summarize(path)
    assert summary.header.questions == len(given.cases)
    comparing.compare(path, path)
    report.write(path, folder / "huge.html")
    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)


@pytest.mark.timeout(3000)
def test_a_hundred_thousand_questions_fit_into_a_gigabyte(tmp_path: Path) -> None:
    module = words()
    some = module.city_cases(6)
    asked = (
        some[n % len(some)].model_copy(update={"id": f"q{n}", "tags": (f"t{n % 9}",)})
        for n in range(100_000)
    )
    cases.save(EvaluationSet(name="huge", cases=tuple(asked)), tmp_path / "huge.jsonl")
    done = subprocess.run(child("huge", tmp_path), check=True, capture_output=True, text=True)
    print(f"100,000 questions: {int(done.stdout) / 1e6:.0f} MB at most")
    assert int(done.stdout) < 1e9
    assert (tmp_path / "huge.html").stat().st_size < 50e6


# -- planted regressions in the real pipeline ------------------------------------------------------


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with the sample collection in it."""
    from assistant import Assistant, Settings

    data = tmp_path_factory.mktemp("regressions")
    with Assistant.from_settings(Settings(library={"data": data})) as assistant:  # type: ignore[arg-type]
        assistant.index([ROOT / "corpus" / "documents"])
    return data


@pytest.fixture(scope="module")
def questions() -> EvaluationSet:
    return cases.load(ROOT / "tests" / "corpus_questions.yaml")


def measured(
    data: Path,
    given: EvaluationSet,
    out: Path,
    change: Callable[[Any], None] | None = None,
    **groups: Any,
) -> Path:
    from assistant import Assistant, Settings

    settings = Settings(**{"library": {"data": data}, **groups})
    with Assistant.from_settings(settings) as assistant:
        if change:
            change(assistant)
        return runner.run(assistant, given, PLAN, out, fresh=True)


def searching(wrap: Callable[[Sequence[Any]], Sequence[Any]]) -> Callable[[Any], None]:
    """Plants a change in what every search finds, for answers too."""

    def change(assistant: Any) -> None:
        retrieve = assistant._retrieve
        assistant._retrieve = lambda query, k, watch: tuple(wrap(retrieve(query, k, watch)))

    return change


def asking(wrap: Callable[[Any], Any]) -> Callable[[Any], None]:
    """Plants a change in every answer."""

    def change(assistant: Any) -> None:
        ask = assistant.ask
        assistant.ask = lambda question, history=(): wrap(ask(question, history))

    return change


def shift_citations(answer: Any) -> Any:
    """Every sentence cites what the next one should."""
    passages = answer.passages
    sentences = []
    for sentence in answer.sentences:
        wrong = [
            c.model_copy(
                update={
                    "document_id": passages[(at + 1) % len(passages)].document.id,
                    "passage_id": passages[(at + 1) % len(passages)].passage.id,
                }
            )
            for c in sentence.citations
            for at in [next(i for i, p in enumerate(passages) if p.passage.id == c.passage_id)]
        ]
        sentences.append(sentence.model_copy(update={"citations": tuple(wrong)}))
    return answer.model_copy(update={"sentences": tuple(sentences)})


def without_stemming(assistant: Any) -> None:
    """Queries go to the index with their endings cut off, which no stem in it equals."""
    ask, search = assistant.ask, assistant.search

    def cut(text: str) -> str:
        return " ".join(word[: max(3, len(word) - 2)] for word in text.split())

    assistant.ask = lambda question, history=(): ask(cut(question), history)
    assistant.search = lambda query, k=None: search(cut(query), k)


def every_third_missing(found: Sequence[Any]) -> Iterator[Any]:
    return (s for s in found if int(s.document.id[:8], 16) % 3)


REGRESSIONS: dict[str, tuple[Callable[[Any], None] | None, dict[str, Any]]] = {
    "words only": (None, {"retrieval": {"dense_weight": 0.0}}),
    "meaning only, one candidate": (
        None,
        {"retrieval": {"dense_weight": 1.0, "lexical_k": 1, "dense_k": 1}},
    ),
    "words cut before the search": (without_stemming, {}),
    "two passages instead of eight": (None, {"retrieval": {"k": 2, "dense_k": 2, "lexical_k": 2}}),
    "citations shifted by one": (asking(shift_citations), {}),
    "threshold 0": (None, {"answering": {"threshold": 0.0}}),
    "threshold 1": (None, {"answering": {"threshold": 1.0}}),
    "one language not found": (
        searching(lambda f: [s for s in f if s.document.language == "ru"]),
        {},
    ),
    "every third document missing": (searching(every_third_missing), {}),
    "worst first": (searching(lambda found: found[::-1]), {}),
}


@pytest.mark.timeout(1800)
def test_at_least_nine_of_ten_planted_regressions_are_caught(
    library: Path, questions: EvaluationSet, tmp_path: Path
) -> None:
    base = measured(library, questions, tmp_path / "base.jsonl")
    caught = {}
    for name, (change, groups) in REGRESSIONS.items():
        out = measured(library, questions, tmp_path / "planted.jsonl", change, **groups)
        try:
            checks = gate.no_loss(summarizing.columns(out), base)
        except IncomparableError as error:
            caught[name] = str(error)
            continue
        caught[name] = ", ".join(c.name.split()[0] for c in checks if not c.passed)
    for name, why in caught.items():
        print(f"{name:32} {why or 'NOT CAUGHT'}")
    assert sum(bool(why) for why in caught.values()) >= 9


@pytest.mark.timeout(1800)
def test_twenty_reruns_raise_no_alarm(
    library: Path, questions: EvaluationSet, tmp_path: Path
) -> None:
    """The questions in another order, another bootstrap seed: nothing else differs."""
    from assistant.evals import comparing

    base = measured(library, questions, tmp_path / "base.jsonl")
    old = summarizing.columns(base)
    for seed in range(20):
        again = measured(library, questions, tmp_path / "again.jsonl")
        differences = comparing.differences(old, summarizing.columns(again), seed=seed)
        assert all(d.high >= -gate.TOLERANCE for d in differences)
        assert base.read_bytes() == again.read_bytes()


if __name__ == "__main__":
    if sys.argv[1] == "slow":
        slow_run(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        huge_run(Path(sys.argv[2]))
