from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.errors import ConfigurationError
from conformance.report.badge import render_badge
from conformance.report.junit import render_junit
from conformance.report.markdown import code, escape, fenced
from conformance.report.records import Ended, Header, Result, Run, TargetHeader
from conformance.report.results import read_run
from conformance.report.terminal import render_terminal
from conformance.report.text import visible
from conformance.report.write import write_reports
from conformance.verdicts import Level, Verdict

from . import fakes

any_run = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
HEADER = Header("0.1.0", "2026-11-22T23:40:00Z", "c0ffee", targets=(TargetHeader("t"),))


def run(*verdicts: Verdict, options: dict[str, str] | None = None) -> Run:
    results = (Result("t", f"a.r{n}", Level.MUST, None, None, v) for n, v in enumerate(verdicts))
    header = Header("v", "s", "c", targets=(TargetHeader("t"),), options=options or {})
    return Run(header, tuple(results))


def test_reports_are_made_of_the_files_alone(run_dir: Path) -> None:
    """Four files, each written whole."""
    paths = write_reports(run_dir)

    assert ["matrix.html", "junit.xml", "summary.md", "badge.json"] == [p.name for p in paths]
    assert all(path.stat().st_size for path in paths)
    assert [] == list(run_dir.glob(".*"))


def test_a_killed_run_can_be_reported(tmp_path: Path) -> None:
    """Results cut in the middle of a line, no catalogue, no evidence: a page that says so."""
    fakes.write_run(tmp_path, requirements=20, footer=False)
    for name in ("catalogue.json", "learned.jsonl"):
        (tmp_path / name).unlink()
    results = tmp_path / "results.jsonl"
    results.write_bytes(results.read_bytes()[:-40])

    write_reports(tmp_path)

    assert "This run was interrupted" in (tmp_path / "matrix.html").read_text()
    assert "Incomplete" in (tmp_path / "summary.md").read_text()
    assert "incomplete" in json.loads((tmp_path / "badge.json").read_text())["message"]


def test_a_folder_without_a_run_is_a_configuration_error(tmp_path: Path) -> None:
    """One sentence, no traceback."""
    with pytest.raises(ConfigurationError, match="no results can be read"):
        write_reports(tmp_path)


# JUnit


@any_run
@given(run=fakes.runs)
def test_junit_is_well_formed_and_its_counts_are_true(run: Run) -> None:
    """Any run parses, and every suite's numbers are those of its cases."""
    root = ET.fromstring(render_junit(run).encode("utf-8", "backslashreplace"))

    for suite in root.iter("testsuite"):
        assert suite.get("tests") == str(len(suite.findall("testcase")))
        for kind, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
            assert suite.get(name) == str(len(suite.findall(f"testcase/{kind}")))


@pytest.mark.parametrize(
    ("verdict", "expected"),
    [
        (Verdict.PASS, None),
        (Verdict.WARN, None),
        (Verdict.FAIL, "failure"),
        (Verdict.IGNORED, "failure"),
        (Verdict.FIXED, "failure"),
        (Verdict.DEVIATION, "skipped"),
        (Verdict.INCONCLUSIVE, "skipped"),
        (Verdict.ERROR, "error"),
    ],
)
def test_what_a_verdict_is_in_junit(verdict: Verdict, expected: str | None) -> None:
    """As pytest shows it."""
    case = ET.fromstring(render_junit(run(verdict))).find(".//testcase")

    assert case is not None
    kinds = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
    assert ([expected] if expected else []) == kinds
    assert ("a", "a.r0 [target]") == (case.get("classname"), case.get("name"))


def test_a_warning_fails_where_should_makes_the_run_red() -> None:
    """JUnit and the exit code tell the same."""
    root = ET.fromstring(render_junit(run(Verdict.WARN, options={"fail_on": "should"})))

    assert "1" == root.get("failures")


# Markdown


