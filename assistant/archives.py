"""Zip packages, checked before anything in them is parsed (T09, T10, T11).

Nothing is ever unpacked to the disk; parts are read by name, in memory, within limits.
"""

from __future__ import annotations

import io
import itertools
import struct
import zipfile
import zlib
from typing import Any

from assistant.errors import LoadingError
from assistant.languages import declared
from assistant.parsing import day

MAX_BYTES = 200 * 2**20  # unpacked
MAX_RATIO = 100  # unpacked to packed; zeros pack 1000 to 1, the XML of Word 10 to 1
MAX_PARTS = 2000
_SMALL = 10 * 2**20  # below this no ratio is a bomb
_METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED}  # bzip2 and LZMA pack a million to one

BROKEN_ZIP = (zipfile.BadZipFile, NotImplementedError, ValueError, EOFError, OSError, struct.error)
# What zipfile, lxml and the readers of packages raise on truncated and bit-flipped files.
BROKEN = (
    *BROKEN_ZIP, zlib.error, KeyError, IndexError, TypeError, AttributeError, AssertionError,
    RecursionError, RuntimeError,
)  # fmt: skip


def opened(content: bytes, uri: str, max_parts: int = MAX_PARTS) -> zipfile.ZipFile:
    """The archive, its declared sizes within limits and its parts apart from each other.

    Sizes cannot lie: zipfile reads no more than is declared, and its checksums must fit. Raises
    LoadingError: ``too_large``; and what zipfile raises for damage.
    """
    archive = zipfile.ZipFile(io.BytesIO(content))
    parts = sorted(archive.infolist(), key=lambda part: part.header_offset)
    unpacked = sum(part.file_size for part in parts)
    most = max(_SMALL, min(MAX_BYTES, MAX_RATIO * len(content)))
    if len(parts) > max_parts or unpacked > most:
        raise LoadingError(
            "too_large",
            f"{uri} unpacks to {len(parts):,} parts of {unpacked:,} bytes in all",
            "split it; or, if it is a document, save it without embedded files",
        )
    for part, following in itertools.pairwise(parts):
        if part.header_offset + part.compress_size > following.header_offset:
            raise zipfile.BadZipFile(f"{part.filename} overlaps {following.filename}")
    if strange := next((part for part in parts if part.compress_type not in _METHODS), None):
        raise zipfile.BadZipFile(f"{strange.filename} is packed in a way no office program uses")
    return archive


def opened_document(content: bytes, uri: str) -> zipfile.ZipFile:
    """The package of an office document, none of whose parts declares a document type.

    With one, XML pulls in files and grows without bound. Raises LoadingError: ``too_large``,
    ``encrypted``, ``unreadable``; and what zipfile raises for damage.
    """
    archive = opened(content, uri)
    if any(part.flag_bits & 1 for part in archive.infolist()):
        raise LoadingError("encrypted", f"{uri} is encrypted", "save a copy without a password")
    for part in archive.infolist():
        if part.filename.endswith((".xml", ".rels")) and declares(archive.read(part), "<!DOCTYPE"):
            raise LoadingError(
                "unreadable",
                f"{uri} declares a document type in {part.filename}, as no office program does",
                "save it again in an office program",
            )
    return archive


_CORE = "docProps/core.xml"
_TERMS = "{http://purl.org/dc/terms/}"
_ELEMENTS = "{http://purl.org/dc/elements/1.1/}"
# When the templates of python-docx and python-pptx were made, which write it into every document.
_TEMPLATES = {"2013-12-23T23:15:00Z", "2013-01-27T09:14:16Z"}


def properties(archive: zipfile.ZipFile) -> dict[str, Any]:
    """What the core properties of an office document say of it, as arguments of Parsed.

    The source is the author: of a document handed around as a file, that is who says it. Read here,
    because the libraries make up an author or a day where there are none.
    """
    if _CORE not in archive.namelist():
        return {}
    core = parse_xml(archive.read(_CORE))
    created = core.findtext(f"{_TERMS}created") or ""
    return {
        "title": core.findtext(f"{_ELEMENTS}title") or None,
        "source": core.findtext(f"{_ELEMENTS}creator") or None,
        "published": None if created in _TEMPLATES else day(created),
        "published_from": "document properties",
        "published_is_made": True,
        "language": declared(core.findtext(f"{_ELEMENTS}language")),
    }


def parse_xml(xml: bytes) -> Any:
    """The root of a part, parsed without entities, network or a document type (T11)."""
    from lxml import etree

    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    return etree.fromstring(xml, parser)


def declares(xml: bytes, what: str) -> bool:
    return any(what.encode(encoding) in xml for encoding in ("utf-8", "utf-16-le", "utf-16-be"))


def damaged(uri: str, error: Exception, hint: str) -> LoadingError:
    """The failure for a package that is not whole."""
    words = " ".join(str(error).split())[:200] or type(error).__name__
    return LoadingError("unreadable", f"{uri} is damaged and cannot be read: {words}", hint)
