"""The table of ``conformance mutants --bugs``: known bugs of real servers and what detects them."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict

from conformance.cli.tables import table
from conformance.reference.bugs import Bug, known_bugs

__all__ = ["bugs_json", "bugs_table"]


def bugs_json() -> str:
    """The known bugs as a JSON array."""
    return json.dumps([asdict(bug) for bug in known_bugs()], ensure_ascii=False, indent=1)


def bugs_table() -> str:
    """The known bugs by class, with counts at the end."""
    bugs = sorted(known_bugs(), key=lambda bug: (bug.kind, bug.id))
    rows = [("class", "bug", "detectable", "detected by", "mutants", "thread"), *map(_row, bugs)]
    return table(rows, most=60) + "\n\n" + _counts(bugs)


def _row(bug: Bug) -> tuple[str, ...]:
    detected = ", ".join(bug.requirements) or f"- ({bug.why})"
    return (bug.kind, bug.id, bug.detectable, detected, ", ".join(bug.mutants) or "-", bug.link)


def _counts(bugs: list[Bug]) -> str:
    lines = []
    for word, total in Counter(bug.detectable for bug in bugs).most_common():
        chosen = [bug for bug in bugs if bug.detectable == word]
        detected = sum(bool(bug.requirements) for bug in chosen)
        backed = sum(bool(bug.mutants) for bug in chosen)
        lines.append(
            f"detectable {word}: {total} bugs, {detected} with requirements, {backed} with mutants"
        )
    return "\n".join(lines)
