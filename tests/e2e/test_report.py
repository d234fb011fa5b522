"""The evaluation report in a real browser: hostile text, both colour schemes, 2,000 questions."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from assistant.evals import metrics, report, results
from assistant.evals.cases import Case
from assistant.evals.results import Header, Ranked, Row, Timing
from assistant.types import (
    Answer,
    AnswerSentence,
    Citation,
    Document,
    Passage,
    ScoredPassage,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

HOSTILE = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>\u202e</script>'
QUESTIONS = 2000
ROOT = Path(__file__).parents[2]
MEASURES = ("R@1", "nDCG@10", "answer_contained@3", "citation_hit", "abstention_accuracy")
NAMES = (*MEASURES, "abstention_AUROC", "coverage@5%")


def scored(number: int) -> ScoredPassage:
    text = f"Emoji 🇦🇲 first. The council number {number} met in Yerevan. {HOSTILE} " + "word " * 150
    document = Document(
        id=f"d{number}", uri=f"day{number}.md", title=HOSTILE, source="s", media_type="text/plain"
    )
    passage = Passage(
        id=f"d{number}:0", document_id=f"d{number}", start=0, end=len(text), text=text
    )
    return ScoredPassage(passage=passage, document=document, score=0.5)


def row_of(number: int) -> Row:
    quote = f"The council number {number} met in Yerevan."
    found = tuple(scored(at % 300) for at in range(number, number + 8))
    citation = Citation(
        marker=1,
        document_id=found[0].document.id,
        passage_id=found[0].passage.id,
        title="t",
        source="s",
        start=0,
        end=1,
        quote=quote,
    )
    wrong = number % 5 == 0
    answer = Answer(
        id="",
        question="q",
        query=f"searched {HOSTILE}",
        status="not_in_documents" if number % 7 == 0 else "answered",
        confidence=(number * 37 % 100) / 100,
        sentences=(AnswerSentence(text=quote, citations=(citation,), verdict="supported"),),
        passages=found,
        settings_digest="s",
    )
    case = Case(
        id=f"{HOSTILE}-{number}" if number == 1 else f"q{number}",
        question=f"Where did the council number {number} meet? {HOSTILE if number < 5 else ''}",
        answerable=number % 4 != 0,
        relevant={"day999.md" if wrong else found[0].document.uri: 1},
        answers=("Yerevan", HOSTILE),
        quotes=("council number",),
        tags=("where", HOSTILE if number % 2 else "even"),
    )
    row = Row(
        case=case,
        relevant=case.relevant,
        answer=answer,
        ranking=tuple(Ranked(document=s.document.uri, score=s.score) for s in found),
        cited=(found[0].document.uri,),
        exact=(True,),
    )
    return row.model_copy(update={"scores": metrics.score(row, map(metrics.parse, NAMES))})


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "result.jsonl"
    header = Header(
        set=f"Councils {HOSTILE}",
        set_digest="0" * 12,
        collection_digest="0" * 12,
        settings_digest="0" * 12,
        questions=QUESTIONS,
        measures=NAMES,
        depth=20,
        seeds={"bootstrap": 1},
        versions={"cited-assistant": "0"},
    )
    rows = [row_of(number) for number in range(1, QUESTIONS + 1)]
    path.write_bytes(header.model_dump_json().encode() + b"\n" + b"".join(r.line() for r in rows))
    times = [Timing(id="q", seconds={"retrieve": 0.01, "answer": 0.002, "total": 0.013})]
    lines = "".join(time.model_dump_json() + "\n" for time in times)
    results.timings_path(path).write_text("{}\n" + lines)
    report.write(path, path.with_suffix(".html"))
    return path.with_suffix(".html")


@pytest.fixture(scope="module")
def sample_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the sixty questions about the sample collection."""
    target = tmp_path_factory.mktemp("sample-report") / "sample.html"
    report.write(ROOT / "evals" / "sets" / "sample.baseline.jsonl.gz", target)
    return target


@pytest.fixture
def watched(browser: Browser, page_file: Path) -> Any:
    """A page on the report, and everything that went wrong in it."""
    contexts = []

    def open_page(scheme: str = "light", file: Path = page_file) -> tuple[Page, list[str]]:
        context = browser.new_context(
            color_scheme=scheme,  # type: ignore[arg-type]
            viewport={"width": 1280, "height": 900},
        )
        contexts.append(context)
        page = context.new_page()
        wrong: list[str] = []
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: wrong.append(request.url))
        page.goto(file.as_uri())
        page.locator("#questions tbody tr").first.wait_for()
        assert wrong == [file.as_uri()]
        wrong.clear()
        return page, wrong

    yield open_page
    for context in contexts:
        context.close()


