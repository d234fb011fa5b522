"""The one clean-up of text, at ingest and at render: what a reader cannot see does not survive.

It is written against the Unicode standard (UAX #15 for composition and for the length of a run of
marks, UTS #51 for emoji) and against smuggling: instructions hidden in tag characters, variation
selectors and zero-width characters. Offsets anywhere in the library refer to text that has been
through here, which is why composing is safe: no offset ever refers to the text before it. Composed
form (NFC) is chosen over the text as it came because the same word typed on two systems must be one
string for search, for counting and for comparing quotes; it changes no letter a reader sees, while
NFKC would (it turns ² into 2).
"""

from __future__ import annotations

import functools
import re
import unicodedata

# Line ends of other systems; a form feed is a page break and would glue two words if dropped.
_LINE_ENDS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_CONTROLS = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")

# Unicode's Default_Ignorable_Code_Point without those judged by their neighbours below (ZWNJ, ZWJ,
# VS15, VS16, Mongolian selectors), plus surrogates, interlinear annotations and noncharacters.
# In two, here and for marks: a class that leaves the basic plane is matched twenty times slower.
_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f"
    "\u3164\ufdd0-\ufdef\ufe00-\ufe0d\ufeff\uffa0\ufff0-\ufffb\ufffe\uffff\ud800-\udfff]+"
)
_UNSEEN_BEYOND = re.compile(
    "[\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e001f\U000e0080-\U000e0fff]+"
)

_BEYOND = re.compile("[\U0001bca0-\U0010ffff]")

# Tag characters carry whole hidden messages, but three flags are spelled with them.
_FLAGS = "(?:gbeng|gbsct|gbwls)".translate({ord(c): 0xE0000 + ord(c) for c in "begnlstcw"})
_TAGS = re.compile(f"(\U0001f3f4{_FLAGS}\U000e007f)|[\U000e0020-\U000e007f]+")

# Characters that have an emoji form, by block: wider than the property by unassigned neighbours.
_EMOJI = (
    "\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23fa\u24c2\u25aa-\u25fe\u2600-\u27bf"
    "\u2934\u2935\u2b05-\u2b55\u3030\u303d\u3297\u3299\U0001f000-\U0001faff"
)
_SELECTORS = re.compile(
    f"\ufe0e(?<![{_EMOJI}]\ufe0e)"
    f"|\ufe0f(?<![{_EMOJI}]\ufe0f)(?!(?<=[0-9#*]\ufe0f)\u20e3)"
    "|[\u180b-\u180f](?<![\u1820-\u18aa].)"
)

# Scripts whose spelling uses the joiners, as ranges; their letters and marks are looked up.
_JOINING = (
    (0x0600, 0x08FF),  # Arabic, Syriac, N'Ko, Mandaic
    (0x0900, 0x0DFF),  # Devanagari to Sinhala
    (0x0F00, 0x109F),  # Tibetan, Myanmar
    (0x1780, 0x18AF),  # Khmer, Mongolian
    (0xFB50, 0xFDFF),
    (0xFE70, 0xFEFC),  # Arabic presentation forms
)
_JOINING_BEYOND = "\U00010d00-\U00010d27\U00011000-\U00011fff\U0001e900-\U0001e94b"

_MARKS_BEYOND = range(0x101FD, 0x1E94B)
_MAY_BE_MARK_BEYOND = re.compile("[\U000101fd-\U0001e94a]")
_ROUNDS = 3  # no word that people write needs a second
MAX_MARKS = 30  # in a row: UAX #15's stream-safe limit


def normalize(text: str) -> str:
    """The text composed (NFC), with ``\\n`` line ends and without what cannot be seen.

    Gone are C0 and C1 controls but ``\\t`` and ``\\n``, bidirectional controls, the tag block,
    zero-width characters, variation selectors, soft hyphens, surrogates, and combining marks past
    30 in a row. Kept, because taking them would damage words people write: ZWJ and ZWNJ after a
    letter of a script that spells with them, ZWJ between emoji, VS15 and VS16 after an emoji or
    in a keycap, the tags of the flags of England, Scotland and Wales. Idempotent; linear in time.
    """
    text = _CONTROLS.sub("", _LINE_ENDS.sub("\n", text))
    if text.isascii():
        return text
    # Each step may bring a later step's characters together, never an earlier step's.
    text = _UNSEEN.sub("", text)
    if _BEYOND.search(text):
        text = _TAGS.sub(r"\1", _UNSEEN_BEYOND.sub("", text))
    text = _SELECTORS.sub("", text)
    for _ in range(_ROUNDS):
        text = _composed(_stray_joiners().sub("", text))
        if not _stray_joiners().search(text):  # composing puts marks in order, before a joiner too
            return text
    return _composed(re.sub("[\u200c\u200d]", "", text))


def _composed(text: str) -> str:
    # CPython orders marks in quadratic time: 160 kB of them took 18 s before they were capped.
    # Composing may split one mark in two, hence the second cap.
    return _cap_marks(unicodedata.normalize("NFC", _cap_marks(text)))


def one_line(text: str, limit: int) -> str:
    """``text`` normalised, its white space made single spaces, cut at a word near ``limit``."""
    words = " ".join(normalize(text[: limit * 8]).split())
    if len(words) <= limit:
        return words
    return (
        words[: limit - 1].rpartition(" ")[0] + "…" if " " in words[: limit - 1] else words[:limit]
    )


def _cap_marks(text: str) -> str:
    last = _MARKS_BEYOND.stop if _MAY_BE_MARK_BEYOND.search(text) else _MARKS_BEYOND.start
    return _long_runs(last).sub(r"\1", text)


@functools.cache
def _stray_joiners() -> re.Pattern[str]:
    letters = "".join(
        chr(code)
        for first, last in _JOINING
        for code in range(first, last + 1)
        if unicodedata.category(chr(code))[0] in "LM"
    )
    after = f"(?<![{letters}].)(?<![{_JOINING_BEYOND}].)"
    return re.compile(f"\u200c{after}|\u200d{after}(?!(?<=[{_EMOJI}\ufe0f]\u200d)[{_EMOJI}])")


@functools.cache
def _long_runs(last: int) -> re.Pattern[str]:
    marks = "".join(chr(c) for c in range(0x300, last) if unicodedata.combining(chr(c)))
    return re.compile(f"([{marks}]{{{MAX_MARKS}}})[{marks}]+")
