"""The chat window: Gradio components and the events between them; ``session`` holds the sense.

A reader's conversation lives in a gr.State, on the server and apart from every other (T28).
"""

import asyncio
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fastapi import FastAPI

from assistant.ui import filters, markup, reader, render, session
from assistant.ui.filters import FilterRow
from assistant.ui.headers import SecurityHeaders, internal_error
from assistant.ui.session import Conversation

if TYPE_CHECKING:
    import gradio as gr

    from assistant.pipeline import Assistant

HERE = Path(__file__).parent
AT_ONCE = 4  # questions answered at the same time
WAITING = 32  # events that may wait; the next is refused at once
PRIVATE: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
LATEST: dict[str, Any] = {**PRIVATE, "queue": False, "trigger_mode": "always_last"}

SAMPLE = ("corpus", "documents")  # the folder of the collection that the examples are about
EXAMPLES = (
    "How many Armenian soldiers were killed in September 2022?",
    "Is Armenia's participation in the CSTO officially suspended?",
    "Why was the CSTO observer group never deployed to Armenia?",
    "Who succeeded Markus Ritter at the head of EUMA?",  # the documents do not say
)


def mount(app: FastAPI, assistant: "Assistant") -> FastAPI:
    """``app`` with the chat window at ``/`` and safe headers on everything; routes come before."""
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"  # read at import (T39)
    import gradio as gr

    async def mounted() -> None:
        gr.mount_gradio_app(
            app,
            create_blocks(assistant),
            path="/",
            css_paths=HERE / "style.css",
            theme=_theme(),
            footer_links=[],
            run_history=False,  # on, it keeps every question and answer in the browser (T28)
            show_error=False,  # on, it sends the text of any exception to the page (T38)
            max_file_size=1,  # the window takes no uploads, but Gradio keeps the route open (T33)
            ssr_mode=False,
            enable_monitoring=False,
            mcp_server=False,
            pwa=False,
        )

    # Where no event loop runs, Gradio makes one for each of its locks and closes none of them; the
    # thread is for callers inside a loop, where another cannot run.
    with ThreadPoolExecutor(1) as pool:
        pool.submit(asyncio.run, mounted()).result()
    app.add_middleware(SecurityHeaders)
    app.exception_handlers.setdefault(Exception, internal_error)
    return app


def create_blocks(assistant: "Assistant") -> "gr.Blocks":
    """The window as Gradio Blocks; ``mount`` adds what belongs to the page around it."""
    import gradio as gr

    with gr.Blocks(title="Cited assistant", analytics_enabled=False, fill_width=True) as blocks:
        window = _lay_out()
        blocks.load(
            lambda: window.greet(assistant),
            None,
            [window.masthead, window.intro, *window.examples, *window.filters.inputs[3:]],
            **PRIVATE,
        )
        _wire_questions(window, assistant)
        _wire_reading(window, assistant)
    blocks.queue(max_size=WAITING, default_concurrency_limit=AT_ONCE, api_open=False)
    return blocks


@dataclass(frozen=True)
class Window:
    """The components that events read and change."""

    state: Any  # Conversation
    masthead: Any
    fresh: Any
    conversation: Any
    welcome: Any
    intro: Any
    examples: tuple[Any, ...]
    box: Any
    send: Any
    stop: Any
    filters: FilterRow
    library: Any
    wanted: Any
    shelf: Any
    panel: Any

    @property
    def talk(self) -> list[Any]:
        """What ``show`` and ``idle`` change."""
        return [self.state, self.conversation, self.welcome, self.box, self.send, self.stop]

    def show(self, exchanges: Conversation) -> dict[Any, Any]:
        import gradio as gr

        return {
            self.state: exchanges,
            self.conversation: render.conversation(exchanges),
            self.welcome: gr.Column(visible=not exchanges),
        }

    def idle(self, yes: bool = True) -> dict[Any, Any]:
        import gradio as gr

        return {self.send: gr.Button(visible=yes), self.stop: gr.Button(visible=not yes)}

    def greet(self, assistant: "Assistant") -> dict[Any, Any]:
        import gradio as gr

        documents = assistant.documents()
        sample = any(Path(document.uri).parts[-3:-1] == SAMPLE for document in documents)
        return {
            self.masthead: reader.masthead(documents),
            self.intro: reader.welcome(documents),
            **self.filters.offer(documents),
            **{example: gr.Button(visible=sample) for example in self.examples},
        }


