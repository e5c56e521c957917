"""Server-sent events as values: what was dispatched, and every departure from the grammar."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from conformance.wire.jsonbody import parse_json

__all__ = ["Breach", "Event", "EventStream"]


@dataclass(frozen=True)
class Event:
    """One dispatched event: its fields, where it begins and ends in the body, when it ended.

    ``offset`` is that of its first line; ``end`` lies just behind the first byte of the line end
    of the blank line that dispatched it (so that a CRLF cut in two changes nothing); ``at`` is
    the arrival of that byte in seconds. ``terminated`` is false for what was left at the end of
    the body, which a conforming reader drops.
    """

    data: str
    offset: int
    end: int
    at: float
    name: str | None = None
    id: str | None = None
    retry: str | None = None
    terminated: bool = True

    @property
    def done(self) -> bool:
        """Whether this is the ``[DONE]`` marker."""
        return self.data == "[DONE]"

    @cached_property
    def json(self) -> Any:
        """The data as a JSON value, or a :class:`~conformance.wire.jsonbody.JSONProblem`."""
        return parse_json(self.data.encode("utf-8", "surrogatepass"))


@dataclass(frozen=True, slots=True)
class Breach:
    """One departure from the event-stream grammar or from data-only events.

    ``legal`` marks what the grammar allows and a checker must not accuse.
    """

    kind: str
    offset: int
    detail: str
    legal: bool = False


@dataclass(frozen=True)
class EventStream:
    """All events of a body, comments and breaches."""

    events: tuple[Event, ...] = ()
    breaches: tuple[Breach, ...] = ()
    comments: tuple[tuple[int, str], ...] = field(default=())

    @cached_property
    def data_events(self) -> tuple[Event, ...]:
        """The events other than the ``[DONE]`` marker."""
        return tuple(event for event in self.events if not event.done)

    @property
    def done_events(self) -> tuple[Event, ...]:
        """The ``[DONE]`` markers."""
        return tuple(event for event in self.events if event.done)

    @property
    def illegal(self) -> tuple[Breach, ...]:
        """The breaches that the grammar of data-only events does not allow."""
        return tuple(breach for breach in self.breaches if not breach.legal)
