"""pdf.py and pdfium.py: lines made into paragraphs, and nothing that the page does not show."""

from __future__ import annotations

import datetime as dt
import io
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pypdfium2
import pytest
from reportlab.lib import pdfencrypt
from reportlab.pdfgen.canvas import Canvas

from assistant import pdfium, recognizing
from assistant.errors import LoadingError
from assistant.parsing import assemble
from assistant.pdf import parse_pdf
from assistant.types import Mark

Draw = Callable[[Any], None]


def made(*pages: Draw, **options: Any) -> bytes:
    """A PDF of pages of 600 by 800 points."""
    saved = io.BytesIO()
    canvas = Canvas(saved, pagesize=(600, 800), **options)
    for draw in pages:
        draw(canvas)
        canvas.showPage()
    canvas.save()
    return saved.getvalue()


def lines(texts: Sequence[str], top: float = 700, left: float = 50, **font: Any) -> Draw:
    """Lines of text 14 points apart; an empty one leaves a gap."""

    def draw(canvas: Any) -> None:
        canvas.setFont(font.get("name", "Helvetica"), font.get("size", 12))
        for i, text in enumerate(texts):
            canvas.drawString(left, top - 14 * i, text)

    return draw


def drawn(*parts: Draw) -> Draw:
    def draw(canvas: Any) -> None:
        for part in parts:
            part(canvas)

    return draw


def read(content: bytes) -> tuple[list[str], tuple[Mark, ...]]:
    text, marks = assemble(parse_pdf(content, "a.pdf").blocks)
    return text.split("\n\n"), marks


def reason(content: bytes) -> str:
    with pytest.raises(LoadingError) as caught:
        parse_pdf(content, "a.pdf")
    assert "a.pdf" in str(caught.value)
    assert caught.value.hint
    return caught.value.reason


FIRST = (
    "The council met in the capital on Monday evening and",
    "talked until late. No one left the",
)
SECOND = (
    "The talks were to go on the next day, in the same hall",
    "and with the same delegations.",
)


def test_lines_become_paragraphs() -> None:
    heading = lines(["First day"], 720, name="Helvetica-Bold")
    content = made(drawn(heading, lines([*FIRST, "hall.", *SECOND])))
    assert read(content)[0] == [
        "First day",
        " ".join([*FIRST, "hall."]),
        " ".join(SECOND),
    ]


def test_a_paragraph_is_ended_by_a_gap_an_indent_or_a_bullet() -> None:
    full = "The hall was full and it was cold, as on every evening."
    gap = lines([full, "", full.replace("hall", "house")])
    assert len(read(made(gap))[0]) == 2
    indented = drawn(lines([full]), lines([full], 686, left=70))
    assert len(read(made(indented))[0]) == 2
    assert len(read(made(lines([full[:-1], "• " + full, "• " + full])))[0]) == 3


def test_a_line_that_ends_early_in_a_sentence_does_not_end_it() -> None:
    content = made(
        lines(["A line that is as long as the column is wide, here", "short", "and on."])
    )
    assert read(content)[0] == ["A line that is as long as the column is wide, here short and on."]


@pytest.mark.parametrize(
    ("above", "below", "together"),
    [
        ("The organi-", "zation met.", "The organization met."),
        ("A self-", "defence pact.", "A self-defence pact."),
        ("In Nagorno-", "Karabakh it was quiet.", "In Nagorno-Karabakh it was quiet."),
        ("In 2020-", "2021 it was quiet.", "In 2020-2021 it was quiet."),
        ("The cease-fire held. A cease-", "fire held.", "The cease-fire held. A cease-fire held."),
    ],
)
def test_divided_words_are_joined(above: str, below: str, together: str) -> None:
    assert read(made(lines([above, below])))[0] == [together]


def test_columns_are_read_one_after_the_other() -> None:
    left = [f"left column line number {i} goes on and" for i in range(8)]
    right = [f"right column line number {i} goes on and" for i in range(8)]
    text = read(made(drawn(lines(left), lines([*right, "ends."], left=320))))[0]
    assert text == [" ".join([*left, *right, "ends."])]


