"""What a file is: its media type by its content, which its name must not contradict."""

from __future__ import annotations

import codecs
import io
import re
import zipfile
from pathlib import PurePath

from assistant.archives import BROKEN_ZIP
from assistant.decoding import is_binary
from assistant.errors import LoadingError

TEXT, MARKDOWN, CSV, HTML = "text/plain", "text/markdown", "text/csv", "text/html"
PDF = "application/pdf"
_OFFICE = "application/vnd.openxmlformats-officedocument"
DOCX = f"{_OFFICE}.wordprocessingml.document"
PPTX = f"{_OFFICE}.presentationml.presentation"
XLSX = f"{_OFFICE}.spreadsheetml.sheet"
EPUB, ZIP = "application/epub+zip", "application/zip"
EML, MBOX = "message/rfc822", "application/mbox"
JSON, JSONL = "application/json", "application/jsonl"

EXTENSIONS = {
    ".txt": TEXT,
    ".text": TEXT,
    ".md": MARKDOWN,
    ".markdown": MARKDOWN,
    ".csv": CSV,
    ".tsv": CSV,
    ".html": HTML,
    ".htm": HTML,
    ".xhtml": HTML,
    ".pdf": PDF,
    ".docx": DOCX,
    ".pptx": PPTX,
    ".xlsx": XLSX,
    ".xlsm": XLSX,
    ".epub": EPUB,
    ".eml": EML,
    ".mbox": MBOX,
    ".json": JSON,
    ".jsonl": JSONL,
    ".ndjson": JSONL,
    ".zip": ZIP,
}
SUPPORTED = (
    "supported are txt, md, html, pdf, docx, pptx, xlsx, csv, epub, eml, mbox, json, jsonl and zip"
)

# What a reader calls the things that content can turn out to be.
_NAMES = {
    HTML: "a web page",
    PDF: "a PDF",
    DOCX: "a Word document",
    PPTX: "a PowerPoint presentation",
    XLSX: "an Excel workbook",
    EPUB: "an EPUB book",
    ZIP: "a zip archive",
    TEXT: "plain text",
}
_BINARY_KINDS = {PDF, DOCX, PPTX, XLSX, EPUB, ZIP}
_WRITTEN_AS_TEXT = {MARKDOWN, CSV, HTML, EML, MBOX, JSON, JSONL}
_BINARY, _DAMAGED_ZIP = "binary data", "a damaged archive"
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_ENCRYPTED = "an encrypted Office document"
_MAGIC = (
    (b"%PDF-", PDF),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"II*\x00", "a TIFF image"),
    (b"MM\x00*", "a TIFF image"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive"),
    (b"Rar!\x1a", "a RAR archive"),
    (b"{\\rtf", "an RTF document"),
    (b"%!PS", "a PostScript file"),
    (b"\x7fELF", "a program"),
    (b"SQLite format 3\x00", "an SQLite database"),
)
_IN_ZIP = (
    ("word/document.xml", DOCX),
    ("xl/workbook.xml", XLSX),
    ("ppt/presentation.xml", PPTX),
    ("META-INF/container.xml", EPUB),
    ("content.xml", "an OpenDocument file"),
)
_PAGE = re.compile(
    rb"(?:\xff\xfe|\xfe\xff)?(?:\s|<\?xml[^>]{0,200}>|<!--[^>]{0,1000}-->)*<(!doctype\s+html|html[\s>])",
    re.I,
)
_SVG = re.compile(
    rb"(?:\xff\xfe|\xfe\xff)?(?:\s|<\?xml[^>]{0,200}>|<!--[^>]{0,1000}-->)*<(?:!doctype\s+)?svg[\s>]",
    re.I,
)


def media_type(name: str, content: bytes) -> str:
    """One of the values of EXTENSIONS, by what the content is and by the name, which must agree.

    A name without a dot leaves it to the content. Raises LoadingError: ``unsupported`` for a kind
    that cannot be read or a name that says otherwise, ``encrypted`` for an encrypted Office file.
    """
    extension = PurePath(name).suffix.lower()
    named, found = EXTENSIONS.get(extension), _content_type(content)
    if found == _ENCRYPTED:
        raise LoadingError("encrypted", f"{name} is encrypted", "save a copy without a password")
    if extension and not named:
        raise LoadingError("unsupported", f"{name}: {extension} files cannot be read", SUPPORTED)
    if named in _BINARY_KINDS and found in (TEXT, _BINARY, _DAMAGED_ZIP):
        raise LoadingError(
            "unreadable",
            f"{name} is damaged: it holds {_NAMES.get(found, found)}",
            "replace it with a whole copy",
        )
    if found not in _NAMES:
        raise LoadingError("unsupported", f"{name} holds {found}", SUPPORTED)
    if named in (None, found) or (found == TEXT and named in _WRITTEN_AS_TEXT):
        return named or found
    proper = next(ext for ext, kind in EXTENSIONS.items() if kind == found)
    raise LoadingError(
        "unsupported",
        f"{name} is named {extension} but holds {_NAMES[found]}",
        f"rename it to {proper} if that is what it is",
    )


def _content_type(content: bytes) -> str:
    """A media type, or the words for something else."""
    head = content[:4096].removeprefix(codecs.BOM_UTF8).lstrip()
    for magic, kind in _MAGIC:
        if head.startswith(magic) or content.startswith(magic):
            return kind
    if content.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return _kind_of_zip(content)
    if content.startswith(_OLE):
        encrypted = "EncryptedPackage".encode("utf-16-le") in content
        return _ENCRYPTED if encrypted else "an old Office document"
    if is_binary(content[:8192]):
        # The standard lets other bytes come before a PDF's header.
        return PDF if b"%PDF-" in content[:1024] else _BINARY
    sample = head.replace(b"\0", b"")  # markup in UTF-16 is ASCII between NULs
    if _SVG.match(sample):
        return "an SVG image"
    return HTML if _PAGE.match(sample) else TEXT


def _kind_of_zip(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = set(archive.namelist())
    except BROKEN_ZIP:
        return next((kind for name, kind in _IN_ZIP if name.encode() in content), _DAMAGED_ZIP)
    return next((kind for name, kind in _IN_ZIP if name in names), ZIP)
