"""A badge in the format of shields.io's endpoint badge (``schemaVersion`` 1)."""

from __future__ import annotations

import json
from collections import Counter

from conformance.report.records import Run
from conformance.report.words import BAD
from conformance.verdicts import Verdict

__all__ = ["render_badge"]


def render_badge(run: Run, label: str = "OpenAI conformance") -> str:
    """The badge's JSON. Never a bare percentage: what was not decided is said too."""
    counts = Counter(result.verdict for result in run.results)
    bad = sum(counts[verdict] for verdict in BAD)
    passed = counts[Verdict.PASS]
    promised = len(run.results) - counts[Verdict.NOT_PROMISED]
    undecided = (
        promised - sum(n for v, n in counts.items() if v.rule.decided) - counts[Verdict.ERROR]
    )
    parts = [f"{passed} pass"]
    parts += [f"{bad} fail"] if bad else []
    parts += [f"{undecided} undecided"] if undecided else []
    if not run.complete:
        parts.append("incomplete")
    badge = {
        "schemaVersion": 1,
        "label": label,
        "message": ", ".join(parts),
        "color": _colour(bad, passed, run.complete and not undecided),
    }
    return json.dumps(badge, indent=2) + "\n"


def _colour(bad: int, passed: int, whole: bool) -> str:
    if bad:
        return "red"
    if not passed:
        return "lightgrey"
    return "brightgreen" if whole else "yellow"
