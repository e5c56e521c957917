"""An exhibit: one recorded exchange cut down to what a reader of a report needs to see."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Sequence
from os.path import commonprefix
from typing import Any

from conformance.report.curl import curl_line, start_line
from conformance.report.evidence import Record
from conformance.report.snippet import python_snippet
from conformance.report.text import visible
from conformance.wire.events import Event
from conformance.wire.jsonbody import parse_json
from conformance.wire.sse import parse_stream

__all__ = ["exhibit", "pretty_json"]

#: Events shown around each interesting point of a stream.
_AROUND = 6


def exhibit(
    record: Record, *, event: int | None = None, room: int = 16_000, start: str | None = None
) -> dict[str, Any]:
    """What a page shows of ``record``, in about ``room`` characters, as JSON-able values.

    ``event`` is the index of the guilty event; ``start`` the command that starts a server which is
    gone by now. Text that is no UTF-8 is shown as hex and base64.
    """
    part = max(room // 4, 120)
    shown: dict[str, Any] = {
        "id": record.id,
        "request": f"{record.method} {record.url}",
        "headers": _header_lines(record),
        "body": _request_body(record, part),
        "status": _status(record),
        "answer": [f"{name}: {visible(value)}" for name, value in record.headers][:40],
        "response": _shown(record.response or (b"" if record.status else record.raw_head), part),
        "notes": [visible(note) for note in (*record.notes, record.failure) if note],
        "start": start_line(start, record) if start else "",
        "curl": _whole(curl_line(record), 4 * part),
        "python": _whole(python_snippet(record) or "", 4 * part),
    }
    if record.streamed:  # its timeline ends with the failure
        shown["notes"] = [visible(note) for note in record.notes]
        shown["timeline"] = _timeline(record, event, part)
    return {name: value for name, value in shown.items() if value not in ("", [], None)}


def _header_lines(record: Record) -> list[str]:
    lines = [
        f"{name}: {'(none)' if v is None else visible(v)}" for name, v in record.request_headers
    ]
    if record.credential != "key":
        lines.append(f"(sent with {'no key' if record.credential == 'none' else 'a wrong key'})")
    if record.close_after is not None:
        lines.append(f"(closed after event {record.close_after})")
    return lines


def _status(record: Record) -> str:
    if record.status is None:
        return "no HTTP answer"
    return f"{record.status} {visible(record.reason)}".strip() + f" after {record.elapsed:.3f} s"


def _request_body(record: Record, room: int) -> str:
    if record.raw is not None:
        return _shown(record.raw, room)
    return _cut(visible(pretty_json(record.body) or ""), room) or _shown(record.body, room)


def pretty_json(body: bytes) -> str | None:
    """A JSON body indented for reading, its numbers and strings as sent; ``None`` if it is none."""
    value = parse_json(body)
    if not isinstance(value, dict | list):
        return None
    return json.dumps(value, indent=2, ensure_ascii=False)


def _shown(data: bytes, room: int) -> str:
    """Bytes as text; those that are none as hex and base64 with a word of explanation."""
    head = data[: room * 4]
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if len(data) > len(head) and error.start > len(head) - 4:
            text = head[: error.start].decode("utf-8")
        else:
            return _not_text(data, error.start, room)
    text = visible(text)
    if len(text) <= room and len(head) == len(data):
        return text
    return f"{text[:room]}\n… {len(data):,} bytes in all"


def _not_text(data: bytes, bad: int, room: int) -> str:
    start = max(bad - 32, 0)
    window = data[start : start + 64]
    some = base64.b64encode(data[: room // 2]).decode()
    more = "…" if len(data) > room // 2 else ""
    return (
        f"{len(data):,} bytes, not UTF-8 at byte {bad}\n"
        f"hex from byte {start}: {window.hex(' ')}\nbase64: {some}{more}"
    )


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else f"{text[:room]}\n… {len(text):,} characters in all"


def _whole(command: str, room: int) -> str:
    """A command is only of use whole."""
    return command if len(command) <= room else ""


def _timeline(record: Record, guilty: int | None, room: int) -> dict[str, Any]:
    """The arrivals of a stream: ``rows`` of [seconds, bytes, text, tone], gaps counted."""
    stream = parse_stream(record.response, record.reads)
    chosen = _interesting(len(stream.events), guilty, max(room // 100, 4))
    width = max(room // max(len(chosen), 1), 60)
    shared = _shared([stream.events[index].data for index in chosen])
    rows: list[list[Any]] = []
    last = -1
    for index in chosen:
        if index > last + 1:
            rows.append([None, 0, f"… {index - last - 1} more events", ""])
        rows.append(_row(stream.events[index], index == guilty, width, index, shared))
        last = index
    if record.failure:
        rows.append([round(record.elapsed, 4), 0, visible(record.failure), "end"])
    breaches = [
        visible(f"byte {b.offset}: {b.kind}: {b.detail}")[:200] for b in stream.breaches[:8]
    ]
    return {
        "rows": rows,
        "events": len(stream.events),
        "reads": len(record.reads),
        "elapsed": round(record.elapsed, 4),
        "breaches": breaches,
    }


def _shared(texts: Sequence[str]) -> int:
    """How many characters the documents of a stream begin with in common: the first shows them,
    the others what is their own."""
    documents = [text for text in texts if text.startswith("{")]
    common = len(commonprefix(documents)) if len(documents) > 2 else 0  # noqa: RUF071 - of texts
    return common if common > 40 else 0


def _row(event: Event, guilty: bool, width: int, index: int, shared: int) -> list[Any]:
    text = event.data
    if shared and index and text.startswith("{"):
        text = "…" + text[shared:]
    text = visible(text)
    if len(text) > width:
        text = text[:width] + "…"
    at = round(event.at, 4) if event.at == event.at else None
    return [at, event.end - event.offset, text, "guilty" if guilty else "", index]


def _interesting(total: int, guilty: int | None, most: int) -> Sequence[int]:
    """Indexes of the first, the last and the events around the guilty one."""
    if total <= most:
        return range(total)
    around = max(min(_AROUND, most // 3), 1)

    def near() -> Iterator[int]:
        yield from range(around)
        yield from range(total - around, total)
        if guilty is not None:
            yield from range(guilty - around // 2, guilty + around // 2 + 1)

    return sorted({index for index in near() if 0 <= index < total})