@given(text=st.one_of(st.text(), st.sampled_from(fakes.INJECTIONS)))
def test_escaped_markdown_has_no_active_character(text: str) -> None:
    """Every special character has its backslash, and there is one line."""
    shown = escape(text)

    assert "\n" not in shown
    assert not re.search(r"(?<!\\)(?:\\\\)*[<>`|@\[\]*_]", shown)


@given(text=st.one_of(st.text(), st.sampled_from(fakes.INJECTIONS)))
def test_a_fence_is_longer_than_what_it_holds(text: str) -> None:
    """No text ends its own block."""
    first, *inside, last = fenced(text).split("\n")

    assert first == last
    assert not any(line.strip().startswith(first) for line in inside)


@given(text=st.text("`a |", max_size=12))
def test_a_code_span_holds_its_text(text: str) -> None:
    """Its delimiter occurs nowhere inside, and no pipe ends the table's cell."""
    shown = code(text)
    ticks = re.match("`+", shown)

    assert ticks
    assert "|" not in shown
    assert ticks.group() not in re.findall("`+", shown[len(ticks.group()) : -len(ticks.group())])


def test_the_summary_tells_what_to_do(run_dir: Path) -> None:
    """Counts, parameters, failures with their curl line and the next step."""
    write_reports(run_dir)

    text = (run_dir / "summary.md").read_text()

    assert text.startswith("# Conformance: ")
    assert "**Parameters of reference**" in text
    assert "Next: run the curl line" in text
    assert "curl -sS -i https://api.example.com/inference-api/openai/v1/chat/completions" in text
    assert '"Authorization: Bearer ${API_KEY}"' in text


# Badge


@pytest.mark.parametrize(
    ("verdicts", "message", "colour"),
    [
        ((Verdict.PASS, Verdict.PASS), "2 pass, incomplete", "yellow"),
        ((Verdict.PASS, Verdict.FAIL), "1 pass, 1 fail, incomplete", "red"),
        ((Verdict.PASS, Verdict.NOT_RUN), "1 pass, 1 undecided, incomplete", "yellow"),
        ((), "0 pass, incomplete", "lightgrey"),
    ],
)
def test_the_badge_names_what_is_undecided(
    verdicts: tuple[Verdict, ...], message: str, colour: str
) -> None:
    """Numbers of verdicts, never one percentage."""
    badge = json.loads(render_badge(run(*verdicts)))

    assert (1, message, colour) == (badge["schemaVersion"], badge["message"], badge["color"])


def test_a_whole_green_run_has_a_green_badge(tmp_path: Path) -> None:
    """Only a complete run with nothing undecided is bright green."""
    fakes.write_run(tmp_path, requirements=10, trouble=0)

    assert "brightgreen" == json.loads(render_badge(read_run(tmp_path)))["color"]


# Terminal


@any_run
@given(run=fakes.runs, width=st.integers(40, 120), height=st.integers(12, 60))
def test_the_terminal_summary_fits_one_screen(run: Run, width: int, height: int) -> None:
    """No more lines and no longer ones than the screen has, and nothing that acts on it."""
    text = render_terminal(run, Path("r"), width=width, height=height)

    assert len(text.splitlines()) <= height
    assert all(len(line) <= width for line in text.splitlines())
    assert visible(text) == text


def test_the_terminal_names_failures_and_the_next_step(run_dir: Path) -> None:
    """Parameters first, then failures, costs and the page."""
    lines = render_terminal(read_run(run_dir), run_dir, width=200, height=80).splitlines()

    assert lines[0] == "Parameters of reference"
    assert any(line.startswith("What is wrong (") for line in lines)
    assert any("next, for ✗ fail:" in line for line in lines)
    assert lines[-1] == f"Report: {run_dir / 'matrix.html'}"


def test_an_incomplete_run_says_so_in_the_terminal(tmp_path: Path) -> None:
    """A spent budget is no complete run."""
    fakes.write_run(tmp_path, requirements=10, trouble=0, ended=Ended.BUDGET)

    assert "the budget was spent before the end" in render_terminal(read_run(tmp_path), width=200)
