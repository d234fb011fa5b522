"""Where the values of a sentence stand: names, their forms and their initials."""

from __future__ import annotations

import pytest

from assistant.evidence import prepare, statement
from assistant.presence import held


@pytest.mark.parametrize(
    ("claim", "evidence", "share"),
    [
        ("They met Amberd.", "A mission went to a town.", 0),  # an article is no initial
        ("They met Maria Petrosyan.", "They met M. Petrosyan.", 1),
        ("They met M. Petrosyan.", "They met Maria Petrosyan.", 1),
        ("They met M. Petrosyan.", "They met Petrosyan more than once.", 0.5),
        ("They saw the Armenian plan.", "It was planned in Armenia.", 1),
        ("They chose Plan B.", "They chose plan B.", 1),
        ("They chose Plan B.", "They chose a plan, but late.", 0.5),
    ],
)
def test_how_much_of_a_name_is_there(claim: str, evidence: str, share: float) -> None:
    (found,) = held(statement(claim, "en"), [prepare(evidence, "en")])
    assert found.share == share
