"""How long and how much: the bounds of one exchange. Beyond each is a failure, never a crash."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.wire.sse import MAX_EVENT

__all__ = ["Limits", "Timeouts"]


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds. ``first_byte`` and ``total`` run from the request's first byte on the wire;
    ``idle`` bounds the gap between two reads.
    """

    connect: float = 5.0
    first_byte: float = 60.0
    idle: float = 30.0
    total: float = 120.0


@dataclass(frozen=True, slots=True)
class Limits:
    """Bytes. ``body`` bounds the body before and after decoding.

    ``raw`` is how much of the socket's bytes is kept as evidence, and ``kept`` how much of a body
    that ran over ``body``: what is beyond is dropped, the failure says so.
    """

    body: int = 16 << 20
    sse_event: int = MAX_EVENT
    headers: int = 64 << 10
    raw: int = 4 << 20
    kept: int = 1 << 20
