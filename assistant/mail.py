"""A mail -> its words, with sender, subject and day from its headers, and the files attached."""

from __future__ import annotations

import datetime as dt
import email
import email.policy
from collections.abc import Iterator
from email.errors import MessageError
from email.message import EmailMessage
from email.utils import parseaddr
from itertools import islice
from typing import Any

from assistant import markup, webpage
from assistant.decoding import decoded
from assistant.errors import LoadingError
from assistant.parsing import Block, Parsed

_HEADERS = ("From", "To", "Cc", "Date", "Subject")
_DEEPEST = 20  # parts within parts, of which each is a mail, or alternatives, or ...
MAX_ATTACHED = 100
_UNREAD = ("image/", "audio/", "video/", "application/pgp-", "application/pkcs7-")
# What the standard library raises on headers and transfer encodings that are damaged.
_BROKEN = (MessageError, ValueError, LookupError, TypeError, AttributeError, RecursionError)


def parse_eml(content: bytes, uri: str) -> Parsed:
    """Who wrote whom when about what, and the text; of alternatives the plain one.

    The author is the sender, the day that of the Date header in the sender's own zone. Attachments
    are named here and given by ``attached``. Raises LoadingError: ``unreadable`` for what has no
    mail's headers.
    """
    try:
        message: EmailMessage = email.message_from_bytes(content, policy=email.policy.default)
        headers = {name: _header(message, name) for name in _HEADERS}
        blocks = tuple(_blocks(message, _DEEPEST))
    except _BROKEN as error:
        raise LoadingError(
            "unreadable", f"{uri} is no mail that can be read: {error}", "export it again"
        ) from error
    if not any(headers.values()):
        raise LoadingError("unreadable", f"{uri} has no mail's headers", "export it again")
    name, address = parseaddr(headers["From"])
    opening = "\n".join(f"{name}: {value}" for name, value in headers.items() if value)
    return Parsed(
        (Block(opening), *blocks),
        title=headers["Subject"] or None,
        source=address.rpartition("@")[2] or None,
        author=name or address or None,
        published=_day(message),
        published_from="mail header",
    )


def attached(content: bytes) -> list[tuple[str, bytes]]:
    """The names and bytes of the files attached to a mail, pictures, sound and signatures left out.

    Of a mail that cannot be read, or of more than a hundred, none: ``parse_eml`` names them.
    """
    try:
        message: EmailMessage = email.message_from_bytes(content, policy=email.policy.default)
        found = list(islice(_files(message, _DEEPEST), MAX_ATTACHED + 1))
    except _BROKEN:
        return []
    return found if len(found) <= MAX_ATTACHED else []


def _files(part: Any, depth: int) -> Iterator[tuple[str, bytes]]:
    kind = part.get_content_type()
    name = part.get_filename()
    if name or part.get_content_disposition() == "attachment":
        if kind == "message/rfc822" and part.is_multipart():
            yield name or "mail.eml", part.get_payload(0).as_bytes()
        elif not kind.startswith(_UNREAD):
            yield name or kind.partition("/")[2], part.get_payload(decode=True) or b""
    elif part.is_multipart():
        for inner in part.get_payload() if depth else ():
            yield from _files(inner, depth - 1)


def _header(message: EmailMessage, name: str) -> str:
    return " ".join(str(message.get(name, "")).split())


def _day(message: EmailMessage) -> dt.date | None:
    moment = getattr(message.get("Date"), "datetime", None)
    return moment.date() if isinstance(moment, dt.datetime) else None


def _blocks(part: Any, depth: int) -> Iterator[Block]:
    kind = part.get_content_type()
    name = part.get_filename()
    if name or part.get_content_disposition() == "attachment":
        yield Block(f"Attachment: {name or kind}")
    elif kind == "multipart/alternative":
        yield from _blocks(_preferred(part), depth - 1) if depth and part.get_payload() else ()
    elif part.is_multipart():
        for inner in part.get_payload() if depth else ():
            yield from _blocks(inner, depth - 1)
    elif kind.startswith("text/"):
        yield from _text(part, kind)


def _preferred(part: Any) -> Any:
    """The alternative in plain text, unless it is empty; else the first."""
    alternatives = part.get_payload()
    plain = [a for a in alternatives if a.get_content_type() == "text/plain"]
    return next((a for a in plain if (a.get_payload(decode=True) or b"").strip()), alternatives[-1])


def _text(part: Any, kind: str) -> Iterator[Block]:
    content = part.get_payload(decode=True) or b""
    if kind == "text/html" and content.strip():
        tree = webpage.parsed(content, part.get_content_charset())
        webpage.drop_unseen(tree)
        yield from markup.whole(tree)
    else:
        yield Block(decoded(content, part.get_content_charset()))
