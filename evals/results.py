"""Result files: a header line, then one row a question, in the order of the set.

A row is on the disk before the next question is written, so a run that was killed goes on from its
own file. Nothing in it depends on the clock: a run that was interrupted ends with the same bytes as
one that was not. Times stand in a file beside it, ``NAME.timings``. A finished file may be packed
with gzip, for a baseline that is checked in, and is read as it is.
"""

from __future__ import annotations

import gzip
import json
import os
import platform
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Self, cast

from pydantic import Field, ValidationError

from assistant.evals.cases import Case
from assistant.evals.errors import ResultFileError
from assistant.types import Answer, Shape

FORMAT = "assistant-results"
VERSION = 1
RESUME = "finish it with the `assistant eval run` that began it"
ANEW = "start anew with --fresh, or name another file with --out"
WRITTEN = "name a file that `assistant eval run` wrote"


class Header(Shape):
    """What the rows depend on; a run goes on only from a file with an equal header."""

    format: str = FORMAT
    version: int = VERSION
    set: str
    set_digest: str
    collection_digest: str
    settings_digest: str
    settings: dict[str, dict[str, Any]] = Field(
        default_factory=dict
    )  # group -> field -> value, those of the digest
    questions: int
    measures: tuple[str, ...]
    depth: int  # documents ranked per question
    seeds: dict[str, int]
    judge: str | None = None  # the model of the judged measures
    search_only: bool = False  # no answers
    versions: dict[str, str]

    def facts(self) -> dict[str, object]:
        """Everything in it by dotted name: ``settings.retrieval.k``."""
        return dict(_flat("", self.model_dump()))


class Ranked(Shape):
    document: str
    score: float  # of its best passage


class Row(Shape):
    """One question and everything that came of it.

    Documents go by their name in the collection: the file name where no other document has it.
    ``cited`` and ``exact`` have one value per citation, in reading order. The answer's id and
    seconds are left out, and its documents' uris are names, so that equal runs give equal rows.
    """

    case: Case
    relevant: dict[str, int]  # the case's, by name in the collection
    failure: str | None = None
    answer: Answer | None = None
    ranking: tuple[Ranked, ...] = ()  # best first
    cited: tuple[str, ...] = ()  # the documents
    exact: tuple[bool, ...] = ()  # whether the quote stands where its citation says
    judged: dict[str, float] = Field(default_factory=dict)
    scores: dict[str, float | None] = Field(
        default_factory=dict
    )  # None: the measure does not apply

    def line(self) -> bytes:
        """The row as it stands in the file."""
        return self.model_dump_json(exclude={"answer": {"text"}}).encode() + b"\n"


class Timing(Shape):
    id: str  # of the case
    seconds: dict[str, float]  # by stage, and "total"


def timings_path(path: Path) -> Path:
    """Where the times of a result file stand."""
    return path.with_suffix(".timings")


class Writer:
    """Appends rows to a result file, after those that are there already (``done`` of them).

    A line that was cut off is taken away. Raises ResultFileError when the file belongs to another
    run, or is damaged in the middle.
    """

    def __init__(self, path: Path, header: Header, ids: Sequence[str]) -> None:
        if path.suffix == ".gz":
            raise ResultFileError(f"{path} would be packed", "pack it when the run is finished")
        self.path, self.header = path, header
        self.done, end = self._look_at_what_is_there(ids)
        with self._writable():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("r+b" if end else "wb")
            self._file.truncate(end)
            self._file.seek(end)
            self._times = self._open_timings(set(ids[: self.done]))
            if not end:
                self._put(header.model_dump_json().encode() + b"\n")
                _sync_folder(path.parent)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()
        self._times.close()

    def add(self, row: Row, timing: Timing) -> None:
        """The row is on the disk when this returns. Raises ResultFileError where it cannot be."""
        with self._writable():
            self._times.write(timing.model_dump_json() + "\n")
            self._times.flush()  # before the row: no row is without its time
            self._put(row.line())

    @contextmanager
    def _writable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            message = f"{self.path} cannot be written: {error.strerror}"
            raise ResultFileError(message, "make room, or name another file with --out") from None

    def _put(self, line: bytes) -> None:
        self._file.write(line)
        self._file.flush()
        os.fsync(self._file.fileno())

    def _look_at_what_is_there(self, ids: Sequence[str]) -> tuple[int, int]:
        """How many whole rows there are, and the byte at which they end (0: not even a header)."""
        if not self.path.exists() or self._was_cut_off_in_the_header():
            return 0, 0
        present = read_header(self.path)
        if present != self.header:
            changes = differing(present, self.header)
            what = ", ".join(f"{name} was {old}, is {new}" for name, old, new in changes)
            raise ResultFileError(f"{self.path} is of another run: {what}", ANEW)
        done, end = 0, 0
        with self.path.open("rb") as file:
            end = len(file.readline())
            for line in file:
                name = _case_id(line)
                if name is None and not file.readline():
                    break  # cut off while it was written
                if done == len(ids) or name != ids[done]:
                    raise ResultFileError(f"{self.path}:{done + 2} is damaged", ANEW)
                done, end = done + 1, end + len(line)
        return done, end

    def _was_cut_off_in_the_header(self) -> bool:
        with self.path.open("rb") as file:
            return self.header.model_dump_json().encode().startswith(file.readline(1024 * 1024))

    def _open_timings(self, done: set[str]) -> Any:
        path = timings_path(self.path)
        kept = [t for t in read_timings(self.path) if t.id in done]
        fresh = path.with_suffix(".tmp")
        with fresh.open("w", encoding="utf-8") as file:
            machine = f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
            file.write(json.dumps({"machine": machine}) + "\n")
            file.writelines(timing.model_dump_json() + "\n" for timing in kept)
        fresh.replace(path)
        return path.open("a", encoding="utf-8")


