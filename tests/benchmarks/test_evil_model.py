"""All payloads of tests/evil.py in every field; a sample of them is in tests/integration."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import evil
from tests.integration.test_evil_model import survives


@pytest.mark.timeout(3600)
def test_a_model_that_obeys_every_document_breaks_nothing(tmp_path: Path) -> None:
    chosen = evil.payloads()
    assert len(chosen) >= 500
    obeyed, shown = survives(tmp_path, chosen)
    print(f"{len(chosen)} payloads, {obeyed} obeyed in 4 ways, {shown} sentences shown: all proved")
    assert obeyed > 0.9 * len(chosen)
