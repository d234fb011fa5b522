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
import zlib
from collections.abc import Callable, Sequence
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

    def slowly(question: str, *more: Any) -> Any:
        time.sleep(0.005)
        return ask(question, *more)

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

Change = Callable[[Any, pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the libraries of the sample collection are, one for each size of passages."""
    return tmp_path_factory.mktemp("regressions")


@pytest.fixture(scope="module")
def questions() -> EvaluationSet:
    return cases.load(ROOT / "evals" / "sets" / "sample.yaml")


def measured(
    data: Path,
    given: EvaluationSet,
    out: Path,
    change: Change | None = None,
    **groups: dict[str, Any],
) -> Path:
    """The result of the set with a change in the assistant, in its settings, or in neither."""
    from assistant import Assistant, Settings

    size = groups.get("chunking", {}).get("size", "default")
    settings = Settings.load(None, library={"data": data / f"library-{size}"}, **groups)
    with Assistant.from_settings(settings) as assistant, pytest.MonkeyPatch.context() as patch:
        assistant.index([ROOT / "corpus" / "documents"])
        if change:
            change(assistant, patch)
        return runner.run(assistant, given, PLAN, out, fresh=True)


def query_stemmed_as(language: str) -> Change:
    """The query's words are stemmed as this language's, the index as it was."""

    def change(assistant: Any, patch: pytest.MonkeyPatch) -> None:
        from assistant import lexical_query

        analyse = lexical_query.analyse_query
        patch.setattr(lexical_query, "analyse_query", lambda text, _: analyse(text, [language]))

    return change


def swap_weights(assistant: Any, patch: pytest.MonkeyPatch) -> None:
    """What words count and what sentences count is mixed up."""
    from assistant import retrieval

    fusion = retrieval.fusion()
    right = fusion.bundled
    wrong = right.model_copy(update={"words": right.sentence, "sentence": right.words})
    swapped = fusion.model_copy(update={"bundled": wrong})
    patch.setattr(retrieval, "fusion", lambda: swapped)


def third(name: str) -> bool:
    """The same third of the documents every time."""
    return zlib.crc32(Path(name).name.encode()) % 3 == 0


def finding(wrap: Callable[[Sequence[Any]], Sequence[Any]]) -> Change:
    """Something is wrong with what every search finds, for answers too."""

    def change(assistant: Any, patch: pytest.MonkeyPatch) -> None:
        retrieve = assistant._retrieve
        patch.setattr(
            assistant,
            "_retrieve",
            lambda *given: tuple(wrap(retrieve(*given))),
        )

    return change


def shift_citations(assistant: Any, patch: pytest.MonkeyPatch) -> None:
    """Every citation points to the passage after the one that it is of."""
    ask = assistant.ask

    def asked(question: str, *more: Any) -> Any:
        answer = ask(question, *more)
        passages = [scored.passage for scored in answer.passages]
        after = {
            passage.id: passages[(place + 1) % len(passages)]
            for place, passage in enumerate(passages)
        }
        sentences = []
        for sentence in answer.sentences:
            shifted = [
                c.model_copy(update={"document_id": p.document_id, "passage_id": p.id})
                for c in sentence.citations
                for p in [after[c.passage_id]]
            ]
            sentences.append(sentence.model_copy(update={"citations": tuple(shifted)}))
        return answer.model_copy(update={"sentences": tuple(sentences)})

    patch.setattr(assistant, "ask", asked)


REGRESSIONS: dict[str, tuple[Change | None, dict[str, dict[str, Any]]]] = {
    "weights swapped": (swap_weights, {}),
    "stemmer off": (query_stemmed_as("und"), {}),
    "wrong language": (query_stemmed_as("fi"), {}),
    "chunk size 40": (None, {"chunking": {"size": 40}}),
    "citations shifted by one": (shift_citations, {}),
    "threshold 0": (None, {"answering": {"threshold": 0.0}}),
    "every third document missing": (
        finding(lambda found: [s for s in found if not third(s.document.uri)]),
        {},
    ),
    "meaning only": (None, {"retrieval": {"dense_weight": 1.0}}),
    "threshold 0.95": (None, {"answering": {"threshold": 0.95}}),
    "worst first": (finding(lambda found: found[::-1]), {}),
}


@pytest.mark.timeout(1800)
def test_at_least_nine_of_ten_planted_regressions_are_caught(
    data: Path, questions: EvaluationSet, tmp_path: Path
) -> None:
    base = summarizing.columns(measured(data, questions, tmp_path / "base.jsonl"))
    caught = {}
    for name, (change, groups) in REGRESSIONS.items():
        out = measured(data, questions, tmp_path / f"{name}.jsonl", change, **groups)
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
def test_twenty_reruns_raise_no_alarm(data: Path, questions: EvaluationSet, tmp_path: Path) -> None:
    """Another seed for the drawings each time; nothing else differs."""
    from assistant.evals import comparing

    base = measured(data, questions, tmp_path / "base.jsonl")
    old = summarizing.columns(base)
    for seed in range(20):
        again = measured(data, questions, tmp_path / "again.jsonl")
        differences = comparing.differences(old, summarizing.columns(again), seed=seed)
        assert all(d.high >= -gate.TOLERANCE for d in differences)
        assert base.read_bytes() == again.read_bytes()


if __name__ == "__main__":
    if sys.argv[1] == "slow":
        slow_run(Path(sys.argv[2]), Path(sys.argv[3]))
    else:
        huge_run(Path(sys.argv[2]))
