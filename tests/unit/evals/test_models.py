"""Drafting and judging, with a scripted chat model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from langchain_core.language_models import GenericFakeChatModel
from langchain_core.messages import AIMessage

from assistant.errors import ModelError
from assistant.evals import cases, drafting, judging, metrics, prompting, runner, summarizing
from assistant.evals.cases import EvaluationSet
from assistant.evals.errors import SetError
from assistant.types import Mark

Make = Callable[..., Any]


class Scripted(GenericFakeChatModel):
    """Says what it is told to, and keeps what it was asked."""

    asked: list[str] = []  # noqa: RUF012  # pydantic copies it

    def invoke(self, input: Any, *args: Any, **kwargs: Any) -> Any:  # noqa: A002
        self.asked.append(str(input))
        return super().invoke(input, *args, **kwargs)


def scripted(*replies: str) -> Any:
    return Scripted(messages=iter([AIMessage(reply) for reply in replies]))


def test_drafts_quote_the_documents_and_wait_for_a_person(make: Make, tmp_path: Path) -> None:
    assistant = make()
    drafts = drafting.draft(assistant, 10)
    assert len(drafts) == 10
    assert len({next(iter(draft.relevant)) for draft in drafts}) == 10
    for draft in drafts:
        assert draft.quotes[0] in assistant.texts[next(iter(draft.relevant))]
        gap = draft.question.partition("gap: ")[2]
        assert gap.replace("____", draft.answers[0]) == draft.quotes[0]
    assert drafting.draft(make(), 10) == drafts
    assert drafting.draft(make(), 10, seed=1) != drafts
    path = tmp_path / "drafts.yaml"
    path.write_text(drafting.to_yaml(drafts), encoding="utf-8")
    with pytest.raises(SetError, match="no case"):
        cases.load(path)
    path.write_text(path.read_text().replace("  draft: true\n", "", 1), encoding="utf-8")
    loaded = cases.load(path)
    assert (len(loaded.cases), loaded.drafts) == (1, 9)
    assert loaded.cases[0].quotes == drafts[0].quotes
    runner.run(assistant, loaded, runner.Plan([metrics.parse("R@1")]))


def test_headings_become_questions(make: Make) -> None:
    text = "Results\n\nThe council found that nothing had changed since the meeting of last autumn."
    assistant = make(texts={"notes.md": text})
    document = assistant._document
    mark = Mark(start=0, kind="heading", label="Results")
    assistant._document = lambda name: document(name).model_copy(update={"marks": (mark,)})
    (draft,) = [d for d in drafting.draft(assistant, 9) if d.tags == ("heading",)]
    assert draft.question == "What does 'notes.md' say about 'Results'?"
    assert draft.quotes[0].startswith("The council found")


def test_a_model_drafts_and_its_quote_must_stand(make: Make) -> None:
    text = make().texts["day1.txt"]
    good = '{"question": "Where did it meet?", "answer": "Astana", "quote": "' + text[:40] + '"}'
    invented = '{"question": "Why?", "answer": "So", "quote": "It never stood there."}'
    one = {"day1.txt": text}
    (draft,) = drafting.draft(make(texts=one), 5, chat=scripted(good))
    assert (draft.question, draft.answers, draft.tags) == (
        "Where did it meet?",
        ("Astana",),
        ("model",),
    )
    assert drafting.draft(make(texts=one), 5, chat=scripted(invented)) == []
    assert drafting.draft(make(texts=one), 5, chat=scripted("I would rather not.")) == []


def test_values_are_never_read_as_a_template() -> None:
    chat = scripted("{}")
    hostile = "{{text}} {{fence}} {title} {0.__class__} %s $HOME"
    prompting.ask(chat, "draft", title="T", text=hostile)
    assert hostile in chat.asked[-1]
    fence = chat.asked[-1].split("between two lines of ")[1][:16]
    assert chat.asked[-1].count(fence) == 3
    assert fence not in hostile


def test_judged_measures_only_with_a_judge(make: Make, cities: EvaluationSet) -> None:
    few = EvaluationSet(name="few", cases=cities.cases[:4])
    measures = [metrics.parse(name) for name in ("R@1", "faithfulness", "correctness")]
    plain = summarizing.summarize(runner.run(make(), few, runner.Plan(measures)))
    assert [figure.measure for figure in plain.figures] == ["R@1"]
    grades = ['{"faithfulness": 5, "correctness": 3}'] * 3
    judge = judging.ModelJudge("fake:model", scripted(*grades))
    path = runner.run(make(), few, runner.Plan(measures, judge=judge))
    summary = summarizing.summarize(path)
    assert summary.header.judge == "fake:model"
    assert {f.measure: (f.value, f.judged) for f in summary.figures} == {
        "R@1": (1.0, False),
        "faithfulness": (1.0, True),
        "correctness": (0.5, True),
    }
    assert "faithfulness (judged)" in "\n".join(summarizing.lines(summary))


@pytest.mark.parametrize(
    "reply", ["no", '{"faithfulness": 7}', '{"faithfulness": true}', "{}", "[1]"]
)
def test_a_judge_without_grades_stops_the_run(
    make: Make, cities: EvaluationSet, reply: str
) -> None:
    judge = judging.ModelJudge("fake:model", scripted(reply))
    plan = runner.Plan([metrics.parse("faithfulness")], judge=judge)
    with pytest.raises(ModelError, match="grade"):
        runner.run(make(), cities, plan)


def test_a_model_that_cannot_be_had() -> None:
    with pytest.raises(ModelError, match="chat model nobody:nothing"):
        prompting.chat_model("nobody:nothing")


class Unreachable:
    def invoke(self, text: str) -> Any:
        raise OSError("connection refused\nand much more")


def test_a_model_that_does_not_answer() -> None:
    with pytest.raises(ModelError, match="chat model judge: connection refused"):
        prompting.ask(Unreachable(), "judge", question="q", answer="a", quotes="", golds="")  # type: ignore[arg-type]
