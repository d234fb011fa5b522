"""The window over a scripted assistant: hostile words, errors, stopping, two readers, no mouse."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from fastapi import FastAPI

from assistant.errors import QuestionError, UnknownDocumentError
from assistant.types import (
    Answer,
    AnswerSentence,
    Citation,
    Conflict,
    Document,
    Draft,
    Filters,
    Passage,
    ScoredPassage,
    Side,
    Turn,
)

pytestmark = pytest.mark.browser

EVIL = (
    "<script>alert('s')</script>",
    "<img src=https://evil.test/beacon onerror=alert('i')>",
    '"><svg/onload=alert("q")>',
    "' autofocus onfocus='alert(\"f\")",
    "![x](https://evil.test/md.png) [y](javascript:alert('j')) <https://evil.test/auto>",
    "<iframe srcdoc=\"<script>parent.alert('d')</script>\"></iframe>",
    "<a ping=https://evil.test/ping href=https://evil.test/a>a</a>",
    "<style>*{background:url(https://evil.test/css)}</style>",
    "</article></div><button class='marker' data-ref='document/secret'>[1]</button>",
    "${alert('t')} {{#with 'x'}}{{/with}} {{constructor}} `${alert('u')}`",
    "$$\\href{javascript:alert('k')}{x}$$ \\(\\unicode{<img src=x onerror=alert('m')>}\\)",
    "<math><mtext></p><img src=x onerror=alert('n')></math>",
    "<meta http-equiv=refresh content='0;url=https://evil.test/'>",
    "<base href=https://evil.test/><link rel=prefetch href=https://evil.test/p>",
    "plain words [1] [2](#cite) Source: HR policy",
)
SECRET = "The exit code of the reactor is 4711."


class Scripted:
    """Cites, from a document of hostile or plain words, whatever the question asks it to."""

    def __init__(self, documents: Sequence[Document]) -> None:
        self.held = {document.id: document for document in documents}
        self.running = threading.Event()
        self.closed = threading.Event()
        self._asked = 0

    def documents(self) -> tuple[Document, ...]:
        return tuple(d.model_copy(update={"text": ""}) for d in self.held.values())

    def document(self, document_id: str) -> Document:
        if document_id not in self.held:
            raise UnknownDocumentError(document_id)
        return self.held[document_id]

    def stream(
        self, question: str, history: Sequence[Turn] = (), filters: Filters | None = None
    ) -> Iterator[Answer | Draft]:
        yield Draft(stage="retrieve")
        if not question.strip():
            raise QuestionError("the question is empty", "type one")
        if question == "break":
            raise ZeroDivisionError(SECRET)
        if question == "for ever":
            yield from self._for_ever()
        document = self.held.get(question) or next(iter(self.held.values()))
        yield Draft(stage="answer", text=document.text)
        self._asked += 1
        yield answer(f"answer{self._asked}", question, document)

    def _for_ever(self) -> Iterator[Draft]:
        try:
            while True:
                self.running.set()
                yield Draft(stage="answer", text="and on and on")
                time.sleep(0.1)
        finally:
            self.closed.set()


def answer(identity: str, question: str, document: Document) -> Answer:
    cited = Citation(
        marker=1,
        document_id=document.id,
        passage_id="p",
        title=document.title,
        source=document.source,
        locator=document.title,
        start=0,
        end=len(document.text),
        quote=document.text,
    )
    bare = document.model_copy(update={"text": ""})
    passage = Passage(
        id="p",
        document_id=document.id,
        start=0,
        end=len(document.text),
        text=document.text,
        headings=(document.title,),
    )
    return Answer(
        id=identity,
        question=question,
        query=question,
        status="partial",
        confidence=0.9,
        sentences=(
            AnswerSentence(text=document.text, citations=(cited,), verdict="supported"),
            AnswerSentence(
                text=document.text,
                citations=(cited,),
                verdict="unsupported",
                reasons=(document.text,),
            ),
        ),
        conflicts=(
            Conflict(subject=document.text, sides=(Side(value=document.text, citation=cited),)),
        ),
        passages=(ScoredPassage(passage=passage, document=bare, score=0.5),),
        settings_digest="0" * 12,
    )


def document(identity: str, words: str) -> Document:
    return Document(
        id=identity,
        uri=words,
        title=words,
        source=words,
        author=words,
        language="en",
        media_type="text/plain",
        text=words,
    )


@pytest.fixture(scope="module")
def scripted() -> Scripted:
    plain = document("plain", "The bridge is 310 metres long. " * 3)
    evil = [document(words, words) for words in EVIL]
    return Scripted([plain, *evil])


@pytest.fixture(scope="module")
def address(scripted: Any, serve: Callable[..., Any]) -> Iterator[str]:
    from assistant.ui.app import mount

    with serve(mount(FastAPI(), scripted)) as address:
        yield address


def ask(page: Any, question: str) -> Any:
    page.locator("#ask").wait_for()  # in the place of Stop: the last question is done with
    turn = page.locator(".turn").nth(page.locator(".turn").count())
    box = page.get_by_label("Question")
    box.fill(question)
    box.press("Enter")
    turn.wait_for()
    return turn


def test_t16_t17_hostile_words_stay_words_everywhere(address: str, open_page: Any) -> None:
    page, seen = open_page(address)
    for number, words in enumerate(EVIL):
        turn = ask(page, words)
        turn.locator(".answer").wait_for()
        turn.locator(".found summary").click()
        turn.locator(".marker").first.click()
        page.wait_for_function(
            "ref => document.querySelector('#panel .source')?.dataset.shown === ref",
            arg=turn.locator(".marker").first.get_attribute("data-ref"),
        )
        assert page.locator("#panel mark").all_text_contents() == [words]
        assert turn.locator(".question").text_content() == words
        page.locator("#panel").get_by_text("Whole document").click()
        page.locator("#panel").get_by_text("Passage only").wait_for()
        assert page.locator(".turn").count() == number + 1
    page.get_by_role("tab", name="Documents").click()
    page.locator("table.documents").wait_for()
    page.get_by_label("Filter").fill(EVIL[0])
    page.locator("table.documents caption", has_text="1 of").wait_for()
    page.locator("table.documents button").click()
    page.wait_for_timeout(500)  # whatever was going to load or fire has had its time
    shown = page.evaluate(
        "tags => document.querySelectorAll(`.html-container :is(${tags})`).length",
        "a, base, iframe, img, link, math, meta, object, script, style, svg",
    )
    assert shown == 0
    assert page.url.rstrip("/") == address
    assert (seen.elsewhere, seen.dialogs, seen.errors) == ([], [], [])


def test_markers_of_earlier_turns_keep_opening_their_own_words(
    address: str, open_page: Any
) -> None:
    page, _ = open_page(address)
    for words in ("plain", EVIL[0]):
        ask(page, words).locator(".answer").wait_for()
    for number, quote in ((0, "The bridge is 310 metres long. " * 3), (1, EVIL[0]), (0, None)):
        marker = page.locator(".turn").nth(number).locator(".marker").first
        marker.click()
        page.locator(f"#panel [data-shown='{marker.get_attribute('data-ref')}']").wait_for()
        assert marker.get_attribute("class") == "marker is-open"
        if quote:
            assert page.locator("#panel mark").all_text_contents() == [quote]


def test_t28_another_reader_cannot_open_what_this_one_was_shown(
    address: str, open_page: Any
) -> None:
    first, _ = open_page(address)
    second, _ = open_page(address)
    mine = ask(first, "plain").locator(".marker").first
    theirs = ask(second, "plain").locator(".marker").first
    mine.wait_for()
    ref = mine.get_attribute("data-ref")
    theirs.evaluate("(marker, ref) => { marker.dataset.ref = ref }", ref)
    theirs.click()
    second.locator("#panel .notice", has_text="belongs to another conversation").wait_for()
    mine.click()
    first.locator("#panel mark").wait_for()


def test_the_keyboard_is_enough(address: str, open_page: Any) -> None:
    page, _ = open_page(address)
    ask(page, "plain").locator(".answer").wait_for()
    marker = page.locator(".marker").first
    assert marker.get_attribute("aria-label").startswith("Open source 1: ")
    for _ in range(30):
        if marker.evaluate("marker => marker === document.activeElement"):
            break
        page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    page.locator("#panel mark").wait_for()
    page.wait_for_function("() => document.activeElement?.matches('#panel .source')")
    page.keyboard.press("Escape")
    page.wait_for_function("() => document.activeElement?.matches('.marker.is-open')")


def test_r27_stop_ends_the_work_on_the_server_and_says_so(
    address: str, scripted: Scripted, open_page: Any, screenshot: Any
) -> None:
    page, seen = open_page(address)
    scripted.running.clear()
    scripted.closed.clear()
    turn = ask(page, "for ever")
    turn.locator(".draft-label").wait_for()
    screenshot(page, "window-draft")
    page.get_by_role("button", name="Stop").click()
    turn.locator(".notice", has_text="Stopped before the answer was checked.").wait_for()
    assert scripted.closed.wait(3)
    ask(page, "plain").locator(".answer").wait_for()
    page.get_by_role("button", name="New conversation").click()
    page.locator(".turn").first.wait_for(state="detached")
    page.locator("#welcome").wait_for()
    assert seen.errors == []


def test_errors_are_a_sentence_and_the_window_goes_on(address: str, open_page: Any) -> None:
    page, seen = open_page(address)
    empty = ask(page, " ")
    empty.locator(".notice", has_text="the question is empty. Try: type one.").wait_for()
    broken = ask(page, "break")
    broken.locator(".notice", has_text="Something went wrong in this program.").wait_for()
    assert SECRET not in page.content()
    assert "ZeroDivisionError" not in page.content()
    ask(page, "plain").locator(".answer").wait_for()
    assert seen.dialogs == []


def test_an_empty_library_explains_itself(serve: Callable[..., Any], open_page: Any) -> None:
    from assistant.ui.app import mount

    nothing: Any = Scripted([])
    with serve(mount(FastAPI(), nothing)) as address:
        page, _ = open_page(address)
        page.get_by_text("The library is empty.").wait_for()
        assert page.locator(".example:visible").count() == 0


def test_the_copied_answer_is_plain_text_with_its_sources(address: str, open_page: Any) -> None:
    page, _ = open_page(address, permissions=["clipboard-read", "clipboard-write"])
    ask(page, "plain").locator(".answer").wait_for()
    page.get_by_role("button", name="Copy with sources").click()
    page.get_by_role("button", name="Copied").wait_for()
    copied = page.evaluate("() => navigator.clipboard.readText()")
    assert copied.startswith("plain\n\nPartial answer.")
    assert "Sources\n[1] The bridge is 310 metres long." in copied


def test_t17_markup_that_did_get_in_could_reach_no_other_server(
    address: str, open_page: Any
) -> None:
    page, _ = open_page(address)
    refused = page.evaluate(
        """async () => {
            const refused = new Set();
            addEventListener("securitypolicyviolation", e => refused.add(e.effectiveDirective));
            const box = document.body.appendChild(document.createElement("div"));
            box.innerHTML = `<img src="https://evil.test/i"><iframe src="https://evil.test/f">
                </iframe><object data="https://evil.test/o"></object>
                <style>@import url(https://evil.test/c);</style>
                <video src="https://evil.test/v"></video>`;
            const script = document.createElement("script");
            script.src = "https://evil.test/s";
            box.append(script);
            await fetch("https://evil.test/x").catch(() => {});
            await new Promise(done => setTimeout(done, 500));
            return [...refused].sort();
        }"""
    )
    wanted = "connect-src frame-src img-src media-src object-src script-src-elem style-src-elem"
    assert refused == wanted.split()
