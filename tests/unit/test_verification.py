from __future__ import annotations

import datetime as dt
import random
import time
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from assistant.errors import UnknownDocumentError
from assistant.reading import Reader
from assistant.segmenting import sentences
from assistant.types import AnswerSentence, Citation, ScoredPassage
from assistant.verification import Support, Verifier, verify
from tests import swaps
from tests.fakes import chunks, document

TEXT = "The bridge opened in 1921. It is long."
BORDER = (
    "Fighting broke out on the border on September 13, 2022. Armenia said that 105 of its soldiers "
    "had died. Azerbaijan put its own losses at 71. The Collective Security Treaty Organization "
    "(CSTO) sent a mission headed by Stanislav Zas. It did not send troops, Secretary Zas told "
    "reporters. Two million people live in the region, and 12 percent of them left. "
    "The mission's report was delivered to the presidents in November."
)


def sentence(start: int, end: int, quote: str, document_id: str = "a") -> AnswerSentence:
    return AnswerSentence(
        text=quote, citations=(cited(start, end, quote, document_id),), verdict="unchecked"
    )


def cited(start: int, end: int, quote: str, document_id: str = "a") -> Citation:
    return Citation(
        marker=1,
        document_id=document_id,
        passage_id=f"{document_id}:0",
        title="T",
        source="S",
        start=start,
        end=end,
        quote=quote,
    )


def text_of(document_id: str) -> str:
    if document_id != "a":
        raise UnknownDocumentError(document_id)
    return TEXT


@cache
def reader() -> Reader:
    return Reader(threads=1)


def verifier(*judges: object) -> Verifier:
    common = {"the", "a", "of", "in", "that", "it", "to", "by", "its", "was", "on", "had", "and"}
    return Verifier(reader(), lambda word: 0.1 if word.lower() in common else 4.0, judges)  # type: ignore[arg-type]


def support(claim: str, text: str = BORDER) -> Support:
    return verifier().support(claim, [text])


def test_a_quote_that_stands_where_it_says_is_supported() -> None:
    (found,) = verify([sentence(0, 26, TEXT[:26])], text_of)
    assert (found.verdict, found.text) == ("supported", TEXT[:26])


@pytest.mark.parametrize(
    "wrong",
    [
        sentence(1, 27, TEXT[:26]),  # citations shifted by one
        sentence(0, 26, TEXT[:26].replace("1921", "1922")),
        sentence(0, 26, TEXT[:26], document_id="removed"),
        AnswerSentence(text="Nobody said this.", citations=(), verdict="unchecked"),
    ],
)
def test_what_does_not_stand_there_is_dropped(wrong: AnswerSentence) -> None:
    assert verify([wrong, sentence(27, 38, TEXT[27:])], text_of)[0].text == TEXT[27:]
    assert verify([wrong], text_of) == ()


@pytest.mark.parametrize(
    "claim",
    [
        "Armenia said 105 of its soldiers died.",
        "On 13 September 2022, fighting broke out on the border.",
        "Fighting broke out on the border in September 2022.",
        "The CSTO sent a mission headed by Zas.",
        "The CSTO sent a mission that Stanislav Zas headed, but it did not send troops.",
        "2,000,000 people live in the region.",
        "Azerbaijan's own losses were put at 71.",
        "12% of the people of the region left.",
    ],
)
def test_the_same_in_other_words_is_supported(claim: str) -> None:
    found = support(claim)
    assert found.supported, found.reasons
    assert found.reasons
    assert found.spans


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ("Armenia said that 106 of its soldiers had died.", "106"),
        ("Armenia said that 71 of its soldiers had died.", "71"),  # a number of the same passage
        ("Azerbaijan said that 105 of its soldiers had died.", "Azerbaijan"),
        ("Fighting broke out on the border on September 14, 2022.", "September 14, 2022"),
        ("Fighting broke out on the border on September 13, 2021.", "September 13, 2021"),
        ("The CSTO sent a mission headed by Masis Mayilyan.", "Masis Mayilyan"),
        ("NATO sent a mission headed by Stanislav Zas.", "NATO"),
        ("It did send troops, Secretary Zas told reporters.", "denies"),
        ("Fighting did not break out on the border on September 13, 2022.", "denies"),
        ("Twelve million people live in the region.", "Twelve million"),
        ("21 percent of them left.", "21 percent"),
        ("Putin ate breakfast with a bear.", "Putin"),
        ("The CSTO sent a mission headed by Stanislav Zas Junior.", "Stanislav Zas Junior"),
        ("The CSTO sent a mission headed by Z.", "Z is not"),
        ("The US sent a mission headed by Stanislav Zas.", "US"),
        ("The CSTO c40970e82f sent a mission headed by Zas.", "c40970e82f"),
        ("Armenia said 105,1987 of its soldiers died.", "1987"),
        ("The CSTO sent it, the CSTO sent it, the CSTO sent it.", "repeats"),
        ("The weather was pleasant and bread cheap.", "something else"),
    ],
)
def test_what_the_passage_does_not_say_is_not_supported(claim: str, reason: str) -> None:
    found = support(claim)
    assert not found.supported
    assert reason in "; ".join(found.reasons)


