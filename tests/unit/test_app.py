"""A reader's conversation, and the page around it: what it lets through and what it does not."""

from __future__ import annotations

import datetime as dt
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from fastapi import FastAPI

from assistant.errors import QuestionError, UnknownDocumentError
from assistant.types import (
    Answer,
    AnswerSentence,
    Citation,
    Document,
    Draft,
    Filters,
    Passage,
    ScoredPassage,
    Turn,
)
from assistant.ui import session
from assistant.ui.app import EXAMPLES, WAITING, mount
from assistant.ui.headers import HEADERS
from assistant.ui.markup import Notice
from assistant.ui.render import Exchange

TEXT = "The bridge opened in May 1921. It is 310 metres long."
DOCUMENT = Document(
    id="d1",
    uri="/notes/bridge.md",
    title="The bridge",
    source="Harbour Gazette",
    published=dt.date(1921, 5, 3),
    media_type="text/markdown",
    text=TEXT,
)


class FakeAssistant:
    """Streams what it is given, raises what it is given, and remembers what it was asked."""

    def __init__(self, *items: Answer | Draft | Exception) -> None:
        self.items = items
        self.asked: list[tuple[str, tuple[Turn, ...]]] = []
        self.held = {"d1": DOCUMENT}

    def stream(
        self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None
    ) -> Iterator[Answer | Draft]:
        self.asked.append((question, tuple(history)))
        for item in self.items:
            if isinstance(item, Exception):
                raise item
            yield item

    def documents(self) -> tuple[Document, ...]:
        return tuple(d.model_copy(update={"text": ""}) for d in self.held.values())

    def document(self, document_id: str) -> Document:
        if document_id not in self.held:
            raise UnknownDocumentError(document_id)
        return self.held[document_id]


def answer(identity: str = "a1") -> Answer:
    start = TEXT.index("It is")
    cited = Citation(
        marker=1,
        document_id="d1",
        passage_id="d1:0",
        title="The bridge",
        source="Harbour Gazette",
        start=start,
        end=len(TEXT),
        quote=TEXT[start:],
    )
    passage = Passage(id="d1:0", document_id="d1", start=0, end=len(TEXT), text=TEXT)
    return Answer(
        id=identity,
        question="How long is it?",
        query="bridge length",
        status="answered",
        confidence=0.9,
        sentences=(AnswerSentence(text=cited.quote, citations=(cited,), verdict="supported"),),
        passages=(
            ScoredPassage(
                passage=passage, document=DOCUMENT.model_copy(update={"text": ""}), score=0.5
            ),
        ),
        settings_digest="0" * 12,
    )


def test_a_question_grows_from_draft_to_answer_with_the_answers_before_it_as_history() -> None:
    assistant: Any = FakeAssistant(Draft(stage="retrieve"), Draft(stage="answer"), answer("a2"))
    before = (
        Exchange("How long is it?", answer()),
        Exchange("And wide?", session.STOPPED),
        Exchange("", Notice("the question is empty")),
    )
    grown = list(session.ask(assistant, "Who opened it?", before))
    assert [type(exchanges[-1].outcome) for exchanges in grown] == [Draft, Draft, Draft, Answer]
    assert all(exchanges[:-1] == before for exchanges in grown)
    history = (Turn(question="How long is it?", answer=answer()),)
    assert assistant.asked == [("Who opened it?", history)]


def test_an_error_of_ours_is_a_sentence_with_its_hint() -> None:
    assistant: Any = FakeAssistant(QuestionError("the question is empty", "type one"))
    *_, last = session.ask(assistant, " ", ())
    assert last == (Exchange(" ", Notice("the question is empty.", "type one")),)


def test_any_other_error_goes_through_to_the_log() -> None:
    assistant: Any = FakeAssistant(ZeroDivisionError("secret"))
    with pytest.raises(ZeroDivisionError):
        list(session.ask(assistant, "q", ()))


def test_only_a_draft_is_ended_by_a_notice() -> None:
    done = Exchange("q", answer())
    running = Exchange("r", Draft(stage="answer", text="It is"))
    assert session.end((done, running), session.STOPPED) == (done, Exchange("r", session.STOPPED))
    assert session.end((done,), session.STOPPED) == (done,)
    assert session.end((), session.FAILED) == ()


