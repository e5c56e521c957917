"""The words of a judgement: levels, modes, verdicts, and what each means for a run."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Level", "Mode", "Verdict", "VerdictRule", "worst"]


class Level(StrEnum):
    """RFC 2119 strength of a requirement."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Mode(StrEnum):
    """How an answer is delivered."""

    REGULAR = "regular"
    STREAM = "stream"


class Verdict(StrEnum):
    """What is said of one requirement of one target, endpoint and mode."""

    PASS = "pass"  # noqa: S105 - a verdict, not a password
    INFO = "info"
    WARN = "warn"
    FAIL = "fail"
    IGNORED = "ignored"
    REJECTED = "rejected"
    DEVIATION = "deviation"
    FIXED = "fixed"
    FLAKY = "flaky"
    INCONCLUSIVE = "inconclusive"
    UNTESTABLE = "untestable"
    NOT_PROMISED = "not-promised"
    NOT_RUN = "not-run"
    ERROR = "error"

    @property
    def rule(self) -> VerdictRule:
        """The row of the verdict table."""
        return RULES[self]


@dataclass(frozen=True, slots=True)
class VerdictRule:
    """One row of the verdict table.

    ``pytest`` is the outcome pytest shows; ``bad`` verdicts of a MUST turn a run red;
    ``decided`` ones count as an answer to the question that the requirement asks.
    """

    meaning: str
    pytest: str
    bad: bool
    decided: bool


RULES: dict[Verdict, VerdictRule] = {
    Verdict.PASS: VerdictRule("holds on everything seen", "passed", False, True),
    Verdict.INFO: VerdictRule("reported, never decides", "passed", False, True),
    Verdict.WARN: VerdictRule("a SHOULD is broken", "passed", False, True),
    Verdict.FAIL: VerdictRule("a MUST is broken, reproduced", "failed", True, True),
    Verdict.IGNORED: VerdictRule("accepted, no effect", "failed", True, True),
    Verdict.REJECTED: VerdictRule("a documented value is refused", "failed", True, True),
    Verdict.DEVIATION: VerdictRule("a declared failure", "xfailed", False, True),
    Verdict.FIXED: VerdictRule("a declared deviation passes now", "failed", True, True),
    Verdict.FLAKY: VerdictRule("failed once, not again", "passed", False, True),
    Verdict.INCONCLUSIVE: VerdictRule("the statistics did not decide", "skipped", False, False),
    Verdict.UNTESTABLE: VerdictRule("a prerequisite is absent", "skipped", False, False),
    Verdict.NOT_PROMISED: VerdictRule("outside the profile", "deselected", False, False),
    Verdict.NOT_RUN: VerdictRule("not run", "skipped", False, False),
    Verdict.ERROR: VerdictRule("never reached, or our fault", "error", True, False),
}

#: From harmless to worst; ties in a fold are resolved towards the end of this list.
SEVERITY: tuple[Verdict, ...] = (
    Verdict.NOT_PROMISED,
    Verdict.PASS,
    Verdict.INFO,
    Verdict.NOT_RUN,
    Verdict.UNTESTABLE,
    Verdict.DEVIATION,
    Verdict.WARN,
    Verdict.FLAKY,
    Verdict.INCONCLUSIVE,
    Verdict.FIXED,
    Verdict.IGNORED,
    Verdict.REJECTED,
    Verdict.FAIL,
    Verdict.ERROR,
)


def worst(verdicts: list[Verdict]) -> Verdict:
    """The severest of ``verdicts``; ``not-run`` of an empty list."""
    return max(verdicts, key=SEVERITY.index, default=Verdict.NOT_RUN)
