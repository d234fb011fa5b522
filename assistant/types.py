"""The shapes that travel between the stages and out of every face. Read this first.

All are frozen pydantic models: the same object in Python, in ``--json``, over HTTP, over MCP and in
evaluation rows. Offsets are code points into ``Document.text``; times are seconds; dates are the
document's own, never the day of indexing.
"""

from __future__ import annotations

import datetime as dt
import re
from types import NoneType
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, computed_field, model_validator
from pydantic_core import PydanticCustomError


class Shape(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Mark(Shape):
    """Where a heading, a page, a slide, a sheet or a row of it begins in a document's text."""

    start: int
    kind: Literal["heading", "page", "slide", "sheet", "row"]
    label: str  # the heading's words, or what a citation says: "page 12", "sheet Budget, row 7"
    level: int = 1  # of a heading, 1 is the top; the others are always 1


class Document(Shape):
    """One immutable version of one source; another content is another id."""

    id: str  # hash of uri and content
    version: int = 1  # 1, 2, 3 ... among the versions of one uri
    uri: str  # where it was read from: a path or a URL
    title: str
    source: str  # who says it: the outlet it names, else the host or the file name
    author: str | None = None
    published: dt.date | None = None
    published_from: str | None = None  # what names that day: "front matter", "file name", ...
    language: str = "und"  # ISO 639-1, or "und"
    media_type: str
    groups: tuple[str, ...] = ()
    truncated: str | None = None  # how far it was read, where that is not to its end
    marks: tuple[Mark, ...] = ()  # ascending by start
    text: str = ""  # left out of listings


class Passage(Shape):
    """A run of whole sentences; ``document.text[start:end] == text``."""

    id: str
    document_id: str
    start: int
    end: int
    text: str
    headings: tuple[str, ...] = ()  # the path of headings above it, outermost first
    locator: str | None = None  # "page 12", "slide 3", "sheet Budget, row 7"


class ScoredPassage(Shape):
    """A passage found by one search; scores compare within that search only."""

    passage: Passage
    document: Document  # without its text
    score: float
    dense_score: float | None = None  # cosine, -1..1; None where it was not computed
    lexical_score: float | None = None  # BM25, 0 and up


class Citation(Shape):
    """Words that can be opened; ``document.text[start:end] == quote``."""

    marker: int  # the number shown, from 1, in reading order
    document_id: str
    passage_id: str
    title: str
    source: str
    published: dt.date | None = None
    locator: str | None = None
    start: int
    end: int
    quote: str


class AnswerSentence(Shape):
    text: str
    citations: tuple[Citation, ...]
    verdict: Literal["supported", "unsupported", "unchecked"]
    reasons: tuple[str, ...] = ()  # why it is unsupported, or on what the support rests
    speaker: str | None = None  # who is reported to say it, besides the source
    stance: Literal["fact", "claim", "denial", "forecast", "opinion"] = "fact"


class Side(Shape):
    value: str
    citation: Citation


class Conflict(Shape):
    """Different values for one thing: of several sources, or of one that later said otherwise."""

    subject: str
    kind: Literal["conflict", "update"] = "conflict"
    sides: tuple[Side, ...]


class Event(Shape):
    """Something that happened, on a day as far as the document tells it."""

    # "2022-09-13", "2022-09", "2022"; "--09-13" where no year can be told; "a/b" from day a to b
    date: str
    reason: str  # how the date was found: "September 13, in a text published 2022-09-16"
    citation: Citation


def _day(value: Any) -> Any:
    """Lets through what names a day, and none of the numbers that pydantic takes for seconds."""
    if isinstance(value, (dt.date, NoneType)):
        return value
    try:
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return dt.date.fromisoformat(value)
    except ValueError:
        pass  # no such day
    raise PydanticCustomError("day", "there is no day {day}", {"day": repr(value)[:80]})


Day = Annotated[dt.date | None, BeforeValidator(_day)]
Names = Annotated[tuple[str, ...], Field(max_length=100)]


class Filters(Shape):
    """Which documents a question is asked of; an undated one passes no filter by date."""

    since: Day = Field(default=None, description="published on or after this day")
    until: Day = Field(default=None, description="published on or before this day")
    as_of: Day = Field(default=None, description="as known on this day: nothing published after it")
    sources: Names = Field(default=(), description="from any of these sources")
    languages: Names = Field(default=(), description="in any of these languages, ISO 639-1")
    documents: Names = Field(default=(), description="any of these: ids, paths or file names")


class Matching(Shape):
    """How many documents some filters let through."""

    documents: int
    undated: int  # left out by a filter by date since they have none; they pass the others


class Problem(Shape):
    """Why the chat model did not draft an answer, or not the whole of it."""

    message: str  # names the model
    hint: str  # the way out


class Stage(Shape):
    name: str
    seconds: float
    counts: dict[str, int] = {}


class Trace(Shape):
    """What one question cost, stage by stage, in the order they ran."""

    stages: tuple[Stage, ...] = ()


def _with_text(schema: dict[str, Any]) -> None:
    schema["properties"]["text"] = {"type": "string", "readOnly": True}


class Answer(Shape):
    """What every face shows and stores; none derives it again."""

    model_config = ConfigDict(json_schema_extra=_with_text)

    id: str
    question: str  # as asked
    query: str  # as searched
    status: Literal["answered", "partial", "not_in_documents"]
    confidence: float  # 0..1, that the documents answer; at or above the threshold it is shown
    sentences: tuple[AnswerSentence, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    timeline: tuple[Event, ...] = ()  # for "what happened when", earliest first
    independent_sources: int = 0  # behind the sentences; copies of one text count once
    filters: Filters = Filters()
    undated: int = 0  # documents that a filter by date left out since they have no date
    passages: tuple[ScoredPassage, ...] = ()  # best first, cited or not; then what a timeline adds
    model: str | None = None  # the chat model that drafted the sentences; none: they are quotes
    incomplete: bool = False  # the model failed or was cut off
    problem: Problem | None = None  # what it did instead, to be shown before the sentences
    trace: Trace = Trace()
    settings_digest: str

    @computed_field  # type: ignore[prop-decorator]
    @property
    def text(self) -> str:
        """The sentences joined, each with its markers: ``It met on Monday. [1]``."""
        parts = []
        for sentence in self.sentences:
            markers = "".join(f"[{c.marker}]" for c in sentence.citations)
            parts.append(f"{sentence.text} {markers}".strip())
        return " ".join(parts)

    @model_validator(mode="before")
    @classmethod
    def _text_is_computed(cls, values: Any) -> Any:
        """Lets an Answer that was written as JSON, ``text`` and all, be read again."""
        if isinstance(values, dict):
            return {name: value for name, value in values.items() if name != "text"}
        return values


class Turn(Shape):
    """One exchange; a conversation is a sequence of turns that its caller owns."""

    question: str
    answer: Answer


class Draft(Shape):
    """What a stream yields before its Answer: the stage that began, and unverified words so far."""

    stage: Literal["condense", "retrieve", "rerank", "answer", "verify"]
    text: str = ""


class Failure(Shape):
    """A document that could not be taken in, and what to do about it."""

    uri: str
    reason: str  # a word a program can match: "encrypted", "no_text", ...
    hint: str
    message: str = ""  # what happened, on one line


class Progress(Shape):
    """How far an ingestion is; the total of passages grows while files are still being read."""

    stage: Literal["load", "embed", "publish"]
    done: int
    total: int


class Move(Shape):
    """A file whose bytes are now found under another name."""

    old: str
    new: str


class IndexReport(Shape):
    """What one ingestion did, by uri."""

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    unchanged: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    moved: tuple[Move, ...] = ()
    failed: tuple[Failure, ...] = ()
    documents: int = 0  # live after it
    passages: int = 0


class SyncPlan(Shape):
    """How folders differ from what the library holds of them, by uri; nothing is done yet."""

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    moved: tuple[Move, ...] = ()
    removed: tuple[str, ...] = ()  # no file stands there any more
    archives: tuple[str, ...] = ()  # looked into anew, member by member
    unreadable: tuple[str, ...] = ()  # what the library holds of them, or below them, is kept
    unchanged: int = 0

    @property
    def changes(self) -> int:
        return sum(map(len, (self.added, self.updated, self.moved, self.removed)))

    @property
    def mass_delete(self) -> bool:
        """Whether more than three in ten of the documents would go: a disk may not be mounted."""
        held = len(self.updated) + len(self.moved) + len(self.removed) + self.unchanged
        return len(self.removed) > 0.3 * held


class VerifyReport(Shape):
    """What a full check of the data directory found; sound when ``problems`` is empty."""

    documents: int
    passages: int
    problems: tuple[str, ...] = ()
