from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings

from conformance.report.diff import Diff, diff
from conformance.report.records import Header, Result, Run
from conformance.verdicts import Level, Verdict

from . import fakes

HEADER = Header("0.1.0", "2026-11-22T23:40:00Z", "c0ffee")
V = Verdict

pairs = settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])


def run(*verdicts: Verdict) -> Run:
    results = (
        Result("t", f"a.r{n}", Level.MUST, "chat", None, v, "why") for n, v in enumerate(verdicts)
    )
    return Run(HEADER, tuple(results))


@pairs
@given(one=fakes.runs)
def test_a_run_does_not_differ_from_itself(one: Run) -> None:
    """No change, no regression."""
    found = diff(one, one)

    assert Diff(notes=found.notes) == found
    assert not found.regression


@pairs
@given(one=fakes.runs, two=fakes.runs)
def test_what_appears_one_way_disappears_the_other(one: Run, two: Run) -> None:
    """Swapping the runs swaps the two lists."""
    there, back = diff(one, two), diff(two, one)

    assert [c.key for c in there.appeared] == [c.key for c in back.disappeared]


@pairs
@given(one=fakes.result_lists, two=fakes.result_lists)
def test_every_difference_is_in_exactly_one_list(
    one: tuple[Result, ...], two: tuple[Result, ...]
) -> None:
    """Nothing that changed is lost, nothing is counted twice."""
    before, after = ({r.key: r.verdict for r in side} for side in (one, two))
    expected = {k for k in before | after if before.get(k) is not after.get(k)}

    found = diff(Run(HEADER, one), Run(HEADER, two))

    lists = (found.new_failures, found.fixed, found.changed, found.appeared, found.disappeared)
    keys = [change.key for each in lists for change in each]
    assert sorted(expected, key=lambda k: k.sortable) == sorted(keys, key=lambda k: k.sortable)


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (V.PASS, V.FAIL, "new_failures"),
        (V.NOT_RUN, V.REJECTED, "new_failures"),
        (V.DEVIATION, V.FAIL, "new_failures"),
        (V.FAIL, V.PASS, "fixed"),
        (V.DEVIATION, V.FIXED, "fixed"),
        (V.FAIL, V.IGNORED, "changed"),
        (V.FAIL, V.DEVIATION, "changed"),
        (V.PASS, V.WARN, "changed"),
        (V.FAIL, V.NOT_RUN, "changed"),
        (V.PASS, V.ERROR, "changed"),
    ],
)
def test_what_kind_of_change(before: Verdict, after: Verdict, expected: str) -> None:
    """Only what fails now and did not before is a new failure."""
    found = diff(run(before), run(after))

    assert 1 == len(getattr(found, expected))
    assert (expected == "new_failures") == found.regression


def test_a_requirement_that_is_new_and_fails_is_no_regression() -> None:
    """It appeared: nobody knows what it was before."""
    assert not diff(run(), run(V.FAIL)).regression


def test_differing_questions_are_told() -> None:
    """Another suite version explains many a change."""
    later = replace(run(), header=replace(HEADER, suite_version="0.2.0"))

    assert "The suite version differs: 0.1.0 → 0.2.0." in diff(run(), later).notes


def test_the_markdown_names_the_regression() -> None:
    """One row with target, requirement, place, verdicts and message."""
    text = diff(run(V.PASS), run(V.FAIL)).markdown()

    assert text.startswith("# Regression\n")
    assert "| t | `a.r0` | chat | pass → fail | why |" in text
