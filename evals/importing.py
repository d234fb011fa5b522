"""Benchmarks as corpus.jsonl, queries.jsonl and qrels.tsv: written out as files, and as a set."""

from __future__ import annotations

import hashlib
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml

from assistant.evals import plain_json
from assistant.evals.cases import Case, EvaluationSet, Exchange
from assistant.evals.errors import SetError

if TYPE_CHECKING:
    from assistant.pipeline import Assistant
    from assistant.types import Progress

LAYOUT = "a benchmark folder holds corpus.jsonl, queries.jsonl and qrels.tsv"
SAFE_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,99}")  # and so the same where case does not count
RESERVED = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?")  # no file names on Windows
NO_ANSWER = {"unanswerable", "null_query"}
NOT_KNOWN = {"underspecified", "conversational", "not_enough_info"}

Asked = Literal["history", "last", "rewrite"]


@dataclass(frozen=True)
class Choice:
    """What of a benchmark is taken.

    ``asked``: the last turn with its history, the last turn alone, or the authors' rewrite of it.
    ``leave_out``: this share of the articles is not written out, and what only they answer becomes
    unanswerable; an article is all documents with one ``meta.doc_id``.
    """

    queries: str = "queries.jsonl"
    asked: Asked = "history"
    tag: str | None = None  # only the questions with this tag
    leave_out: float = 0.0


@dataclass
class Written:
    """Corpus ids by the file they went to, and those left out."""

    files: dict[str, str] = field(default_factory=dict)
    left_out: set[str] = field(default_factory=set)


def write(source: Path, folder: Path, choice: Choice) -> EvaluationSet:
    """The benchmark's documents as text files in ``folder``, nothing else left in it, and its
    questions as a set whose gold documents are those files.

    Raises SetError naming file and line for a row that is not what the layout says.
    """
    folder.mkdir(parents=True, exist_ok=True)
    written = _write_documents(source / "corpus.jsonl", folder, choice.leave_out)
    kept = set(written.files.values())
    for path in folder.iterdir():
        if path.name not in kept:
            path.unlink()
    qrels = source / choice.queries.replace("queries", "qrels").replace(".jsonl", ".tsv")
    relevant = _qrels(qrels)
    cases = [
        _case(row, relevant[str(row["id"])], written, choice)
        for row in _rows(source / choice.queries, {"id", "question"})
        if choice.asked != "rewrite" or row.get("rewrite")
    ]
    chosen = tuple(case for case in cases if choice.tag is None or choice.tag in case.tags)
    if not chosen:
        raise SetError(source / choice.queries, "no question is left", "choose other questions")
    return EvaluationSet(name=name(source, choice), cases=chosen)


def index(
    assistant: Assistant, folder: Path, on_progress: Callable[[Progress], None] | None = None
) -> None:
    """The files in ``folder`` indexed, and what is no longer among them removed.

    Raises SetError for the first that could not be read: figures over a part would mislead.
    """
    report = assistant.index([folder], on_progress)
    if report.failed:
        first = report.failed[0]
        raise SetError(Path(first.uri), f"could not be indexed ({first.reason})", first.hint)
    kept = {path.name for path in folder.iterdir()}
    gone = [
        document.id for document in assistant.documents() if Path(document.uri).name not in kept
    ]
    if gone:
        assistant.remove(gone)


def name(source: Path, choice: Choice) -> str:
    """What the set is called: the folder's name and what was chosen of it."""
    variant = choice.queries.removeprefix("queries").removesuffix(".jsonl").strip("_")
    parts = [source.resolve().name, variant, "" if choice.asked == "history" else choice.asked]
    return "-".join(part for part in (*parts, choice.tag or "", _left_out(choice)) if part)


def directory(source: Path, choice: Choice) -> str:
    """A name for the data directory: the same for all questions over the same documents."""
    return "-".join(part for part in (source.resolve().name, _left_out(choice)) if part)


def _left_out(choice: Choice) -> str:
    return f"without-{choice.leave_out:g}" if choice.leave_out else ""


