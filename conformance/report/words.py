"""How verdicts and folds are shown: a sign, a tone, and words for whoever has not read the docs."""

from __future__ import annotations

from collections.abc import Mapping

from conformance.report.fold import Fold
from conformance.verdicts import SEVERITY, Level, Verdict

__all__ = ["BAD", "FOLD_SIGNS", "IDLE", "LEVEL_WORDS", "SIGNS", "VERDICT_WORDS", "severity"]

#: One character each, told apart without colour.
SIGNS: Mapping[Verdict, str] = {
    Verdict.PASS: "✓",
    Verdict.INFO: "i",
    Verdict.WARN: "!",
    Verdict.FAIL: "✗",
    Verdict.IGNORED: "∅",
    Verdict.REJECTED: "⊘",
    Verdict.DEVIATION: "≠",
    Verdict.FIXED: "★",
    Verdict.FLAKY: "~",
    Verdict.INCONCLUSIVE: "?",
    Verdict.UNTESTABLE: "–",
    Verdict.NOT_PROMISED: "·",
    Verdict.NOT_RUN: "○",
    Verdict.ERROR: "‼",
}

FOLD_SIGNS: Mapping[Fold, str] = {
    Fold.HONOURED: "✓",
    Fold.UNTESTED: "○",
    Fold.INCONCLUSIVE: "?",
    Fold.BROKEN: "✗",
    Fold.IGNORED: "∅",
    Fold.REJECTED: "⊘",
}

FOLD_WORDS: Mapping[Fold, str] = {
    Fold.HONOURED: "accepted, validated, and it does what the documentation says",
    Fold.UNTESTED: "not tried in this run",
    Fold.INCONCLUSIVE: "accepted, but whether it has its effect could not be decided",
    Fold.BROKEN: "a MUST about this parameter fails",
    Fold.IGNORED: "accepted without an error, and without any effect",
    Fold.REJECTED: "a documented, valid value is refused",
}

LEVEL_WORDS: Mapping[Level, str] = {
    Level.MUST: "promised by the documentation, or a client breaks without it",
    Level.SHOULD: "expected by clients, but nobody's text forbids otherwise",
    Level.MAY: "left open by the documentation; reported, never decides",
}

VERDICT_WORDS: Mapping[Verdict, str] = {
    Verdict.PASS: "holds on everything that was seen",
    Verdict.INFO: "something the documentation leaves open: reported, never decides",
    Verdict.WARN: "a SHOULD is broken",
    Verdict.FAIL: "a MUST is broken; reproduced, evidence attached",
    Verdict.IGNORED: "a parameter is accepted and has no effect",
    Verdict.REJECTED: "a documented, valid value is refused",
    Verdict.DEVIATION: "fails, and the target's owner declared it",
    Verdict.FIXED: "declared as a deviation, but holds now: remove the declaration",
    Verdict.FLAKY: "failed once and not again in five repetitions",
    Verdict.INCONCLUSIVE: "too nondeterministic, or not decided within the budget",
    Verdict.UNTESTABLE: "a prerequisite is absent",
    Verdict.NOT_PROMISED: "outside what the target's profile promises",
    Verdict.NOT_RUN: "deselected, budget spent, or aborted",
    Verdict.ERROR: "the target was not reached, or the suite is at fault",
}

#: Verdicts that somebody has to act on.
BAD = frozenset({Verdict.FAIL, Verdict.IGNORED, Verdict.REJECTED, Verdict.FIXED, Verdict.ERROR})

#: Verdicts of what nothing was sent for.
IDLE = frozenset({Verdict.NOT_RUN, Verdict.NOT_PROMISED})


def severity(verdict: Verdict) -> int:
    """Rank from harmless (0) to worst."""
    return SEVERITY.index(verdict)
