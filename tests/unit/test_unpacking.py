"""unpacking.py: several documents in one file, each with an address, and none with a path."""

from __future__ import annotations

import json
import mailbox
from pathlib import Path

import pytest

from assistant import unpacking
from assistant.errors import LoadingError
from assistant.loading import load_all
from assistant.mail import MAX_ATTACHED
from assistant.types import Document, Failure
from tests import hostile
from tests.hostile import linked, locked, nested
from tests.making import Text, archive, letter, mbox, zipped

WORDS = "The council met on Monday."
TEXT = Text("Talks", [WORDS])


def outcomes(name: str, content: bytes, **options: object) -> dict[str, str]:
    """The addresses in a file, each with its reason or its text."""
    found = load_all(Path(name), content=content, uri=f"/{name}", **options)  # type: ignore[arg-type]
    return {
        one.uri.removeprefix(f"/{name}!/"): one.reason if isinstance(one, Failure) else one.text
        for one in found
        if isinstance(one, (Document, Failure))
    }


def test_members_of_a_zip_by_their_kind() -> None:
    found = outcomes("a.zip", archive(TEXT))
    assert list(found) == ["a/1.txt", "b/2.docx"]
    assert all(WORDS in text for text in found.values())


def test_t10_names_lead_nowhere() -> None:
    names = [
        "../../a.txt",
        "/etc/b.txt",
        "..\\c.txt",
        "x/./../d.txt",
        ".hidden.txt",
        "__MACOSX/e.txt",
    ]
    found = outcomes("a.zip", zipped(dict.fromkeys(names, WORDS)))
    assert list(found) == ["a.txt", "etc/b.txt", "c.txt", "x/d.txt"]


def test_one_bad_member_does_not_spoil_the_others() -> None:
    members = {"a.txt": WORDS, "b.exe": b"MZ", "c.docx": b"PK\x03\x04", "d.txt": "", "e.txt": WORDS}
    assert outcomes("a.zip", zipped(members)) == {
        **{"a.txt": WORDS, "b.exe": "unsupported", "c.docx": "unreadable"},
        **{"d.txt": "empty", "e.txt": WORDS},
    }
    assert outcomes("a.zip", linked()) == {"a.txt": "unsupported"}
    assert outcomes("a.zip", locked(zipped({"a.txt": WORDS}))) == {"a.txt": "encrypted"}


def test_t09_archives_in_archives_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert outcomes("a.zip", nested(1)) == {
        "a.zip!/a.txt": hostile.WORDS,
        "b.zip!/a.txt": hostile.WORDS,
    }
    assert set(outcomes("a.zip", nested(2)).values()) == {"too_large"}
    monkeypatch.setattr(unpacking, "MAX_MEMBERS", 1)
    with pytest.raises(LoadingError) as caught:
        outcomes("a.zip", archive(TEXT))
    assert caught.value.reason == "too_large"


def test_mails_of_a_mbox(tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "box", create=True)
    for n in range(3):
        message = letter(Text(f"Mail {n}", [f"From the capital, {n}.", WORDS]))
        if n:
            message["Message-ID"] = f"<{n}@ledger.example>"
        box.add(message)
    box.close()
    found = outcomes("a.mbox", (tmp_path / "box").read_bytes())
    assert list(found) == ["mail 1", "1@ledger.example", "2@ledger.example"]
    for n, text in enumerate(found.values()):
        assert f"Subject: Mail {n}" in text
        assert f"\nFrom the capital, {n}." in text
    assert list(outcomes("a.mbox", mbox(TEXT))) == ["mail 1", "mail 2"]


def test_what_is_attached_to_a_mail_comes_before_it() -> None:
    message = letter(TEXT)
    for name, content, kind in (
        ("../seats.csv", b"Country,Seats\nArmenia,107\n", "text/csv"),
        ("logo.png", b"\x89PNG\r\n", "image/png"),
        ("all.zip", zipped({"b.txt": WORDS}), "application/zip"),
        ("all.zip", b"PK", "application/zip"),
    ):
        maintype, subtype = kind.split("/")
        message.add_attachment(content, maintype=maintype, subtype=subtype, filename=name)
    inner = letter(Text("Inner", ["They left."]))
    inner.add_attachment(WORDS.encode(), maintype="text", subtype="plain", filename="c.txt")
    message.add_attachment(inner, filename="d.eml")
    found = outcomes("a.eml", message.as_bytes())
    assert list(found) == [
        *("seats.csv", "all.zip!/b.txt", "all.zip#2", "d.eml!/c.txt", "d.eml", "/a.eml"),
    ]
    assert found["seats.csv"] == "Country | Seats\n\nCountry: Armenia; Seats: 107"
    assert found["all.zip!/b.txt"] == found["d.eml!/c.txt"] == WORDS
    assert found["all.zip#2"] == "unreadable"
    assert "They left." in found["d.eml"]
    assert "Attachment: logo.png" in found["/a.eml"]
    packed = outcomes("a.zip", zipped({"x/a.eml": message.as_bytes()}))
    assert "x/a.eml!/seats.csv" in packed


def test_a_mail_with_more_than_a_hundred_attachments_names_them() -> None:
    message = letter(TEXT)
    for number in range(MAX_ATTACHED + 1):
        message.add_attachment(b"x", maintype="text", subtype="plain", filename=f"{number}.txt")
    (only,) = outcomes("a.eml", message.as_bytes()).values()
    assert "Attachment: 100.txt" in only


def test_records_keep_their_address_when_others_come_before() -> None:
    records = [{"id": "x", "text": WORDS}, {"text": WORDS}, {"id": "x", "text": WORDS}]
    lines = "\n".join(map(json.dumps, records)).encode()
    assert list(outcomes("a.jsonl", lines)) == ["x", "record 2", "x#2"]
    assert list(outcomes("a.json", json.dumps(records).encode())) == ["x", "record 2", "x#2"]
    one = outcomes("a.jsonl", b'{"a": {"b": "They met."}}', fields={"text": "a.b"})
    assert one == {"record 1": "They met."}
    assert outcomes("a.jsonl", b'{"text": "a"}\n{broken\n') == {
        "record 1": "a",
        "record 2": "unreadable",
    }


def test_a_list_of_other_things_is_one_document() -> None:
    (found,) = load_all(Path("a.json"), content=b'["They", "met"]', uri="/a.json")
    assert isinstance(found, Document)
    assert (found.uri, found.text) == ("/a.json", "They, met")


def test_skipping_goes_on_after_those_that_were_read() -> None:
    assert list(outcomes("a.zip", archive(TEXT), skip=1)) == ["b/2.docx"]


def test_r24_archives_of_nothing() -> None:
    for content in (zipped({}), zipped({"folder/": b"", ".hidden": b"x"})):
        with pytest.raises(LoadingError) as caught:
            outcomes("a.zip", content)
        assert caught.value.reason == "empty"
