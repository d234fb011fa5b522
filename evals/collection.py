"""The indexed documents as an evaluation sees them: names, texts, and whether they changed."""

from __future__ import annotations

import difflib
import hashlib
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from assistant.errors import EmptyLibraryError, UnknownDocumentError
from assistant.evals.squad import squash

if TYPE_CHECKING:
    from assistant.evals.cases import Case, EvaluationSet
    from assistant.pipeline import Assistant


@dataclass(frozen=True)
class Collection:
    """``digest`` depends on file names and texts, not on the folder they were read from."""

    digest: str
    names: Mapping[str, str]  # document id -> its file name, or its uri where two share one
    found: Mapping[str, frozenset[str]]  # id, uri or file name -> names

    def relevant(self, case: Case) -> dict[str, int]:
        """The case's gold documents by name; one that is not there keeps the name it was given."""
        return {
            name: grade
            for wanted, grade in case.relevant.items()
            for name in self.found.get(wanted, [wanted])
        }


def read(assistant: Assistant) -> Collection:
    """The collection of the assistant; reads every document's text once.

    Raises EmptyLibraryError when nothing is indexed.
    """
    state = hashlib.sha256()
    found: defaultdict[str, set[str]] = defaultdict(set)
    documents = assistant.documents()
    if not documents:
        raise EmptyLibraryError(assistant.settings.library.data)
    shared: defaultdict[str, int] = defaultdict(int)
    for document in documents:
        shared[file_name(document.uri)] += 1
    names = {d.id: n if shared[n := file_name(d.uri)] == 1 else d.uri for d in documents}
    lines = []
    for document in documents:
        for handle in (document.id, document.uri, file_name(document.uri)):
            found[handle].add(names[document.id])
        text = assistant.document(document.id).text
        lines.append(f"{file_name(document.uri)} {hashlib.sha256(text.encode()).hexdigest()}\n")
    for line in sorted(lines):
        state.update(line.encode())
    return Collection(
        state.hexdigest()[:12], names, {handle: frozenset(which) for handle, which in found.items()}
    )


def file_name(uri: str) -> str:
    """The last part of a path or an address; the whole of it where there is none."""
    return PurePosixPath(uri.replace("\\", "/").rstrip("/")).name or uri


class Texts:
    """The texts of documents by id, the last used kept at hand; empty for an unknown one."""

    def __init__(self, assistant: Assistant) -> None:
        self._assistant = assistant
        self.of = lru_cache(maxsize=256)(self._read)

    def _read(self, document_id: str) -> str:
        try:
            return self._assistant.document(document_id).text
        except UnknownDocumentError:
            return ""


def check(assistant: Assistant, evaluation_set: EvaluationSet) -> list[str]:
    """What in the set no longer fits the documents, one sentence each; empty when all of it fits.

    Gold documents that are not there or whose name is not one document's; gold quotes that stand in
    none of the case's documents (in any document, when the case names none), with the words that
    come nearest.
    """
    collection = read(assistant)
    ids = {name: document_id for document_id, name in collection.names.items()}
    texts = Texts(assistant)
    problems = []
    for case in evaluation_set.cases:
        for wanted in case.relevant:
            which = collection.found.get(wanted, frozenset())
            if len(which) != 1:
                what = f"is {len(which)} documents" if which else "is not in the collection"
                problems.append(f"{case.id}: {wanted!r} {what}")
        names = [name for name in collection.relevant(case) if name in ids] or list(ids)
        for quote in case.quotes:
            if not any(squash(quote) in squash(texts.of(ids[name])) for name in names):
                near = _nearest(quote, [texts.of(ids[name]) for name in names[:20]])
                problems.append(f"{case.id}: no document has the quote {quote!r}{near}")
    return problems


def _nearest(quote: str, texts: list[str]) -> str:
    lines = [" ".join(line.split()) for text in texts for line in text.splitlines() if line.strip()]
    wanted = set(squash(quote).split())
    best = max(lines, key=lambda line: len(wanted & set(squash(line).split())), default="")
    if len(wanted & set(squash(best).split())) * 2 < len(wanted):
        return ""
    match = difflib.SequenceMatcher(None, squash(quote), best.casefold(), autojunk=False)
    block = match.find_longest_match()
    start = max(block.b - block.a, 0)
    return f"; nearest: {best[start : start + len(quote) + 20]!r}"
