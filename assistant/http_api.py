"""The HTTP face: /v1/ask (JSON or server-sent events), search, documents, failures; /health.

Bodies and answers are the shapes of ``assistant.types``. The chat window is mounted at ``/``.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from fastapi import FastAPI, Header, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.middleware.trustedhost import TrustedHostMiddleware

from assistant.errors import (
    AssistantError,
    EmptyLibraryError,
    FilterError,
    IndexMismatchError,
    QuestionError,
    RequestError,
    SettingsError,
    UnknownDocumentError,
)
from assistant.filtering import misread
from assistant.types import Answer, Document, Failure, Filters, ScoredPassage, Shape, Turn

if TYPE_CHECKING:
    from assistant.pipeline import Assistant

STATUS: dict[type[AssistantError], int] = {
    QuestionError: 422,
    FilterError: 422,
    RequestError: 422,
    UnknownDocumentError: 404,
    EmptyLibraryError: 409,
    IndexMismatchError: 409,
}


class AskRequest(Shape):
    question: str
    history: tuple[Turn, ...] = ()
    filters: Filters = Filters()


class SearchRequest(Shape):
    query: str
    k: int | None = None
    filters: Filters = Filters()


def create_app(assistant: Assistant, *, window: bool = True) -> FastAPI:
    """The application to serve; with ``window`` the chat window answers at ``/``."""
    app = FastAPI(title="Cited assistant", docs_url=None, redoc_url=None)
    app.add_middleware(
        TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost", "[::1]", "testserver"]
    )
    app.middleware("http")(_refuse_foreign_origin)
    app.exception_handler(AssistantError)(_error_response)
    app.exception_handler(RequestValidationError)(_misread_response)

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/v1/ask", response_model=Answer)
    def ask(request: AskRequest, accept: Annotated[str, Header()] = "") -> Answer | Response:
        if "text/event-stream" in accept:
            from sse_starlette import EventSourceResponse

            return EventSourceResponse(_events(assistant, request))
        return assistant.ask(request.question, request.history, request.filters)

    @app.post("/v1/search")
    def search(request: SearchRequest, response: Response) -> tuple[ScoredPassage, ...]:
        found = assistant.search(request.query, request.k, filters=request.filters)
        response.headers["X-Undated"] = str(assistant.matching(request.filters).undated)
        return found

    _library(app, assistant)
    if window:
        from assistant.ui.app import mount

        mount(app, assistant)
    return app


def _library(app: FastAPI, assistant: Assistant) -> None:
    """What the library holds, and what it could not take in."""

    @app.get("/v1/documents")
    def documents() -> tuple[Document, ...]:
        return assistant.documents()

    @app.get("/v1/failures")
    def failures() -> tuple[Failure, ...]:
        return assistant.failures()

    @app.get("/v1/documents/{document_id}")
    def document(document_id: str) -> Document:
        return assistant.document(document_id)


def serve(assistant: Assistant, *, on_ready: Any = None) -> None:
    """Serve until interrupted; ``on_ready`` is called with the address once it accepts requests.

    Raises SettingsError when the address is not loopback (there are no accounts yet) or taken.
    """
    import socket

    import uvicorn

    host, port = assistant.settings.server.host, assistant.settings.server.port
    if not _is_loopback(host):
        raise SettingsError(
            f"server.host {host} is open to other machines and this server has no accounts",
            "serve on 127.0.0.1 and put a proxy that checks users before it",
        )
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.create_server((host, port), family=family)
    except OSError as error:
        raise SettingsError(
            f"cannot serve on {host}:{port}: {error.strerror}", "choose another --port"
        ) from None
    config = uvicorn.Config(create_app(assistant), log_level="warning", timeout_graceful_shutdown=3)
    server = uvicorn.Server(config)
    if on_ready:
        on_ready(f"http://{host}:{listener.getsockname()[1]}")
    server.run(sockets=[listener])


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _events(assistant: Assistant, request: AskRequest) -> Iterator[dict[str, str]]:
    try:
        for item in assistant.stream(request.question, request.history, request.filters):
            event = "answer" if isinstance(item, Answer) else "draft"
            yield {"event": event, "data": item.model_dump_json()}
    except AssistantError as error:
        yield {"event": "error", "data": json.dumps(_describe(error))}


def _describe(error: AssistantError) -> dict[str, str]:
    return {"error": type(error).__name__, "message": str(error), "hint": error.hint}


def _error_response(_: Request, error: AssistantError) -> JSONResponse:
    return JSONResponse(_describe(error), status_code=STATUS.get(type(error), 503))


def _misread_response(request: Request, error: RequestValidationError) -> JSONResponse:
    """The first thing that is wrong with a request, told as every other error is."""
    found = error.errors()[0]
    place = found["loc"][1:]  # the first says that it is of the body
    if place[:1] == ("filters",):
        return _error_response(request, misread(place[1:], found))
    name = ".".join(map(str, place)) or "the body"
    said = {
        "missing": f"{name} is missing",
        "extra_forbidden": f"there is no field {name}",
        "json_invalid": f"the body is not JSON: {found.get('ctx', {}).get('error')}",
    }.get(found["type"], f"{name}: {found['msg']}")
    hint = "GET /openapi.json describes what is sent"
    return _error_response(request, RequestError(said, hint))


async def _refuse_foreign_origin(request: Request, call_next: Any) -> Response:
    """403 for a request that a page of another site makes (T30)."""
    origin = request.headers.get("origin")
    if origin and urlsplit(origin).netloc != request.headers.get("host"):
        return JSONResponse(
            {"error": "ForeignOrigin", "message": "requests from other sites are refused"},
            status_code=403,
        )
    response: Response = await call_next(request)
    return response
