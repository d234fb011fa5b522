"""sniffing.py: T03, what a file is by its content, which its name must not contradict."""

from __future__ import annotations

import io
import random
import zipfile

import pytest

from assistant.errors import LoadingError
from assistant.sniffing import (
    CSV,
    DOCX,
    EML,
    EPUB,
    EXTENSIONS,
    HTML,
    JSON,
    JSONL,
    MARKDOWN,
    MBOX,
    PDF,
    PPTX,
    TEXT,
    XLSX,
    ZIP,
    media_type,
)


def archive(*names: str) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as parts:
        for name in names:
            parts.writestr(name, "<x/>")
    return packed.getvalue()


OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600)
CONTENT = {
    TEXT: b"Words, and nothing else.",
    HTML: b"<!DOCTYPE html><html><body><p>Words.</p></body></html>",
    PDF: b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n1 0 obj",
    DOCX: archive("[Content_Types].xml", "word/document.xml"),
    XLSX: archive("[Content_Types].xml", "xl/workbook.xml"),
    PPTX: archive("[Content_Types].xml", "ppt/presentation.xml"),
    EPUB: archive("mimetype", "META-INF/container.xml"),
    ZIP: archive("notes.txt"),
    "png": b"\x89PNG\r\n\x1a\n" + bytes(50),
    "gif": b"GIF89a" + bytes(50),
    "jpeg": b"\xff\xd8\xff\xe0" + bytes(50),
    "doc": OLE,
    "rtf": b"{\\rtf1 words}",
    "svg": b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
    "random": random.Random(0).randbytes(500),
}
AGREE = {
    (TEXT, MARKDOWN),
    (TEXT, CSV),
    (TEXT, HTML),
    *((TEXT, kind) for kind in (EML, MBOX, JSON, JSONL)),
    *((kind, kind) for kind in (TEXT, HTML, PDF, DOCX, PPTX, XLSX, EPUB, ZIP)),
}


@pytest.mark.parametrize("kind", CONTENT)
@pytest.mark.parametrize("extension", EXTENSIONS)
def test_t03_content_and_name_must_agree(extension: str, kind: str) -> None:
    named, name = EXTENSIONS[extension], f"file{extension}"
    if (kind, named) in AGREE:
        assert media_type(name, CONTENT[kind]) == named
        return
    with pytest.raises(LoadingError) as caught:
        media_type(name, CONTENT[kind])
    assert caught.value.reason in ("unsupported", "unreadable")
    assert name in str(caught.value)
    assert caught.value.hint


def test_t03_a_pdf_named_txt_is_named() -> None:
    with pytest.raises(LoadingError, match=r"notes.txt is named .txt but holds a PDF") as caught:
        media_type("notes.txt", CONTENT[PDF])
    assert caught.value.hint == "rename it to .pdf if that is what it is"


def test_t03_binary_named_txt() -> None:
    with pytest.raises(LoadingError, match="holds binary data") as caught:
        media_type("notes.txt", CONTENT["random"])
    assert caught.value.reason == "unsupported"
    assert "docx" in caught.value.hint


@pytest.mark.parametrize("name", ["a.exe", "b.odt", "c.xls", "d.PNG", "e.py"])
def test_other_kinds_say_what_is_supported(name: str) -> None:
    with pytest.raises(LoadingError) as caught:
        media_type(name, CONTENT[TEXT])
    assert caught.value.reason == "unsupported"
    assert "txt, md, html, pdf, docx, pptx, xlsx, csv, epub, eml" in caught.value.hint


@pytest.mark.parametrize("kind", [TEXT, HTML, PDF, DOCX])
def test_without_an_extension_the_content_decides(kind: str) -> None:
    assert media_type("README", CONTENT[kind]) == kind
    assert media_type("FILE.TXT", CONTENT[TEXT]) == TEXT


def test_t13_an_encrypted_office_file_is_encrypted() -> None:
    with pytest.raises(LoadingError) as caught:
        media_type("plan.docx", OLE + "EncryptedPackage".encode("utf-16-le"))
    assert caught.value.reason == "encrypted"


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.pdf", b"mail header\r\n" + CONTENT[PDF] + bytes(200), PDF),
        ("a.html", b"<p>A fragment", HTML),
        ("a.html", "\ufeff<!-- c --><HTML>".encode("utf-16"), HTML),
        ("a.md", b"<div align=center># x</div>", MARKDOWN),
        ("a.txt", b"a stray \0 NUL and %PDF- in the words", TEXT),
        ("a.txt", "Сводка".encode("koi8_r"), TEXT),
    ],
)
def test_odd_but_right(name: str, content: bytes, kind: str) -> None:
    assert media_type(name, content) == kind
