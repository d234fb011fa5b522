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


def test_a_yes_or_no_question_is_judged_by_its_topic_alone() -> None:
    topic = Topic(match=0.7, cosine=0.6, covered=0.8)
    fit = Fit(**dict.fromkeys(Fit._fields, 0.0))
    plain = silence.probability(Evidence(topic, fit))
    likely = silence.probability(Evidence(topic, fit._replace(yes_no=1.0)))
    long = silence.probability(Evidence(topic, fit._replace(words=4.0)))
    assert plain < likely == long < 1


def test_the_weights_are_for_the_features_that_are_measured() -> None:
    known = silence.weights()
    assert set(known.topic.weights) == set(Topic._fields)
    assert set(known.answer.weights) == set(Fit._fields)
    assert all(rate.threshold for rate in known.expected)
