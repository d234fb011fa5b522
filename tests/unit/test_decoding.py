"""decoding.py and languages.py: R23, text in any encoding comes out as it was written."""

from __future__ import annotations

import codecs
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.decoding import decoded, is_binary
from assistant.languages import declared, detect

SENTENCES = {
    "ru": "Совет коллективной безопасности собрался в Ереване 23 ноября 2022 года. "
    "Премьер-министр отказался подписать итоговую декларацию, а делегации разъехались молча.",
    "uk": "Міністр закордонних справ України заявив, що переговори відбудуться наступного тижня.",
    "tr": "Türkiye Dışişleri Bakanlığı, Ermenistan ile Azerbaycan arasındaki ateşkesin "
    "sürdürülmesi çağrısında bulundu. Çatışmalar 13 Eylül gecesi başladı.",
    "en": "It’s a “test” of the council’s resolve — nothing more, said the minister’s spokesman. "
    "The naïve façade fell, and the café where they met was closed.",
    "fr": "Le président a déclaré que l’été serait chaud ; où êtes-vous allés ? Ça coûte 50 €.",
    "de": "Die Außenministerin erklärte am Dienstag, daß Gespräche über Abrüstung möglich seien.",
    "pl": "Prezydent powiedział, że żołnierze będą walczyć dłużej, niż się spodziewano.",
    "el": "Ο πρωθυπουργός δήλωσε ότι η χώρα θα συνεχίσει τις διαπραγματεύσεις την εβδομάδα.",
    "ar": "أعلنت وزارة الخارجية أن المحادثات ستبدأ الأسبوع المقبل في القاهرة بين الوفدين.",
    "ja": "東京都は火曜日に新しい条例を発表した。会議は来週、大阪で開かれる予定です。",
    "zh": "中国外交部发言人表示，中方支持有关各方通过对话解决分歧，维护地区和平稳定。",
    "ko": "대한민국 정부는 화요일에 새로운 안보 협정을 발표했다. 회담은 서울에서 열렸다.",
}
LEGACY = [
    *[("ru", encoding) for encoding in ("cp1251", "koi8_r", "cp866")],
    *[("uk", "cp1251"), ("uk", "koi8_u"), ("tr", "cp1254"), ("tr", "iso8859_9")],
    *[("en", "cp1252"), ("fr", "cp1252"), ("de", "latin_1"), ("de", "cp1252")],
    *[("pl", "cp1250"), ("pl", "iso8859_2"), ("el", "cp1253"), ("ar", "cp1256")],
    *[("ja", "cp932"), ("ja", "euc_jp"), ("zh", "gb18030"), ("ko", "euc_kr")],
]


@pytest.mark.parametrize(("language", "encoding"), LEGACY)
def test_r23_older_encodings_are_told_apart(language: str, encoding: str) -> None:
    text = SENTENCES[language]
    assert decoded(text.encode(encoding)) == text
    assert decoded((text + "\r\n").encode(encoding) * 40) == (text + "\r\n") * 40


@pytest.mark.parametrize("text", SENTENCES.values(), ids=SENTENCES.keys())
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-32"])
def test_r23_unicode(text: str, encoding: str) -> None:
    content = text.encode(encoding)
    assert decoded(content) == text
    assert not is_binary(content)


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
@pytest.mark.parametrize("language", ["en", "tr", "ru"])
def test_r23_utf16_without_a_mark(language: str, encoding: str) -> None:
    content = SENTENCES[language].encode(encoding)
    assert decoded(content) == SENTENCES[language]
    assert not is_binary(content)


def test_r23_a_few_damaged_bytes_do_not_change_the_encoding() -> None:
    content = bytearray((SENTENCES["ru"] * 20).encode())
    content[1000] = 0xFF
    assert decoded(bytes(content)).count("\ufffd") <= 2
    assert "Премьер-министр" in decoded(bytes(content))


def test_a_charset_that_the_document_names_is_believed_where_it_fits() -> None:
    assert decoded("Größe".encode("latin_1"), "ISO-8859-1") == "Größe"
    assert decoded("“€100”".encode("cp1252"), "ISO-8859-1") == "“€100”"  # as browsers read it
    assert decoded(SENTENCES["ru"].encode(), "windows-1251") == SENTENCES["ru"]
    assert decoded(SENTENCES["ru"].encode("cp1251"), "no-such-thing") == SENTENCES["ru"]


@given(st.binary())
def test_any_bytes_give_some_text(content: bytes) -> None:
    assert isinstance(decoded(content[:64]), str)


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_utf8_comes_back(text: str) -> None:
    assert decoded(text.encode()) == text.removeprefix("\ufeff")


def test_binary_is_told_from_text() -> None:
    generator = random.Random(0)
    for size in (200, 1000, 8192):
        assert all(is_binary(generator.randbytes(size)) for _ in range(50))
    for language, encoding in LEGACY:
        assert not is_binary(SENTENCES[language].encode(encoding))
    assert not is_binary(b"one stray NUL\0 in a line of text")
    assert not is_binary(codecs.BOM_UTF16_LE)


@pytest.mark.parametrize(("language", "text"), SENTENCES.items(), ids=SENTENCES.keys())
def test_the_language_is_found(language: str, text: str) -> None:
    assert detect(text) == language


@pytest.mark.parametrize("text", ["", "OK", "12345", "CSTO", "Hello", "Tokayev", "\n\n"])
def test_too_little_to_tell_is_und(text: str) -> None:
    assert detect(text) == "und"


@pytest.mark.parametrize(
    ("tag", "code"),
    [("en-US", "en"), ("RU", "ru"), (" tr_TR", "tr"), ("eng", None), ("", None), (None, None)],
)
def test_declared_languages(tag: str | None, code: str | None) -> None:
    assert declared(tag) == code
