"""From what a check says of its cases to one verdict."""

import asyncio
from dataclasses import dataclass, field, replace

import pytest

from conformance.checks.api import (
    MAY,
    MUST,
    SHOULD,
    Broken,
    Case,
    Ignored,
    NotApplicable,
    Rejected,
    Requirement,
    Source,
    Undecided,
    Untestable,
)
from conformance.engine.budget import BudgetSpent
from conformance.engine.judging import Judged, judge
from conformance.verdicts import Verdict


@dataclass
class Bench:
    """Stands in for a context: it knows its repetition and what was seen."""

    repetition: int
    seen: list = field(default_factory=list)


def requirement(check, *, cases=None, level=MUST, exact=True):
    return Requirement(
        "x.y",
        level,
        "It holds.",
        Source("convention", "here"),
        check,
        cases or (lambda ctx: [Case("only")]),
        exact=exact,
    )


def verdict_of(check, **options) -> Judged:
    return asyncio.run(judge(requirement(check, **options), Bench))


def failing_at(*repetitions, outcome=Broken):
    """A check that fails in the given repetitions (0 is the first run)."""

    async def check(ctx, case):
        if ctx.repetition in repetitions:
            raise outcome(f"seen in {ctx.repetition}")

    return check


def always(outcome):
    return failing_at(*range(10), outcome=outcome)


@pytest.mark.parametrize(
    ("outcome", "level", "expected"),
    [
        (Broken, MUST, Verdict.FAIL),
        (Broken, SHOULD, Verdict.WARN),
        (Broken, MAY, Verdict.INFO),
        (Ignored, MUST, Verdict.IGNORED),
        (Ignored, SHOULD, Verdict.WARN),
        (Rejected, MUST, Verdict.REJECTED),
        (Rejected, MAY, Verdict.INFO),
        (Undecided, MUST, Verdict.INCONCLUSIVE),
        (Untestable, MUST, Verdict.UNTESTABLE),
        (NotApplicable, MUST, Verdict.UNTESTABLE),
    ],
)
def test_an_outcome_that_stays_becomes_its_verdict(outcome, level, expected):
    """What a check says every time decides, weakened by the requirement's level."""
    judged = verdict_of(always(outcome), level=level)

    assert expected is judged.verdict


@pytest.mark.parametrize(
    ("repetitions", "verdict", "times"),
    [
        ((0,), Verdict.FLAKY, "1 of 6"),
        ((0, 1), Verdict.FAIL, "2 of 2"),
        ((0, 5), Verdict.FAIL, "2 of 6"),
        ((0, 2, 4), Verdict.FAIL, "3 of 6"),
    ],
)
def test_two_failures_of_six_make_an_exact_requirement_fail(repetitions, verdict, times):
    """A failure seen once is flaky; a second one within five repetitions makes it a fail."""
    judged = verdict_of(failing_at(*repetitions))

    assert (verdict, times) == (judged.verdict, judged.occurrences)


def test_an_intermittent_failure_says_how_often_it_was_seen():
    """The message of an intermittent failure states k of n."""
    judged = verdict_of(failing_at(0, 3))

    assert "intermittent (2 of 6)" in judged.message


@pytest.mark.parametrize(
    ("repetitions", "expected"), [((0, 1), Verdict.FAIL), ((0,), Verdict.INCONCLUSIVE)]
)
def test_a_statistical_failure_is_confirmed_by_one_fresh_sample(repetitions, expected):
    """A statistical requirement fails only when a second, independent sample fails too."""
    judged = verdict_of(failing_at(*repetitions), exact=False)

    assert expected is judged.verdict


def test_the_smallest_failing_case_is_the_evidence():
    """Of several failing cases the one with the smallest request is reported."""
    from conformance.wire.exchange import Request

    def cases(ctx):
        return [Case(str(n), Request("POST", "/x", b"x" * n)) for n in (9, 3, 7)]

    judged = verdict_of(always(Broken), cases=cases)

    assert judged.case is not None
    assert "3" == judged.case.label
    assert "and 2 more of 3 cases" in judged.message


def test_a_case_may_be_weaker_than_its_requirement():
    """A case raised at SHOULD only warns, even under a MUST."""

    async def check(ctx, case):
        raise Broken("soft", level=SHOULD)

    assert Verdict.WARN is verdict_of(check).verdict


def test_a_must_failure_outweighs_should_failures_whatever_their_size():
    """The worst level decides before the smallest case."""
    from conformance.wire.exchange import Request

    async def check(ctx, case):
        raise Broken(case.label, level=MUST if case.label == "hard" else SHOULD)

    def cases(ctx):
        return [Case("soft", Request("GET", "/")), Case("hard", Request("POST", "/", b"xxxx"))]

    judged = verdict_of(check, cases=cases)

    assert (Verdict.FAIL, "hard") == (judged.verdict, judged.case.label)


def test_a_flaky_case_does_not_hide_one_that_always_fails():
    """When the simplest failing case does not come again, the next ones are tried."""

    async def check(ctx, case):
        if case.label == "steady" or ctx.repetition == 0:
            raise Broken(case.label)

    judged = verdict_of(check, cases=lambda ctx: [Case("once"), Case("steady")])

    assert (Verdict.FAIL, "steady") == (judged.verdict, judged.case.label)


def test_nothing_decided_is_never_a_pass():
    """A requirement without cases, or whose cases all do not apply, is untestable."""
    judged = verdict_of(always(Broken), cases=lambda ctx: [])

    assert Verdict.UNTESTABLE is judged.verdict


def test_a_pass_needs_one_case_that_holds():
    """Cases that do not apply neither help nor harm."""

    async def check(ctx, case):
        if case.label == "other":
            raise NotApplicable("not this one")

    judged = verdict_of(check, cases=lambda ctx: [Case("other"), Case("holds")])

    assert Verdict.PASS is judged.verdict


def test_without_budget_to_reproduce_a_failure_is_inconclusive():
    """A failure that could not be repeated accuses nobody."""

    async def check(ctx, case):
        if ctx.repetition:
            raise BudgetSpent("spent")
        raise Broken("once")

    judged = verdict_of(check)

    assert Verdict.INCONCLUSIVE is judged.verdict
    assert "spent" in judged.message


def test_without_budget_to_judge_at_all_a_requirement_is_not_run():
    """Running out of budget is no verdict about the target."""

    async def check(ctx, case):
        raise BudgetSpent("spent")

    assert Verdict.NOT_RUN is verdict_of(check).verdict


def test_an_exception_of_the_check_is_the_suites_fault():
    """A bug in a check is an error with its place, never a verdict about the target."""

    async def check(ctx, case):
        raise KeyError("oops")

    judged = verdict_of(check)

    assert Verdict.ERROR is judged.verdict
    assert "test_judging.py" in judged.message


def test_what_a_check_remarks_is_kept():
    """A remark of a check that holds becomes the message."""

    async def check(ctx, case):
        return "seen: comments"

    assert "seen: comments" == verdict_of(check).message


def test_judgements_do_not_share_their_contexts():
    """Every case and repetition is judged in a context of its own."""
    made = []

    def context(repetition):
        made.append(Bench(repetition))
        return made[-1]

    async def check(ctx, case):
        ctx.seen.append(case.label)
        raise Broken("x")

    asyncio.run(judge(replace(requirement(check), cases=lambda c: [Case("a"), Case("b")]), context))

    assert all(len(bench.seen) <= 1 for bench in made)