def test_a_year_may_be_that_of_publication() -> None:
    text = "Fighting broke out on September 13 on the border with Azerbaijan."
    claim = "Fighting broke out on the border with Azerbaijan on 13 September 2022."
    assert not verifier().support(claim, [text]).supported
    assert verifier().support(claim, [text], published=[dt.date(2022, 9, 16)]).supported


@pytest.mark.parametrize(
    "text",
    [
        "Nobody believes that Armenia attacked Azerbaijan on Monday.",
        "Yerevan denied that Armenia attacked Azerbaijan on Monday.",
        "He asked whether Armenia attacked Azerbaijan on Monday.",
    ],
)
def test_what_the_source_denies_or_leaves_open_is_not_supported(text: str) -> None:
    assert not support("Armenia attacked Azerbaijan on Monday.", text).supported


def test_words_out_of_the_midst_of_a_sentence_are_no_quote() -> None:
    text = "Nobody believes that Armenia attacked Azerbaijan on Monday."
    found = support("Armenia attacked Azerbaijan on Monday.", text)
    assert not found.supported
    assert support(text, f"It rained. {text} It snowed.").reasons == ("word for word",)


def test_the_citation_is_narrowed_to_the_words_that_support() -> None:
    source = document(BORDER)
    draft = AnswerSentence(
        text="Armenia said 105 of its soldiers died.",
        citations=(cited(0, len(BORDER), BORDER, source.id),),
        verdict="unchecked",
    )
    (found,) = verify([draft], lambda _: BORDER, verifier())
    quotes = [citation.quote for citation in found.citations]
    assert quotes == ["Armenia said that 105 of its soldiers had died."]
    assert all(BORDER[c.start : c.end] == c.quote for c in found.citations)
    assert found.verdict == "supported"


def scored(text: str, uri: str) -> ScoredPassage:
    source = document(text, uri=uri)
    return ScoredPassage(passage=chunks(source)[0].passage, document=source, score=1.0)


def test_every_value_stands_in_the_words_that_are_cited() -> None:
    text = (
        "The Union began with coal and steel. Zagreb was not there. The mayor of Rome was pleased."
        " The Treaty of Paris made the Union, and the Council of Rome signed the Treaty in 1957."
        " Many people lived on an island. Its harbour was rebuilt in 1999."
    )
    found = support("The Union made by the Treaty began with coal, steel and Zagreb in 1999.", text)
    cited = " ".join(text[span.start : span.end] for span in found.spans)
    assert not found.supported or all(word in cited for word in ("Treaty", "Zagreb", "1999"))
    parts = support("The Union began with coal and steel and the Zagreb Council.", text)
    cited = " ".join(text[span.start : span.end] for span in parts.spans)
    assert parts.supported
    assert "Zagreb" in cited
    assert "Council" in cited


