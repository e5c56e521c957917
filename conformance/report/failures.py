"""What is wrong, told once: verdicts of one cause are one failure. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from conformance.report.records import Aspect, Result, Run
from conformance.report.slots import permalink, slot
from conformance.report.text import plural, visible
from conformance.report.words import BAD, IDLE, severity
from conformance.verdicts import Verdict

__all__ = ["Failure", "failures", "link_of"]

#: So many requirements that fail with one message have one cause.
SHARED = 4
#: What says most of a parameter, as in its fold: refused, without effect, anything else.
_TELLING = (Verdict.REJECTED, Verdict.IGNORED)


class _Group(NamedTuple):
    """What verdicts of one failure have in common: a message, a parameter or a requirement."""

    target: str
    kind: str
    subject: str


@dataclass(frozen=True)
class Failure:
    """One thing that is wrong: the verdict that shows it best, where, and what else it breaks.

    ``places`` is empty where the cause is no matter of one place; ``parameter`` is set where the
    others are requirements of the same parameter.
    """

    first: Result
    places: str
    others: tuple[Result, ...] = ()
    parameter: str = ""

    @property
    def link(self) -> str:
        """The fragment that opens its cell."""
        return link_of(self.first)

    @property
    def where(self) -> str:
        """Its endpoints and modes, and how many other requirements are part of it."""
        if not self.others:
            return self.places
        if not self.parameter:
            return f"and {plural(len(self.others), 'more requirement')}"
        return f"{self.places}; {len(self.others)} more of {visible(self.parameter)}"

    @property
    def requirements(self) -> int:
        """How many requirements it breaks."""
        return 1 + len(self.others)


def link_of(result: Result) -> str:
    """The fragment that opens the cell of ``result``, at its place."""
    return permalink(result.target, result.requirement, slot(result).anchor)


def failures(run: Run) -> tuple[Failure, ...]:
    """What somebody has to act on, by target (in the run's order), worst first.

    A cause that many requirements share (a server that went away, a parameter that is ignored) is
    one entry, not a dozen.
    """
    columns = {target.target: column for column, target in enumerate(run.targets)}
    rows = {id: row for row, id in enumerate(dict.fromkeys(r.requirement for r in run.results))}
    bad = sorted(
        (r for r in run.results if r.verdict in BAD),
        key=lambda r: (columns[r.target], -severity(r.verdict), rows[r.requirement], slot(r)),
    )
    grouped: dict[_Group, list[Result]] = {}
    for result, group in zip(bad, _groups(bad), strict=True):
        grouped.setdefault(group, []).append(result)
    asked = _places_asked(run)
    return tuple(_failure(group, members, asked) for group, members in grouped.items())


def _groups(bad: Sequence[Result]) -> Iterator[_Group]:
    """The failure that each verdict belongs to."""
    causes: dict[tuple[str, Verdict, str], set[str]] = {}
    parameters: dict[tuple[str, str | None], set[str]] = {}
    for each in bad:
        causes.setdefault((each.target, each.verdict, each.message), set()).add(each.requirement)
        parameters.setdefault((each.target, each.parameter), set()).add(each.requirement)
    for each in bad:
        if len(causes[each.target, each.verdict, each.message]) >= SHARED:
            yield _Group(each.target, f"cause {each.verdict}", each.message)
        elif each.parameter and len(parameters[each.target, each.parameter]) > 1:
            yield _Group(each.target, "parameter", each.parameter)
        else:
            yield _Group(each.target, f"requirement {each.verdict}", each.requirement)


def _failure(
    group: _Group, members: Sequence[Result], asked: dict[tuple[str, str], int]
) -> Failure:
    of_parameter = group.kind == "parameter"
    lead = min(members, key=_telling) if of_parameter else members[0]
    mine = [r for r in members if (r.requirement, r.verdict) == (lead.requirement, lead.verdict)]
    others = {r.requirement: r for r in reversed(members) if r.requirement != lead.requirement}
    shared = others and not of_parameter
    return Failure(
        lead,
        "" if shared else _where(mine, asked[lead.target, lead.requirement]),
        tuple(reversed(others.values())),
        group.subject if of_parameter else "",
    )


def _telling(result: Result) -> tuple[int, bool]:
    found = result.verdict in _TELLING
    return (
        _TELLING.index(result.verdict) if found else len(_TELLING),
        result.aspect is not Aspect.EFFECT,
    )


def _where(results: Sequence[Result], asked: int) -> str:
    """The places of one requirement: all it was asked at are everywhere."""
    if len(results) == asked > 1:
        return "everywhere"
    return ", ".join(slot(result).label for result in results)


def _places_asked(run: Run) -> dict[tuple[str, str], int]:
    counts: dict[tuple[str, str], int] = {}
    for result in run.results:
        if result.verdict not in IDLE:
            key = result.target, result.requirement
            counts[key] = counts.get(key, 0) + 1
    return counts
