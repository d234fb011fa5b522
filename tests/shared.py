"""Where the sets of third parties are, which are no part of this repository."""

from __future__ import annotations

import os
from pathlib import Path

BENCHMARKS = Path(
    os.environ.get("BENCHMARKS") or Path(__file__).parents[2] / "shared" / "benchmarks"
)