def test_a_mark_where_each_page_begins() -> None:
    text, marks = assemble(parse_pdf(made(lines(["One."]), lines(["Two."])), "a").blocks)
    assert [(mark.kind, mark.label) for mark in marks] == [("page", "page 1"), ("page", "page 2")]
    assert [text[mark.start :] for mark in marks] == ["One.\n\nTwo.", "Two."]


def test_a_sentence_over_a_page_break_is_whole_and_on_its_first_page() -> None:
    content = made(lines(FIRST), lines(["hall that night. On Tuesday they met again.", "", "End."]))
    paragraphs, marks = read(content)
    assert "No one left the hall that night. On Tuesday" in paragraphs[0]
    text = "\n\n".join(paragraphs)
    assert text[marks[1].start :].startswith("On Tuesday they met again.")


def test_an_empty_page_keeps_the_count() -> None:
    marks = read(made(lines(["One."]), lines([]), lines(["Three."])))[1]
    assert [mark.label for mark in marks] == ["page 1", "page 3"]


def test_running_heads_and_page_numbers_are_left_out() -> None:
    pages = [
        drawn(
            lines(["Yearbook of the office, 2022"], 780),
            lines([f"Page {i} of 4"], 20),
            lines([f"Fact number {i}.", f"{i}"]),
        )
        for i in range(1, 5)
    ]
    text = "\n\n".join(read(made(*pages))[0])
    assert text.count("Yearbook of the office, 2022") == 1
    assert "Page" not in text
    assert all(f"Fact number {i}." in text for i in range(1, 5))
    head = [drawn(lines([f"{i} The Ledger"], 780), lines([f"Fact {i}."])) for i in (3, 4)]
    assert read(made(*head))[0] == ["3 The Ledger", "Fact 3.", "Fact 4."]


def test_figures_at_the_edge_are_no_page_numbers() -> None:
    rows = [lines([f"Armenia {count} dead", f"Baku {count}"], 780) for count in (49, 105)]
    text = " ".join(read(made(*rows))[0])
    assert text == "Armenia 49 dead Baku 49 Armenia 105 dead Baku 105"
    assert read(made(drawn(lines(["Fact."]), lines(["7"], 20))))[0] == ["Fact.", "7"]
    assert read(made(drawn(lines(["Fact."]), lines(["1"], 20))))[0] == ["Fact."]


def test_a_raised_figure_stays_in_its_line() -> None:
    def draw(canvas: Any) -> None:
        lines(["The wing spans 3"])(canvas)
        end = 50 + canvas.stringWidth("The wing spans 3", "Helvetica", 12)
        canvas.setFont("Helvetica", 7)
        canvas.drawString(end, 705, "2")
        canvas.setFont("Helvetica", 12)
        canvas.drawString(end + 8, 700, "inches or more.")

    assert " ".join(read(made(draw))[0]).startswith("The wing spans 32")


def test_a_turned_page_is_read_as_its_reader_turns_it() -> None:
    def draw(canvas: Any) -> None:
        canvas.setPageRotation(90)
        canvas.rotate(90)
        lines([*FIRST, "hall.", *SECOND], top=-100)(canvas)

    assert len(read(made(draw))[0]) == 2


def state(**settings: tuple[Any, ...]) -> Draw:
    """Sets something of the canvas: ``setFillColorRGB=(1, 1, 1)``."""

    def draw(canvas: Any) -> None:
        for name, values in settings.items():
            getattr(canvas, name)(*values)

    return draw


def invisible(text: str) -> Draw:
    def draw(canvas: Any) -> None:
        words = canvas.beginText(50, 400)
        words.setTextRenderMode(3)
        words.textLine(text)
        canvas.drawText(words)

    return draw


WHITE, BLACK = state(setFillColorRGB=(1, 1, 1)), state(setFillColorRGB=(0, 0, 0))
CANARY = lines(["CANARY"], 500)


