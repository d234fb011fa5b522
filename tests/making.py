"""Ordinary files of every format, made from words in any language."""

from __future__ import annotations

import datetime as dt
import email.message
import html
import io
import json
import zipfile
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

DAY = dt.date(2022, 9, 13)


class Text(NamedTuple):
    """What a file says: a title, paragraphs, and a table with a head."""

    title: str
    paragraphs: Sequence[str]
    table: Sequence[Sequence[str]] = ()
    language: str = "en"


def zipped(parts: dict[str, bytes | str], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", method) as archive:
        for name, part in parts.items():
            archive.writestr(name, part)
    return packed.getvalue()


def saved(document: Any) -> bytes:
    packed = io.BytesIO()
    document.save(packed)
    return packed.getvalue()


def txt(text: Text) -> bytes:
    return "\n\n".join([text.title, *text.paragraphs, *map(" - ".join, text.table)]).encode()


def md(text: Text) -> bytes:
    head = f"---\ntitle: {json.dumps(text.title)}\npublished: {DAY}\nlang: {text.language}\n---\n"
    rows = ["| " + " | ".join(row) + " |" for row in text.table]
    rows[1:1] = ["|" + "---|" * len(text.table[0])] if rows else []
    return (
        head + f"# {text.title}\n\n" + "\n\n".join([*text.paragraphs, "\n".join(rows)])
    ).encode()


def markup(text: Text) -> str:
    rows = "".join(
        f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in row)}</tr>" for row in text.table
    )
    words = "".join(f"<p>{html.escape(paragraph)}</p>" for paragraph in text.paragraphs)
    return f"<h1>{html.escape(text.title)}</h1>{words}" + (f"<table>{rows}</table>" if rows else "")


def page(text: Text) -> bytes:
    return (
        f'<!DOCTYPE html><html lang="{text.language}"><head><meta charset="utf-8">'
        f"<title>{html.escape(text.title)}</title>"
        f'<meta property="article:published_time" content="{DAY}T08:00:00Z"></head>'
        f"<body><main><article>{markup(text)}</article></main></body></html>"
    ).encode()


def pdf(text: Text, font: str = "Helvetica") -> bytes:
    from reportlab.lib.styles import ParagraphStyle
    from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer

    made = io.BytesIO()
    wrap = "CJK" if font.startswith(("STSong", "Heisei", "HYS")) else None
    style = ParagraphStyle("words", fontName=font, fontSize=11, leading=15, wordWrap=wrap)
    parts: list[Any] = []
    for words in [text.title, *text.paragraphs, *map(" - ".join, text.table)]:
        parts += [Paragraph(escape(words), style), Spacer(1, 14)]
    SimpleDocTemplate(made, title=text.title).build(parts)
    return made.getvalue()


def docx(text: Text) -> bytes:
    import docx

    document = docx.Document()
    document.core_properties.created = dt.datetime(2022, 9, 13, 8)
    document.core_properties.language = text.language
    document.add_heading(text.title, 1)
    for words in text.paragraphs:
        document.add_paragraph(words)
    if text.table:
        table = document.add_table(0, len(text.table[0]))
        for row in text.table:
            for cell, words in zip(table.add_row().cells, row, strict=True):
                cell.text = words
    return saved(document)


def pptx(text: Text) -> bytes:
    import pptx
    from pptx.util import Inches

    presentation = pptx.Presentation()
    presentation.core_properties.title = text.title
    for words in text.paragraphs:
        slide = presentation.slides.add_slide(presentation.slide_layouts[1])
        slide.shapes.title.text = text.title
        slide.placeholders[1].text = words
    if text.table:
        slide = presentation.slides.add_slide(presentation.slide_layouts[6])
        size = [Inches(n) for n in (1, 1, 6, 3)]
        shape = slide.shapes.add_table(len(text.table), len(text.table[0]), *size)
        for cells, row in zip(shape.table.rows, text.table, strict=True):
            for cell, words in zip(cells.cells, row, strict=True):
                cell.text = words
    return saved(presentation)


