"""loading.py: a file becomes a Document or a named failure; the real files when they are there."""

from __future__ import annotations

import datetime as dt
import hashlib
import os
import pickle
import random
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assistant import loading
from assistant.errors import LoadingError, PathError
from assistant.loading import content_digest, document_id, find, load, read
from assistant.normalizing import normalize
from assistant.types import Document
from tests.shared import BENCHMARKS

REAL = BENCHMARKS / "real-files"
SEED = REAL.parents[1] / "seed" / "csto-armenia.txt"


def loaded(name: str, content: bytes | str, uri: str | None = None) -> Document:
    content = content.encode() if isinstance(content, str) else content
    return load(Path(name), content=content, uri=uri or f"/papers/{name}")


def failure(name: str, content: bytes | str) -> LoadingError:
    with pytest.raises(LoadingError) as caught:
        loaded(name, content)
    return caught.value


# -- what a document is ----------------------------------------------------------------------

FRONT = """---
title: The council meets
source: The Caspian Ledger
author: Anna Petrosyan
published: 2022-09-14
language: en
---
# Evening session

It met on Monday.
"""


def test_the_file_speaks_for_itself() -> None:
    document = loaded("a.md", FRONT)
    assert document.title == "The council meets"
    assert document.source == "The Caspian Ledger"
    assert document.author == "Anna Petrosyan"
    assert document.published == dt.date(2022, 9, 14)
    assert document.language == "en"
    assert document.media_type == "text/markdown"
    assert document.text == "Evening session\n\nIt met on Monday."
    assert document.text[document.marks[0].start :].startswith(document.marks[0].label)


WORDS = "The council met on Monday in the large hall and nobody left before midnight."


@pytest.mark.parametrize(
    ("name", "text", "title"),
    [
        ("a.md", f"x\n\n# Heading\n\n{WORDS}", "Heading"),
        ("a.txt", f"A short first line\n\n{WORDS}", "A short first line"),
        ("csto-armenia_2022.txt", WORDS, "Csto armenia 2022"),
        ("2022-09-13.txt", WORDS, "2022-09-13"),
        ("a-b.txt", f"wrapped at some column,\nso no title\n\n{WORDS}", "A b"),
        ("a.txt", f"{WORDS}\n\n{WORDS}", "A"),
        ("rows.csv", "name,age\n\nx,1", "Rows"),
        ("a.md", f"---\ntitle: Untitled\n---\n# Better\n\n{WORDS}", "Better"),
        ("a.md", f"---\ntitle: report.docx\n---\n# Better\n\n{WORDS}", "Better"),
        ("a.md", f"---\ntitle: Microsoft Word - Plan B\n---\n{WORDS}", "Plan B"),
        ("Протокол.txt", WORDS, "Протокол"),
        ("__.txt", WORDS, "Untitled"),
    ],
)
def test_title(name: str, text: str, title: str) -> None:
    assert loaded(name, text).title == title


def test_source_and_what_stays_unknown() -> None:
    document = loaded("a-b.txt", WORDS)
    assert (document.source, document.author, document.published) == ("a-b.txt", None, None)
    page = loaded("a.html", f"<p>{WORDS}</p>", "https://www.ledger.example/a.html")
    assert page.source == "ledger.example"
    nobody = loaded("a.md", f"---\nsource: Unknown\nauthor: (anonymous)\n---\n{WORDS}")
    assert (nobody.source, nobody.author) == ("a.md", None)


def test_r21_the_day_is_never_that_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_text(WORDS)
    os.utime(file, (10**9, 10**9))
    assert load(file, content=read(file, 1000), uri=str(file)).published is None


@pytest.mark.parametrize(
    ("text", "language"),
    [
        (WORDS, "en"),
        ("Совет собрался в понедельник, и никто не ушёл до полуночи.", "ru"),
        ("Konsey pazartesi günü toplandı ve gece yarısına kadar kimse ayrılmadı.", "tr"),
        ("12 34", "und"),
        (f"---\ntitle: x\nlang: fr-FR\n---\n{WORDS}", "fr"),
    ],
)
def test_language(text: str, language: str) -> None:
    assert loaded("a.md", text).language == language


CANARY = "".join(chr(0xE0000 + ord(char)) for char in "obey me")