def test_markers_of_every_turn_open_their_own_words() -> None:
    assistant: Any = FakeAssistant()
    talk = (Exchange("q", answer("a1")), Exchange("r", answer("a2")))
    for ref in ("a1/0.0", "a2/0.0"):
        shown = session.open_source(assistant, talk, {"ref": ref})
        assert "<mark>It is 310 metres long.</mark>" in shown
        assert f'data-shown="{ref}"' in shown
    assert "<mark>" not in session.open_source(assistant, talk, {"ref": "a1/p0"})
    whole = session.open_source(assistant, talk, {"ref": "a1/0.0", "whole": True})
    assert "Passage only" in whole
    assert "The bridge opened" in session.open_source(assistant, talk, {"ref": "document/d1"})


@pytest.mark.parametrize(
    "wanted",
    [
        {"ref": "a2/0.0"},
        {"ref": "a1/0.1"},
        {"ref": "a1/0.0 "},
        {"ref": "../d1"},
        {"ref": None},
        {"ref": {"$ne": 1}},
        {"ref": ["a1/0.0"]},
        {},
        None,
        "a1/0.0",
        7,
    ],
)
def test_t28_a_key_that_is_not_of_this_conversation_opens_nothing(wanted: Any) -> None:
    assistant: Any = FakeAssistant()
    shown = session.open_source(assistant, (Exchange("q", answer("a1")),), wanted)
    assert session.FOREIGN.message in shown
    assert TEXT[:10] not in shown


def test_t27_a_source_that_was_removed_since_says_so() -> None:
    assistant: Any = FakeAssistant()
    assistant.held.clear()
    talk = (Exchange("q", answer()),)
    for ref in ("a1/0.0", "document/d1"):
        assert session.GONE in session.open_source(assistant, talk, {"ref": ref})


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    from starlette.testclient import TestClient

    app = FastAPI(docs_url=None, redoc_url=None)

    @app.get("/broken")
    def broken() -> None:
        raise ZeroDivisionError

    assistant: Any = FakeAssistant(answer())
    with TestClient(mount(app, assistant), raise_server_exceptions=False) as client:
        yield client


def test_t31_every_response_forbids_frames_sniffing_and_foreign_content(client: Any) -> None:
    paths = [
        "/",
        "/config",
        "/theme.css",
        "/nowhere",
        "/gradio_api/info",
        "/static/nothing.js",
        "/broken",
    ]
    for path in paths:
        headers = client.get(path).headers
        assert {name: headers[name] for name in HEADERS} == HEADERS, path
    assert client.get("/broken").status_code == 500
    assert "frame-ancestors 'none'" in HEADERS["Content-Security-Policy"]


def test_the_page_is_private_by_construction(client: Any) -> None:
    config = client.get("/config").json()
    assert {event["api_visibility"] for event in config["dependencies"]} == {"private"}
    assert config["analytics_enabled"] is False
    assert client.get("/gradio_api/runs").status_code == 404, "no record of what was asked"
    assert client.get("/gradio_api/info").json()["named_endpoints"] == {}
    assert "https://fonts" not in client.get("/theme.css").text
    assert "@font-face" not in client.get("/theme.css").text
    shown = json.dumps(config)
    assert "310 metres" not in shown, "no document's words in a page that anyone may fetch"


def test_t33_uploads_and_other_peoples_pages_are_refused(client: Any) -> None:
    big = {"files": ("x.txt", b"x" * 2048, "text/plain")}
    assert client.post("/gradio_api/upload", files=big).status_code == 413
    assert client.get("/gradio_api/file=/etc/passwd").status_code in {403, 404}
    assert client.get("/gradio_api/proxy=http://127.0.0.1:1/").status_code in {400, 403, 404}


def test_four_questions_are_offered_and_four_readers_answered_at_once(client: Any) -> None:
    blocks = client.app.routes[-1].app.get_blocks()
    asking = [event for event in blocks.fns.values() if event.concurrency_id == "ask"]
    assert len(EXAMPLES) == 4
    assert len(asking) == 2 + len(EXAMPLES)
    assert {event.concurrency_limit for event in asking} == {4}
    assert blocks._queue.max_size == WAITING


def test_t39_the_server_looks_nobody_up() -> None:
    code = """
import socket, sys, time
looked_up = []
real = socket.getaddrinfo
def watched(host, *rest, **more):
    looked_up.append(host)
    return real(host, *rest, **more)
socket.getaddrinfo = watched
from unittest.mock import MagicMock
from fastapi import FastAPI
from starlette.testclient import TestClient
from assistant.ui.app import mount
nobody = MagicMock()
nobody.documents.return_value = ()
with TestClient(mount(FastAPI(), nobody)) as client:
    client.get("/")
    time.sleep(2)  # Gradio's analytics speak from threads of their own
print(*looked_up)
"""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("GRADIO_")}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == []
