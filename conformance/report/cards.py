"""One target at a glance: what it is, how it stands, what the run cost. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from conformance.report.fold import exempt
from conformance.report.records import Ended, Footer, Result, Run, TargetHeader
from conformance.report.text import count, joined, plural, visible
from conformance.report.words import BAD, severity
from conformance.verdicts import Level, Verdict

__all__ = ["Card", "Tone", "card", "incomplete"]

_ENDINGS = {
    Ended.BUDGET: "the budget was spent before the end",
    Ended.UNREACHABLE: "no longer reachable",
    Ended.INTERRUPTED: "interrupted",
}
_MARKED = {Verdict.WARN: "warning", Verdict.FLAKY: "flaky", Verdict.DEVIATION: "declared failure"}


class Tone(StrEnum):
    """How a word is coloured, from the best."""

    GOOD = "good"
    HOLD = "hold"
    OPEN = "open"
    BAD = "bad"


@dataclass(frozen=True)
class Card:
    """One target. ``state`` says in a few words how it stands; ``levels`` are, per level, the
    counts of each verdict, worst first.
    """

    name: str
    facts: tuple[str, ...]
    cost: str
    ended: str
    state: str
    tone: Tone
    levels: tuple[tuple[str, tuple[tuple[Verdict, int], ...]], ...]

    @property
    def counts(self) -> tuple[tuple[Verdict, int], ...]:
        """All levels together, worst first."""
        found: Counter[Verdict] = Counter()
        for _, level in self.levels:
            found.update(dict(level))
        return _worst_first(found)


def card(run: Run, target: TargetHeader) -> Card:
    """The card of ``target``."""
    mine = [r for r in run.results if r.target == target.target]
    counts: dict[Level, Counter[Verdict]] = {level: Counter() for level in Level}
    for result in mine:
        if result.verdict is not Verdict.NOT_PROMISED:
            counts[result.level][result.verdict] += 1
    ended = _ended(run.footer, target.target)
    state, tone = _state(mine, ended or ("" if run.footer else _ENDINGS[Ended.INTERRUPTED]))
    facts = (target.model, target.profile and f"profile {target.profile}", target.base_url)
    return Card(
        target.target,
        tuple(fact for fact in facts if fact),
        _cost(run.footer, target.target, mine),
        ended,
        state,
        tone,
        tuple((level.value, _worst_first(each)) for level, each in counts.items() if each),
    )


def _worst_first(counts: Counter[Verdict]) -> tuple[tuple[Verdict, int], ...]:
    return tuple(sorted(counts.items(), key=lambda pair: -severity(pair[0])))


def _state(results: Sequence[Result], ended: str) -> tuple[str, Tone]:
    """The worst that can be said; "conforms" only where everything was asked and no MUST is open."""
    bad = {r.requirement for r in results if r.verdict in BAD}
    if bad:
        return f"{plural(len(bad), 'requirement')} {'fails' if len(bad) == 1 else 'fail'}", Tone.BAD
    if ended:
        return "incomplete", Tone.HOLD
    if not any(r.verdict.rule.decided for r in results):
        return "nothing decided", Tone.OPEN
    left = sum(_left_open(r) for r in results)
    if left:
        return f"{left} MUST undecided", Tone.OPEN
    asked = [r for r in results if r.verdict is not Verdict.NOT_PROMISED]
    if any(r.reason == "deselected" for r in asked):
        decided = sum(r.verdict.rule.decided for r in asked)
        return f"{decided} of {plural(len(asked), 'verdict')} asked for, none fails", Tone.HOLD
    marked = Counter(_MARKED[r.verdict] for r in results if r.verdict in _MARKED)
    if marked:
        return f"conforms, {', '.join(_marks(marked))}", Tone.HOLD
    return "conforms", Tone.GOOD


def _marks(marked: Counter[str]) -> list[str]:
    return [f"{n} {word}" if word == "flaky" else plural(n, word) for word, n in marked.items()]


def _left_open(result: Result) -> bool:
    promised = result.verdict is not Verdict.NOT_PROMISED
    undecided = promised and not result.verdict.rule.decided
    return undecided and result.level is Level.MUST and not exempt(result)


def _cost(footer: Footer | None, target: str, results: Sequence[Result]) -> str:
    costs = footer.targets.get(target) if footer else None
    if costs is None:
        return f"{plural(sum(r.requests for r in results), 'request')} for verdicts so far"
    return joined(
        (
            plural(costs.requests, "request"),
            f"{count(costs.prompt_tokens)} prompt + {count(costs.completion_tokens)} completion tokens",
            f"{count(costs.seconds)} s",
        )
    )


def _ended(footer: Footer | None, target: str) -> str:
    costs = footer.targets.get(target) if footer else None
    return _ENDINGS.get(costs.ended, "") if costs else ""


def incomplete(run: Run) -> str:
    """Why the page does not show a whole run; empty for one that does."""
    decided = plural(len(run.results), "verdict")
    if run.footer is None:
        return f"This run was interrupted. What follows is the {decided} written before that."
    causes: dict[str, list[str]] = {}
    for name, target in run.footer.targets.items():
        if why := _ENDINGS.get(target.ended):
            causes.setdefault(why, []).append(visible(name))
    parts = [f"{', '.join(names)}: {why}" for why, names in causes.items()]
    return f"This run is incomplete. {'; '.join(parts)}." if parts else ""