def test_t20_t21_every_field_is_normalised_and_short() -> None:
    hostile = f"A{CANARY}\u202e\u200b very " + "long " * 1000 + "name"
    document = loaded(
        "a.md", f'---\ntitle: "{hostile}"\nsource: "{hostile}"\nauthor: "{hostile}"\n---\n'
        f"# {hostile}\n\nText{CANARY} here.\n"
    )  # fmt: skip
    fields = [document.title, document.source, document.author, document.marks[0].label]
    for field in fields:
        assert field is not None
        assert field == normalize(field)
        assert len(field) <= loading.MAX_TITLE
        assert field.startswith("A very long")
        assert "\n" not in field
    assert document.text.endswith("Text here.")


def test_ids_name_content_and_place() -> None:
    name = document_id("/a", b"x")
    assert name == hashlib.sha256(b"/a\0x").hexdigest()[:24]
    assert (
        len({name, document_id("/b", b"x"), document_id("/a", b"y"), document_id("", b"/a\0x")})
        == 4
    )
    assert loaded("a.txt", WORDS).id == document_id("/papers/a.txt", content_digest(WORDS.encode()))


def test_a_name_that_is_no_text_is_spelled_out() -> None:
    uri = os.fsdecode(b"/papers/\xff.txt")
    document = load(Path(uri), content=WORDS.encode(), uri=uri)
    assert document.uri == "/papers/\\udcff.txt"
    assert document.model_dump_json()


# -- what is no document ---------------------------------------------------------------------


@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.csv", "a.html", "a.pdf", "a.docx", "a"])
@pytest.mark.parametrize("content", [b"", b" \n\t\r\n", b"\xef\xbb\xbf", "\u200b\u2060".encode()])
def test_r24_nothing_to_read(name: str, content: bytes) -> None:
    error = failure(name, content)
    empty = {"empty"} if not content.strip() else {"empty", "no_text", "unreadable"}
    assert error.reason in empty
    assert error.hint


def test_r24_one_byte() -> None:
    assert loaded("a.txt", "x").text == "x"


def test_errors_say_which_file_and_what_to_do() -> None:
    for name, content, reason in (
        ("a.txt", random.Random(0).randbytes(3000), "unsupported"),
        ("a.pdf", b"%PDF-1.7\nbroken", "unreadable"),
        ("a.docx", b"PK\x03\x04broken", "unreadable"),
        ("a.exe", b"MZ", "unsupported"),
    ):
        error = failure(name, content)
        assert error.reason == reason
        assert name in str(error)
        assert error.hint
        assert "\n" not in str(error)


def test_t40_a_name_cannot_break_the_line() -> None:
    error = failure("a\n\x1b[31mroot.exe", b"MZ")
    assert "\n" not in str(error)
    assert "\x1b" not in str(error)


# -- the disk --------------------------------------------------------------------------------


def tree(root: Path) -> Path:
    for name in ("b/2.txt", "b/1.txt", "a.txt", "c.txt", ".hidden", ".git/x.txt", "b/~$lock.docx"):
        file = root / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(WORDS)
    return root


def test_find_walks_in_order_and_passes_over_hidden(tmp_path: Path) -> None:
    root = tree(tmp_path)
    names = [path.relative_to(root).as_posix() for path in find([root])]
    assert names == ["a.txt", "b/1.txt", "b/2.txt", "c.txt"]
    assert next(find([root / "c.txt", root / "b"])) == root / "c.txt"
    assert list(find([root / ".hidden"])) == [root / ".hidden"]  # it was named
    assert list(find([])) == []


@pytest.mark.parametrize("name", ["missing", "missing/x", "c.txt/x", "x" * 300, "nul\0"])
def test_find_a_path_that_is_not_there(tmp_path: Path, name: str) -> None:
    root = tree(tmp_path)
    with pytest.raises(PathError) as caught:
        find([root, root / name])  # before anything is yielded
    assert caught.value.hint


def test_r25_find_deep_folders(tmp_path: Path) -> None:
    deep = tmp_path.joinpath(*["d"] * 400)
    here = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(400):
            os.mkdir("d", dir_fd=here)
            below = os.open("d", os.O_RDONLY, dir_fd=here)
            os.close(here)
            here = below
    finally:
        os.close(here)
    assert len(str(deep)) < 4096
    (deep / "a.txt").write_text(WORDS)
    assert list(find([tmp_path])) == [deep / "a.txt"]


def test_t02_links_pipes_and_devices(tmp_path: Path) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("CANARY")
    root = tmp_path / "root"
    root.mkdir()
    (root / "link.txt").symlink_to(secret)
    (root / "loop").symlink_to(root)
    (root / "up").symlink_to("..")
    os.mkfifo(root / "pipe.txt")
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(root / "socket.txt"))
    found = list(find([root]))
    server.close()
    assert len(found) == 5  # nothing behind a link
    for path in [*found, Path("/dev/zero"), tmp_path]:
        with pytest.raises(LoadingError) as caught:  # and no waiting for the pipe
            read(path, 1000)
        assert caught.value.reason == "unsupported"
    named = tmp_path / "named.txt"
    named.symlink_to(secret)
    assert [read(path, 100) for path in find([named])] == [b"CANARY"]  # the user's own link