def test_a_wrong_citation_is_put_right_by_another_passage_that_was_found() -> None:
    right, wrong = scored(BORDER, "/right"), scored("The bridge opened in 1921.", "/wrong")
    texts = {one.document.id: one.document.text for one in (right, wrong)}
    draft = AnswerSentence(
        text="Armenia said 105 of its soldiers died.",
        citations=(cited(0, 26, wrong.passage.text, wrong.document.id),),
        verdict="unchecked",
    )
    (found,) = verify([draft], texts.__getitem__, verifier(), [wrong, right])
    assert found.citations[0].document_id == right.document.id
    assert "cited anew" in found.reasons[-1]


def test_what_is_unsupported_is_dropped_or_kept_with_its_reasons() -> None:
    draft = AnswerSentence(
        text="It opened in 1934.", citations=(cited(0, 38, TEXT),), verdict="unchecked"
    )
    silent = AnswerSentence(text="Trust me.", citations=(), verdict="unchecked")
    erased = sentence(0, 26, TEXT[:26], document_id="removed")
    given = [draft, silent, erased]
    assert verify(given, text_of, verifier()) == ()
    flagged = verify(given, text_of, verifier(), unsupported="flag")
    assert [(one.text, one.verdict) for one in flagged] == [
        ("It opened in 1934.", "unsupported"),
        ("Trust me.", "unsupported"),
    ]
    assert flagged[0].reasons == ("1934 is not in its source",)
    assert flagged[1].reasons == ("it cites nothing",)


def test_a_judge_can_object_but_not_overrule() -> None:
    asked = []

    def objects(sentence: str, evidence: str) -> tuple[bool, str]:
        asked.append((sentence, evidence))
        return False, "not so"

    def agrees(sentence: str, evidence: str) -> tuple[bool, str]:
        return True, "so"

    claim = "Armenia said 105 of its soldiers died."
    assert verifier(objects).support(claim, [BORDER]).reasons == ("not so",)
    assert asked == [(claim, BORDER)]
    assert verifier(agrees).support(claim, [BORDER]).supported
    assert not verifier(agrees).support("Armenia lost 9 soldiers.", [BORDER]).supported
    verifier(objects).support("Armenia lost 9 soldiers.", [BORDER])
    assert len(asked) == 1  # what the rules reject costs no pass of a model


@pytest.mark.parametrize("claim", ["", " ", "?", "\ud800", "🌍 🌍", "1", "не", "A" * 3000])
@pytest.mark.parametrize("text", ["", " ", "\ud800 🌍.", BORDER])
def test_nothing_odd_is_supported_or_raises(claim: str, text: str) -> None:
    assert not support(claim, text).supported


def passages_of_the_sample() -> list[tuple[str, str]]:
    """(text, sentence) of the English documents of the sample that are plain text."""
    folder = Path(__file__).parents[2] / "corpus" / "documents"
    found = []
    for path in sorted(folder.glob("*.[mt][dx]*")):
        content = path.read_text(encoding="utf-8", errors="replace").split("---\n")[-1]
        for text in content.split("\n\n"):
            if text.isascii() and len(text) > 200:
                found += [(text, text[start:end]) for start, end in sentences(text, "en")]
    return found


def test_swapped_values_of_the_sample_collection_are_caught() -> None:
    chance = random.Random(11)
    given = passages_of_the_sample()
    others = sorted({match.group() for text, _ in given for match in swaps.names(text)})
    checker, made, caught = verifier(), Counter[str](), Counter[str]()
    for text, original in given * 2:
        assert checker.support(original, [text]).supported
        for kind in swaps.KINDS:
            swapped = swaps.swap(kind, original, text, others, chance) if made[kind] < 60 else ""
            if swapped:
                made[kind] += 1
                caught[kind] += not checker.support(swapped, [text]).supported
    assert {kind: made[kind] for kind in swaps.KINDS} == dict.fromkeys(swaps.KINDS, 60)
    assert caught["number"] >= 59
    assert caught["date"] >= 59
    assert caught["name"] >= 57
    assert caught["negation"] >= 51


def test_a_sentence_costs_milliseconds() -> None:
    checker = verifier()
    claim = "Armenia said 105 of its soldiers died."
    checker.support(claim, [BORDER])  # prepares the passage
    begun = time.perf_counter()
    for _ in range(10):
        checker.support(claim, [BORDER])
    assert time.perf_counter() - begun < 2
