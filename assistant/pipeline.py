"""The assistant: ask, stream and search, over the library that it keeps."""

from __future__ import annotations

import copy
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from typing import TYPE_CHECKING, Self, cast

from assistant import (
    aliases,
    condensing,
    models,
    vectorizing,
)
from assistant.condensing import Condensed
from assistant.errors import QuestionError
from assistant.keeping import Keeper
from assistant.tracing import Stopwatch
from assistant.types import (
    Answer,
    Draft,
    Filters,
    Matching,
    ScoredPassage,
    Turn,
)

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

    from assistant.asking import Lexicon
    from assistant.generating import Chat
    from assistant.reading import Reader
    from assistant.reranking import Reranker
    from assistant.silence import Examined
    from assistant.verification import Judge

EVERYTHING = Filters()
_MOST = 1000  # passages of a search; memory is set aside for as many


class Assistant(Keeper):
    """Answers questions from one data directory, which it owns until ``close``.

    Safe to share between threads. Models load when they are first needed.
    """

    _given: BaseChatModel | None = None

    def with_chat(self, chat: BaseChatModel) -> Self:
        """The same assistant over the same open library, with a chat model of LangChain to draft.

        It stands in for ``models.chat``. Closing either closes both.
        """
        other = copy.copy(self)
        other._given = chat
        return other

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
        from assistant import timeline as timelines
        from assistant.answering import extract
        from assistant.comparing import compare
        from assistant.drafting import Drafted, draft
        from assistant.verification import Verifier, verify

        chat = self._chat
        watch = Stopwatch()
        if chat and history:
            yield Draft(stage="condense")
        query = self._condensed(question, history, watch)
        yield Draft(stage="retrieve")
        k = self.settings.retrieval.k
        most = max(k, timelines.READ) if timelines.asked_for(query.text) else k
        passages = self._retrieve(query, filters, most, watch)
        passages, further = passages[:k], passages[k:]
        yield Draft(stage="answer")
        with watch.stage("answer") as counts:
            with self._known_words() as known:
                found = extract(query.text, passages, self._reader, known, self.settings.answering)
            counts["sentences"] = len(found.sentences)
        drafted = Drafted()
        if chat and found.sentences:  # where the documents are silent, no model is asked
            with watch.stage("draft") as counts:
                answering = self.settings.answering
                drafted = yield from draft(chat, query.text, passages, answering, counts)
        unproved = drafted.sentences or found.sentences
        yield Draft(stage="verify", text=" ".join(s.text for s in unproved))
        text_of = cache(lambda i: self.document(i).text)
        with watch.stage("verify") as counts, self._generations.lease() as index:
            verifier = Verifier(self._reader, index.rarity, self._judges)
            shown = self.settings.answering.unsupported
            sentences = verify(unproved, text_of, verifier, passages, shown)
            counts["dropped"] = len(unproved) - len(sentences)
            drafted, sentences = drafted.or_quotes(sentences, verify(found.sentences, text_of))
            supported = [sentence for sentence in sentences if sentence.verdict == "supported"]
        with watch.stage("compare") as counts, self._generations.lease() as index:
            seen = compare(query.text, sentences, passages, text_of, index.rarity, further)
            counts["conflicts"] = len(seen.conflicts)
        dated = {event.citation.passage_id for event in seen.timeline}
        yield Answer(
            id=uuid.uuid4().hex,
            question=question,
            query=query.text,
            status=found.status if supported else "not_in_documents",
            confidence=found.confidence,
            sentences=seen.sentences,
            conflicts=seen.conflicts,
            timeline=seen.timeline,
            independent_sources=seen.independent_sources,
            filters=filters,
            undated=self.matching(filters).undated,
            passages=(*passages, *(each for each in further if each.passage.id in dated)),
            model=drafted.model,
            incomplete=drafted.incomplete,
            problem=drafted.problem,
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
        if not 1 <= wanted <= _MOST:
            raise QuestionError(
                f"{wanted} passages were asked for", f"ask for at least one and at most {_MOST:,}"
            )
        standalone = self._condensed(query, history, watch := Stopwatch())
        return self._retrieve(standalone, filters, wanted, watch)

    def examine(self, question: str, passages: Sequence[ScoredPassage]) -> Examined:
        """The sentences of the passages as answers to the question, and what speaks for them."""
        from assistant import answering

        with self._known_words() as known:
            return answering.examine(question, passages, self._reader, known)

    @contextmanager
    def _known_words(self) -> Iterator[Lexicon]:
        from assistant.asking import Lexicon
        from assistant.commonness import smoothed

        with self._generations.lease() as index:
            names = aliases.load(self.settings.retrieval.aliases)
            rarity = smoothed(index.rarity, index.passages)
            yield Lexicon(rarity, lambda text: index.variants.find(text, names))

    def matching(self, filters: Filters) -> Matching:
        """How many documents pass the filters; raises FilterError as ``ask`` does."""
        with self._generations.lease() as index:
            selection = index.catalogue.select(filters)
            return Matching(documents=int(selection.passes.sum()), undated=selection.undated)

    def _condensed(self, question: str, history: Sequence[Turn], watch: Stopwatch) -> Condensed:
        most = self.settings.answering.max_question_chars
        with watch.stage("condense") as counts:
            return condensing.standalone(question, history, self._chat, most, counts)

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

    @cached_property
    def _reranker(self) -> Reranker | None:
        return models.build_reranker(self.settings)

    @cached_property
    def _judges(self) -> tuple[Judge, ...]:
        return models.build_judges(self.settings, self._chat)

    @property
    def _chat(self) -> Chat | None:
        return models.build_chat(self.settings.models, self._given)

    @cached_property
    def _reader(self) -> Reader:
        return models.build_reader(self.settings)
