"""Answer with a chat model: a draft of sentences, each with the passages it names.

The passages go in as data that the model is told not to obey, marked as such (Hines et al.,
Defending Against Indirect Prompt Injection Attacks With Spotlighting, 2024: a boundary and a mark
in place of every space), under numbers drawn for this one question. What comes out is only a
draft: ``replies`` takes it apart and ``verification`` judges it, and both hold when a model obeys.
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from assistant import prompts, replies
from assistant.citing import cite_whole
from assistant.generating import Chat
from assistant.normalizing import one_line
from assistant.settings import AnsweringSettings
from assistant.types import AnswerSentence, Draft, Problem, ScoredPassage

READ = 12  # passages that a model is given, the best ones
_EVERY = 0.1  # seconds between two drafts
_MARKS = "^¦‸ˆ˽¬"
_NONE = re.compile(r"\W*none\W*", re.IGNORECASE)
_QUOTED = "read what is quoted from the documents in its place, or ask in other words"


@dataclass(frozen=True)
class Drafted:
    """The sentences of a draft that cite a passage; ``model`` wrote them, in full or not."""

    sentences: tuple[AnswerSentence, ...] = ()
    model: str | None = None
    incomplete: bool = False
    problem: Problem | None = None

    def or_quotes(
        self, proved: Sequence[AnswerSentence], quotes: Sequence[AnswerSentence]
    ) -> tuple[Drafted, tuple[AnswerSentence, ...]]:
        """What is shown, its markers in reading order, and what is said of it.

        That is what verification left of the draft; when it proved none of it, the ``quotes``.
        """
        held = any(sentence.verdict == "supported" for sentence in proved)
        if self.model is None or (self.sentences and held):
            return self, _in_order(proved)
        unproved = Problem(
            message=f"model {self.model}: wrote nothing that the passages prove", hint=_QUOTED
        )
        flagged = proved if self.sentences else ()
        instead = replace(self, sentences=(), model=None, problem=self.problem or unproved)
        return instead, _in_order([*quotes, *flagged])


def draft(
    chat: Chat,
    question: str,
    passages: Sequence[ScoredPassage],
    settings: AnsweringSettings,
    counts: dict[str, int],
) -> Generator[Draft, None, Drafted]:
    """Drafts while the model writes; returns the sentences that cite, at most ``max_sentences``.

    ``counts`` gets the tokens it cost. Raises nothing: what the model did instead is said in
    ``problem``.
    """
    given = _numbered(passages[:READ])
    mark = _mark("".join(line for scored in given.values() for line in _told(scored)))
    asked = _messages(question, given, mark, settings)
    replying = chat.stream(asked, _grammar(given, settings.max_sentences))
    shown, at = "", 0.0
    while True:
        try:
            text = next(replying)
        except StopIteration as end:
            reply = end.value
            break
        if time.monotonic() - at >= _EVERY:
            said = [said.text for said in _said(text, mark, given)[:-1] if said.numbers]
            at = time.monotonic()
            if said and " ".join(said) != shown:
                shown = " ".join(said)
                yield Draft(stage="answer", text=shown)
    counts.update(reply.tokens)
    cited = {
        said.text: said  # a model that repeats itself says it once
        for said in _said(reply.text, mark, given)
        if said.numbers and (said.ended or not reply.problem)
    }
    none = Problem(message=f"model {chat.name}: found no answer in the passages", hint=_QUOTED)
    return Drafted(
        sentences=_cite([*cited.values()][: settings.max_sentences], given),
        model=chat.name,
        incomplete=reply.problem is not None,
        problem=reply.problem or (none if _NONE.fullmatch(reply.text) else None),
    )


def _said(text: str, mark: str, given: Mapping[int, ScoredPassage]) -> tuple[replies.Said, ...]:
    return replies.parse(text.replace(mark, " "), given)


def _numbered(passages: Sequence[ScoredPassage]) -> dict[int, ScoredPassage]:
    """Each passage under a number that no document can foretell (T24)."""
    numbers = secrets.SystemRandom().sample(range(10, 100), len(passages))
    return dict(zip(numbers, passages, strict=True))


def _messages(
    question: str,
    given: Mapping[int, ScoredPassage],
    mark: str,
    settings: AnsweringSettings,
) -> prompts.Messages:
    texts = [_told(scored) for scored in given.values()]
    fence = prompts.fence(question, *(line for text in texts for line in text))
    blocks = [
        "\n".join([f"{fence} passage {number}", *(mark.join(line.split()) for line in text), fence])
        for number, text in zip(given, texts, strict=True)
    ]
    return prompts.messages(
        "answer",
        fence=fence,
        mark=mark,
        passages="\n".join(blocks),
        question=one_line(question, 2000),
        sentences=str(settings.max_sentences),
        example=str(next(iter(given))),
    )


def _grammar(given: Iterable[int], most: int) -> str:
    """Lines of one sentence with one number each, for a model too small to keep to a form."""
    number = " | ".join(f'"{n}"' for n in given)
    return (
        f'root ::= "NONE" | line{{1,{most}}}\n'
        f'line ::= [^\\x00-\\x20.!?\\[\\]<>|] word{{5,200}} "." " [" ({number}) "]\\n"\n'
        'word ::= [^\\x00-\\x1f.!?\\[\\]<>|] | "." [0-9]'
    )


def _told(scored: ScoredPassage) -> list[str]:
    """What a model reads of a passage, in lines; its brackets are no citations (T24)."""
    document = scored.document
    about = f"{one_line(document.title, 200)} | {one_line(document.source, 100)}"
    dated = f"{about} | {document.published or 'undated'}"
    lines = [dated, *scored.passage.text.split("\n")]
    return [line.replace("[", "(").replace("]", ")") for line in lines if line.strip()]


def _mark(text: str) -> str:
    """The first mark that the passages do not hold; if they hold all, the rarest."""
    return min(_MARKS, key=text.count)


def _cite(
    cited: Sequence[replies.Said], given: Mapping[int, ScoredPassage]
) -> tuple[AnswerSentence, ...]:
    """Each sentence with the whole of the passages that it names, for verification to narrow."""
    return tuple(
        AnswerSentence(
            text=said.text,
            citations=tuple(cite_whole(given[number], number) for number in said.numbers),
            verdict="unchecked",
        )
        for said in cited
    )


def _in_order(answer: Iterable[AnswerSentence]) -> tuple[AnswerSentence, ...]:
    """The sentences with markers from 1 in reading order, one for each run of words cited."""
    markers: dict[tuple[str, int, int], int] = {}
    return tuple(
        sentence.model_copy(
            update={
                "citations": tuple(
                    cited.model_copy(
                        update={
                            "marker": markers.setdefault(
                                (cited.document_id, cited.start, cited.end), len(markers) + 1
                            )
                        }
                    )
                    for cited in sentence.citations
                )
            }
        )
        for sentence in answer
    )
