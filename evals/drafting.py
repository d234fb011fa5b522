"""Questions proposed from the user's own documents, for a person to accept or throw away."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

import yaml

from assistant.evals import collection
from assistant.evals.cases import Case
from assistant.evals.prompting import ask
from assistant.evals.squad import squash

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from assistant.pipeline import Assistant
    from assistant.types import Document

SENTENCE = re.compile(r"[^\s].*?[.!?…。](?=\s|$)")  # inside one line
FACT = re.compile(
    r"(?<=[\w,;] )(?:\d[\d.,:]*\d|\d+|[^\W\d_a-zа-я]\w+(?: [^\W\d_a-zа-я]\w+)*)(?=\W)"
)
SHORT, LONG = 40, 260  # characters of a sentence worth asking about
EXCERPT = 3000  # characters that a model reads


def draft(
    assistant: Assistant, count: int, *, chat: BaseChatModel | None = None, seed: int = 0
) -> list[Case]:
    """At most ``count`` cases with ``draft`` set, spread over the documents, the same for a seed.

    Without a model: sentences with a number or name left out, and questions about headings. With
    one: a question, an answer and a quote, kept only when the quote stands in the document.
    """
    documents = list(assistant.documents())
    random.Random(seed).shuffle(documents)  # noqa: S311  # no secret hangs on it
    names = collection.read(assistant).names
    sources = [
        _proposals(assistant.document(document.id), names[document.id], chat)
        for document in documents[: max(count, 1)]
    ]
    drafts: list[Case] = []
    while sources and len(drafts) < count:
        source = sources.pop(0)
        proposal = next(source, None)
        if proposal:
            drafts.append(proposal.model_copy(update={"id": f"draft-{len(drafts) + 1:03}"}))
            sources.append(source)
    return drafts


def to_yaml(cases: list[Case]) -> str:
    """The drafts as a set in YAML; a case counts once its ``draft`` line is gone or says false."""
    rows = [
        {
            "id": case.id,
            "draft": True,
            "question": case.question,
            "relevant": list(case.relevant),
            "quotes": list(case.quotes),
            "answers": list(case.answers),
            "tags": list(case.tags),
        }
        for case in cases
    ]
    text = yaml.safe_dump(
        {"name": "drafts", "cases": rows}, allow_unicode=True, sort_keys=False, width=100
    )
    return (
        f"# Take out `draft: true` of the questions worth keeping; the others do not count.\n{text}"
    )


def _proposals(document: Document, name: str, chat: BaseChatModel | None) -> Iterator[Case]:
    if chat:
        yield from _by_model(document, name, chat)
        return
    both = itertools.zip_longest(_with_gaps(document, name), _about_headings(document, name))
    yield from (case for pair in both for case in pair if case)


def _with_gaps(document: Document, name: str) -> Iterator[Case]:
    for sentence in _sentences(document.text):
        facts = [match for match in FACT.finditer(sentence) if match.start() > 0]
        if facts:
            fact = max(facts, key=lambda match: (match[0][0].isdigit(), len(match[0])))
            gap = f"{sentence[: fact.start()]}____{sentence[fact.end() :]}"
            yield _case(name, f"What belongs in the gap: {gap}", sentence, fact[0], "gap")


def _about_headings(document: Document, name: str) -> Iterator[Case]:
    marks = [mark for mark in document.marks if mark.kind == "heading"]
    ends = [*(mark.start for mark in marks), len(document.text)][1:]
    for mark, end in zip(marks, ends, strict=True):
        section = document.text[mark.start : end]
        first = next(_sentences(section.partition("\n")[2]), None)
        if first and squash(mark.label) != squash(document.title):
            question = f"What does {document.title!r} say about {mark.label!r}?"
            yield _case(name, question, first, None, "heading")


def _by_model(document: Document, name: str, chat: BaseChatModel) -> Iterator[Case]:
    for start in range(0, len(document.text), EXCERPT):
        excerpt = document.text[start : start + EXCERPT]
        said = ask(chat, "draft", title=document.title, text=excerpt)
        question, answer, quote = (
            str(said.get(key, "")).strip() for key in ("question", "answer", "quote")
        )
        if question and quote and squash(quote) in squash(excerpt):
            yield _case(name, question, quote, answer or None, "model")


def _sentences(text: str) -> Iterator[str]:
    for line in text.splitlines():
        for match in SENTENCE.finditer(line):
            if SHORT <= len(match[0]) <= LONG:
                yield match[0]


def _case(name: str, question: str, quote: str, answer: str | None, tag: str) -> Case:
    return Case(
        id="draft",
        question=question,
        relevant={name: 1},
        quotes=(quote,),
        answers=(answer,) if answer else (),
        tags=(tag,),
        draft=True,
    )
