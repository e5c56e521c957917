"""From what a check says of its cases to one verdict, with failures reproduced first."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field

from conformance.checks.api import (
    Broken,
    Case,
    Ignored,
    NotApplicable,
    Outcome,
    Rejected,
    Requirement,
    Undecided,
    Untestable,
)
from conformance.checks.context import Context
from conformance.engine.budget import BudgetSpent
from conformance.engine.sender import Aborted
from conformance.verdicts import Level, Verdict
from conformance.wire.exchange import Exchange

__all__ = ["Judged", "judge"]

#: A failing exact judgement is repeated at most so often; two failures of six make a ``fail``.
REPETITIONS = 5
#: Failing cases tried, simplest first, before a requirement counts as flaky.
CANDIDATES = 3

_BAD = (Broken, Ignored, Rejected)


@dataclass
class Judged:
    """A verdict before deviations are applied. ``case`` is the failing case, if any."""

    verdict: Verdict
    level: Level
    message: str = ""
    evidence: list[Exchange] = field(default_factory=list)
    event: int | None = None
    occurrences: str | None = None
    case: Case | None = None


@dataclass
class _Said:
    """What the check said of one case: an outcome, or ``None`` and perhaps a remark.

    ``stop`` is set instead where the case could not be asked: budget spent, or target lost.
    """

    case: Case
    outcome: Outcome | None
    note: str | None
    seen: list[Exchange]
    stop: BudgetSpent | Aborted | None = None


async def judge(
    requirement: Requirement,
    context: Callable[[int], Context],
    check_time: Callable[[], None] = lambda: None,
) -> Judged:
    """Judge every case of ``requirement`` and reproduce what failed.

    ``context(repetition)`` makes a fresh context; ``check_time`` raises :class:`BudgetSpent` when
    nothing more is to be judged. Budget and abort become ``not-run``; an exception of the check
    itself becomes ``error`` with its last line.
    """
    try:
        cases = list(requirement.cases(context(0)))
        said = await asyncio.gather(
            *(_try(requirement, context(0), case, check_time) for case in cases),
            return_exceptions=True,
        )
        for each in said:
            if isinstance(each, BaseException):
                raise each
        return await _conclude(
            requirement, context, [each for each in said if isinstance(each, _Said)]
        )
    except (BudgetSpent, Aborted) as stop:
        return Judged(Verdict.NOT_RUN, requirement.level, str(stop))
    except Outcome as outcome:  # raised while listing cases
        return _undecided(requirement, [_Said(Case("cases"), outcome, None, [])])
    except Exception as error:
        return Judged(Verdict.ERROR, requirement.level, _fault(error))


async def _try(
    requirement: Requirement, ctx: Context, case: Case, check_time: Callable[[], None]
) -> _Said:
    """What the check says of ``case``, or why it could not be asked."""
    try:
        check_time()
        return await _ask(requirement, ctx, case)
    except (BudgetSpent, Aborted) as stop:
        return _Said(case, None, None, ctx.seen, stop)


async def _ask(requirement: Requirement, ctx: Context, case: Case) -> _Said:
    try:
        note = await requirement.judge(ctx, case)
    except Outcome as outcome:
        return _Said(case, outcome, None, ctx.seen)
    return _Said(case, None, note, ctx.seen)


async def _conclude(
    requirement: Requirement, context: Callable[[int], Context], said: list[_Said]
) -> Judged:
    bad = [each for each in said if isinstance(each.outcome, _BAD)]
    judged = await _weigh(requirement, context, bad, len(said)) if bad else None
    if judged is not None:
        return judged
    for each in said:  # a case that nobody could ask leaves the requirement open
        if each.stop is not None:
            raise each.stop
    if any(isinstance(each.outcome, Undecided) for each in said):
        return _undecided(requirement, said, Undecided, Verdict.INCONCLUSIVE)
    held = [each for each in said if each.outcome is None]
    if not held:
        return _undecided(requirement, said)
    verdict = Verdict.INFO if requirement.level is Level.MAY else Verdict.PASS
    notes = sorted({each.note for each in held if each.note})
    evidence = [exchange for each in held[:3] for exchange in each.seen[:3]]
    counted = f"{len(held)} cases" if len(said) > 1 else ""
    return Judged(verdict, requirement.level, "; ".join(notes[:3]) or counted, evidence)


async def _weigh(
    requirement: Requirement, context: Callable[[int], Context], bad: list[_Said], total: int
) -> Judged | None:
    """The verdict of the worst confirmed failure; ``None`` if only MAY-level ones remain unsaid."""
    ranked = sorted(
        bad, key=lambda each: (not _died(each), _rank(requirement, each), each.case.size)
    )
    flaky: Judged | None = None
    for level in (Level.MUST, Level.SHOULD, Level.MAY):
        group = [each for each in ranked if _level(requirement, each) is level]
        for each in group[:CANDIDATES]:
            judged = await _reproduce(requirement, context, each, len(group), total)
            if judged.verdict not in (Verdict.FLAKY, Verdict.INCONCLUSIVE):
                return judged
            flaky = flaky or judged
    return flaky


def _died(said: _Said) -> bool:
    """Whether the server died of the case: nothing else about it matters more."""
    return (
        any(exchange.server_died for exchange in said.outcome.evidence) if said.outcome else False
    )


def _level(requirement: Requirement, said: _Said) -> Level:
    return (said.outcome.level if said.outcome else None) or requirement.level


def _rank(requirement: Requirement, said: _Said) -> int:
    return list(Level).index(_level(requirement, said))


async def _reproduce(
    requirement: Requirement,
    context: Callable[[int], Context],
    first: _Said,
    failing: int,
    total: int,
) -> Judged:
    level = _level(requirement, first)
    latest, seen, tries = first, 1, 1
    limit = REPETITIONS if requirement.exact else 1
    if _died_twice(first):  # killing it once more would tell nothing new
        seen = tries = 2
    try:
        while tries <= limit and (tries == 1 or seen < tries):  # until it failed every time
            again = await _ask(requirement, context(tries), first.case)
            tries += 1
            if isinstance(again.outcome, _BAD):
                latest, seen = again, seen + 1
    except (BudgetSpent, Aborted) as stop:
        if seen < 2:
            told = f"seen once, not reproduced ({stop}): {first.outcome}"
            return _judged(first, Verdict.INCONCLUSIVE, level, told)
    if seen < 2:
        verdict = Verdict.FLAKY if requirement.exact else Verdict.INCONCLUSIVE
        return _judged(
            first, verdict, level, f"seen once in {tries}: {first.outcome}", f"1 of {tries}"
        )
    times = f"{seen} of {tries}"
    message = latest.outcome.message if latest.outcome else ""
    if seen < tries:
        message = f"intermittent ({times}): {message}"
    if failing > 1:
        message += f" (and {failing - 1} more of {total} cases)"
    return _judged(latest, _verdict(latest.outcome, level), level, message, times)


def _died_twice(said: _Said) -> bool:
    """Whether the server died of this request in its batch, and again when it was sent alone."""
    return any(exchange.server_died and exchange.attempts for exchange in said.seen)


def _verdict(outcome: Outcome | None, level: Level) -> Verdict:
    if level is Level.MAY:
        return Verdict.INFO
    if level is Level.SHOULD:
        return Verdict.WARN
    if isinstance(outcome, Ignored):
        return Verdict.IGNORED
    return Verdict.REJECTED if isinstance(outcome, Rejected) else Verdict.FAIL


def _judged(
    said: _Said, verdict: Verdict, level: Level, message: str, occurrences: str | None = None
) -> Judged:
    outcome = said.outcome
    evidence = list(outcome.evidence) if outcome else []
    told = {exchange.id for exchange in evidence}
    evidence += [exchange for exchange in said.seen if exchange.id not in told]
    return Judged(
        verdict,
        level,
        message,
        evidence,
        outcome.event if outcome else None,
        occurrences,
        said.case,
    )


def _undecided(
    requirement: Requirement,
    said: list[_Said],
    kind: type[Outcome] = Untestable,
    verdict: Verdict = Verdict.UNTESTABLE,
) -> Judged:
    chosen = [each for each in said if isinstance(each.outcome, kind)]
    reasons = sorted({each.outcome.message for each in chosen if each.outcome})
    if not reasons:
        applicable = [e for e in said if e.outcome and not isinstance(e.outcome, NotApplicable)]
        reasons = [str(applicable[0].outcome)] if applicable else ["no case applies to this target"]
    evidence = [exchange for each in chosen[:2] for exchange in each.seen[:2]]
    more = f" (and {len(reasons) - 1} other reasons)" if len(reasons) > 1 else ""
    return Judged(verdict, requirement.level, reasons[0] + more, evidence)


def _fault(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    where = f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else "?"
    return f"the suite itself failed at {where}: {type(error).__name__}: {error}"