def xlsx(text: Text) -> bytes:
    import openpyxl

    book = openpyxl.Workbook()
    sheet = book.active
    sheet.title = "Notes"
    for words in (text.title, *text.paragraphs):
        sheet.append([words])
    if text.table:
        rows = book.create_sheet("Table")
        for row in text.table:
            rows.append(list(row))
    return saved(book)


def csv(text: Text) -> bytes:
    import csv

    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerows(text.table)
    writer.writerows([[text.title], *([words] for words in text.paragraphs)])
    return out.getvalue().encode("utf-8-sig")


CONTAINER = (
    '<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>'
    '<rootfile full-path="OEBPS/book.opf"/></rootfiles></container>'
)


def opf(text: Text, pages: Sequence[str] = ("1.xhtml",), extra: str = "") -> str:
    items = "".join(
        f'<item id="p{n}" href="{name}" media-type="application/xhtml+xml"/>'
        for n, name in enumerate(pages)
    )
    spine = "".join(f'<itemref idref="p{n}"/>' for n in range(len(pages)))
    return (
        '<package xmlns="http://www.idpf.org/2007/opf" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        f"<metadata><dc:title>{escape(text.title)}</dc:title>"
        "<dc:creator>Anna Petrosyan</dc:creator>"
        f"<dc:language>{text.language}</dc:language><dc:date>{DAY}</dc:date></metadata>"
        f"<manifest>{items}{extra}</manifest><spine>{spine}</spine></package>"
    )


def epub(text: Text) -> bytes:
    body = (
        '<?xml version="1.0"?><!DOCTYPE html><html xmlns="http://www.w3.org/1999/xhtml"><head>'
        f"<title>x</title></head><body>{markup(text)}</body></html>"
    )
    return zipped(
        {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": CONTAINER,
            "OEBPS/book.opf": opf(text),
            "OEBPS/1.xhtml": body,
        }
    )


def letter(text: Text, subtype: str = "plain") -> email.message.EmailMessage:
    message = email.message.EmailMessage()
    message["From"] = "Anna Petrosyan <anna@ledger.example>"
    message["To"] = "desk@ledger.example"
    message["Subject"] = text.title
    message["Date"] = "Tue, 13 Sep 2022 23:30:00 +0400"
    words = [*text.paragraphs, *map(" - ".join, text.table)]
    body = markup(text) if subtype == "html" else "\n\n".join(words)
    message.set_content(body, subtype=subtype)
    return message


def eml(text: Text) -> bytes:
    return letter(text).as_bytes()


def eml_html(text: Text) -> bytes:
    return letter(text, "html").as_bytes()


def mbox(text: Text) -> bytes:
    one = b"From anna@ledger.example Tue Sep 13 23:30:00 2022\n" + eml(text) + b"\n"
    return one + one


def jsonl(text: Text) -> bytes:
    record = {"id": "one", "title": text.title, "text": "\n\n".join(_words(text)), "date": f"{DAY}"}
    return json.dumps(record, ensure_ascii=False).encode() + b"\n"


def jsons(text: Text) -> bytes:
    return json.dumps({"title": text.title, "notes": _words(text)}, ensure_ascii=True).encode()


def archive(text: Text) -> bytes:
    return zipped({"a/1.txt": txt(text), "b/2.docx": docx(text)})


def _words(text: Text) -> list[str]:
    return [*text.paragraphs, *(cell for row in text.table for cell in row)]


MAKERS: dict[str, Callable[[Text], bytes]] = {
    "a.txt": txt,
    "a.md": md,
    "a.html": page,
    "a.docx": docx,
    "a.pptx": pptx,
    "a.xlsx": xlsx,
    "a.csv": csv,
    "a.epub": epub,
    "a.eml": eml,
    "b.eml": eml_html,
    "a.mbox": mbox,
    "a.jsonl": jsonl,
    "a.json": jsons,
    "a.zip": archive,
}
