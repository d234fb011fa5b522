"""word.py: what a reader of the document sees; T09, T11 and T13 checked before it is parsed."""

from __future__ import annotations

import datetime as dt
import io
import random
import re
import zipfile
from collections.abc import Callable
from typing import Any

import docx
import pytest

from assistant.archives import MAX_PARTS
from assistant.errors import LoadingError
from assistant.parsing import assemble
from assistant.word import parse_docx

W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def made(write: Callable[[Any], None]) -> bytes:
    document = docx.Document()
    write(document)
    saved = io.BytesIO()
    document.save(saved)
    return saved.getvalue()


def plain(document: Any) -> None:
    document.add_heading("Talks", 0)
    document.add_heading("First day", 1)
    document.add_paragraph("The council met.")
    table = document.add_table(2, 3)
    for cell, text in zip([c for r in table.rows for c in r.cells], "abc12", strict=False):
        cell.text = text
    document.add_heading("Hall", 2)
    document.add_paragraph("It was cold.\tVery.")


def repacked(
    content: bytes, change: Callable[[str, bytes], bytes], left_out: str = "", **added: bytes
) -> bytes:
    packed = io.BytesIO()
    with (
        zipfile.ZipFile(io.BytesIO(content)) as old,
        zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as new,
    ):
        for name in set(old.namelist()) - {left_out}:
            new.writestr(name, change(name, old.read(name)))
        for name, part in added.items():
            new.writestr(name, part)
    return packed.getvalue()


def with_body(xml: str) -> bytes:
    """A document whose body is followed by ``xml``."""

    def change(name: str, part: bytes) -> bytes:
        if name != "word/document.xml":
            return part
        return part.replace(b"<w:sectPr", xml.encode() + b"<w:sectPr", 1)

    return repacked(made(lambda document: document.add_paragraph("Seen.")), change)


def text_of(content: bytes) -> str:
    return assemble(parse_docx(content, "a.docx").blocks)[0]


def reason(content: bytes, match: str = "a.docx") -> str:
    with pytest.raises(LoadingError, match=match) as caught:
        parse_docx(content, "a.docx")
    assert "a.docx" in str(caught.value)
    assert caught.value.hint
    return caught.value.reason


def test_paragraphs_headings_and_tables_in_order() -> None:
    text, marks = assemble(parse_docx(made(plain), "a.docx").blocks)
    assert text.split("\n\n") == [
        *("Talks", "First day", "The council met.", "a | b | c", "a: 1; b: 2"),
        *("Hall", "It was cold.\tVery."),
    ]
    assert [(mark.level, mark.label) for mark in marks] == [
        (1, "Talks"),
        (1, "First day"),
        (2, "Hall"),
    ]
    assert all(text[mark.start :].startswith(mark.label) for mark in marks)


RUN = "<w:r><w:t>{}</w:t></w:r>"


@pytest.mark.parametrize(
    "xml",
    [
        f"<w:p><w:ins w:id='1' w:author='x'>{RUN}</w:ins></w:p>",
        f"<w:p><w:hyperlink w:anchor='x'>{RUN}</w:hyperlink></w:p>",
        f"<w:p><w:sdt><w:sdtContent>{RUN}</w:sdtContent></w:sdt></w:p>",
        f"<w:sdt><w:sdtContent><w:p>{RUN}</w:p></w:sdtContent></w:sdt>",
        f"<w:p><w:smartTag w:element='x'>{RUN}</w:smartTag></w:p>",
        f"<w:p><w:fldSimple w:instr='DATE'>{RUN}</w:fldSimple></w:p>",
        f"<w:tbl><w:tr><w:tc><w:tbl><w:tr><w:tc><w:p>{RUN}</w:p></w:tc></w:tr></w:tbl></w:tc></w:tr></w:tbl>",
        "<w:p><w:r><w:rPr><w:vanish w:val='0'/></w:rPr><w:t>{}</w:t></w:r></w:p>",
        f"<w:p><w:r><w:pict><w:txbxContent><w:p>{RUN}</w:p></w:txbxContent></w:pict></w:r></w:p>",
    ],
)
def test_r23_all_that_is_seen_is_read_once(xml: str) -> None:
    assert text_of(with_body(xml.format("CANARY"))).count("CANARY") == 1


@pytest.mark.parametrize(
    "xml",
    [
        "<w:p><w:r><w:rPr><w:vanish/></w:rPr><w:t>{}</w:t></w:r></w:p>",
        "<w:p><w:r><w:rPr><w:b/><w:vanish w:val='true'/></w:rPr><w:t>{}</w:t></w:r></w:p>",
        "<w:p><w:del w:id='1' w:author='x'><w:r><w:delText>{}</w:delText></w:r></w:del></w:p>",
        f"<w:p><w:moveFrom w:id='1' w:author='x'>{RUN}</w:moveFrom></w:p>",
        "<w:p><w:r><w:instrText> HYPERLINK {} </w:instrText></w:r></w:p>",
    ],
)
def test_t19_what_is_hidden_or_deleted_is_not_text(xml: str) -> None:
    text = text_of(with_body(xml.format("CANARY")))
    assert text == "Seen."