def _write_documents(path: Path, folder: Path, leave_out: float) -> Written:
    written = Written()
    for row in _rows(path, {"id", "text"}):
        corpus_id, meta = str(row["id"]), row.get("meta") or {}
        if _lot(str(meta.get("doc_id", corpus_id))) < leave_out:
            written.left_out.add(corpus_id)
            continue
        file = folder / file_name(corpus_id)
        written.files[corpus_id] = file.name
        head = {"title": row.get("title"), "date": row.get("date")}
        head |= {key: meta.get(key) for key in ("source", "author")}
        facts = {key: value for key, value in head.items() if value}
        front = yaml.safe_dump(facts, allow_unicode=True, width=10_000) if facts else ""
        text = f"---\n{front}---\n\n{row['text'].strip()}\n" if facts else row["text"]
        file.write_text(text, encoding="utf-8")
    return written


def file_name(corpus_id: str) -> str:
    """A name that is safe on every system and different for every id."""
    if SAFE_NAME.fullmatch(corpus_id) and not RESERVED.fullmatch(corpus_id):
        return f"{corpus_id}.txt"
    return f"id-{hashlib.sha256(corpus_id.encode()).hexdigest()[:24]}.txt"


def _lot(article: str) -> float:
    """0..1, the same for an article every time."""
    return int.from_bytes(hashlib.sha256(article.encode()).digest()[:4], "big") / 2**32


def _qrels(path: Path) -> defaultdict[str, dict[str, int]]:
    relevant: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for number, line in enumerate(_open(path), start=1):
        parts = line.rstrip("\n").split("\t")
        if number == 1 or not line.strip():
            continue
        if len(parts) != 3 or not parts[2].lstrip("-").isdigit():
            hint = "a line is: query-id, tab, corpus-id, tab, a whole number"
            raise SetError(path, f"not a judgement: {line[:80]!r}", hint, line=number)
        if int(parts[2]) > 0:
            relevant[parts[0]][parts[1]] = int(parts[2])
    return relevant


def _case(row: dict[str, Any], relevant: dict[str, int], written: Written, choice: Choice) -> Case:
    kind = str(row.get("type", ""))
    present = {written.files[d]: grade for d, grade in relevant.items() if d in written.files}
    answerable: bool | None = bool(relevant or row.get("answers"))
    if kind in NO_ANSWER or (relevant and not present and relevant.keys() <= written.left_out):
        answerable = False
    elif kind in NOT_KNOWN:
        answerable = None
    tags = [kind, "has-rewrite" if row.get("rewrite") else ""]
    return Case(
        id=str(row["id"]),
        question=row["rewrite"] if choice.asked == "rewrite" else row["question"],
        answerable=answerable,
        relevant=present,
        answers=tuple(map(str, row.get("answers") or ())) if answerable is not False else (),
        history=_history(row) if choice.asked == "history" else (),
        tags=tuple(tag for tag in tags if tag),
    )


def _history(row: dict[str, Any]) -> tuple[Exchange, ...]:
    turns: list[Exchange] = []
    for said in row.get("history") or ():
        if said["role"] == "user":
            turns.append(Exchange(question=said["text"]))
        elif turns:
            turns[-1] = turns[-1].model_copy(update={"answer": said["text"]})
    return tuple(turns)


def _rows(path: Path, needed: set[str]) -> Iterator[dict[str, Any]]:
    for number, row in plain_json.read(path, LAYOUT):
        if not isinstance(row, dict) or not needed <= row.keys():
            lacking = needed - row.keys() if isinstance(row, dict) else {"an object"}
            raise SetError(path, f"lacks {', '.join(sorted(lacking))}", LAYOUT, line=number)
        yield row


def _open(path: Path) -> Iterator[str]:
    try:
        with path.open(encoding="utf-8") as file:
            yield from file
    except OSError as error:
        raise SetError(path, f"cannot be read: {error.strerror}", LAYOUT) from None
    except UnicodeDecodeError as error:
        raise SetError(path, f"not UTF-8: {error}", LAYOUT) from None
