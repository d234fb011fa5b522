"""A real browser, a real served window, and a log of everything the page asked for."""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from fastapi import FastAPI
    from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request

ROOT = Path(__file__).parents[2]
DEBIAN_CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


# Gradio's queue counts its events in pandas with two options that pandas 3 calls obsolete
# (gradio/queueing.py, _get_df); as errors they would end the queue in the middle of a test.
OBSOLETE = ("'future.no_silent_downcasting' is deprecated", "The copy keyword is deprecated")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            for message in OBSOLETE:
                item.add_marker(pytest.mark.filterwarnings(f"ignore:{message}"))


@dataclass
class Seen:
    """What a page did that it must not: requests to elsewhere, dialogs, errors in its console."""

    origin: str
    elsewhere: list[str] = field(default_factory=list)
    dialogs: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        inside = parts.scheme in {"data", "blob"}
        if not inside and f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.elsewhere.append(request.url)

    def dialog(self, dialog: Dialog) -> None:
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def console(self, message: ConsoleMessage) -> None:
        if message.type == "error":
            self.errors.append(message.text)


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Debian's Chromium, else one that Playwright finds; in CI its absence is a failure."""
    from playwright.sync_api import Error, sync_playwright

    with sync_playwright() as playwright:
        path = DEBIAN_CHROMIUM if DEBIAN_CHROMIUM.exists() else None
        try:
            browser = playwright.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        except Error as error:
            reason = f"NO BROWSER, the chat window is untested: {error.message.splitlines()[0]}"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(
                f"{reason}; install Debian's chromium, or run `playwright install chromium`"
            )
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., tuple[Page, Seen]]]:
    """Opens the window at an address in a context of its own; every request is logged."""
    contexts = []

    def open_page(url: str, **options: Any) -> tuple[Page, Seen]:
        parts = urlsplit(url)
        seen = Seen(f"{parts.scheme}://{parts.netloc}")
        options = {"viewport": {"width": 1280, "height": 800}, **options}
        context = browser.new_context(reduced_motion="reduce", **options)
        contexts.append(context)
        context.on("request", seen.request)
        page = context.new_page()
        page.on("dialog", seen.dialog)
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("console", seen.console)
        page.set_default_timeout(20_000)
        page.goto(url)
        page.get_by_role("button", name="Ask", exact=True).wait_for()
        return page, seen

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def screenshot() -> Callable[..., None]:
    """Keeps a picture of a page under artifacts/, which CI collects."""
    folder = ROOT / "artifacts"
    folder.mkdir(exist_ok=True)

    def screenshot(page: Page, name: str) -> None:
        page.screenshot(path=folder / f"{name}.png")

    return screenshot


@pytest.fixture(scope="session")
def serve() -> Callable[[FastAPI], Any]:
    return served


@contextmanager
def served(app: FastAPI) -> Iterator[str]:
    """The address at which ``app`` answers until the block ends."""
    import uvicorn

    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 60
    while not server.started:
        if time.monotonic() > deadline or not thread.is_alive():
            pytest.fail("the server did not start")
        time.sleep(0.05)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
        listener.close()
