"""JUnit XML: one suite for each target, one case for each verdict.

There is no standard; this is the common core that CI systems render (the Ant schema with
``properties`` in a case, as pytest and Surefire write it).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from xml.etree import ElementTree as ET

from conformance.report.fold import FailOn
from conformance.report.records import Result, Run
from conformance.report.text import clip, one_line, visible
from conformance.verdicts import Verdict

__all__ = ["render_junit"]

_FAILURE = frozenset({Verdict.FAIL, Verdict.IGNORED, Verdict.REJECTED, Verdict.FIXED})
_WEAK = frozenset({Verdict.WARN, Verdict.FLAKY})
_SKIPPED = frozenset({Verdict.DEVIATION, Verdict.INCONCLUSIVE, Verdict.UNTESTABLE, Verdict.NOT_RUN})


def render_junit(run: Run) -> str:
    """The XML. What was deselected or never promised is no case; a warning fails only where the
    run itself was asked to fail on SHOULD.
    """
    strict = run.header.options.get("fail_on") == FailOn.SHOULD.value
    shown = [r for r in run.results if r.verdict is not Verdict.NOT_PROMISED]
    shown = [r for r in shown if r.verdict is not Verdict.NOT_RUN or r.reason != "deselected"]
    root = ET.Element("testsuites", name="openai-endpoint-conformance")
    for target in run.targets:
        _suite(root, run, target.target, [r for r in shown if r.target == target.target], strict)
    _totals(root, shown, strict)
    ET.indent(root)
    return '<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def _suite(
    root: ET.Element, run: Run, target: str, results: Sequence[Result], strict: bool
) -> None:
    started = run.header.started.removesuffix("Z").split("+")[0]
    suite = ET.SubElement(root, "testsuite", name=visible(target), timestamp=visible(started))
    _totals(suite, results, strict)
    properties = ET.SubElement(suite, "properties")
    facts = next((t for t in run.targets if t.target == target), None)
    _property(properties, "suite version", run.header.suite_version)
    for name in ("profile", "model", "base_url"):
        _property(properties, name.replace("_", " "), getattr(facts, name) or "")
    _property(properties, "complete", "yes" if run.footer else "no: the run was interrupted")
    for result in results:
        _case(suite, result, strict)


def _totals(element: ET.Element, results: Sequence[Result], strict: bool) -> None:
    kinds = Counter(_kind(result, strict) for result in results)
    element.set("tests", str(len(results)))
    element.set("failures", str(kinds["failure"]))
    element.set("errors", str(kinds["error"]))
    element.set("skipped", str(kinds["skipped"]))
    element.set("time", f"{sum(result.seconds for result in results):.3f}")


def _kind(result: Result, strict: bool) -> str:
    if result.verdict in _FAILURE or (strict and result.verdict in _WEAK):
        return "failure"
    if result.verdict is Verdict.ERROR:
        return "error"
    return "skipped" if result.verdict in _SKIPPED else ""


def _case(suite: ET.Element, result: Result, strict: bool) -> None:
    case = ET.SubElement(
        suite,
        "testcase",
        classname=visible(result.chapter),
        name=visible(f"{result.requirement} [{result.key.place}]"),
        time=f"{result.seconds:.3f}",
    )
    properties = ET.SubElement(case, "properties")
    for name in ("level", "verdict"):
        _property(properties, name, getattr(result, name))
    message = f"{result.verdict.value}: {clip(one_line(result.message), 500)}"
    if kind := _kind(result, strict):
        outcome = ET.SubElement(case, kind, message=message, type=result.verdict.value)
        if kind != "skipped":
            outcome.text = _details(result)
    elif result.verdict is not Verdict.PASS:
        ET.SubElement(case, "system-out").text = message


def _details(result: Result) -> str:
    lines = [
        result.message,
        f"occurrences: {result.occurrences}" if result.occurrences else "",
        f"evidence: {', '.join(result.evidence)}" if result.evidence else "",
        f"again: {result.curl}" if result.curl else "",
    ]
    return visible("\n".join(line for line in lines if line))


def _property(properties: ET.Element, name: str, value: str) -> None:
    if value:
        ET.SubElement(properties, "property", name=name, value=visible(str(value)))
