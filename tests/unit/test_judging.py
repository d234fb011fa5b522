from __future__ import annotations

import pytest

from assistant.errors import SettingsError
from assistant.generating import Chat
from assistant.judging import ChatJudge
from assistant.models import build_judges
from assistant.settings import AnsweringSettings, ModelSettings, Settings
from tests.unit.test_drafting import Scripted

SOURCE = "The bridge opened in May 1921."


def judge(reply: str, finish: str = "stop") -> tuple[bool, str, str]:
    """The verdict, its reason, and what the model was asked."""
    model = Scripted(write=lambda _: reply, finish=finish)
    supported, reason = ChatJudge(Chat("scripted:m", model, ModelSettings()))("It opened.", SOURCE)
    return supported, reason, str(model.asked[-1][-1].content)


def test_a_plain_yes_lets_a_sentence_pass() -> None:
    supported, _, asked = judge('{"supported": true, "reason": ""}')
    assert supported
    assert SOURCE in asked
    assert "It opened." in asked


def test_an_objection_is_told_with_its_reason() -> None:
    supported, reason, _ = judge('Verdict: {"supported": false, "reason": "no\\nmonth"}')
    assert not supported
    assert reason == "the judge objects: no month"


@pytest.mark.parametrize(
    "reply",
    ["", "yes", "{}", "[true]", '{"supported": "true"}', '{"supported": 1}', '{"supported": tru',
     '{"a": {"supported": true}}', "{" * 5000],
)  # fmt: skip
def test_nothing_else_is_a_verdict(reply: str) -> None:
    supported, reason, _ = judge(reply)
    assert not supported
    assert "no verdict" in reason


def test_a_model_that_is_cut_off_has_not_agreed() -> None:
    supported, reason, _ = judge('{"supported": true}', finish="length")
    assert not supported
    assert "cut off" in reason


def test_a_judge_needs_a_chat_model() -> None:
    settings = Settings(answering=AnsweringSettings(judge=True))
    with pytest.raises(SettingsError, match=r"answering\.judge"):
        build_judges(settings, None)
    assert build_judges(Settings(), None) == ()
