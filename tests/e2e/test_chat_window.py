"""The window over the sample collection, as a newcomer meets it, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest

from assistant import Assistant
from assistant.types import Answer, Citation, Turn
from assistant.ui.app import EXAMPLES

pytestmark = pytest.mark.browser

UNANSWERABLE = "Who won the football world cup in 1998?"


@pytest.fixture(scope="module")
def address(sample: Assistant, serve: Callable[..., Any]) -> Iterator[str]:
    from assistant.http_api import create_app

    with serve(create_app(sample)) as address:
        yield address


def finished(page: Any, number: int) -> Any:
    """The answer of a turn, once its stream is over."""
    answer = page.locator(".turn").nth(number).locator(".answer")
    answer.wait_for()
    page.locator("#ask").wait_for()  # back in the place of Stop
    return answer


def ask(page: Any, question: str) -> Any:
    number = page.locator(".turn").count()
    box = page.get_by_label("Question")
    box.fill(question)
    box.press("Enter")
    return finished(page, number)


def cited_by(assistant: Assistant, question: str) -> list[Citation]:
    return cited_in(assistant.ask(question))


def cited_in(answer: Answer) -> list[Citation]:
    return [citation for sentence in answer.sentences for citation in sentence.citations]


def converse(assistant: Assistant, questions: Sequence[str]) -> dict[str, list[Citation]]:
    """What the answers cite when the questions are asked one after the other."""
    turns: list[Turn] = []
    for question in questions:
        turns.append(Turn(question=question, answer=assistant.ask(question, turns)))
    return {turn.question: cited_in(turn.answer) for turn in turns}


def open_marker(page: Any, marker: Any) -> list[str]:
    """The words that the panel marks once it shows what the marker opens."""
    marker.click()
    page.locator(f"#panel [data-shown='{marker.get_attribute('data-ref')}']").wait_for()
    return list(page.locator("#panel mark").all_text_contents())


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("light", {"color_scheme": "light"}),
        ("dark", {"color_scheme": "dark"}),
        ("narrow", {"viewport": {"width": 390, "height": 844}}),
    ],
)
def test_a_marker_opens_its_passage_with_exactly_the_cited_words_marked(
    name: str,
    options: dict[str, Any],
    address: str,
    sample: Assistant,
    open_page: Any,
    screenshot: Any,
) -> None:
    question = EXAMPLES[0]
    cited = cited_by(sample, question)
    assert cited, "the sample collection answers its first example"
    page, seen = open_page(address, **options)
    page.locator(".example").first.wait_for()
    screenshot(page, f"window-{name}-start")
    page.get_by_role("button", name=question).click()
    answer = finished(page, 0)
    markers = answer.locator(".sentences .marker")
    assert markers.count() == len(cited)
    for number, citation in enumerate(cited):
        assert open_marker(page, markers.nth(number)) == [citation.quote]
        source = page.locator("#panel .source").inner_text()
        assert citation.title in source
        assert citation.source in source
        assert in_view(page, "#panel mark")
    screenshot(page, f"window-{name}")
    assert not page.evaluate("document.documentElement.scrollWidth > innerWidth"), "too wide"
    assert (seen.elsewhere, seen.dialogs, seen.errors) == ([], [], [])


def test_several_turns_then_the_library(
    address: str, sample: Assistant, open_page: Any, screenshot: Any
) -> None:
    page, seen = open_page(address)
    cited = converse(sample, EXAMPLES[:3])
    answers = [ask(page, question) for question in cited]
    assert [a.locator(".sentences .marker").count() for a in answers] == [
        len(citations) for citations in cited.values()
    ]
    for answer, citations in reversed(list(zip(answers, cited.values(), strict=True))):
        if citations:
            marker = answer.locator(".sentences .marker").first
            assert open_marker(page, marker) == [citations[0].quote]
    nowhere = ask(page, UNANSWERABLE)
    assert "Not in the documents." in nowhere.inner_text()
    assert nowhere.locator(".marker").count() == 0
    nearest = nowhere.locator(".nearest button").first
    assert open_marker(page, nearest) == []
    screenshot(page, "window-not-in-the-documents")

    documents = sample.documents()
    page.get_by_role("tab", name="Documents").click()
    page.locator("table.documents").wait_for()
    assert page.locator("table.documents tbody tr").count() == len(documents)
    page.get_by_label("Filter").fill("Turkish")
    page.locator("table.documents caption", has_text=f"of {len(documents)}").wait_for()
    listed = page.locator("table.documents button")
    assert listed.count() == sum(document.language == "tr" for document in documents)
    open_marker(page, listed.first)
    assert page.locator("#panel .reading").get_attribute("lang") == "tr"
    page.get_by_label("Filter").fill("")
    page.locator("table.documents tbody tr").nth(len(documents) - 1).wait_for()
    screenshot(page, "window-documents")
    assert (seen.elsewhere, seen.dialogs, seen.errors) == ([], [], [])


@pytest.mark.parametrize(
    ("question", "words"), [(" ", "question is empty"), ("x" * 100_000, "100,000 characters")]
)
def test_a_question_that_cannot_be_asked_is_met_with_a_sentence(
    question: str, words: str, address: str, open_page: Any
) -> None:
    page, seen = open_page(address)
    box = page.get_by_label("Question")
    box.fill(question)
    box.press("Enter")
    notice = page.locator(".turn .notice", has_text=words)
    notice.wait_for()
    assert "Try: " in notice.inner_text()
    assert "Traceback" not in page.content()
    assert seen.errors == []


def in_view(page: Any, selector: str) -> bool:
    return bool(
        page.evaluate(
            "selector => { const { top, bottom } = document.querySelector(selector)"
            ".getBoundingClientRect(); return bottom > 0 && top < innerHeight; }",
            selector,
        )
    )


def test_filters_narrow_what_is_asked(address: str, open_page: Any, screenshot: Any) -> None:
    question = "How many Armenian soldiers were killed in September 2022?"
    page, seen = open_page(address)
    page.locator(".example").first.wait_for()
    assert not page.get_by_label("Until").is_visible()
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Until").fill("2022-09-13")
    answer = ask(page, question)
    assert "Only documents published until 13 September 2022 were asked." in answer.inner_text()
    assert "have no date" in answer.inner_text()
    screenshot(page, "window-filters")

    page.get_by_label("Until").fill("2022-02-30")
    page.get_by_label("Question").fill(question)
    page.get_by_label("Question").press("Enter")
    page.get_by_text("there is no day '2022-02-30'").wait_for()

    page.get_by_label("Until").fill("")
    source = page.get_by_label("Source", exact=True)
    source.click()
    source.press_sequentially("Border")
    page.get_by_role("option").first.click()
    answer = ask(page, question)
    assert "Only documents from" in answer.inner_text()
    assert not seen.elsewhere
    assert not seen.errors
