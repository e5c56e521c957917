"""What the engine tells while it runs: report writers and progress displays plug into this."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from conformance.checks.api import Requirement
from conformance.checks.catalogue import Item
from conformance.verdicts import Level, Verdict

__all__ = ["Decided", "Event", "Learned", "Minimised", "Progress", "Result"]


@dataclass(frozen=True)
class Result:
    """The verdict of one item. ``evidence`` are exchange ids, the telling one first.

    ``requests`` counts those sent for this item alone (what it found in the memo cost nothing);
    ``seconds`` is how long the target took for them, all added up.
    """

    target: str
    item: Item
    level: Level
    verdict: Verdict
    message: str = ""
    requests: int = 0
    evidence: tuple[str, ...] = ()
    event: int | None = None
    seconds: float = 0.0
    occurrences: str | None = None
    reason: str | None = None

    @property
    def requirement(self) -> Requirement:
        """The requirement that was judged."""
        return self.item.requirement


@dataclass(frozen=True)
class Event:
    """Base of all events."""

    target: str


@dataclass(frozen=True)
class Decided(Event):
    """An item got its verdict."""

    result: Result


@dataclass(frozen=True)
class Learned(Event):
    """Calibration found something out about the target."""

    endpoint: str
    lesson: str
    finding: str
    value: Any = None


@dataclass(frozen=True)
class Minimised(Event):
    """Shrinking found a smaller failing request for a verdict that stands."""

    item: Item
    evidence: str
    curl: str | None = None


@dataclass(frozen=True)
class Progress(Event):
    """Where a run stands; sent at most a few times a second. ``most_…`` is what it may spend."""

    phase: str
    decided: int
    total: int
    requests: int
    completion_tokens: int
    seconds: float
    most_requests: int | None = None
    most_completion_tokens: int | None = None
    most_seconds: float | None = None
