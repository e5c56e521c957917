"""What is wrong, told once."""

from __future__ import annotations

from hypothesis import given

from conformance.report.failures import failures
from conformance.report.records import Aspect, Header, Result, Run, TargetHeader
from conformance.report.words import BAD
from conformance.verdicts import Level, Mode, Verdict

from . import fakes

MUST = Level.MUST


def result(requirement: str, verdict: Verdict = Verdict.FAIL, **more: object) -> Result:
    place = {"endpoint": "chat", "mode": Mode.REGULAR, **more}
    return Result("t", requirement, MUST, verdict=verdict, message=requirement, **place)  # type: ignore[arg-type]


def run_of(*results: Result) -> Run:
    return Run(Header("v", "s", "c", targets=(TargetHeader("t"),)), results)


@given(run=fakes.runs)
def test_every_bad_verdict_is_part_of_one_failure(run: Run) -> None:
    """Nothing is lost by telling a cause once, and nothing is told twice."""
    found = failures(run)

    told = [
        (each.target, each.requirement)
        for failure in found
        for each in (failure.first, *failure.others)
    ]
    assert {(r.target, r.requirement) for r in run.results if r.verdict in BAD} == set(told)
    for failure in found:
        names = [failure.first.requirement, *(each.requirement for each in failure.others)]
        assert len(set(names)) == len(names) == failure.requirements


def test_a_parameter_without_effect_is_one_failure() -> None:
    """That it is ignored says why everything else about it fails."""
    results = [
        result("param.stop.array", parameter="stop"),
        result("param.stop.effect", Verdict.IGNORED, parameter="stop", aspect=Aspect.EFFECT),
        result("param.stop.first-place", parameter="stop"),
        result("usage.total"),
    ]

    stop, usage = failures(run_of(*results))

    assert "param.stop.effect" == stop.first.requirement
    assert "chat regular; 2 more of stop" == stop.where
    assert ["param.stop.array", "param.stop.first-place"] == [r.requirement for r in stop.others]
    assert ("usage.total", ()) == (usage.first.requirement, usage.others)


def test_one_requirement_of_a_parameter_stands_alone() -> None:
    """No group of one."""
    (found,) = failures(run_of(result("param.stop.array", parameter="stop")))

    assert ("chat regular", "", 1) == (found.where, found.parameter, found.requirements)


def test_what_fails_wherever_it_was_asked_fails_everywhere() -> None:
    """A place that was not run is none where it was asked."""
    stream = {"mode": Mode.STREAM}
    failing = [result("usage.total"), result("usage.total", **stream)]
    left_out = result("usage.total", Verdict.NOT_RUN, endpoint="completions")
    passing = result("usage.total", Verdict.PASS, endpoint="completions")

    (everywhere,) = failures(run_of(*failing, left_out))
    (some,) = failures(run_of(*failing, passing))

    assert "everywhere" == everywhere.where
    assert "chat regular, chat stream" == some.where
