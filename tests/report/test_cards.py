"""How a target stands, in a few words."""

from __future__ import annotations

import pytest

from conformance.report.cards import Tone, card, incomplete
from conformance.report.records import (
    Ended,
    Footer,
    Header,
    Result,
    Run,
    TargetFooter,
    TargetHeader,
)
from conformance.verdicts import Level, Verdict

TARGET = TargetHeader("t", "deeptrin", "acme/llama")
HEADER = Header("v", "s", "c", targets=(TARGET,))


def run_of(*verdicts: Verdict, ended: Ended = Ended.COMPLETE, reason: str | None = None) -> Run:
    results = tuple(
        Result("t", f"a.r{n}", Level.MUST, None, None, verdict, reason=reason)
        for n, verdict in enumerate(verdicts)
    )
    return Run(HEADER, results, Footer("f", targets={"t": TargetFooter(ended=ended)}))


@pytest.mark.parametrize(
    ("verdicts", "state", "tone"),
    [
        ([Verdict.PASS, Verdict.INFO], "conforms", Tone.GOOD),
        ([Verdict.PASS, Verdict.WARN], "conforms, 1 warning", Tone.HOLD),
        ([Verdict.PASS, Verdict.DEVIATION], "conforms, 1 declared failure", Tone.HOLD),
        ([Verdict.PASS, Verdict.INCONCLUSIVE], "1 MUST undecided", Tone.OPEN),
        ([Verdict.PASS, Verdict.NOT_PROMISED], "conforms", Tone.GOOD),
        ([Verdict.UNTESTABLE], "nothing decided", Tone.OPEN),
        ([], "nothing decided", Tone.OPEN),
        ([Verdict.PASS, Verdict.FAIL, Verdict.IGNORED], "2 requirements fail", Tone.BAD),
        ([Verdict.INCONCLUSIVE, Verdict.REJECTED], "1 requirement fails", Tone.BAD),
    ],
)
def test_the_worst_decides(verdicts: list[Verdict], state: str, tone: Tone) -> None:
    """Only a run that left no MUST open conforms."""
    found = card(run_of(*verdicts), TARGET)

    assert (state, tone) == (found.state, found.tone)


def test_a_selection_is_never_called_conforming() -> None:
    """What was left out is part of the sentence."""
    asked = run_of(Verdict.PASS).results
    left_out = Result("t", "b.r", Level.MUST, None, None, Verdict.NOT_RUN, reason="deselected")
    run = Run(HEADER, (*asked, left_out), run_of().footer)

    assert "1 of 2 verdicts asked for, none fails" == card(run, TARGET).state


def test_an_unfinished_run_is_never_called_conforming() -> None:
    """Cut off, or without a footer."""
    cut = run_of(Verdict.PASS, ended=Ended.BUDGET)

    assert "incomplete" == card(cut, TARGET).state
    assert "incomplete" == card(Run(HEADER, cut.results), TARGET).state


def test_targets_that_ended_alike_are_named_together() -> None:
    """One sentence for each cause."""
    ended = {"a": Ended.BUDGET, "b": Ended.COMPLETE, "c": Ended.BUDGET}
    footer = Footer("f", targets={name: TargetFooter(ended=each) for name, each in ended.items()})

    told = incomplete(Run(HEADER, (), footer))

    assert "This run is incomplete. a, c: the budget was spent before the end." == told
