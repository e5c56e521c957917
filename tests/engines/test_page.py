"""The published pages: every engine and chapter is there, and what nobody confirmed is said to be so."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.errors import ConfigurationError
from conformance.report.records import Footer, Header, Result, Run, TargetFooter, TargetHeader
from conformance.verdicts import Level, Mode, Verdict
from engines.definition import Engine, available, load_engine
from engines.page import Finding, engine_page, findings_of, overview

ENGINE = Engine(name="new", command=(), health="/", requirements=("new==7",), title="New | one")


def result(requirement: str, verdict: Verdict, message: str = "", mode: str = "regular") -> Result:
    return Result("new", requirement, Level.MUST, "chat", Mode(mode), verdict, message)


def run(*results: Result) -> Run:
    header = Header("1.0", "2026-02-03T04:05:06+00:00", "c", targets=(TargetHeader("new", "p"),))
    footer = Footer(finished="", targets={"new": TargetFooter({}, 12, completion_tokens=34)})
    return Run(header, results, footer)


def test_the_overview_counts_verdicts_by_chapter() -> None:
    """A chapter's row holds its counts, and the engine's row version, requests and tokens."""
    found = run(result("shape.id", Verdict.PASS), result("shape.created", Verdict.FAIL))

    page = overview({"new": found}, {"new": ENGINE}, {})

    assert "| `shape` | 1 ✗ 1 ✓ |" in page
    assert "`new 7`" in page
    assert "2026-02-03" in page
    assert "| 12 | 0 |" in page


def test_an_engine_that_could_not_be_had_is_on_the_page() -> None:
    """The reason stands on the page: what is missing is not passed over."""
    page = overview({}, {}, {"other": "no such package"})

    assert "- other: no such package" in page


def test_a_red_cell_that_nobody_confirmed_says_so() -> None:
    """A finding is shown where it speaks of the cell; elsewhere the page says `not yet`."""
    results = (
        result("param.n.effect", Verdict.IGNORED, "one choice"),
        result("param.n.effect", Verdict.IGNORED, "one choice", "stream"),
        result("stream.done-marker", Verdict.FAIL, "<none>"),
    )

    page = engine_page(run(*results), ENGINE, [Finding(("param.*",), "seen", "chat stream")])

    row = "| `param.n.effect` | ∅ ignored | {} | one choice | {} |"
    assert row.format("chat stream", "seen") in page
    assert row.format("chat regular", "*not yet*") in page
    assert r"\<none\>" in page


def test_nothing_red_is_said_in_words() -> None:
    """A page without a red or marked cell says so."""
    page = engine_page(run(result("shape.id", Verdict.PASS)), ENGINE, [])

    assert "Nothing is red or marked." in page


@pytest.mark.parametrize("text", ["a: b", "- says: x", "- {requirements: [a], says: x, colour: y}"])
def test_a_mistake_in_the_findings_is_named_with_its_file(tmp_path: Path, text: str) -> None:
    """Whatever is wrong with a file of findings, the error names the file."""
    (tmp_path / "new.yaml").write_text(text, encoding="utf-8")

    with pytest.raises(ConfigurationError, match=r"new\.yaml"):
        findings_of("new", tmp_path)


def test_the_shipped_findings_load() -> None:
    """Every file of findings belongs to an engine and can be read."""
    folder = Path(__file__).parents[2] / "engines" / "confirmed"
    names = [path.stem for path in folder.glob("*.yaml")]

    found = {name: findings_of(load_engine(name).name) for name in names}

    assert set(names) <= set(available())
    assert all(found.values())