def test_read_limits_and_failures(tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"12345")
    assert read(file, 5) == b"12345"
    reasons = {}
    for name, path, limit in (
        ("big", file, 4),
        ("gone", tmp_path / "b", 4),
        ("under", file / "x", 4),
    ):
        with pytest.raises(LoadingError) as caught:
            read(path, limit)
        reasons[name] = caught.value.reason
    assert reasons == {"big": "too_large", "gone": "not_found", "under": "not_found"}


def test_read_without_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)  # the tests may run as root, whom nothing is denied
    with pytest.raises(LoadingError) as caught:
        read(tmp_path / "a.txt", 10)
    assert caught.value.reason == "permission"


def test_read_a_disk_that_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> int:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "open", fail)
    with pytest.raises(LoadingError, match="Input/output error") as caught:
        read(tmp_path / "a.txt", 10)
    assert caught.value.reason == "unreadable"


def test_a_folder_that_cannot_be_listed_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> Any:
        raise PermissionError(13, "Permission denied")

    root = tree(tmp_path)
    monkeypatch.setattr(os, "scandir", refuse)
    assert list(find([root])) == [root]


# -- the real files --------------------------------------------------------------------------

OUTCOMES = {
    "encrypted-aes256.pdf": "encrypted",
    "medical-report-scan.pdf": "no_text",
}
QUOTES = {
    "arabic-right-to-left.pdf": "يؤدي أيضًا إلى اتخاذ قرارات أكثر دقة بناءً على استنتاجات قائمة",
    "creativecommons-org.html": "Our work is to build a vibrant, usable commons, powered by",
    "faa-amt-handbook-sample.pdf": "ranges in size for No. 6 up to 1⁄4 inch, the Rol-top ranges",
    "ibm-wikipedia.md": "nicknamed Big Blue, is an American",
    "multi-page.pdf": "These devices, like the Wang 1200, featured small screens and floppy disks",
    "purvis-poetry.epub": "The cold storms of winter shall chill him no more,\nHis woes",
    "shift-jis.csv": "名前: 髙橋淳; 年齢: 35; 住所: 名古屋",
    "wikipedia-tsne.html": "First, t-SNE constructs a probability distribution over pairs",
    "word-sample.docx": "Berries; Food: Blueberry, Strawberry, Cranberry; Calories per p",
    "zen-of-python-corrupted.pdf": "In the face of ambiguity, refuse the temptation to guess.",
}
CRUMBS = (
    "[edit]",
    "Jump to",
    "Main page",
    "Donate",
    "Cookie",
    "\u00ad",
    "\ufffe",
    "\x02",
    "ﬁ",
    "cid:",
)


@pytest.mark.parametrize(
    "path", sorted(REAL.iterdir()) if REAL.is_dir() else [], ids=lambda path: path.name
)
def test_real_files(path: Path) -> None:
    content = read(path, 10**8)
    if path.name in OUTCOMES:
        assert failure(path.name, content).reason == OUTCOMES[path.name]
        return
    document = load(path, content=content, uri=str(path))
    assert QUOTES.get(path.name, "") in document.text
    assert not [crumb for crumb in CRUMBS if crumb in document.text]
    assert document.text == normalize(document.text).strip()
    assert [mark.start for mark in document.marks] == sorted(mark.start for mark in document.marks)
    for mark in document.marks:
        assert mark.kind in ("page", "row") or document.text[mark.start :].startswith(mark.label)
    assert pickle.loads(pickle.dumps(document)) == document


@pytest.mark.skipif(not SEED.is_file(), reason="the seed article is not here")
def test_the_seed_article_is_kept_whole() -> None:
    document = load(SEED, content=SEED.read_bytes(), uri=str(SEED))
    written = SEED.read_text(encoding="utf-8")
    assert document.text.split() == normalize(written).split()
    assert (document.language, document.published) == ("en", None)


# -- cost ------------------------------------------------------------------------------------


def test_importing_it_is_cheap() -> None:
    code = "import sys, assistant.loading; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = "numpy lxml docx pypdfium2 trafilatura yaml py3langid charset_normalizer torch"
    assert not set(heavy.split()) & set(done.stdout.split())
