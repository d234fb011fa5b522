"""What one question costs, measured while it is answered."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from assistant.types import Stage, Trace


class Stopwatch:
    """Collects the stages of one question."""

    def __init__(self) -> None:
        self._stages: list[Stage] = []

    @contextmanager
    def stage(self, name: str) -> Iterator[dict[str, int]]:
        """Times the block; the counts it is given become those of the stage."""
        counts: dict[str, int] = {}
        started = time.perf_counter()
        yield counts
        seconds = time.perf_counter() - started
        self._stages.append(Stage(name=name, seconds=seconds, counts=counts))

    @property
    def trace(self) -> Trace:
        return Trace(stages=tuple(self._stages))