def read_header(path: Path) -> Header:
    """Raises ResultFileError when it is no result file, or one of another version."""
    with _opened(path) as file:
        line = file.readline(1024 * 1024)
    try:
        raw = json.loads(line)
    except ValueError:
        raw = None
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise ResultFileError(f"{path} is not a result file", WRITTEN)
    if raw.get("version") != VERSION:
        message = f"{path} is of version {raw.get('version')}, this program writes {VERSION}"
        raise ResultFileError(message, "measure again with `assistant eval run --fresh`")
    try:
        return Header.model_validate(raw)
    except ValidationError as error:
        field = ".".join(map(str, error.errors()[0]["loc"]))
        raise ResultFileError(f"{path}:1 is damaged: {field}", ANEW) from None


def read_rows(path: Path) -> Iterator[Row]:
    """The rows one by one. Raises ResultFileError unless every question of the set is there."""
    expected = read_header(path).questions
    count = 0
    with _opened(path) as file:
        file.readline()
        for count, line in enumerate(file, start=1):
            if not line.endswith(b"\n"):
                raise ResultFileError(f"{path} ends in the middle of row {count}", RESUME)
            try:
                yield Row.model_validate_json(line)
            except ValidationError as error:
                field = ".".join(map(str, error.errors()[0]["loc"]))
                raise ResultFileError(f"{path}:{count + 1} is damaged: {field}", ANEW) from None
    if count != expected:
        raise ResultFileError(f"{path} holds {count} of {expected} questions", RESUME)


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            yield cast("IO[bytes]", file)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise ResultFileError(f"{path} cannot be read: {reason}", WRITTEN) from None


def read_timings(path: Path) -> list[Timing]:
    """The times beside a result file, the last of each question; none when there is no file."""
    times: dict[str, Timing] = {}
    try:
        lines = timings_path(path).read_bytes().splitlines()
    except FileNotFoundError:
        return []
    for line in lines[1:]:
        try:
            timing = Timing.model_validate_json(line)
        except ValidationError:
            continue  # cut off
        times[timing.id] = timing
    return list(times.values())


def _case_id(line: bytes) -> str | None:
    try:
        return str(json.loads(line)["case"]["id"]) if line.endswith(b"\n") else None
    except (ValueError, KeyError, TypeError):
        return None


def differing(one: Header, other: Header) -> list[tuple[str, object, object]]:
    """What is not the same in both, by dotted name; a digest only where nothing explains it."""
    before, now = one.facts(), other.facts()
    names = [name for name in before | now if before.get(name) != now.get(name)]
    explained = any(name.startswith("settings.") for name in names)
    return [
        (name, before.get(name), now.get(name))
        for name in names
        if not (explained and name == "settings_digest")
    ]


def _flat(prefix: str, value: object) -> Iterator[tuple[str, object]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(f"{prefix}.{key}" if prefix else key, item)
    else:
        yield prefix, value


def _sync_folder(folder: Path) -> None:
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        os.fsync(handle)
        os.close(handle)
