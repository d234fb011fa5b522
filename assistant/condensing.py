"""A question that leans on earlier ones to a query that stands alone, by rule or by a chat model.

By rule, what it leaves out is carried over from the last question, and from the first, which set
the topic. Joining all turns makes it worse: how much is carried depends on how little the question
says.
"""

from __future__ import annotations

import importlib.resources
import re
import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from assistant import prompts
from assistant.analysis import likely_language, stem, stop_words, words_of
from assistant.errors import QuestionError
from assistant.normalizing import normalize, one_line

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from assistant.embedding import Embedder
    from assistant.generating import Chat
    from assistant.types import Turn

# Weights of the last question against the present one's 1, chosen on MTRAG's 150 rewritten ones.
_REFERS, _REFERS_AT_LENGTH = 0.5, 0.35
_LONG = 4  # words of its own topic
_BY_WORDS = {0: 0.5, 1: 0.5, 2: 0.2}  # words of its own topic -> weight
_FIRST = 0.6  # of the first question against the last
# What a chat model is given, and what it may give back.
_TURNS, _TURN_CHARS = 4, 500  # the last turns; of each question and each answer
_QUERY_CHARS, _QUERY_MORE = 120, 3  # at most this many more than, or times, the question
_LABEL = re.compile(
    r"\A(?:(?:rewritten|last|standalone) )?(?:question|query)\s*:\s*", re.IGNORECASE
)
_NO_QUERY = re.compile(r"[<>{}\[\]|`]|://")


@dataclass(frozen=True)
class Condensed:
    """A question, and the earlier ones that are searched with it."""

    question: str
    text: str  # to show: the question, and in brackets the words it is completed with
    carried: Mapping[str, float] = field(default_factory=dict)  # earlier question -> weight, 0..1


class _Lists(NamedTuple):
    """One language's part of data/followups.toml, which says what they are."""

    referring: frozenset[str]
    openings: tuple[tuple[str, ...], ...]
    generic: frozenset[str]  # stems


def standalone(
    question: str,
    history: Sequence[Turn],
    chat: Chat | None,
    most: int,
    counts: dict[str, int],
) -> Condensed:
    """The question to search for: by the chat model if there is one, else or if it fails by rule.

    Raises QuestionError when it is empty or longer than ``most`` characters.
    """
    asked = _checked(question, most)
    rewritten = rewrite(asked, history, chat, counts) if chat and history else None
    if rewritten:
        return rewritten
    turns = [*history[:1], *history[1:][-1:]]
    earlier = [normalize(turn.question[:most]).strip() for turn in turns]
    return condense(asked, [text for text in earlier if text])


def _checked(question: str, most: int) -> str:
    query = normalize(question).strip()
    if not query:
        raise QuestionError("the question is empty", "ask something in words")
    if len(query) > most:
        raise QuestionError(
            f"the question has {len(query):,} characters, {most:,} at most are read",
            "shorten it, or raise answering.max_question_chars",
        )
    return query


def condense(question: str, earlier: Sequence[str] = ()) -> Condensed:
    """The question with what it needs of the ``earlier`` ones, which are in their order."""
    if not earlier:
        return Condensed(question, question)
    language = likely_language(words_of(question))
    weight = _dependence(question, language)
    if not weight:
        return Condensed(question, question)
    carried = {earlier[0]: weight * _FIRST} | {earlier[-1]: weight}
    missing: dict[str, str] = {}  # stem -> word
    for text in reversed(carried):
        for stemmed, word in _topic(text).items():
            missing.setdefault(stemmed, word)
    for stemmed in stem(words_of(question, language), language):
        missing.pop(stemmed, None)
    shown = f"{question} ({', '.join(missing.values())})" if missing else question
    return Condensed(question, shown, carried)


def rewrite(
    question: str, history: Sequence[Turn], chat: Chat, counts: dict[str, int]
) -> Condensed | None:
    """The question as the chat model writes it to stand alone; None when what it gave is no such.

    Its reply must be one line, not much longer than the question and without markup. ``counts``
    gets the tokens it cost.
    """
    turns = [
        f"{who}: {one_line(text, _TURN_CHARS)}"
        for turn in history[-_TURNS:]
        for who, text in (("Question", turn.question), ("Answer", turn.answer.text))
    ]
    asked = prompts.messages("condense", conversation="\n".join(turns), question=question)
    reply = chat.complete(asked)
    counts.update(reply.tokens)
    lines = [line.strip() for line in normalize(reply.text).split("\n") if line.strip()]
    text = _LABEL.sub("", lines[0]).strip("\"'“”«»*_ ") if len(lines) == 1 else ""
    bound = max(len(question) + _QUERY_CHARS, len(question) * _QUERY_MORE)
    if reply.problem or not words_of(text) or len(text) > bound or _NO_QUERY.search(text):
        return None
    return Condensed(text, text)


def embed(
    query: Condensed, embedder: Embedder, respell: Callable[[str], str] = str
) -> NDArray[np.float32]:
    """The vector to search with, (dimension,), of length 1; of texts as ``respell`` writes them."""
    import numpy as np

    vector = embedder.query(respell(query.question))
    if not query.carried:
        return vector
    earlier = np.stack([embedder.query(respell(text)) for text in query.carried])
    weights = np.array([*query.carried.values()], dtype=np.float32)
    topic = weights @ earlier
    vector = vector + weights.max() * topic / max(float(np.linalg.norm(topic)), 1e-9)
    unit: NDArray[np.float32] = vector / max(float(np.linalg.norm(vector)), 1e-9)
    return unit


def _topic(text: str) -> dict[str, str]:
    """The words that say what a question is about, by their stems, spelled as it spells them."""
    language = likely_language(words_of(text))
    words = words_of(text, language)
    idle = stop_words(words, language) | _lists(language).referring
    spelled = {"".join(words_of(word)): word for word in re.findall(r"\w+", text)}
    return {
        stemmed: spelled.get(word, word)
        for word, stemmed in zip(words, stem(words, language), strict=True)
        if word not in idle and stemmed not in _lists(language).generic
    }


def _dependence(question: str, language: str) -> float:
    """How much of the last question this one needs; 0 when it stands alone."""
    lists = _lists(language)
    words = words_of(question, language)
    said = _topic(question)
    begins = any(tuple(words[: len(opening)]) == opening for opening in lists.openings)
    if begins or lists.referring & set(words):
        return _REFERS if len(said) < _LONG else _REFERS_AT_LENGTH
    return _BY_WORDS.get(len(said), 0.0)


@cache
def _lists(language: str) -> _Lists:
    file = importlib.resources.files("assistant").joinpath("data/followups.toml")
    lists = tomllib.loads(file.read_text(encoding="utf-8")).get(language, {})
    openings = lists.get("openings", "").split("|")
    return _Lists(
        referring=frozenset(lists.get("referring", "").split()),
        openings=tuple(tuple(words_of(opening, language)) for opening in openings if opening),
        generic=frozenset(stem(words_of(lists.get("generic", ""), language), language)),
    )