@pytest.mark.parametrize(
    "hidden",
    [
        drawn(WHITE, CANARY),
        drawn(state(setFillColorRGB=(0.97, 0.98, 0.96)), CANARY),
        drawn(state(setFillAlpha=(0.01,)), CANARY),
        invisible("CANARY"),
        lines(["CANARY"], 500, size=1),
        lines(["CANARY"], -50),
        lines(["CANARY"], 900),
        lines(["CANARY"], 500, left=700),
        lines(["CANARY"], 500, left=-200),
        state(setTitle=("CANARY",), setSubject=("CANARY",), setKeywords=("CANARY",)),
        state(bookmarkPage=("a",), addOutlineEntry=("CANARY", "a")),
        state(textAnnotation=("CANARY", (50, 50, 90, 90))),
        state(linkURL=("http://127.0.0.1/CANARY", (50, 50, 90, 90))),
    ],
)
def test_t19_what_the_page_does_not_show_is_not_text(hidden: Draw) -> None:
    assert read(made(drawn(lines(["Seen."]), hidden)))[0] == ["Seen."]


def test_t19_pale_words_on_a_dark_ground_are_text() -> None:
    ground = state(rect=(40, 490, 300, 30, 0, 1))
    content = made(drawn(BLACK, ground, WHITE, lines(["White on black."], 500)))
    assert read(content)[0] == ["White on black."]


def test_t19_the_recognised_words_of_a_scan_are_text() -> None:
    assert read(made(invisible("Recognised words.")))[0] == ["Recognised words."]


def test_t14_attachments_and_scripts_are_not_read() -> None:
    content = made(lines(["Seen."])).replace(
        b"/Type /Catalog",
        b"/OpenAction << /S /JavaScript /JS (app.alert\\('CANARY'\\)) >> /Type /Catalog",
    )
    assert read(content)[0] == ["Seen."]


def test_facts() -> None:
    def draw(canvas: Any) -> None:
        canvas.setTitle("Minutes of the talks")
        canvas.setAuthor("The Caspian Ledger")
        lines(["Words."])(canvas)

    parsed = parse_pdf(made(draw, invariant=1), "a.pdf")
    assert parsed.title == "Minutes of the talks"
    assert (parsed.source, parsed.author) == ("The Caspian Ledger", None)
    assert parsed.published == dt.date(2000, 1, 1)


@pytest.mark.parametrize(
    ("date", "expected"),
    [(b"D:20220914", dt.date(2022, 9, 14)), (b"D:2022", None), (b"D:202209", None), (b"", None)],
)
def test_a_day_is_never_completed(date: bytes, expected: dt.date | None) -> None:
    content = made(lines(["Words."]), invariant=1)
    whole = b"D:20000101000000+00'00'"
    assert whole in content
    content = content.replace(whole, date.ljust(len(whole)))
    assert parse_pdf(content, "a.pdf").published == expected


@pytest.mark.parametrize("strength", [40, 128])
def test_t13_a_password_is_named(strength: int) -> None:
    locked = pdfencrypt.StandardEncryption("secret", strength=strength)
    assert reason(made(lines(["Words."]), encrypt=locked)) == "encrypted"


def test_t13_a_password_for_the_owner_only_is_none() -> None:
    locked = pdfencrypt.StandardEncryption("", ownerPassword="secret", strength=128)
    assert read(made(lines(["Words."]), encrypt=locked))[0] == ["Words."]


