"""An EPUB book -> its chapters in reading order."""

from __future__ import annotations

import posixpath
import zipfile
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote, urlsplit

from assistant import markup, webpage
from assistant.archives import BROKEN, damaged, declares, opened, parse_xml
from assistant.errors import LoadingError
from assistant.languages import declared
from assistant.parsing import Block, Parsed, day

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_FONTS = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")  # not the text
_MARKUP = (".xml", ".opf", ".xhtml", ".html", ".htm", ".ncx")
_PAGES = {"application/xhtml+xml", "text/html", "application/x-dtbook+xml"}


def parse_epub(content: bytes, uri: str) -> Parsed:
    """The pages of the spine, its navigation left out; headings as marks.

    Title, author, publisher, day and language are those of the package. Raises LoadingError:
    ``too_large``, ``encrypted`` for a book under digital rights management, ``unreadable``,
    ``no_text``.
    """
    from lxml.etree import LxmlError

    try:
        with opened(content, uri) as archive:
            _check(archive, uri)
            folder, package = _package(archive)
            blocks = tuple(
                block for name in _spine(folder, package) for block in _page(archive.read(name))
            )
            facts = _facts(package)
    except (*BROKEN, LxmlError) as error:
        raise damaged(uri, error, "get a whole copy of it") from error
    if not any(block.text.strip() for block in blocks):
        raise LoadingError("no_text", f"{uri} has no text", "its pages may be pictures")
    return Parsed(blocks, **facts)


def _check(archive: zipfile.ZipFile, uri: str) -> None:
    names = archive.namelist()
    if any(part.flag_bits & 1 for part in archive.infolist()):
        raise LoadingError("encrypted", f"{uri} is encrypted", "save a copy without a password")
    if _ENCRYPTION in names:
        kinds = parse_xml(archive.read(_ENCRYPTION)).iter("{*}EncryptionMethod")
        if any(kind.get("Algorithm") not in _FONTS for kind in kinds):
            raise LoadingError(
                "encrypted",
                f"{uri} is under digital rights management",
                "use a copy that is not",
            )
    for name in names:
        if name.endswith(_MARKUP) and declares(archive.read(name), "<!ENTITY"):
            raise LoadingError(
                "unreadable", f"{uri} declares entities in {name}, as no book does", "mend it"
            )


def _package(archive: zipfile.ZipFile) -> tuple[str, Any]:
    """The folder of the package document, and its root."""
    rootfile = parse_xml(archive.read(_CONTAINER)).find(".//{*}rootfile")
    path = rootfile.get("full-path")
    return posixpath.dirname(path), parse_xml(archive.read(path))


def _spine(folder: str, package: Any) -> Iterator[str]:
    """The names of the pages in reading order, each once."""
    items = {item.get("id"): item for item in package.iterfind(".//{*}manifest/{*}item")}
    seen: set[str] = set()
    for reference in package.iterfind(".//{*}spine/{*}itemref"):
        item = items[reference.get("idref")]
        name = posixpath.normpath(posixpath.join(folder, unquote(urlsplit(item.get("href")).path)))
        navigation = "nav" in (item.get("properties") or "").split()
        if item.get("media-type") in _PAGES and not navigation and name not in seen:
            seen.add(name)
            yield name


def _page(content: bytes) -> Iterator[Block]:
    if not content.strip():
        return
    tree = webpage.parsed(content)
    webpage.drop_unseen(tree)
    yield from markup.whole(tree)


def _facts(package: Any) -> dict[str, Any]:
    def said(name: str) -> list[str]:
        found = package.iterfind(f".//{{http://purl.org/dc/elements/1.1/}}{name}")
        return [" ".join(element.text.split()) for element in found if element.text]

    return {
        "title": next(iter(said("title")), None),
        "author": ", ".join(said("creator")) or None,
        "source": next(iter(said("publisher")), None),
        "published": next(filter(None, map(day, said("date"))), None),
        "published_from": "book metadata",
        "language": declared(next(iter(said("language")), None)),
    }
