"""Chat models that fail in every way a server can (R10 to R15), over real loopback sockets."""

from __future__ import annotations

import random
import re
import threading
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient

from assistant import Answer, Assistant, Draft, Turn
from assistant.errors import ModelError
from assistant.generating import Chat, Reply
from assistant.http_api import create_app
from assistant.models import build_chat_model
from assistant.settings import ModelSettings
from assistant.terminal import answer_lines
from assistant.ui.render import plain_text
from tests.chat_server import (
    DONE,
    USAGE,
    ChatServer,
    Step,
    closed_port,
    cut,
    event,
    refuses,
    says,
    sends,
    serve,
)

QUESTION = "How many soldiers did the CSTO send to Kazakhstan in January 2022?"
ASKED = [("user", "Say something.")]
GOOD = "It met in Astana. [37]"


def settings(url: str, **more: Any) -> ModelSettings:
    bounds = {"chat_timeout": 0.5, "chat_deadline": 8, "chat_retries": 2, "chat_tokens": 50}
    return ModelSettings(**{"chat": "openai:m", "chat_base_url": url, **bounds, **more})


def reply(server: ChatServer, **more: Any) -> Reply:
    chosen = settings(server.url, **more)
    return Chat(chosen.chat, build_chat_model(chosen), chosen).complete(ASKED)


@pytest.fixture(autouse=True)
def patience(monkeypatch: pytest.MonkeyPatch) -> None:
    """Short waits between attempts, and no key of anybody."""
    monkeypatch.setattr("assistant.generating._BACKOFF", 0.01)
    monkeypatch.setattr("assistant.models._GRACE", 0.2)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def test_a_reply_comes_whole_with_its_cost() -> None:
    with serve(says(GOOD)) as server:
        found = reply(server)
    assert found == Reply(GOOD, {"input_tokens": 70, "output_tokens": 7})  # type: ignore[arg-type]
    (request,) = server.requests
    assert request["stream"]
    assert (request["max_completion_tokens"], request["temperature"]) == (50, 0)


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 529])
def test_a_busy_server_is_asked_again(status: int) -> None:  # R11
    with serve(refuses(status), refuses(status, "<html>busy"), says(GOOD)) as server:
        found = reply(server)
    assert (found.text, found.problem, len(server.requests)) == (GOOD, None, 3)


@pytest.mark.parametrize("status", [429, 500])
def test_it_is_asked_a_bounded_number_of_times(status: int) -> None:
    with serve(refuses(status)) as server:
        found = reply(server, chat_retries=1)
    assert len(server.requests) == 2
    assert found.problem
    assert "openai:m" in found.problem.message
    assert str(status) in found.problem.message


def test_a_server_that_says_when_is_asked_then() -> None:
    with serve(refuses(429, retry_after="1"), says(GOOD)) as server:
        started = time.monotonic()
        assert reply(server).text == GOOD
    assert time.monotonic() - started >= 1


@pytest.mark.parametrize("wait", ["60", "7.9"])  # past what is waited for; past the deadline
def test_one_that_says_much_later_is_not(wait: str) -> None:
    with serve(refuses(429, retry_after=wait)) as server:
        started = time.monotonic()
        found = reply(server, chat_deadline=5)
    assert time.monotonic() - started < 3
    assert (len(server.requests), bool(found.problem)) == (1, True)


@pytest.mark.parametrize(
    ("status", "way_out"), [(400, "models.chat"), (401, "key"), (403, "key"), (404, "models.chat")]
)
def test_a_request_that_is_wrong_is_not_repeated(status: int, way_out: str) -> None:
    with serve(refuses(status)) as server:
        found = reply(server)
    assert len(server.requests) == 1
    assert found.problem
    assert way_out in found.problem.hint


def test_nobody_listens() -> None:  # R10
    chosen = settings(f"http://127.0.0.1:{closed_port()}/v1")
    found = Chat(chosen.chat, build_chat_model(chosen), chosen).complete(ASKED)
    assert found.problem
    assert "cannot be reached" in found.problem.message
    assert "models.chat_base_url" in found.problem.hint


