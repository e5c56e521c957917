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

from collections import Counter
from collections.abc import Sequence

from conformance.wire.events import Breach, Event, EventStream
from conformance.wire.jsonbody import JSONProblem, parse_json
from conformance.wire.lines import Line, Lines

__all__ = ["MAX_EVENT", "SSEParser", "parse_stream"]

#: Bytes of one event beyond which it is cut and noted.
MAX_EVENT = 1 << 20
#: Events, comments, breaches of one kind, and lines kept; what follows is noted and skipped.
MAX_EVENTS, MAX_COMMENTS, MAX_BREACHES, MAX_LINES = 50_000, 10_000, 100, 200_000

#: Fields of the standard: breach kind and words for those that data-only streams do not have.
_FIELDS = {
    "data": ("", ""),
    "event": ("named-event", "an event name"),
    "id": ("event-id", "an event id"),
    "retry": ("retry", "a reconnection time"),
}


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
        self._lines = Lines(self._max_line, self._note_line_end)
        self._count = 0  # lines so far
        self._line_start = 0
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
        if not self._stopped:
            for line in self._lines.feed(data):
                self._line(line)
                if self._stopped:
                    break
        return self.events[known:]

    def _note_line_end(self, line_end: bytes, offset: int) -> None:
        if line_end in self._line_ends:
            return
        self._line_ends.add(line_end)
        if line_end != b"\n":
            kind = "crlf" if line_end == b"\r\n" else "cr"
            self._legal(kind, offset, f"lines end with {kind.upper()}")
        if len(self._line_ends) == 2:
            self._legal("mixed-line-ends", offset, "lines end in different ways")

    def finish(self) -> list[Event]:
        """Say that the body is over; return the event left without its blank line, if any."""
        known = len(self.events)
        if self._stopped:
            return []
        rest, end = self._lines.rest(), self._lines.position
        self._line_start = self._lines.start
        if rest.startswith(b":"):
            self._comment(self._decode(_cut(rest, self._max_line)))
            self._legal(
                "unterminated-comment", self._line_start, "a comment ends without a line end"
            )
        elif rest:
            self._line(Line(rest, self._line_start, end))
        if self._data:
            detail = "the body ends before the blank line that would dispatch this event"
            self._breach("unterminated-event", self._offset, detail)
            self._dispatch(end, terminated=False)
        elif self._offset >= 0:
            self._dataless()
        self._stopped = True
        return self.events[known:]

    # Lines → fields

    def _line(self, line: Line) -> None:
        self._line_start = line.start
        self._count += 1
        if self._count > MAX_LINES:
            self._stop("lines", MAX_LINES)
        elif not line.data:
            self._blank(line.end)
        elif line.data[0] == 0x3A:
            self._comment(self._decode(_cut(line.data, self._max_line)))
        else:
            self._field(line.data)

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