def test_it_opens_quickly(watched: Any) -> None:
    watched()  # the browser itself is warm
    began = time.monotonic()
    page, _ = watched()
    seconds = time.monotonic() - began
    assert page.locator("#count").inner_text() == f"{QUESTIONS} of {QUESTIONS}"
    assert seconds < 2, f"{seconds:.2f} s"


def test_hostile_text_does_nothing(watched: Any) -> None:
    page, wrong = watched()
    first = page.locator("#questions tbody a").first
    assert first.inner_text() == f"{HOSTILE}-1".replace("\u202e", "")
    first.click()
    page.locator("#detail .passage").first.wait_for()
    for number in (2, 5, 7):
        page.evaluate(f"location.hash = '#q=q{number}'")
        page.locator("#detail h2", has_text=f"number {number} meet").wait_for()
    assert page.evaluate("window.hacked") is None
    assert page.locator("img").count() == 0
    assert wrong == []


def test_quotes_are_marked_in_the_passages(watched: Any) -> None:
    page, _ = watched()
    page.evaluate("location.hash = '#q=q3'")
    passage = page.locator("#detail .passage").first
    assert passage.locator("mark").all_inner_texts() == [
        "The ",
        "council number",
        " 3 met in Yerevan.",
    ]
    assert passage.locator("mark.gold").all_inner_texts() == ["council number"]
    page.go_back()
    assert page.locator("#all").is_visible()


def test_the_table_filters_and_sorts(watched: Any) -> None:
    page, _ = watched()
    page.get_by_label("words in id or question").fill("COUNCIL q1999")
    assert page.locator("#count").inner_text().startswith("1 of")
    page.get_by_label("words in id or question").fill("")
    page.get_by_label("outcome").select_option("not retrieved")
    outcomes = set(page.locator("#questions tbody td:nth-child(4)").all_inner_texts())
    assert outcomes == {"not retrieved"}
    page.get_by_label("outcome").select_option("")
    page.get_by_role("button", name="confidence").click()
    values = page.locator("#questions tbody td:nth-child(5)").all_inner_texts()
    assert values == sorted(values)
    page.get_by_role("button", name="show more").click()
    assert page.locator("#questions tbody tr").count() == 1200


def test_a_question_tells_where_it_was_lost_and_leads_to_the_next(watched: Any) -> None:
    page, _ = watched()
    page.get_by_label("outcome").select_option("wrongly refused")
    page.locator("#questions tbody a").first.click()
    facts = page.locator("#detail dd").first
    assert facts.locator("strong").inner_text() == "wrongly refused"
    assert "✓ retrieved: 1 of 8 passages are of relevant documents, the first at" in (
        facts.inner_text()
    )
    assert "✗ decided: silent, at a confidence of" in facts.inner_text()
    heading = page.locator("#detail h2").inner_text()
    page.get_by_role("link", name="next of").click()
    page.locator("#detail h2", has_not_text=heading).wait_for()
    assert page.locator("#detail dd strong").inner_text() == "wrongly refused"
    page.get_by_role("link", name="previous").click()
    page.locator("#detail h2", has_text=heading).wait_for()


def test_it_fits_a_phone(watched: Any, sample_file: Path, screenshot: Any) -> None:
    page, _ = watched(file=sample_file)
    page.set_viewport_size({"width": 390, "height": 1600})
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    screenshot(page, "report-phone")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_has_a_light_and_a_dark_face(
    watched: Any, sample_file: Path, scheme: str, screenshot: Any
) -> None:
    page, wrong = watched(scheme, sample_file)
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    brightness = sum(map(int, colour.removeprefix("rgb(").rstrip(")").split(",")))
    assert (brightness > 384) == (scheme == "light")
    page.set_viewport_size({"width": 1280, "height": 3200})
    screenshot(page, f"report-{scheme}")
    page.evaluate("location.hash = '#q=c01'")
    page.locator("#detail .passage").first.wait_for()
    page.set_viewport_size({"width": 1280, "height": 1700})
    screenshot(page, f"report-question-{scheme}")
    assert wrong == []


def test_hostile_text_does_not_break_the_layout(watched: Any, screenshot: Any) -> None:
    page, _ = watched()
    page.set_viewport_size({"width": 1280, "height": 2400})
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    screenshot(page, "report-hostile")
