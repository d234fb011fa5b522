"""The bundled toy drafts answers, and nothing that it invented may be shown.

``pytest tests/benchmarks/test_local_model.py -s``, with the extra ``local``;
ASSISTANT_TEST_DRAFTS is how many questions, 200 unless it says otherwise. What is shown is checked
by words and digits alone, with nothing of the modules that verify it. ASSISTANT_TEST_DRAFTED names
a folder where the library and every draft are kept: a change of what verifies is tried in minutes,
and what was broken off goes on.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import time
from collections import Counter
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from assistant import Assistant, Settings, drafting
from assistant.types import Answer, AnswerSentence
from tests.swaps import DAYS, MONTHS

XQUAD = Path(__file__).parents[3] / "shared" / "benchmarks" / "xquad-en"
DRAFTED = os.environ.pop("ASSISTANT_TEST_DRAFTED", "")
QUESTIONS = int(os.environ.pop("ASSISTANT_TEST_DRAFTS", "200"))
TOKENS = 200  # of a reply: three sentences of a usual length
READ = 3  # passages that the model is given, for want of hours; all that were found are verified by
STORED = TypeAdapter(drafting.Drafted)
PATIENCE = 1800  # seconds for a reply; other work may hold the processor

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_DATE_WORDS = {*MONTHS.lower().split(), *DAYS.lower().split()}
_UNITS = (
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen"
    " seventeen eighteen nineteen twenty"
)
_LARGER = (
    "thirty forty fifty sixty seventy eighty ninety hundred thousand million billion trillion"
    " half third quarter twice dozen"
)
_ALSO = {"us": "american", "european": "eu"}  # what a name may be told by
_NUMBERS = {word: str(number) for number, word in enumerate(_UNITS.split(), start=2)}
_NUMBERS |= dict.fromkeys(_LARGER.split(), "")


def invented(sentence: str, cited: str, ordinary: set[str]) -> list[str]:
    """Numbers, parts of dates and capitalised words of the sentence that the cited words lack.

    The first word is no name if it is ``ordinary``: somewhere in the documents without a capital.
    An acronym is there when words in a row begin with its letters, and the other way round.
    """
    digits = {found.replace(",", "") for found in _DIGITS.findall(cited)}
    listed = _WORD.findall(cited)
    words = {form for word in listed for form in _forms(word)}
    initials = "".join(word[0] for word in listed if word[0].isupper())
    own = _WORD.findall(sentence)
    spelled = set(_spelled_out(own, set(listed)))
    lacking = [d for d in _DIGITS.findall(sentence) if d.replace(",", "") not in digits]
    for place, word in enumerate(own):
        low = word.lower()
        if low in _NUMBERS:
            told = low in words or _NUMBERS[low] in digits
        elif low in _DATE_WORDS:
            told = low in words
        else:
            named = word[0].isupper() and word != "I" and (place > 0 or low not in ordinary)
            forms = {*_forms(word), _ALSO.get(low, low)}
            short = len(word) > 1 and word.isupper() and word in initials
            told = not named or short or place in spelled or bool(forms & words)
        if not told:
            lacking.append(word)
    return lacking


def _spelled_out(words: list[str], cited: set[str]) -> Iterator[int]:
    """Places of words in a row that an acronym among the cited words stands for."""
    for first in range(len(words)):
        for last in range(first + 2, min(first + 6, len(words)) + 1):
            run = words[first:last]
            if all(word[0].isupper() for word in run) and "".join(w[0] for w in run) in cited:
                yield from range(first, last)


def _forms(word: str) -> set[str]:
    """A word as it is, without the mark of possession, of the plural, and of who is from there."""
    low = re.sub(r"['’]s?$", "", word.lower())
    one = low.removesuffix("s") if len(low) > 4 else low
    places = {one.removesuffix(end) for end in ("n", "an", "ian") if len(one) > 4 + len(end)}
    return {word.lower(), low, one, *places}


def test_what_is_taken_for_invented() -> None:
    cited = "In May 1921 Ada Byron's bridge, 1,200 metres of it, was opened by two mayors."
    ordinary = {"the", "bridge", "opened"}
    assert not invented("The bridge of Ada Byron has 1200 metres.", cited, ordinary)
    assert not invented("Opened in May 1921 by 2 or two mayors.", cited + " 2", ordinary)
    assert invented("Opened in June 1922 by three mayors.", cited, ordinary) == [
        "1922",
        "June",
        "three",
    ]
    assert not invented("The World Trade House met.", cited + " WTH", ordinary)
    assert not invented("The MAB has 1,200 metres.", cited, ordinary)
    assert not invented(
        "The Australian doctor met Indians.", "Doctors in Australia, India.", {"the"}
    )
    assert invented("Grace Byron opened the Bridge of Kent.", cited, ordinary) == ["Grace", "Kent"]


def lines(name: str) -> Iterator[dict[str, Any]]:
    for line in (XQUAD / name).read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def passages_as_files(folder: Path) -> tuple[Path, set[str]]:
    """The collection in a folder, and its words that it also writes without a capital."""
    folder.mkdir(exist_ok=True)
    ordinary: set[str] = set()
    for entry in lines("corpus.jsonl"):
        text = f"{entry['title']}\n\n{entry['text']}"
        (folder / f"{entry['id']}.txt").write_text(text, encoding="utf-8")
        ordinary |= {word for word in _WORD.findall(entry["text"]) if word[0].islower()}
    return folder, ordinary


def cited_words(sentence: AnswerSentence) -> str:
    return "\n".join(citation.quote for citation in sentence.citations)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Where the library and the drafts are."""
    kept = Path(DRAFTED).absolute() if DRAFTED else tmp_path
    kept.mkdir(parents=True, exist_ok=True)
    return kept


@pytest.fixture
def drafted(place: Path, monkeypatch: pytest.MonkeyPatch) -> list[drafting.Drafted]:
    """What the model drafts, question by question, before any of it is verified."""
    kept: list[drafting.Drafted] = []
    draft = drafting.draft
    file = place / "drafts.jsonl"
    earlier = dict(map(json.loads, file.read_text("utf-8").splitlines() if file.exists() else ()))

    def keeping(chat: Any, question: str, *given: Any) -> Generator[Any, None, drafting.Drafted]:
        if question in earlier:
            made = STORED.validate_python(earlier[question])
        else:
            made = yield from draft(chat, question, *given)
            with file.open("a", encoding="utf-8") as lines:
                stored = STORED.dump_python(made, mode="json")
                lines.write(json.dumps([question, stored]) + "\n")
        kept.append(made)
        return made

    monkeypatch.setattr(drafting, "draft", keeping)
    monkeypatch.setattr(drafting, "READ", READ)
    return kept


def counted(answer: Answer, sentences: list[AnswerSentence]) -> Counter[str]:
    """What became of the sentences drafted for one answer."""
    shown = answer.sentences if answer.model else ()
    return Counter(
        drafted=len(sentences),
        shown=len(shown),
        dropped=len(sentences) - len(shown),
        verbatim=sum(sentence.text in cited_words(sentence) for sentence in shown),
        quotes=bool(answer.sentences) and not answer.model,
        quoted=0 if answer.model else len(answer.sentences),
        silent=not answer.sentences,
    )


@pytest.mark.skipif(not XQUAD.is_dir(), reason="the shared benchmarks are not here")
@pytest.mark.skipif(not importlib.util.find_spec("xllamacpp"), reason="needs the extra local")
@pytest.mark.timeout(0)
def test_nothing_that_the_toy_invents_is_shown(
    place: Path, drafted: list[drafting.Drafted]
) -> None:
    settings = Settings(
        library={"data": place / "data"},
        models={
            "chat": "local",
            "chat_tokens": TOKENS,
            "chat_timeout": PATIENCE,
            "chat_deadline": PATIENCE,
        },
    )
    folder, ordinary = passages_as_files(place / "docs")
    questions = [line["question"] for line in lines("queries.jsonl")]
    questions = questions[:: max(len(questions) // QUESTIONS, 1)][:QUESTIONS]
    count = Counter[str]()
    faults: list[str] = []
    with Assistant.from_settings(settings) as assistant:
        assistant.index([folder])
        for number, question in enumerate(questions, start=1):
            started, before = time.perf_counter(), len(drafted)
            answer = assistant.ask(question)
            sentences = [s for made in drafted[before:] for s in made.sentences]
            count += counted(answer, sentences)
            count["broken"] += sum(made.incomplete for made in drafted[before:])
            count["asked"] += len(drafted) - before
            print(f"\n{number} {question} ({time.perf_counter() - started:.0f} s)", flush=True)
            shown = {s.text for s in answer.sentences} if answer.model else set()
            for sentence in sentences:
                verdict = "shown" if sentence.text in shown else "dropped"
                print(f"  {verdict}: {sentence.text}", flush=True)
            for sentence in answer.sentences:
                for fault in invented(sentence.text, cited_words(sentence), ordinary):
                    faults.append(f"{fault!r} in {sentence.text!r}: {cited_words(sentence)!r}")
                    print(f"  NOT CITED: {faults[-1]}", flush=True)
    print(f"\n{len(questions)} questions, {count['asked']} drafts, {count['broken']} cut short;")
    print(
        f"{count['drafted']} sentences drafted, {count['dropped']} dropped, {count['shown']} shown,"
    )
    print(
        f"{count['verbatim']} of these word for word. Quotes instead: {count['quotes']} answers of"
    )
    print(f"{count['quoted']} sentences. Nothing shown: {count['silent']} answers.")
    print(f"A number, date or name that is not in the cited words: {len(faults)}.")
    assert not faults
    assert count["drafted"] > len(questions) / 4
