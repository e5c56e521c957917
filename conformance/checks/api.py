"""What a check is: a requirement, the cases it is judged on, and the judgement.

A check is a small ``async`` function that asks for exchanges and returns or raises::

    @check("stream.done-marker", MUST, Source("specification text", "…", "…"), modes=(STREAM,),
           cases=answered)
    async def done_marker(ctx, case):
        \"\"\"The stream ends with exactly one `[DONE]`.\"\"\"
        exchange = await ctx.ask(case.request)
        ...
        raise Broken("no [DONE] event", exchange)

The docstring's first sentence is the requirement's statement. A check returns ``None`` (holds) or a
string (holds; worth telling), or raises one of the outcomes below. The engine repeats the smallest
failing case with new requests before it believes a failure, so a judgement must depend on nothing
but what ``ctx`` hands it.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from conformance.schema.contract import Profile, Source
from conformance.verdicts import Level, Mode
from conformance.wire.exchange import Exchange, Request

if TYPE_CHECKING:
    from conformance.checks.context import Context

__all__ = [
    "MAY",
    "MUST",
    "REGULAR",
    "SHOULD",
    "STREAM",
    "Broken",
    "Case",
    "Depth",
    "Ignored",
    "NotApplicable",
    "Outcome",
    "Phase",
    "Rejected",
    "Requirement",
    "Source",
    "Undecided",
    "Untestable",
    "check",
    "family",
]

MUST, SHOULD, MAY = Level.MUST, Level.SHOULD, Level.MAY
REGULAR, STREAM = Mode.REGULAR, Mode.STREAM
BOTH = (REGULAR, STREAM)


class Phase(StrEnum):
    """When a check may send: calibration → ordinary → exclusive → hostile → final."""

    CALIBRATION = "calibration"
    ORDINARY = "ordinary"
    EXCLUSIVE = "exclusive"  # timing and concurrency: nothing else in flight
    HOSTILE = "hostile"  # may harm the server; sent in small batches, each followed by a probe
    FINAL = "final"  # judges everything recorded; sends nothing but reproductions


class Depth(StrEnum):
    """How much is asked, from a CI gate to a deep search."""

    QUICK = "quick"
    STANDARD = "standard"
    DEEP = "deep"

    def covers(self, other: Depth) -> bool:
        """Whether a run of this depth includes what needs ``other``."""
        order = list(Depth)
        return order.index(self) >= order.index(other)


class Outcome(Exception):
    """Base of what a check may raise: an outcome of the judgement, not an error.

    ``evidence`` are the exchanges that show it, the telling one first; ``event`` is the index of
    the guilty SSE event in it, where there is one (below 0 there is none); ``level`` overrides
    the requirement's level for a case that is weaker (or stronger) than the rest.
    """

    def __init__(
        self,
        message: str,
        *evidence: Exchange,
        event: int | None = None,
        level: Level | None = None,
    ) -> None:
        super().__init__(message)
        self.message, self.evidence, self.level = message, evidence, level
        self.event = event if event is not None and event >= 0 else None


class Broken(Outcome):
    """The requirement does not hold."""


class Ignored(Outcome):
    """The parameter was accepted and had no effect: treatment equals control."""


class Rejected(Outcome):
    """A documented, valid value was refused."""


class Undecided(Outcome):
    """Too nondeterministic, or the statistics did not decide within the budget."""


class Untestable(Outcome):
    """A prerequisite is absent; the message says which."""


class NotApplicable(Outcome):
    """This case says nothing about the requirement (it counts neither for nor against)."""


@dataclass(frozen=True)
class Case:
    """One thing to judge. ``size`` orders cases from simple to complex (bytes of the request).

    ``generated`` cases come from the schemas and may be shrunk by drawing simpler requests.
    ``data`` is whatever else the check needs (a mutation, a recorded exchange …).
    """

    label: str
    request: Request | None = None
    data: Any = None
    generated: bool = False

    @property
    def size(self) -> int:
        """Bytes of the request body."""
        return len(self.request.body) if self.request else 0


#: Judges one case of one requirement.
Judge = Callable[["Context", Case], Awaitable[str | None]]
#: Lists the cases of a requirement for one endpoint and mode.
Cases = Callable[["Context"], Iterable[Case]]


def single(ctx: Context) -> Sequence[Case]:
    """The default: one case, for a check that builds its own requests."""
    return (Case("the check's own requests"),)


@dataclass(frozen=True)
class Requirement:
    """One testable statement and the function that judges it.

    ``endpoints`` names endpoints of the profile; ``None`` means every endpoint of the profile,
    ``()`` that the requirement belongs to the target as a whole. ``modes`` likewise: the modes it
    is judged in, ``()`` where no mode applies. ``needs`` are names that the profile must promise:
    a parameter of the endpoint, ``feature:…`` or ``endpoint:…``; otherwise ``not-promised``.
    ``parameter`` and ``aspect`` (accepts, validates, effect) fold into the parameter table.
    ``exact`` requirements are reproduced up to five times (fail at 2 of 6); statistical ones by
    one fresh sample. ``cost`` estimates requests sent only for this requirement. ``depth`` is the
    least depth that asks it; ``elsewhere`` the least depth that asks it outside its first place
    (the first endpoint's first mode), for what rarely differs between places.
    """

    id: str
    level: Level
    statement: str
    source: Source
    judge: Judge
    cases: Cases = single
    endpoints: tuple[str, ...] | None = None
    modes: tuple[Mode, ...] = BOTH
    needs: tuple[str, ...] = ()
    parameter: str | None = None
    aspect: str | None = None
    phase: Phase = Phase.ORDINARY
    depth: Depth = Depth.QUICK
    elsewhere: Depth | None = None
    exact: bool = True
    cost: float = 1.0

    @property
    def module(self) -> str:
        """The module that holds the check."""
        return getattr(self.judge, "__module__", "")

    @property
    def chapter(self) -> str:
        """The first word of the id."""
        return self.id.split(".")[0]


#: Requirements that do not depend on a profile, by id.
STATIC: dict[str, Requirement] = {}
#: Functions that derive requirements from a profile (one for each parameter, field …).
FAMILIES: list[Callable[[Profile], Iterable[Requirement]]] = []


def check(
    id: str,
    level: Level,
    source: Source,
    *,
    cases: Cases = single,
    endpoints: tuple[str, ...] | None = None,
    modes: tuple[Mode, ...] = BOTH,
    needs: tuple[str, ...] = (),
    parameter: str | None = None,
    aspect: str | None = None,
    phase: Phase = Phase.ORDINARY,
    depth: Depth = Depth.QUICK,
    elsewhere: Depth | None = None,
    exact: bool = True,
    cost: float = 1.0,
) -> Callable[[Judge], Judge]:
    """Register the decorated function as the check of requirement ``id``.

    Raises ``ValueError`` when the id is taken or the function has no docstring.
    """

    def register(judge: Judge) -> Judge:
        if id in STATIC:
            raise ValueError(f"requirement {id!r} is already registered")
        STATIC[id] = Requirement(
            id=id,
            level=level,
            statement=statement_of(judge),
            source=source,
            judge=judge,
            cases=cases,
            endpoints=endpoints,
            modes=modes,
            needs=needs,
            parameter=parameter,
            aspect=aspect,
            phase=phase,
            depth=depth,
            elsewhere=elsewhere,
            exact=exact,
            cost=cost,
        )
        return judge

    return register


def family(
    derive: Callable[[Profile], Iterable[Requirement]],
) -> Callable[[Profile], Iterable[Requirement]]:
    """Register a function that derives requirements from a profile."""
    FAMILIES.append(derive)
    return derive


def statement_of(judge: Judge) -> str:
    """The first paragraph of a judge's docstring, on one line."""
    text = (judge.__doc__ or "").strip().split("\n\n")[0]
    if not text:
        raise ValueError(f"check {judge.__name__} has no docstring to state its requirement")
    return " ".join(text.split())
