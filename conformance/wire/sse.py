"""Server-sent events, sans-IO: bytes in, events out, every breach of the grammar noted.

The grammar is the WHATWG HTML standard's §9.2.5 "Parsing an event stream" and §9.2.6
"Interpreting an event stream"; OpenAI narrows it to "data-only server-sent events" that end with
``data: [DONE]``. What the standard allows but hardly anybody sends is noted too, marked ``legal``.
The parser never raises on what it is fed, takes linear time, and its memory is bounded.

    legal notes   bom, cr, crlf, mixed-line-ends, comment, no-space, extra-blank-line,
                  multi-line-data, bare-field, unterminated-comment
    breaches      invalid-utf-8, not-sse, unknown-field, named-event, event-id, retry,
                  dataless-event, empty-data, data-prefix-in-data, comment-as-data, malformed-done,
                  double-json, data-after-done, unterminated-event, event-too-large,
                  too-many-events
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from conformance.wire.jsonbody import JSONProblem, parse_json

__all__ = ["MAX_EVENT", "Breach", "Event", "EventStream", "SSEParser", "parse_stream"]

#: Bytes of one event beyond which it is cut and noted.
MAX_EVENT = 1 << 20
#: Events, comments, breaches of one kind, and lines kept; what follows is noted and skipped.
MAX_EVENTS, MAX_COMMENTS, MAX_BREACHES, MAX_LINES = 50_000, 10_000, 100, 200_000

_LINE_END = re.compile(rb"\r\n?|\n")
#: Fields of the standard: breach kind and words for those that data-only streams do not have.
_FIELDS = {
    "data": ("", ""),
    "event": ("named-event", "an event name"),
    "id": ("event-id", "an event id"),
    "retry": ("retry", "a reconnection time"),
}


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


class SSEParser:
    """Incremental parser: feed bytes as they arrive, take the events they complete."""

    def __init__(self, max_event: int = MAX_EVENT) -> None:
        self.events: list[Event] = []
        self.comments: list[tuple[int, str]] = []
        self.breaches: list[Breach] = []
        self._max_event = max_event
        self._max_line = max_event + 16  # room for the field's name
        self._counts: Counter[str] = Counter()
        self._line_ends: set[bytes] = set()
        self._position = 0  # bytes fed
        self._line_start = 0
        self._lines = 0
        self._partial: list[bytes] = []  # pieces of the line that has not ended
        self._partial_size = 0
        self._cr_at: int | None = None  # offset of a CR that ended the last chunk
        self._at = 0.0
        self._done = self._stopped = False
        self._between = True  # only blank lines since the last event
        self._begin_event()

    def _begin_event(self) -> None:
        self._data: list[str] = []
        self._size = 0
        self._offset = -1  # of the event's first field line; -1: none yet
        self._fields: dict[str, str] = {}
        self._too_large = False

    def result(self) -> EventStream:
        """What was parsed so far; breaches in the order of their offsets."""
        ordered = sorted(self.breaches, key=lambda breach: (breach.offset, breach.kind))
        return EventStream(tuple(self.events), tuple(ordered), tuple(self.comments))

    # Bytes → lines

    def feed(self, data: bytes, at: float = 0.0) -> list[Event]:
        """Take ``data``, arrived at ``at`` seconds; return the events it completes."""
        known = len(self.events)
        self._at = at
        if data and not self._stopped:
            self._split(data, self._resolve_cr(data[:1]))
        self._position += len(data)
        return self.events[known:]

    def _split(self, data: bytes, start: int) -> None:
        base = self._position
        for match in _LINE_END.finditer(data, start):
            begin, end = match.span()
            if end == len(data) and data[-1] == 0x0D:
                self._cr_at = base + begin  # the next byte says whether this is CR or CRLF
            else:
                self._note_line_end(match.group(), base + begin)
            self._line(self._joined(data[start:begin]), base + begin + 1)
            start = end
            self._line_start = base + end
            if self._stopped:
                return
        if start < len(data):
            self._keep(data[start:])

    def _resolve_cr(self, following: bytes) -> int:
        """Classify a CR that ended the last chunk; 1 if ``following`` belongs to it."""
        if self._cr_at is None:
            return 0
        is_crlf = following == b"\n"
        self._note_line_end(b"\r\n" if is_crlf else b"\r", self._cr_at)
        self._cr_at = None
        self._line_start += is_crlf
        return int(is_crlf)

    def _note_line_end(self, line_end: bytes, offset: int) -> None:
        if line_end in self._line_ends:
            return
        self._line_ends.add(line_end)
        if line_end != b"\n":
            kind = "crlf" if line_end == b"\r\n" else "cr"
            self._legal(kind, offset, f"lines end with {kind.upper()}")
        if len(self._line_ends) == 2:
            self._legal("mixed-line-ends", offset, "lines end in different ways")

    def _keep(self, piece: bytes) -> None:
        """Hold back an unfinished line, never more of it than an event may have."""
        if self._partial_size < self._max_line:
            self._partial.append(piece)
        self._partial_size += len(piece)

    def _joined(self, piece: bytes) -> bytes:
        if not self._partial:
            return piece
        self._keep(piece)
        line = b"".join(self._partial)
        self._partial.clear()
        self._partial_size = 0
        return line

    def finish(self) -> list[Event]:
        """Say that the body is over; return the event left without its blank line, if any."""
        known = len(self.events)
        if self._stopped:
            return []
        self._resolve_cr(b"")
        rest = self._joined(b"")
        if rest.startswith(b":"):
            self._comment(self._decode(_cut(rest, self._max_line)))
            self._legal(
                "unterminated-comment", self._line_start, "a comment ends without a line end"
            )
        elif rest:
            self._line(rest, self._position)
        if self._data:
            detail = "the body ends before the blank line that would dispatch this event"
            self._breach("unterminated-event", self._offset, detail)
            self._dispatch(self._position, terminated=False)
        elif self._offset >= 0:
            self._dataless()
        self._stopped = True
        return self.events[known:]

    # Lines → fields

    def _line(self, line: bytes, end: int) -> None:
        self._lines += 1
        if self._lines > MAX_LINES:
            self._stop("lines", MAX_LINES)
        elif not line:
            self._blank(end)
        elif line[0] == 0x3A:
            self._comment(self._decode(_cut(line, self._max_line)))
        else:
            self._field(line)

    def _decode(self, line: bytes) -> str:
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError as error:
            at = self._line_start + error.start
            self._breach("invalid-utf-8", at, f"byte 0x{line[error.start]:02x} is not valid UTF-8")
            text = line.decode("utf-8", "replace")
        if self._line_start == 0 and text.startswith("\ufeff"):
            detail = "a byte order mark opens the stream; many clients lose the first event"
            self._legal("bom", 0, detail)
            text = text[1:]
        return text

    def _comment(self, text: str) -> None:
        self._between = False
        self._once("comment", "a comment line")
        if len(self.comments) < MAX_COMMENTS:
            self.comments.append((self._line_start, text[1:][: self._max_event]))

    def _field(self, line: bytes) -> None:
        self._between = False
        text = self._decode(_cut(line, self._max_line))
        if not text or text.startswith(":"):  # behind a byte order mark
            if text:
                self._comment(text)
            return
        name, colon, value = text.partition(":")
        if value.startswith(" "):
            value = value[1:]
        elif colon:
            self._once("no-space", "no space behind the colon")
        if not colon and name in _FIELDS:
            self._once("bare-field", f"a field {name!r} without a colon")
        if name not in _FIELDS:
            self._foreign(text, name)
            return
        if self._offset < 0:
            self._offset = self._line_start
        if name == "data":
            self._data_line(value, len(line))
        else:
            kind, what = _FIELDS[name]
            self._fields[name] = value
            self._breach(kind, self._line_start, f"{what} in a data-only stream: {value[:80]!r}")

    def _foreign(self, text: str, name: str) -> None:
        """A line that is none of the four fields: the standard ignores it, a reader loses it."""
        if text[:1] in "{[<" or name.lstrip() != name:
            detail = f"a line that is no field of an event stream: {text[:80]!r}"
            self._breach("not-sse", self._line_start, detail)
        else:
            self._breach("unknown-field", self._line_start, f"unknown field {name[:80]!r}")

    def _data_line(self, value: str, size: int) -> None:
        self._size += size
        if self._size <= self._max_event:
            self._data.append(value)
            return
        if not self._too_large:
            detail = f"an event of more than {self._max_event} bytes; cut"
            self._breach("event-too-large", self._offset, detail)
            self._data.append(value[: self._max_event])
        self._too_large = True

    # Fields → events

    def _blank(self, end: int) -> None:
        if self._data:
            self._dispatch(end, terminated=True)
        elif self._offset >= 0:
            self._dataless()
        elif self._between:
            self._once("extra-blank-line", "a blank line with no event before it")
        self._between = True

    def _dataless(self) -> None:
        detail = "an event without data: the standard drops it, clients that decode it fail"
        self._breach("dataless-event", self._offset, detail)
        self._begin_event()

    def _dispatch(self, end: int, *, terminated: bool) -> None:
        data = "\n".join(self._data)
        fields = self._fields
        event = Event(
            data=data,
            offset=self._offset,
            end=end,
            at=self._at,
            name=fields.get("event"),
            id=fields.get("id"),
            retry=fields.get("retry"),
            terminated=terminated,
        )
        self._inspect(event)
        self.events.append(event)
        self._begin_event()
        if len(self.events) >= MAX_EVENTS:
            self._stop("events", MAX_EVENTS)

    def _inspect(self, event: Event) -> None:
        """Note what one event's data says about the framing."""
        data, offset = event.data, event.offset
        if self._done:
            self._breach("data-after-done", offset, f"data behind [DONE]: {data[:80]!r}")
        if event.done:
            self._done = True
        elif data.strip().upper() == "[DONE]":
            self._breach("malformed-done", offset, f"{data!r} where [DONE] is meant")
        elif not data.strip():
            self._breach("empty-data", offset, "an event whose data is empty")
        elif data.startswith("data:"):
            self._breach("data-prefix-in-data", offset, "'data:' occurs twice in one line")
        elif data.startswith(":"):
            self._breach("comment-as-data", offset, f"a comment sent as data: {data[:80]!r}")
        if len(self._data) > 1:
            self._inspect_lines(offset)

    def _inspect_lines(self, offset: int) -> None:
        self._once("multi-line-data", "one event's data in several lines")
        documents = [line for line in self._data if _is_document(line)]
        if len(documents) > 1:
            detail = f"{len(documents)} JSON documents in one event: a blank line is missing"
            self._breach("double-json", offset, detail)

    # Notes

    def _stop(self, what: str, limit: int) -> None:
        self._stopped = True
        self._partial.clear()
        detail = f"more than {limit} {what}: the rest is not read"
        self._breach("too-many-events", self._line_start, detail)

    def _once(self, kind: str, detail: str) -> None:
        if not self._counts[kind]:
            self._legal(kind, self._line_start, detail)

    def _legal(self, kind: str, offset: int, detail: str) -> None:
        self._breach(kind, offset, detail, legal=True)

    def _breach(self, kind: str, offset: int, detail: str, *, legal: bool = False) -> None:
        self._counts[kind] += 1
        if self._counts[kind] <= MAX_BREACHES:
            self.breaches.append(Breach(kind, offset, detail, legal))


def _cut(line: bytes, limit: int) -> bytes:
    """At most ``limit`` bytes of ``line``, never half a character."""
    if len(line) <= limit:
        return line
    while limit and line[limit] & 0xC0 == 0x80:
        limit -= 1
    return line[:limit]


def _is_document(line: str) -> bool:
    """Whether one data line alone is a whole message: a JSON object or ``[DONE]``."""
    if line == "[DONE]":
        return True
    if not (line.startswith("{") and line.endswith("}")):
        return False
    return not isinstance(parse_json(line.encode("utf-8", "surrogatepass")), JSONProblem)


def parse_stream(body: bytes, reads: Sequence[tuple[float, int]] = ()) -> EventStream:
    """Parse a whole body; ``reads`` are ``(seconds, bytes so far)`` arrivals."""
    parser = SSEParser()
    start, at = 0, 0.0
    for at, end in reads:
        parser.feed(body[start:end], at)
        start = max(start, end)
    parser.feed(body[start:], at)
    parser.finish()
    return parser.result()
