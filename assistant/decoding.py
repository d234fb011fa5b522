"""Bytes -> the text they spell, whatever encoding it was written in."""

from __future__ import annotations

import codecs
import unicodedata

from assistant.languages import guess

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark begins it
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)

# The languages written in each of the older encodings, ISO 639-1.
_CYRILLIC = "ru uk bg be mk sr kk ky mn"
_CENTRAL = "pl cs sk hu ro hr sl bs sq"
_WRITERS = {
    "cp1252": "en de fr es it pt nl sv da no nb nn fi is ca eu gl ga cy af id ms sw und",
    "cp1254": "tr az",
    "cp1251": _CYRILLIC,
    "koi8_r": _CYRILLIC,
    "koi8_u": _CYRILLIC,
    "cp866": _CYRILLIC,
    "cp1250": _CENTRAL,
    "iso8859_2": _CENTRAL,
    "cp1257": "lt lv et",
    "cp1253": "el",
    "cp1255": "he",
    "cp1256": "ar fa ur",
    "cp932": "ja",
    "euc_jp": "ja",
    "gb18030": "zh",
    "big5": "zh",
    "cp949": "ko",
}
_LATIN = {"cp1252", "cp1254", "cp1250", "cp1257"}
_AS_BROWSERS_DO = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
}
SAMPLE = 65_536  # bytes that decide
_BYTES_BEYOND_ASCII = bytes(range(128, 256))
_CONTROLS = bytes(set(range(32)) - set(b"\t\n\r\f\b\x1b"))


def decoded(content: bytes, charset: str | None = None) -> str:
    """The text that bytes spell, in the encoding they are in; never raises, never drops a byte.

    A byte-order mark decides, then UTF-16 without one, then UTF-8 unless it is clearly something
    else, then ``charset`` (which the document names), then the best of the older encodings.
    What no encoding can read becomes U+FFFD.
    """
    for mark, encoding in _BOMS:
        if content.startswith(mark):
            return content.decode(encoding, "replace").removeprefix("\ufeff")
    if unmarked := _utf16(content):  # its bytes can all be ASCII
        return content.decode(unmarked, "replace")
    if (text := _utf8(content)) is not None:
        return text
    known = _known(charset)
    named = _strict(content, known) if known else None
    return _decoded_by_language(content) if named is None else named


def _strict(content: bytes, encoding: str) -> str | None:
    try:
        return content.decode(encoding)
    except UnicodeDecodeError:
        return None


def _utf8(content: bytes) -> str | None:
    """The text in UTF-8, or None where more than a tenth of what is not ASCII is no UTF-8."""
    text = content.decode("utf-8", "replace")
    wrong = text.count("\ufffd")
    if wrong and wrong * 10 >= len(text) - len(text.encode("ascii", "ignore")):
        return None
    return text


def _utf16(content: bytes) -> str | None:
    """UTF-16 without a byte-order mark: Latin letters, spaces and digits have a NUL on one side."""
    low, high = content[::2].count(0), content[1::2].count(0)
    if max(low, high) * 20 < len(content) or min(low, high) * 20 > max(low, high):
        return None
    return "utf-16-be" if low > high else "utf-16-le"


def _known(charset: str | None) -> str | None:
    """The codec that browsers use for a charset's name."""
    try:
        name = codecs.lookup(charset or "").name
    except LookupError:
        return None
    return _AS_BROWSERS_DO.get(name, name)


def _decoded_by_language(content: bytes) -> str:
    """The decoding that reads as a language whose writers used that encoding.

    charset-normalizer alone took cp1257 or cp852 for Turkish and English text in every third trial;
    weighing its findings by the language they spell got all trials of three sentences right.
    """
    import charset_normalizer

    sample = content[:SAMPLE]
    found = charset_normalizer.from_bytes(sample, cp_isolation=list(_WRITERS))
    weights = {match.encoding: match.coherence - 3 * match.chaos for match in found}
    few = len(sample.translate(None, _BYTES_BEYOND_ASCII)) > 0.8 * len(sample)

    def likely(encoding: str) -> float:
        text = sample.decode(encoding, "ignore")
        language, confidence = guess(text)
        confidence *= 1 if language in _WRITERS[encoding].split() else 0.3
        latin = 0.3 if few and encoding in _LATIN else 0
        weight: float = weights.get(encoding, -0.2)
        return confidence + weight + latin - 4 * _share_of_signs(text)

    ranked = sorted(_WRITERS, key=likely, reverse=True)
    texts = (_strict(content, encoding) for encoding in ranked)
    return next((text for text in texts if text), content.decode(ranked[0], "replace"))


def _share_of_signs(text: str) -> float:
    """How much of what is not ASCII is no letter and no punctuation, 0 to 1."""
    beyond = [char for char in text[:5000] if char > "\x7f"]
    signs = sum(unicodedata.category(char)[0] in "SC" and char != "€" for char in beyond)
    return signs / max(1, len(beyond))


def is_binary(sample: bytes) -> bool:
    """Whether control characters are more than a stray few; text in an old encoding has none."""
    if sample.startswith(tuple(mark for mark, _ in _BOMS)) or _utf16(sample):
        return False
    controls = len(sample) - len(sample.translate(None, _CONTROLS))
    return controls > len(sample) * (0.3 if _utf8(sample) is not None else 0.02)