def test_properties() -> None:
    def write(document: Any) -> None:
        plain(document)
        facts = document.core_properties
        facts.title, facts.author = "Minutes of the talks", "The Caspian Ledger"
        facts.created, facts.language = dt.datetime(2022, 9, 14, 8, 30), "en-GB"

    parsed = parse_docx(made(write), "a.docx")
    assert parsed.title == "Minutes of the talks"
    assert (parsed.source, parsed.author) == ("The Caspian Ledger", None)
    assert parsed.published == dt.date(2022, 9, 14)
    assert parsed.language == "en"


def test_what_the_template_says_is_nobodys_word() -> None:
    parsed = parse_docx(made(plain), "a.docx")
    assert parsed.published is None
    assert parsed.source == "python-docx"  # whom metadata.py knows for nobody


def test_without_properties_none_are_made_up() -> None:
    def change(name: str, part: bytes) -> bytes:
        if name == "_rels/.rels":
            return re.sub(rb"<Relationship [^>]*core-properties[^>]*/>", b"", part)
        return part

    parts = repacked(made(plain), change, left_out="docProps/core.xml")
    parsed = parse_docx(parts, "a.docx")
    assert (parsed.title, parsed.source, parsed.published) == (None, None, None)


def unchanged(name: str, part: bytes) -> bytes:
    return part


def test_t09_a_bomb_is_refused_before_it_unpacks() -> None:
    zeros = bytes(210 * 2**20)
    assert reason(repacked(made(plain), unchanged, **{"word/media/a.bin": zeros})) == "too_large"
    assert reason(repacked(made(plain), unchanged, **{"a.bin": zeros[: 30 * 2**20]})) == "too_large"


def test_t09_many_parts_are_refused() -> None:
    parts = {f"word/media/{i}.bin": b"" for i in range(MAX_PARTS + 1)}
    assert reason(repacked(made(plain), unchanged, **parts)) == "too_large"


def test_t09_parts_that_overlap_are_refused() -> None:
    content = bytearray(made(plain))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        first, second = archive.infolist()[:2]
    # The central directory says that the second part begins within the first.
    entry = content.rindex(second.filename.encode()) - 4
    content[entry : entry + 4] = (first.header_offset + 1).to_bytes(4, "little")
    assert reason(bytes(content), "overlaps") == "unreadable"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
@pytest.mark.parametrize(
    "declaration",
    [
        '<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/hostname">]>',
        '<!DOCTYPE w [<!ENTITY a "ha"><!ENTITY x "&a;&a;&a;">]>',
        '<!DOCTYPE w SYSTEM "http://127.0.0.1:9/x.dtd">',
    ],
)
@pytest.mark.parametrize("part", ["word/document.xml", "word/styles.xml", "docProps/core.xml"])
def test_t11_a_document_type_is_refused(part: str, declaration: str, encoding: str) -> None:
    def change(name: str, xml: bytes) -> bytes:
        if name != part:
            return xml
        start = xml.index(b"?>") + 2
        text = f'<?xml version="1.0" encoding="{encoding}"?>{declaration}' + xml[start:].decode()
        return text.encode(encoding)

    assert reason(repacked(made(plain), change), "document type") == "unreadable"


def test_t13_an_encrypted_part_is_encrypted() -> None:
    content = bytearray(made(plain))
    at = content.index(b"PK\x01\x02")
    content[at + 8] |= 1
    assert reason(bytes(content)) == "encrypted"


def test_t13_truncated_at_every_tenth() -> None:
    content = made(plain)
    for tenth in range(1, 10):
        assert reason(content[: len(content) * tenth // 10]) == "unreadable"


def test_r24_without_text() -> None:
    assert reason(made(lambda document: None)) == "no_text"


TOKENS = (b"w:p", b"w:val", b"rId1", b"</w:p>", b"<w:p>", b"Target", b"/", b"<", b">", b'"', b"-1")


def damaged(parts: dict[str, bytes], generator: random.Random) -> bytes:
    """A sound archive of parts of which one or two are not."""
    parts = dict(parts)
    if generator.random() < 0.2:
        del parts[generator.choice(list(parts))]
    for name in generator.sample([n for n in parts if n.endswith((".xml", ".rels"))], 2):
        part = bytearray(parts[name])
        for _ in range(generator.choice([1, 3, 10])):
            at = generator.randrange(len(part) + 1)
            part[at : at + generator.choice([0, 0, 1, 50])] = generator.choice(TOKENS)
        parts[name] = bytes(part)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, part_content in parts.items():
            archive.writestr(name, part_content)
    return packed.getvalue()


def test_t13_damaged_parts_are_read_or_named() -> None:
    with zipfile.ZipFile(io.BytesIO(made(plain))) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    generator = random.Random(0)
    outcomes = set()
    for _ in range(300):
        try:
            parse_docx(damaged(parts, generator), "a.docx")
        except LoadingError as error:
            outcomes.add(error.reason)
    assert outcomes <= {"unreadable", "no_text"}