def _lay_out() -> Window:
    import gradio as gr

    plain: dict[str, Any] = {"apply_default_css": False, "js_on_load": None}
    live = {**plain, "js_on_load": (HERE / "citations.js").read_text(encoding="utf-8")}
    bare: dict[str, Any] = {"show_label": False, "container": False}
    state = gr.State(())
    with gr.Row(elem_id="head"):
        masthead = gr.HTML(elem_id="masthead", **plain)
        fresh = gr.Button("New conversation", elem_id="new", scale=0)
    with gr.Row(elem_id="desk"):
        with gr.Column(elem_id="talk"), gr.Tabs():
            with gr.Tab("Conversation", elem_id="talk-tab"):
                conversation = gr.HTML("", elem_id="conversation", **live)
                with gr.Column(elem_id="welcome") as welcome:
                    intro = gr.HTML(**plain)
                    examples = tuple(
                        gr.Button(question, elem_classes="example", visible=False)
                        for question in EXAMPLES
                    )
                row = filters.lay_out()
                with gr.Row(elem_id="composer"):
                    box = gr.Textbox(
                        label="Question",
                        placeholder="Ask the documents a question",
                        max_lines=6,
                        elem_id="question",
                        autofocus=True,
                        **bare,
                    )
                    send = gr.Button("Ask", variant="primary", elem_id="ask", scale=0)
                    stop = gr.Button("Stop", elem_id="stop", scale=0, visible=False)
            with gr.Tab("Documents") as library:
                wanted = gr.Textbox(
                    label="Filter",
                    placeholder="Filter by title, source, date, language or kind",
                    elem_id="filter",
                    **bare,
                )
                shelf = gr.HTML("", elem_id="documents", **live)
        with gr.Column(elem_id="panel-column"):
            panel = gr.HTML(reader.EMPTY_PANEL, elem_id="panel", **live)
    return Window(
        state=state,
        masthead=masthead,
        fresh=fresh,
        conversation=conversation,
        welcome=welcome,
        intro=intro,
        examples=examples,
        box=box,
        send=send,
        stop=stop,
        filters=row,
        library=library,
        wanted=wanted,
        shelf=shelf,
        panel=panel,
    )


def _wire_questions(window: Window, assistant: "Assistant") -> None:
    def ask(question: str, exchanges: Conversation, *typed: Any) -> Iterator[dict[Any, Any]]:
        yield {window.box: "", **window.idle(False)}
        for grown in session.ask(assistant, question, exchanges, *typed):
            yield window.show(grown)
        yield window.idle()

    def end_with(notice: markup.Notice) -> Any:
        return lambda old: {**window.show(session.end(old, notice)), **window.idle()}

    asks = []
    for asked, source in (
        (window.box.submit, window.box),
        (window.send.click, window.box),
        *((example.click, example) for example in window.examples),
    ):
        event = asked(
            ask,
            [source, window.state, *window.filters.inputs],
            window.talk,
            concurrency_limit=AT_ONCE,
            concurrency_id="ask",
            **PRIVATE,
        )
        event.failure(end_with(session.FAILED), window.state, window.talk, queue=False, **PRIVATE)
        asks.append(event)
    # Cancelled first and shown second: at once, a last draft on its way could come out on top.
    halted = {"fn": lambda: None, "cancels": asks, "queue": False, **PRIVATE}
    stopped = end_with(session.STOPPED)
    window.stop.click(**halted).then(stopped, window.state, window.talk, **PRIVATE)
    window.fresh.click(**halted).then(
        lambda: {**window.show(()), **window.idle(), window.panel: reader.EMPTY_PANEL},
        None,
        [*window.talk, window.panel],
        **PRIVATE,
    )


def _wire_reading(window: Window, assistant: "Assistant") -> None:
    import gradio as gr

    # The annotation is how Gradio knows to pass what the page sent; it must not be a string.
    def open_source(exchanges: Conversation, event: gr.EventData) -> str:
        return session.open_source(assistant, exchanges, event._data)

    gr.on(
        [window.conversation.click, window.shelf.click, window.panel.click],
        open_source,
        window.state,
        window.panel,
        **LATEST,
    ).failure(lambda: markup.notice(session.FAILED), None, window.panel, queue=False, **PRIVATE)
    gr.on(
        [window.library.select, window.wanted.change],  # not `input`: it misses a paste
        lambda text: reader.listing(assistant.documents(), text),
        window.wanted,
        window.shelf,
        **LATEST,
    )


def _theme() -> Any:
    import gradio as gr

    # Names only: a font of Gradio's own would be fetched, one of Google's from elsewhere (T39).
    sans = ["-apple-system", "Segoe UI", "Noto Sans", "Liberation Sans", "system-ui", "sans-serif"]
    return gr.themes.Base(
        primary_hue=gr.themes.colors.slate,
        neutral_hue=gr.themes.colors.slate,
        radius_size=gr.themes.sizes.radius_sm,
        font=sans,
        font_mono=["ui-monospace", "Consolas", "DejaVu Sans Mono", "monospace"],
    )
