"""Documents -> passages -> vectors, the vectors made while the next documents are still read."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np

from assistant import chunking
from assistant.errors import LoadingError, ModelError
from assistant.library import Library
from assistant.records import Chunk, Embedded, Spec, Waiting
from assistant.segmenting import Span, sentences
from assistant.settings import Settings
from assistant.types import Document, Progress

if TYPE_CHECKING:
    from assistant.embedding import Embedder

OnProgress = Callable[[Progress], None]

BATCH = 64  # passages embedded at a time: what a kill can cost
_WINDOW = 4096  # passages sorted by length together, so that a batch needs little padding
_PAUSE = 0.05  # seconds between two looks for something to embed


def spec_of(embedder: Embedder, settings: Settings) -> Spec:
    """What vectors made by this embedder under these settings depend on."""
    return Spec(
        embedding=embedder.identity,
        dimension=embedder.dimension,
        size=_size(embedder, settings),
        chunking=chunking.FORMAT,
    )


def _size(embedder: Embedder, settings: Settings) -> int:
    """Most tokens in a passage: what the model reads may be less than the settings want."""
    room = embedder.max_tokens - chunking.PREFIX_TOKENS
    if room < chunking.LEAST:
        raise ModelError(
            f"{embedder.identity} reads {embedder.max_tokens} tokens, too few for a passage with"
            " its title",
            "choose another models.embedding",
        )
    return min(settings.chunking.size, room)


def passages_of(document: Document, embedder: Embedder, settings: Settings) -> Iterator[Chunk]:
    """The passages of a document and what is embedded for each, cut as they are taken.

    Raises LoadingError, at once, when it has none.
    """
    passages = chunking.chunk(document, embedder.tokens, _size(embedder, settings))
    first = next(passages, None)
    if first is None:
        raise LoadingError(
            "no_text", f"{document.uri} has no text", "give it words, or leave it out"
        )
    return (
        Chunk(passage, chunking.embedded_text(document, passage, embedder.tokens))
        for passage in itertools.chain([first], passages)
    )


@contextmanager
def embedding(library: Library, embedder: Embedder, spec: Spec, tell: OnProgress) -> Iterator[None]:
    """Gives every passage of ``spec`` its vector, from when it is stored: beside what is done
    inside, and to the end when that is left in order.

    Each batch is on the disk when it is done. What fails is raised at the end.
    """
    work = _Work(library, embedder, spec, tell)
    with ThreadPoolExecutor(1, "embedding") as pool:
        running = pool.submit(work.run)
        try:
            yield
            work.all_stored.set()
            running.result()
        finally:
            work.stopped.set()
            work.all_stored.set()


class _Work:
    """What runs in the other thread."""

    def __init__(self, library: Library, embedder: Embedder, spec: Spec, tell: OnProgress) -> None:
        self.all_stored = threading.Event()
        self.stopped = threading.Event()
        self._library, self._embedder, self._spec, self._tell = library, embedder, spec, tell
        self._done = self._total = self._counted = 0  # the last: a key

    def run(self) -> None:
        last = 0
        while not self.stopped.is_set():
            complete = self.all_stored.is_set()  # before the look, not after
            window = self._library.unembedded(self._spec, last, _WINDOW)
            if window:
                self._embed(window)
                last = window[-1].key
            elif complete:
                return
            else:
                self.all_stored.wait(_PAUSE)

    def _embed(self, window: Sequence[Waiting]) -> None:
        texts = {waiting.name: waiting for waiting in window}  # equal ones once
        names = sorted(texts, key=lambda name: len(texts[name].embedded))
        more, self._counted = self._library.unembedded_count(self._spec, self._counted)
        self._total += more
        for start in range(0, len(names), BATCH):
            if self.stopped.is_set():
                return
            batch = names[start : start + BATCH]
            made = _embedded([texts[name] for name in batch], self._embedder)
            self._library.put_vectors(batch, made)
            self._done += len(batch)
            self._tell(Progress(stage="embed", done=self._done, total=self._total))


def _embedded(batch: Sequence[Waiting], embedder: Embedder) -> list[Embedded]:
    spans = [_sentences(waiting) for waiting in batch]
    made = embedder.passages([waiting.embedded for waiting in batch], spans)
    if len(made) != len(batch) or not all(_is_sound(one, embedder.dimension) for one in made):
        raise ModelError(
            f"{embedder.identity} gave no usable vectors: {len(made)} for {len(batch)} passages, or"
            f" not all of {embedder.dimension} dimensions and length 1",
            "choose another models.embedding, or check that the model is whole",
        )
    return made


def _is_sound(made: Embedded, dimension: int) -> bool:
    vectors = (made.vector, *made.sentences)
    return all(v.shape == (dimension,) and abs(np.linalg.norm(v) - 1) < 1e-3 for v in vectors)


def _sentences(waiting: Waiting) -> list[Span]:
    """Where the sentences of an embedded text are; what stands before the passage counts as one."""
    lead = waiting.lead
    found = sentences(waiting.embedded[lead:], waiting.language)
    return [(0, lead)] * bool(lead) + [(lead + start, lead + end) for start, end in found]
