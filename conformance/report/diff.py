"""What changed between two runs: new failures, what was fixed, what came and went. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.report.markdown import code, escape, table
from conformance.report.records import Key, Result, Run
from conformance.verdicts import Verdict

__all__ = ["Change", "Diff", "diff"]

#: The target breaks a promise, and nobody declared it.
FAILING = frozenset({Verdict.FAIL, Verdict.IGNORED, Verdict.REJECTED})
#: The promise was broken, declared or not.
BROKEN = FAILING | {Verdict.DEVIATION}
#: The promise is kept.
KEPT = frozenset({Verdict.PASS, Verdict.INFO, Verdict.FIXED})


@dataclass(frozen=True, slots=True)
class Change:
    """One key whose verdict differs; ``before`` or ``after`` is ``None`` where it has no line."""

    key: Key
    before: Result | None
    after: Result | None

    @property
    def words(self) -> str:
        """``pass → fail``."""
        sides = (side.verdict.value if side else "absent" for side in (self.before, self.after))
        return " → ".join(sides)

    @property
    def message(self) -> str:
        """The later side's message."""
        side = self.after or self.before
        return side.message if side else ""


@dataclass(frozen=True, slots=True)
class Diff:
    """The differences of two runs, each key in exactly one list, in the order of keys.

    ``new_failures`` fail now and did not before (a key new to the catalogue has ``appeared``);
    ``fixed`` were broken, declared or not, and hold now; ``changed`` is every other change.
    """

    new_failures: tuple[Change, ...] = ()
    fixed: tuple[Change, ...] = ()
    changed: tuple[Change, ...] = ()
    appeared: tuple[Change, ...] = ()
    disappeared: tuple[Change, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def regression(self) -> bool:
        """Whether something that did not fail before fails now."""
        return bool(self.new_failures)

    def markdown(self) -> str:
        """The differences as Markdown."""
        parts = [
            "# Regression" if self.regression else "# No regression",
            *(f"- {escape(note)}" for note in self.notes),
            *_section("New failures", self.new_failures),
            *_section("Fixed", self.fixed),
            *_section("Changed", self.changed),
            *_section("Appeared", self.appeared),
            *_section("Disappeared", self.disappeared),
        ]
        if len(parts) == 1:
            parts.append("The verdicts are the same.")
        return "\n\n".join(parts) + "\n"


def diff(before: Run, after: Run) -> Diff:
    """What changed from ``before`` to ``after``, key by key."""
    old = {result.key: result for result in before.results}
    new = {result.key: result for result in after.results}
    found: dict[str, list[Change]] = {}
    for key in sorted(old.keys() | new.keys(), key=lambda key: key.sortable):
        change = Change(key, old.get(key), new.get(key))
        if kind := _kind(change):
            found.setdefault(kind, []).append(change)
    lists = {kind: tuple(changes) for kind, changes in found.items()}
    return Diff(**lists, notes=tuple(_notes(before, after)))


def _kind(change: Change) -> str | None:
    if change.before is None:
        return "appeared"
    if change.after is None:
        return "disappeared"
    before, after = change.before.verdict, change.after.verdict
    if after in FAILING and before not in FAILING:
        return "new_failures"
    if before in BROKEN and after in KEPT:
        return "fixed"
    return None if before is after else "changed"


def _notes(before: Run, after: Run) -> list[str]:
    notes = []
    for name in ("suite_version", "catalogue", "depth", "seed"):
        old, new = getattr(before.header, name), getattr(after.header, name)
        if old != new:
            notes.append(f"The {name.replace('_', ' ')} differs: {old} → {new}.")
    for run, word in ((before, "earlier"), (after, "later")):
        if not run.complete:
            notes.append(f"The {word} run is incomplete.")
    return notes


def _section(title: str, changes: tuple[Change, ...]) -> list[str]:
    if not changes:
        return []
    rows = [
        (
            escape(change.key.target),
            code(change.key.requirement),
            escape(change.key.place),
            change.words,
            escape(change.message),
        )
        for change in changes
    ]
    head = ("target", "requirement", "where", "verdict", "message")
    return [f"## {title} ({len(changes)})", table(head, rows)]
