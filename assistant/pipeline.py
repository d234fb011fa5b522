"""The assistant: ask, stream, search, and the care of its library."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Self, cast

from assistant import aliases, condensing, ingestion, integrity, models, syncing, vectorizing
from assistant.condensing import Condensed
from assistant.errors import QuestionError
from assistant.generations import Generations
from assistant.library import Library
from assistant.normalizing import normalize
from assistant.settings import Settings
from assistant.tracing import Stopwatch
from assistant.types import (
    Answer,
    Document,
    Draft,
    Filters,
    IndexReport,
    Matching,
    Progress,
    ScoredPassage,
    SyncPlan,
    Turn,
    VerifyReport,
)

if TYPE_CHECKING:
    from assistant.embedding import Embedder
    from assistant.reading import Reader
    from assistant.reranking import Reranker
    from assistant.verification import Judge

OnProgress = Callable[[Progress], None]
EVERYTHING = Filters()


class Assistant:
    """Answers questions from one data directory, which it owns until ``close``.

    Safe to share between threads. Models load when they are first needed.
    """

    def __init__(self, settings: Settings, library: Library) -> None:
        self.settings = settings
        self._library = library
        self._generations = Generations(library)
        self._loading = threading.Lock()
        self._loaded: Embedder | None = None

    @classmethod
    def from_settings(cls, settings: Settings | None = None) -> Self:
        """An assistant over the data directory that the settings name, made when it is not there.

        Raises LibraryInUseError while another process owns it, LibraryError when it is unusable.
        """
        settings = settings or Settings.load()
        return cls(settings, Library.open(settings.library.data))

    def close(self) -> None:
        """Lets go of the data directory; the assistant is of no use afterwards."""
        self._generations.close()
        self._library.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # -- asking --------------------------------------------------------------------------------

    def ask(
        self, question: str, history: Sequence[Turn] = (), filters: Filters = EVERYTHING
    ) -> Answer:
        """The answer, every sentence of it with the words that prove it.

        Of the documents that pass ``filters`` alone. Raises QuestionError for a question that is
        empty or too long, FilterError for a filter that cannot be meant, EmptyLibraryError while
        nothing is indexed, IndexMismatchError when the library was made with other settings.
        """
        *_, answer = self.stream(question, history, filters)
        return cast("Answer", answer)

    def stream(
        self, question: str, history: Sequence[Turn] = (), filters: Filters = EVERYTHING
    ) -> Iterator[Draft | Answer]:
        """Drafts while it works, unverified, and last the Answer; raises as ``ask`` does."""
        from assistant.answering import extract
        from assistant.comparing import compare
        from assistant.verification import Verifier, verify

        query = self._condensed(question, history)
        watch = Stopwatch()
        yield Draft(stage="retrieve")
        passages = self._retrieve(query, filters, self.settings.retrieval.k, watch)
        yield Draft(stage="answer")
        with watch.stage("answer") as counts:
            with self._generations.lease() as index:
                found = extract(
                    query.text, passages, self._reader, index.rarity, self.settings.answering
                )
            counts["sentences"] = len(found.sentences)
        yield Draft(stage="verify", text=" ".join(s.text for s in found.sentences))
        text_of = cache(lambda i: self.document(i).text)
        with watch.stage("verify") as counts, self._generations.lease() as index:
            verifier = Verifier(self._reader, index.rarity, self._judges)
            shown = self.settings.answering.unsupported
            sentences = verify(found.sentences, text_of, verifier, passages, shown)
            supported = [sentence for sentence in sentences if sentence.verdict == "supported"]
            counts["dropped"] = len(found.sentences) - len(sentences)
        with watch.stage("compare") as counts, self._generations.lease() as index:
            seen = compare(query.text, sentences, passages, text_of, index.rarity)
            counts["conflicts"] = len(seen.conflicts)
        yield Answer(
            id=uuid.uuid4().hex,
            question=question,
            query=query.text,
            status="answered" if supported else "not_in_documents",
            confidence=found.confidence,
            sentences=seen.sentences,
            conflicts=seen.conflicts,
            timeline=seen.timeline,
            independent_sources=seen.independent_sources,
            filters=filters,
            undated=self.matching(filters).undated,
            passages=passages,
            trace=watch.trace,
            settings_digest=self.settings.digest,
        )

    def search(
        self,
        query: str,
        k: int | None = None,
        history: Sequence[Turn] = (),
        filters: Filters = EVERYTHING,
    ) -> tuple[ScoredPassage, ...]:
        """At most ``k`` passages (``retrieval.k`` unless said), best first; raises as ``ask``."""
        wanted = self.settings.retrieval.k if k is None else k
        if wanted < 1:
            raise QuestionError(f"{wanted} passages were asked for", "ask for at least one")
        return self._retrieve(self._condensed(query, history), filters, wanted, Stopwatch())

    def matching(self, filters: Filters) -> Matching:
        """How many documents pass the filters; raises FilterError as ``ask`` does."""
        with self._generations.lease() as index:
            selection = index.catalogue.select(filters)
            return Matching(documents=int(selection.passes.sum()), undated=selection.undated)

    def _condensed(self, question: str, history: Sequence[Turn]) -> Condensed:
        most = self.settings.answering.max_question_chars
        earlier = [normalize(turn.question[:most]).strip() for turn in history[:1]]
        earlier += [normalize(turn.question[:most]).strip() for turn in history[1:][-1:]]
        return condensing.condense(self._checked(question), [text for text in earlier if text])

    def _checked(self, question: str) -> str:
        query = normalize(question).strip()
        most = self.settings.answering.max_question_chars
        if not query:
            raise QuestionError("the question is empty", "ask something in words")
        if len(query) > most:
            raise QuestionError(
                f"the question has {len(query):,} characters, {most:,} at most are read",
                "shorten it, or raise answering.max_question_chars",
            )
        return query

    def _retrieve(
        self, query: Condensed, filters: Filters, k: int, watch: Stopwatch
    ) -> tuple[ScoredPassage, ...]:
        from assistant.retrieval import Query, retrieve

        with self._generations.lease() as index:
            self._library.check_spec(vectorizing.spec_of(self._embedder, self.settings))
            within = index.catalogue.select(filters) if filters != EVERYTHING else None
            with watch.stage("embed"):
                names = aliases.load(self.settings.retrieval.aliases)
                vector = condensing.embed(
                    query, self._embedder, lambda text: index.variants.respell(text, names)
                )
            with watch.stage("retrieve") as counts:
                settings = self.settings.retrieval
                wanted = Query(query.question, vector, query.carried, names)
                reranker = self._reranker
                most = max(k, reranker.reads) if reranker else k
                passages = retrieve(self._library, index, wanted, settings, most, within)
                counts["passages"] = len(passages)
                if within:
                    counts["documents"] = int(within.passes.sum())
            if reranker:
                with watch.stage("rerank") as counts:
                    passages = reranker.rerank(query.text, passages)[:k]
                    counts["passages"] = len(passages)
        return passages

    @property
    def _embedder(self) -> Embedder:
        with self._loading:
            if self._loaded is None:
                self._loaded = models.build_embedder(self.settings)
            return self._loaded

    @cached_property
    def _reranker(self) -> Reranker | None:
        return models.build_reranker(self.settings)

    @cached_property
    def _judges(self) -> tuple[Judge, ...]:
        return tuple(filter(None, [models.build_verifier(self.settings)]))

    @property
    def _reader(self) -> Reader:
        return models.build_reader(self.settings)

    # -- the library ---------------------------------------------------------------------------

    def index(
        self, paths: Sequence[Path | str], on_progress: OnProgress | None = None
    ) -> IndexReport:
        """Takes in files, folders and addresses of the web (pages, sitemaps, feeds).

        What is indexed and unchanged costs only its hash, or one question to its server.

        Raises PathError for a path that is missing or holds nothing to read. A document that
        cannot be read is a Failure in the report.
        """
        return ingestion.ingest(
            self._library, self._generations, self._embedder, self.settings, paths, on_progress
        )

    def plan_sync(self, folders: Sequence[Path]) -> SyncPlan:
        """How the folders differ from what is indexed of them; nothing is changed.

        Raises PathError for a folder that is not there and of which nothing is indexed.
        """
        return syncing.plan(self._library, self.settings, folders)

    def sync(
        self, plan: SyncPlan, on_progress: OnProgress | None = None, *, mass_delete: bool = False
    ) -> IndexReport:
        """Does what was planned, all of it seen at once.

        Raises MassDeleteError for a plan that removes more than three in ten documents, unless
        ``mass_delete`` allows it.
        """
        return syncing.apply(
            plan,
            self._library,
            self._generations,
            self._embedder,
            self.settings,
            on_progress,
            mass_delete=mass_delete,
        )

    def remove(self, names: Sequence[str]) -> IndexReport:
        """Erases documents by id, uri, path or file name. Raises UnknownDocumentError."""
        return ingestion.remove(self._library, self._generations, names)

    def rebuild(self, *, embed: bool = False, on_progress: OnProgress | None = None) -> IndexReport:
        """A new search index from the library; with ``embed``, passages and vectors made anew."""
        return ingestion.rebuild(
            self._library,
            self._generations,
            self._embedder if embed else None,
            self.settings,
            on_progress,
        )

    def verify(self) -> VerifyReport:
        """A full check of the data directory against itself."""
        return integrity.verify(self._library, self._generations)

    def documents(self) -> tuple[Document, ...]:
        """The live documents, without their text."""
        return tuple(self._library.documents())

    def document(self, document_id: str) -> Document:
        """One version with its text, older ones too. Raises UnknownDocumentError."""
        return self._library.document(document_id)
