"""mail.py: who wrote what when."""

from __future__ import annotations

import datetime as dt

import pytest

from assistant.errors import LoadingError
from assistant.mail import parse_eml
from assistant.parsing import assemble
from tests.making import Text, eml, eml_html, letter

TEXT = Text(
    "Türkiye talks", ["They met.", "They left."], [("Country", "Seats"), ("Armenia", "107")]
)


def read(content: bytes) -> str:
    return assemble(parse_eml(content, "a.eml").blocks)[0]


def test_headers_are_facts_and_text() -> None:
    parsed = parse_eml(eml(TEXT), "a.eml")
    assert parsed.title == "Türkiye talks"
    assert (parsed.author, parsed.source) == ("Anna Petrosyan", "ledger.example")
    assert parsed.published == dt.date(2022, 9, 13)  # in the sender's zone; in UTC too
    assert parsed.published_from == "mail header"
    text = read(eml(TEXT))
    assert text.startswith("From: Anna Petrosyan <anna@ledger.example>\nTo: desk@ledger.example")
    assert text.endswith("They met.\n\nThey left.\n\nCountry - Seats\n\nArmenia - 107")


def test_the_day_is_that_of_the_sender() -> None:
    content = eml(TEXT).replace(b"23:30:00 +0400", b"00:30:00 +0400")
    assert parse_eml(content, "a.eml").published == dt.date(2022, 9, 13)


@pytest.mark.parametrize("said", [b"", b"yesterday", b"Tue, 99 Sep 2022 23:30:00 +0400"])
def test_an_unknown_day_stays_unknown(said: bytes) -> None:
    content = eml(TEXT).replace(b"Tue, 13 Sep 2022 23:30:00 +0400", said)
    assert parse_eml(content, "a.eml").published is None


def test_markup_is_read_and_what_it_hides_is_not() -> None:
    content = eml_html(TEXT)
    assert "Country: Armenia; Seats: 107" in read(content)
    message = letter(TEXT)
    message.add_alternative("<p>CANARY</p>", subtype="html")
    assert "CANARY" not in read(message.as_bytes())  # the plain words say the same
    hidden = letter(TEXT, "html")
    hidden.set_content("<p>Seen.</p><p style='display:none'>CANARY</p>", subtype="html")
    assert read(hidden.as_bytes()).endswith("Seen.")


def test_attachments_are_named_not_opened() -> None:
    message = letter(TEXT)
    message.add_attachment(b"CANARY", maintype="text", subtype="plain", filename="notes.txt")
    text = read(message.as_bytes())
    assert text.endswith("Attachment: notes.txt")
    assert "CANARY" not in text


@pytest.mark.parametrize("charset", ["koi8-r", "cp1251", "iso-8859-5", "utf-8"])
def test_charsets(charset: str) -> None:
    message = letter(TEXT)
    message.set_content("Совет собрался в понедельник.", charset=charset)
    assert read(message.as_bytes()).endswith("Совет собрался в понедельник.")


def test_what_is_no_mail() -> None:
    with pytest.raises(LoadingError) as caught:
        parse_eml(b"\nWords.", "a.eml")
    assert caught.value.reason == "unreadable"