def test_t13_truncated_at_every_tenth_and_damaged() -> None:
    content, generator = made(lines(FIRST), lines(SECOND), pageCompression=0), random.Random(0)
    broken = [content[: len(content) * tenth // 10] for tenth in range(1, 10)]
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(generator.choice([1, 10, 100])):
            damaged[generator.randrange(9, len(damaged))] ^= 1 << generator.randrange(8)
        broken.append(bytes(damaged))
    outcomes = set()
    for candidate in broken:
        try:
            parse_pdf(candidate, "a.pdf")
        except LoadingError as error:
            outcomes.add(error.reason)
    assert outcomes <= {"unreadable", "no_text", "encrypted"}


def test_t13_positions_that_are_no_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    def place(_textpage: Any, _index: int, x: Any, y: Any) -> None:
        x.value, y.value = float("inf"), float("nan")  # met in bit-flipped files

    monkeypatch.setattr(pypdfium2.raw, "FPDFText_GetCharOrigin", place)
    assert FIRST[1] in " ".join(read(made(lines(FIRST)))[0])


def test_r24_pages_without_text() -> None:
    assert reason(made(state(rect=(10, 10, 50, 50)))) == "no_text"


def test_t12_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    content = made(*[lines(["Words."])] * 5)
    assert parse_pdf(content, "a.pdf").truncated is None
    for name, limit, pages in (("MAX_PAGES", 4, 4), ("MAX_CHARS", 12, 3), ("MAX_SECONDS", 0, 1)):
        with monkeypatch.context() as patch:
            patch.setattr(pdfium, name, limit)
            parsed = parse_pdf(content, "a.pdf")
        assert parsed.truncated == f"pages 1-{pages} of 5"
        assert len([m for m in assemble(parsed.blocks)[1] if m.kind == "page"]) == pages


def test_t13_what_pdfium_cannot_open_pypdf_may(monkeypatch: pytest.MonkeyPatch) -> None:
    content = made(lines(["Words."]), lines(["More words."]))

    def fail(*_: Any) -> Any:
        raise LoadingError("unreadable", "a.pdf is damaged", "mend it")

    monkeypatch.setattr(pdfium, "read", fail)
    text, marks = read(content)
    assert text == ["Words.", "More words."]
    assert [mark.label for mark in marks] == ["page 1", "page 2"]
    assert reason(content[:200]) == "unreadable"


@pytest.mark.skipif(not recognizing.is_available(), reason="Tesseract is not installed")
def test_a_scan_is_read_where_tesseract_is(monkeypatch: pytest.MonkeyPatch) -> None:
    from PIL import Image, ImageDraw

    picture = Image.new("L", (1200, 300), 255)
    ImageDraw.Draw(picture).text((40, 100), "The council met on Monday.", fill=0, font_size=60)

    def draw(canvas: Any) -> None:
        canvas.drawInlineImage(picture, 0, 400, 600, 150)

    content = made(state(rect=(10, 10, 50, 50)), draw)
    assert reason(content) == "no_text"
    monkeypatch.setattr(recognizing, "enabled", True)
    text, marks = read(content)
    assert text == ["The council met on Monday."]
    assert marks[-1].label == "page 2"


def objects(*bodies: str) -> bytes:
    numbered = "".join(f"{i} 0 obj{body}endobj\n" for i, body in enumerate(bodies, start=1))
    return f"%PDF-1.4\n{numbered}trailer<</Root 1 0 R/Prev 9>>\nstartxref\n9\n%%EOF".encode()


ROOT = "<</Type/Catalog/Pages 2 0 R>>"
CYCLES = [
    objects(ROOT, "<</Type/Pages/Kids[2 0 R]/Count 1>>"),
    objects(
        ROOT, "<</Type/Pages/Kids[1 0 R 3 0 R]/Count 99999999>>", "<</Type/Page/Parent 2 0 R>>"
    ),
    objects(ROOT, "<</Type/Pages/Kids[3 0 R]/Count 2>>", "<</Type/Pages/Kids[2 0 R]/Count 2>>"),
    objects("<</Type/Catalog/Pages 1 0 R>>"),
]


@pytest.mark.parametrize("content", CYCLES)
def test_t12_cycles_end(content: bytes) -> None:
    assert reason(content) in ("unreadable", "no_text", "too_large")


def test_pdfium_is_used_by_one_thread_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    held = []
    count = pypdfium2.raw.FPDFText_CountChars

    def counted(textpage: Any) -> int:
        held.append(pdfium._pdfium.locked())
        return int(count(textpage))

    monkeypatch.setattr(pypdfium2.raw, "FPDFText_CountChars", counted)
    content = made(*[lines(FIRST)] * 10)
    with ThreadPoolExecutor(4) as pool:
        assert [len(marks) for _, marks in pool.map(read, [content] * 8)] == [10] * 8
    assert held == [True] * 80
