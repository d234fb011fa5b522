from __future__ import annotations

import pytest

from assistant import silence
from assistant.answering import examine
from assistant.asking import Lexicon
from assistant.reading import Reader
from assistant.silence import Evidence, Fit, Topic
from tests.unit.test_selection import scored

TEXT = (
    "The harbour bridge was opened in May 1921 by Anna Berg. It is 310 metres long. "
    "The council of Norvik did not approve a second bridge."
)


@pytest.fixture(scope="module")
def reader() -> Reader:
    return Reader(threads=1)


def evidence(reader: Reader, question: str, text: str = TEXT) -> Evidence:
    examined = examine(question, [scored(text)], reader, Lexicon(lambda _: 3.0, lambda _: ()))
    assert examined.evidence
    return examined.evidence


def test_what_is_missing_or_swapped_is_seen(reader: Reader) -> None:
    fine = evidence(reader, "When did Anna Berg open the harbour bridge?").fit
    assert (fine.name_missing, fine.swapped, fine.number_missing, fine.kind_missing) == (0, 0, 0, 0)
    other = evidence(reader, "When did Carla Berg open the harbour bridge?").fit
    assert (other.name_missing, other.swapped) == (1, 1)
    year = evidence(reader, "Who opened the harbour bridge in 1932?").fit
    assert year.number_missing == 1
    assert evidence(reader, "How many towers has the bridge of Norvik?").fit.kind_missing in (0, 1)


def test_negations_on_one_side_only_are_seen(reader: Reader) -> None:
    assert evidence(reader, "Did the council of Norvik approve a second bridge?").fit.negation == 1
    both = evidence(reader, "Why did the council of Norvik not approve a second bridge?").fit
    assert (both.negated, both.negation, both.reason) == (1, 0, 1)


def test_a_question_that_is_answered_is_likelier_than_one_that_is_not(reader: Reader) -> None:
    asked = (
        "When was the harbour bridge opened?",
        "How much did the harbour bridge of Oslo cost the taxpayers?",
        "Which vitamins does a kiwi contain?",
    )
    found = [silence.probability(evidence(reader, question)) for question in asked]
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.6 > 0.1 > found[2]


def test_a_question_that_no_sentence_answers_alone_is_judged_by_its_topic(reader: Reader) -> None:
    topic = Topic(match=0.7, cosine=0.6, covered=0.8)
    fit = Fit(**dict.fromkeys(Fit._fields, 0.0))
    plain = silence.probability(Evidence(topic, fit, simple=True))
    assert plain < silence.probability(Evidence(topic, fit, simple=False)) < 1
    assert evidence(reader, "When was the harbour bridge opened?").simple
    assert not evidence(reader, "Was the harbour bridge opened?").simple
    assert not evidence(reader, f"Who came to {' '.join(f'place{n}' for n in range(20))}?").simple


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("When did the ice age end?", "The ice age ended 11,600 years before the present."),
        ("How many guests came to the dinner?", "The dinner was attended by 2000 guests."),
        ("How long was the theatre open?", "The theatre was open from 1870 to 1939."),
        ("In which decade did the war end?", "The war ended in the 1990s."),
    ],
)
def test_a_date_may_be_a_number_and_a_number_look_like_a_year(
    reader: Reader, question: str, text: str
) -> None:
    assert not evidence(reader, question, text).fit.kind_missing


def test_a_number_that_is_asked_for_and_is_not_there_is_missed(reader: Reader) -> None:
    text = "The dinner in May was attended by many guests of the mayor."
    assert evidence(reader, "How many guests came to the dinner?", text).fit.kind_missing
    assert evidence(reader, "Who came to the dinner of 1921?", text).fit.number_missing
    assert not evidence(reader, "Who was one of the guests?", text).fit.number_missing


def test_the_weights_are_for_the_features_that_are_measured() -> None:
    known = silence.weights()
    assert set(known.topic.weights) == set(Topic._fields)
    assert set(known.answer.weights) == set(Fit._fields)
    assert all(rate.threshold for rate in known.expected)
