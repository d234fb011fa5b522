"""Pass or fail, for a build: floors under single figures, and no significant loss on a baseline."""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree

from assistant.evals import comparing, metrics
from assistant.evals.errors import IncomparableError, MeasureError
from assistant.evals.summarizing import Columns, Summary
from assistant.types import Shape

TOLERANCE = 0.01


class Check(Shape):
    name: str
    passed: bool
    message: str


def floors(texts: Sequence[str]) -> dict[str, float]:
    """``nDCG@10=0.75`` and the like, by measure. Raises MeasureError for anything else."""
    wanted = {}
    for text in texts:
        name, _, number = text.rpartition("=")
        measure = metrics.parse(name.strip() or text)
        try:
            wanted[measure.name] = float(number)
        except ValueError:
            hint = 'write it as "nDCG@10=0.75"'
            raise MeasureError(f"{number!r} in {text!r} is not a number", hint) from None
        if not 0 <= wanted[measure.name] <= measure.high:
            raise MeasureError(f"{text} can never be met", f"{measure.name} is between 0 and 1")
        if measure.better == "lower":
            raise MeasureError(
                f"{measure.name} is better when it is lower", "a floor under it says nothing"
            )
    return wanted


def over_floors(summary: Summary, wanted: dict[str, float]) -> list[Check]:
    """One check a floor. Raises MeasureError for a measure that was not taken."""
    checks = []
    for name, floor in wanted.items():
        if name not in summary.header.measures:
            raise MeasureError(f"{name} was not measured", f"add it: --measure {name}")
        value = summary.value(name)
        said = "has no value on this set" if value is None else f"is {value:.4f}"
        passed = value is not None and value >= floor
        message = f"{name} {said}, {'at least' if passed else 'below'} {floor:g}"
        checks.append(Check(name=f"{name} >= {floor:g}", passed=passed, message=message))
    return checks


def no_loss(table: Columns, old: Columns, tolerance: float = TOLERANCE) -> list[Check]:
    """One check a shared measure: failed when the change is significantly below -tolerance.

    That is when the whole paired 95 % interval of the change is. Measures that are better when
    lower are left to ``compare``. Raises IncomparableError when the baseline is of other questions
    or documents, or has none of the measures.
    """
    comparing.check_comparable(old, table)
    if not comparing.shared_measures(old, table):
        raise IncomparableError(
            "the baseline has none of the measures", "measure it anew with the same --measure"
        )
    checks = []
    for d in comparing.differences(old, table):
        if metrics.parse(d.measure).better == "lower":
            continue
        passed = d.high >= -tolerance
        change = f"{d.before:.4f} -> {d.after:.4f}, 95 % interval [{d.low:+.4f}, {d.high:+.4f}]"
        verdict = "no significant loss" if passed else f"a loss beyond {tolerance:g}"
        checks.append(
            Check(
                name=f"{d.measure} against baseline",
                passed=passed,
                message=f"{d.measure} {change}: {verdict}",
            )
        )
    return checks


def junit(checks: Sequence[Check], suite: str) -> str:
    """The checks as JUnit XML, one test case each."""
    failures = sum(not check.passed for check in checks)
    root = ElementTree.Element(
        "testsuite", name=_printable(suite), tests=str(len(checks)), failures=str(failures)
    )
    for check in checks:
        case = ElementTree.SubElement(
            root, "testcase", classname=_printable(suite), name=_printable(check.name)
        )
        if not check.passed:
            ElementTree.SubElement(case, "failure", message=_printable(check.message))
    ElementTree.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ElementTree.tostring(root, "unicode") + "\n"


def _printable(text: str) -> str:
    """XML 1.0 has no control characters, not even escaped."""
    return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in text)