MODES: dict[str, tuple[Step, str, str]] = {
    "stall": (sends(3.0), "", "said nothing for 0.5 s"),
    "stall later": (sends(event("It met."), 3.0), "It met.", "said nothing for 0.5 s"),
    "cut": (cut(event("It met.")), "It met.", "was cut off"),
    "ends without an end": (sends(event("It met."), DONE), "It met.", "was cut off"),
    "cut before a word": (cut(), "", ""),
    "empty": (says(""), "", "empty reply"),
    "blank": (says(" \n "), " \n ", "empty reply"),
    "no event": (sends(DONE), "", ""),
    "nothing at all": (sends(), "", ""),
    "a page": (sends(b"<html>It works!</html>", kind="text/html"), "", ""),
    "bad JSON": (sends(event("It met."), b"data: {nope\n\n"), "It met.", "was cut off"),
    "other JSON": (sends(b'data: {"a": 1}\n\n', DONE), "", ""),
    "an error": (sends(event("It met."), b'data: {"error": "no"}\n\n'), "It met.", "cut off"),
    "not text": (sends(event("It met."), b"data: \xff\xfe\n\n"), "It met.", "was cut off"),
    "limit": (says("It met.", "length"), "It met.", "limit of tokens"),
    "filter": (says("It", "content_filter"), "It", "filter"),
    "endless": (sends(*[event("word ") for _ in range(5000)]), "word " * 80, "did not stop"),
}  # fmt: skip


@pytest.mark.parametrize("mode", MODES)
def test_what_a_failing_server_left_is_kept_and_named(mode: str) -> None:  # R10, R12 to R15
    step, text, words = MODES[mode]
    with serve(step) as server:
        started = time.monotonic()
        found = reply(server, chat_retries=0)
        assert time.monotonic() - started < 2.5
    assert found.text == text
    assert found.problem
    assert words in found.problem.message
    assert found.problem.message.startswith("model openai:m: ")
    assert found.problem.hint


def test_after_the_first_word_nothing_is_repeated() -> None:
    with serve(cut(event("It met.")), says(GOOD)) as server:
        found = reply(server)
    assert (found.text, len(server.requests)) == ("It met.", 1)


def test_a_server_that_only_keeps_the_line_open_is_left_at_the_deadline() -> None:
    drip = [piece for _ in range(40) for piece in (b": working\n\n", 0.1)]
    with serve(sends(*drip)) as server:
        started = time.monotonic()
        found = reply(server, chat_timeout=30, chat_deadline=0.6)
        assert time.monotonic() - started < 2
    assert found.problem
    assert "took longer than 0.6 s" in found.problem.message


def test_whoever_stops_reading_stops_the_server() -> None:  # R27
    pieces = [piece for _ in range(200) for piece in (event("word "), 0.02)]
    before = threading.enumerate()
    with serve(sends(*pieces)) as server:
        chosen = settings(server.url)
        words = Chat(chosen.chat, build_chat_model(chosen), chosen).stream(ASKED)
        next(words)
        words.close()
        waited = time.monotonic() + 2
        while not server.gone and time.monotonic() < waited:
            time.sleep(0.02)
        assert server.gone == 1
        for thread in threading.enumerate():
            if thread.name == "chat model" and thread not in before:
                thread.join(2)
                assert not thread.is_alive()


def test_a_stream_damaged_anywhere_never_counts_as_whole() -> None:
    whole = b"".join(
        [*(event(word + " ") for word in GOOD.split()), event(finish="stop"), USAGE, DONE]
    )
    generator = random.Random(7)
    steps: list[Step] = []
    for _ in range(40):
        at = generator.randrange(len(whole) - len(USAGE) - len(DONE) - 40)
        damaged = bytearray(whole[:at]) if generator.random() < 0.6 else bytearray(whole)
        if len(damaged) == len(whole):
            damaged[at : at + 9] = generator.randbytes(9)
        steps.append(sends(bytes(damaged)))
    for step in steps:
        with serve(step) as server:
            found = reply(server, chat_retries=0)
        intact = found.text.split() == GOOD.split()
        assert found.problem or intact or not found.text.startswith(GOOD)


# -- the same through the faces ----------------------------------------------------------------


def drafting(sample: Assistant, server: ChatServer, **more: Any) -> Assistant:
    """The assistant over the sample collection, its chat model the server's script."""
    return sample.adjusted(models=settings(server.url, chat_tokens=300, **more).model_dump())


def tells(sentence: str, *, ended: bool = True) -> Step:
    """Answers with one sentence that cites the first passage it was given."""

    def step(handler: Any) -> None:
        prompt = handler.server.requests[-1]["messages"][-1]["content"]
        number = re.search(r"[0-9a-f]{16} passage (\d+)\n", prompt)
        assert number
        says(f"{sentence} [{number[1]}]\n", "stop" if ended else None)(handler)

    return step


def test_a_draft_is_shown_as_one_and_then_proved(sample: Assistant) -> None:
    quote = sample.ask(QUESTION).sentences[0].text
    with serve(tells(quote)) as server:
        *drafts, answer = drafting(sample, server).stream(QUESTION)
    assert [draft.stage for draft in drafts][:2] == ["retrieve", "answer"]
    assert isinstance(answer, Answer)
    assert answer.model == "openai:m"
    assert (answer.status, answer.incomplete, answer.problem) == ("answered", False, None)
    assert all(sentence.verdict == "supported" for sentence in answer.sentences)
    (draft,) = [stage for stage in answer.trace.stages if stage.name == "draft"]
    assert (draft.counts["input_tokens"], draft.counts["output_tokens"]) == (70, 7)


