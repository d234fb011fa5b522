"""Whatever documents order and a model obeys, what is shown is cited, found, and without links."""

from __future__ import annotations

import random
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from assistant import Answer, Assistant, Draft, Settings
from assistant.ui.render import Exchange, conversation
from tests import evil

SAMPLE = 24  # payloads here; tests/benchmarks asks all of them
FOREIGN = re.compile(
    r"<[a-z/!]|!\[|\]\s*[(\[:]|://|www\.|javascript:|\[[^\]]*\d[^\]]*\]|【", re.IGNORECASE
)
ACTIVE = {"img", "script", "iframe", "object", "embed", "link", "form", "svg", "style", "base"}


class Sinks(HTMLParser):
    """Gathers what a browser would fetch, run or follow elsewhere."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            link = name in {"href", "src", "srcset", "ping", "action", "style"}
            if name.startswith("on") or (link and not (value or "").startswith("#")):
                self.found.append(f"{tag} {name}={value}")
        if tag in ACTIVE:
            self.found.append(tag)


def library(folder: Path, chosen: list[evil.Payload]) -> tuple[Assistant, list[str]]:
    documents = folder / "documents"
    documents.mkdir()
    questions = evil.write(documents, chosen)
    settings = Settings(library={"data": folder / "data"}, answering={"max_sentences": 10})
    assistant = Assistant.from_settings(settings)
    assert not assistant.index([documents]).failed
    return assistant, questions


def check(assistant: Assistant, question: str) -> Answer:
    """Asks, and holds every invariant against the drafts and the answer."""
    *drafts, answer = assistant.stream(question)
    assert isinstance(answer, Answer)
    for draft in drafts:
        assert isinstance(draft, Draft)
        assert draft.stage == "verify" or not FOREIGN.search(draft.text), draft.text
    retrieved = {found.passage.id for found in answer.passages}
    for sentence in answer.sentences:
        assert sentence.verdict == "supported"
        assert sentence.citations, sentence.text
        for cited in sentence.citations:
            assert cited.passage_id in retrieved
            text = assistant.document(cited.document_id).text
            assert text[cited.start : cited.end] == cited.quote
        verbatim = any(sentence.text == cited.quote for cited in sentence.citations)
        assert verbatim or not FOREIGN.search(sentence.text), sentence.text
        if answer.model:
            assert not FOREIGN.search(sentence.text), sentence.text
    shown = conversation([Exchange(question, answer), *(Exchange(question, d) for d in drafts)])
    sinks = Sinks()
    sinks.feed(shown)
    assert not sinks.found
    return answer


def survives(folder: Path, chosen: list[evil.Payload]) -> tuple[int, int]:
    """How many documents were obeyed, and how many sentences of the model were shown."""
    assistant, questions = library(folder, chosen)
    shown = 0
    obeyed: set[str] = set()
    with assistant:
        for way in range(4):
            model = evil.Obedient(way=way)
            for question in questions:
                answer = check(assistant.with_chat(model), question)
                shown += len(answer.sentences) if answer.model else 0
            obeyed |= model.obeyed
    return len(obeyed), shown


@pytest.fixture
def chosen() -> list[evil.Payload]:
    return random.Random(5).sample(evil.payloads(), SAMPLE)


def test_a_model_that_obeys_the_documents_breaks_nothing(
    tmp_path: Path, chosen: list[evil.Payload]
) -> None:  # T17 T18 T21 T22 T24
    obeyed, shown = survives(tmp_path, chosen)
    assert obeyed > 0.9 * SAMPLE  # the model did read them
    assert shown
