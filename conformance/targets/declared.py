"""What a declaration makes of a verdict.

The rules, for a requirement that an owner declared as failing (``deviations:``):

==========================  =====================================================
the verdict is              it becomes
==========================  =====================================================
the declared one            ``deviation``; after the expiry it stays what it is
another bad one             what it is: that failure is new
``pass``                    ``fixed`` (expired or not); ``pass`` if intermittent
``flaky``                   ``deviation`` if intermittent, else ``flaky``
undecided, not run, error   what it is: nothing was learned
==========================  =====================================================

``undecided:`` entries change no verdict: they excuse an undecided MUST from exit code 4.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from typing import TypeVar

from conformance.targets.model import Declaration, Deviation, Target, Undecided
from conformance.verdicts import Mode, Verdict

__all__ = ["apply", "declared", "excuse", "undecided"]

D = TypeVar("D", bound=Declaration)

#: Verdicts that a deviation can declare, and that are news where another one was declared.
_BROKEN = {Verdict.FAIL, Verdict.IGNORED, Verdict.REJECTED, Verdict.WARN, Verdict.FLAKY}
#: Verdicts that an ``undecided:`` entry can excuse.
_OPEN = {Verdict.INCONCLUSIVE, Verdict.UNTESTABLE, Verdict.NOT_RUN}


def declared(
    target: Target,
    requirement: str,
    endpoint: str | None,
    mode: Mode | str | None,
    today: date,
) -> Deviation | None:
    """The deviation that speaks of this requirement, endpoint and mode: one that counts today
    before an expired one, the narrower before the wider."""
    return _choose(target.deviations, requirement, endpoint, mode, today)


def undecided(
    target: Target,
    requirement: str,
    endpoint: str | None,
    mode: Mode | str | None,
    today: date,
) -> Undecided | None:
    """The ``undecided:`` entry that speaks of it, chosen likewise."""
    return _choose(target.undecided, requirement, endpoint, mode, today)


def _choose(
    entries: Iterable[D],
    requirement: str,
    endpoint: str | None,
    mode: Mode | str | None,
    today: date,
) -> D | None:
    covering = [entry for entry in entries if entry.covers(requirement, endpoint, mode)]
    return max(
        covering, key=lambda entry: (not entry.expired(today), entry.specificity), default=None
    )


def apply(verdict: Verdict, deviation: Deviation | None, today: date) -> tuple[Verdict, str]:
    """The verdict after declaration, and what to tell about it (empty: nothing).

    Never makes a run greener than the declaration allows: only the declared verdict, before its
    expiry, becomes ``deviation``.
    """
    if deviation is None:
        return verdict, ""
    expired = deviation.expired(today)
    if verdict is Verdict.PASS:
        return _passed(deviation)
    seen_again = verdict is deviation.verdict or (
        verdict is Verdict.FLAKY and deviation.intermittent
    )
    if seen_again and expired:
        return verdict, f"{_told(deviation)}; the declaration expired on {deviation.expires}"
    if seen_again:
        return Verdict.DEVIATION, _told(deviation)
    if verdict in _BROKEN:
        return verdict, f"declared as {deviation.verdict}, not as {verdict}: this is new"
    return verdict, ""


def _passed(deviation: Deviation) -> tuple[Verdict, str]:
    """A declared failure that decidedly passes."""
    if deviation.intermittent:
        return Verdict.PASS, f"declared as intermittent: {_told(deviation)}"
    place = f" at {deviation.where}" if deviation.where else ""
    return Verdict.FIXED, f"passes now: delete the deviation{place} ({_told(deviation)})"


def _told(deviation: Deviation) -> str:
    """Reason and ticket."""
    return f"{deviation.reason} ({deviation.ticket})" if deviation.ticket else deviation.reason


def excuse(verdict: Verdict, entry: Undecided | None, today: date) -> tuple[bool, str]:
    """Whether ``entry`` excuses ``verdict`` from exit code 4, and what to tell about it."""
    if entry is None:
        return False, ""
    if verdict not in _OPEN:
        decided = verdict.rule.decided
        return False, "listed under undecided, yet decided: delete the entry" if decided else ""
    if entry.expired(today):
        return False, f"{entry.reason}; the entry expired on {entry.expires}"
    return True, entry.reason