def test_silent_documents_ask_no_model(sample: Assistant) -> None:  # R37
    with serve(says(GOOD)) as server:
        answer = drafting(sample, server).ask("zzqx blorp fnord?")
    assert answer.status == "not_in_documents"
    assert server.requests == []


@pytest.mark.parametrize("step", [refuses(503), sends(3.0), cut(), says(""), says("No idea.")])
def test_when_nothing_comes_of_it_the_documents_are_quoted(sample: Assistant, step: Step) -> None:
    with serve(step) as server:
        answer = drafting(sample, server, chat_retries=0).ask(QUESTION)
    quoted = sample.ask(QUESTION)
    assert answer.sentences == quoted.sentences
    assert answer.passages == quoted.passages
    assert answer.model is None
    assert "openai:m" in answer.problem.message


def test_what_was_cut_off_is_incomplete_on_every_face(sample: Assistant) -> None:  # R14
    quote = sample.ask(QUESTION).sentences[0].text
    with serve(tells(quote, ended=False)) as server:
        assistant = drafting(sample, server)
        answer = assistant.ask(QUESTION)
        over_http = TestClient(create_app(assistant, window=False)).post(
            "/v1/ask", json={"question": QUESTION}
        )
    assert (answer.incomplete, answer.model) == (True, "openai:m")
    assert answer.sentences
    assert over_http.json()["incomplete"] is True
    assert over_http.json()["problem"]["message"].startswith("model openai:m: ")
    assert Answer.model_validate_json(over_http.text).incomplete
    shown = "\n".join(answer_lines(answer))
    assert "Incomplete: model openai:m: was cut off" in shown
    assert "drafted by openai:m" in shown
    assert "Incomplete" in plain_text(answer)


def test_follow_ups_are_rewritten_by_the_model_and_what_was_searched_is_kept(
    sample: Assistant,
) -> None:
    history = [Turn(question=QUESTION, answer=sample.ask(QUESTION))]
    rewritten = "When did the CSTO soldiers leave Kazakhstan?"
    with serve(says(f'Question: "{rewritten}"'), says("NONE")) as server:
        *drafts, answer = drafting(sample, server).stream("When did they leave?", history)
    assert isinstance(drafts[0], Draft)
    assert drafts[0].stage == "condense"
    assert answer.query == rewritten
    assert "Question: How many soldiers" in server.requests[0]["messages"][-1]["content"]
    assert answer.trace.stages[0].counts == {"input_tokens": 70, "output_tokens": 7}


@pytest.mark.parametrize(
    "step",
    [
        refuses(500),
        says(""),
        says("word " * 200),
        says("a\nb\nc"),
        says("<b>When?</b>"),
        says("..."),
    ],
)
def test_a_rewriting_that_fails_leaves_the_rule(sample: Assistant, step: Step) -> None:
    history = [Turn(question=QUESTION, answer=sample.ask(QUESTION))]
    with serve(step) as server:
        answer = drafting(sample, server, chat_retries=0).ask("When did they leave?", history)
    assert answer.query == sample.ask("When did they leave?", history).query


# -- which model a name is ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "words", "way_out"),
    [
        ("openai:gpt-4o", "OPENAI_API_KEY", "export OPENAI_API_KEY"),
        ("anthropic:claude", "ANTHROPIC_API_KEY", "export ANTHROPIC_API_KEY"),
        ("mistralai:m", "package is missing", "pip install langchain-mistralai"),
        ("nobody:m", "Unable to infer", "openai:MODEL"),
        ("local:/nowhere.gguf", "/nowhere.gguf", "local:PATH"),
    ],
)
def test_a_model_that_cannot_be_had_is_one_line_with_the_way_out(
    name: str, words: str, way_out: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANTHROPIC_API_KEY", raising=False)
    with pytest.raises(ModelError) as caught:
        build_chat_model(ModelSettings(chat=name))
    assert words in str(caught.value)
    assert way_out in caught.value.hint
    assert "\n" not in str(caught.value) + caught.value.hint


@pytest.mark.parametrize("name", ["anthropic:claude-test", "ollama:m"])
def test_other_providers_fail_in_the_same_words(name: str) -> None:
    chosen = settings(f"http://127.0.0.1:{closed_port()}", chat=name)
    found = Chat(name, build_chat_model(chosen), chosen).complete(ASKED)
    assert found.problem
    assert found.problem.message.startswith(f"model {name}: cannot be reached")
    with serve(refuses(503)) as server:
        chosen = settings(server.url, chat=name)
        found = Chat(name, build_chat_model(chosen), chosen).complete(ASKED)
    assert (len(server.requests), found.retry_in is not None) == (3, True)
