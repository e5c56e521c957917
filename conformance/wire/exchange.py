"""The record of one request and all that came back.

Rule 1: nothing here judges. An :class:`Exchange` keeps what the socket saw (bytes, arrival times,
how the connection ended); every parsed view of it is derived, lazily, and never raises on what a
target sent.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal

from conformance.wire.events import EventStream
from conformance.wire.jsonbody import parse_json
from conformance.wire.sse import parse_stream

__all__ = [
    "Attempt",
    "Credential",
    "Delivery",
    "Exchange",
    "Failure",
    "FailureKind",
    "Read",
    "Request",
]

#: Which credential a request carries, by label: the secret itself is never part of a request.
Credential = Literal["key", "none", "wrong"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """How the answer is taken: read to the end, or closed after SSE event ``close_after``.

    ``group`` names the concurrency group the request is sent in ("" for none).
    """

    close_after: int | None = None
    group: str = ""


@dataclass(frozen=True)
class Request:
    """One HTTP request as the suite means it: a path below the base URL and exact body bytes.

    ``headers`` holds only what differs from the defaults (``Content-Type: application/json`` with
    a body, ``Accept: application/json``, ``Authorization: Bearer …`` by ``credential``). A header
    whose value is ``None`` removes that default. ``raw`` replaces the whole request by exact bytes
    for the raw-socket sender; ``{host}``, ``{base_path}`` and ``{authorization}`` are filled in.
    """

    method: str
    path: str
    body: bytes = b""
    headers: tuple[tuple[str, str | None], ...] = ()
    credential: Credential = "key"
    delivery: Delivery = Delivery()
    raw: bytes | None = None

    @cached_property
    def json(self) -> Any:
        """The body as a JSON value, or a :class:`~conformance.wire.jsonbody.JSONProblem`."""
        return parse_json(self.body)

    @property
    def wants_stream(self) -> bool:
        """Whether the request asks for a stream (``"stream": true``)."""
        return isinstance(self.json, dict) and self.json.get("stream") is True

    @cached_property
    def identity(self) -> str:
        """Digest of all that makes two requests identical, repetition number aside."""
        parts = (self.method, self.path, self.headers, self.credential, self.delivery, self.raw)
        return hashlib.blake2b(repr(parts).encode() + b"\0" + self.body, digest_size=16).hexdigest()


class FailureKind(StrEnum):
    """How an exchange ended other than with a complete, well-framed response."""

    CONNECT = "connect"  # refused, no route, DNS
    CONNECT_TIMEOUT = "connect-timeout"
    TLS = "tls"
    FIRST_BYTE_TIMEOUT = "first-byte-timeout"
    IDLE_TIMEOUT = "idle-timeout"  # the gap between two reads was too long
    TOTAL_TIMEOUT = "total-timeout"
    RESET = "reset"  # reset or closed before the response was complete
    PROTOCOL = "protocol"  # not HTTP/1.1, broken framing
    HEADERS_TOO_LARGE = "headers-too-large"
    BODY_TOO_LARGE = "body-too-large"
    DECODE = "decode"  # Content-Encoding that does not decode
    CANCELLED = "cancelled"  # by the suite: budget, -x, Ctrl-C


@dataclass(frozen=True, slots=True)
class Failure:
    """The way an exchange failed; ``detail`` is one sentence without secrets."""

    kind: FailureKind
    detail: str

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.detail}" if self.detail else self.kind.value


@dataclass(frozen=True, slots=True)
class Read:
    """One arrival: ``at`` seconds after the request's first byte was sent, ``end`` bytes so far."""

    at: float
    end: int


@dataclass(frozen=True, slots=True)
class Attempt:
    """The fate of an earlier attempt that was retried (429, 502, 503, 504 or a reset)."""

    status: int | None
    failure: Failure | None
    waited: float


@dataclass(frozen=True)
class Exchange:
    """One request and everything that came back for it.

    ``raw`` is every byte read at the socket, header bytes and chunk framing included, kept also
    when parsing failed; ``raw_reads`` are its arrivals. ``body`` is the response body after
    transfer and content decoding (as far as it came); ``body_reads`` are its arrivals.
    ``status`` is ``None`` when no response head was understood.
    """

    request: Request
    id: str = ""
    repetition: int = 0
    phase: str = "ordinary"
    started: float = 0.0  # POSIX seconds
    elapsed: float = 0.0  # seconds from first byte sent to end
    status: int | None = None
    reason: str = ""
    http_version: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    raw: bytes = b""
    raw_reads: tuple[Read, ...] = ()
    body: bytes = b""
    body_reads: tuple[Read, ...] = ()
    failure: Failure | None = None
    closed_by_us: bool = False
    server_died: bool = False  # a probe found the server dead, and this request to be the culprit
    attempts: tuple[Attempt, ...] = ()

    def header(self, name: str) -> str | None:
        """The first header ``name`` (any case), or ``None``."""
        wanted = name.lower()
        return next((value for key, value in self.headers if key.lower() == wanted), None)

    @property
    def media_type(self) -> str:
        """The Content-Type without its parameters, in lower case; "" if absent."""
        return (self.header("content-type") or "").split(";")[0].strip().lower()

    @property
    def complete(self) -> bool:
        """Whether a whole response arrived (of any status)."""
        return self.status is not None and self.failure is None

    @property
    def ok(self) -> bool:
        """Whether a whole response with status 200 arrived."""
        return self.complete and self.status == 200

    @cached_property
    def json(self) -> Any:
        """The body as a JSON value, or a :class:`~conformance.wire.jsonbody.JSONProblem`."""
        return parse_json(self.body)

    @cached_property
    def stream(self) -> EventStream:
        """The body as server-sent events, with every breach of the grammar noted."""
        return parse_stream(self.body, [(read.at, read.end) for read in self.body_reads])

    def replace(self, **changes: Any) -> Exchange:
        """A copy with ``changes``; derived views are computed anew."""
        return replace(self, **changes)
