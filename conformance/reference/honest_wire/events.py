"""Event streams spelt in other ways that WHATWG HTML §9.2.5 allows."""

from __future__ import annotations

import json
from collections.abc import Callable

from conformance.reference.honest_wire.registry import variant
from conformance.reference.mutants.model import Head, Seen
from conformance.reference.mutants.streaming import DONE, events, is_stream


def _bytes(name: str, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """A variant of the reads of a stream, from its events."""

    def changed(body: bytes, seen: Seen) -> bytes | list[bytes]:
        return change(events(body)) if is_stream(body) else body

    variant(name, "bytes", only="stream")(changed)


def _lines(event: bytes) -> bytes:
    """One event with its JSON spread over several `data` fields."""
    if event == DONE:
        return event
    text = json.dumps(json.loads(event[6:]), indent=1, ensure_ascii=False)
    return b"".join(b"data: %s\n" % line.encode() for line in text.splitlines()) + b"\n"


_bytes("sse-comments", lambda found: [b": keep-alive\n\n" + event for event in found])
_bytes("sse-comment-lines", lambda found: [b":\n" + event for event in found])
_bytes("sse-crlf", lambda found: [event.replace(b"\n", b"\r\n") for event in found])
_bytes("sse-cr", lambda found: [event.replace(b"\n", b"\r") for event in found])
_bytes("sse-no-space", lambda found: [event.replace(b"data: ", b"data:", 1) for event in found])
_bytes("sse-blank-lines", lambda found: [b"\n\n" + event + b"\n" for event in found])
_bytes("sse-data-in-lines", lambda found: [_lines(event) for event in found])
_bytes("sse-byte-by-byte", lambda found: [bytes([byte]) for byte in b"".join(found)])
_bytes("sse-all-at-once", lambda found: [b"".join(found)])
_bytes(
    "sse-events-torn",
    lambda found: [b"".join(found)[at : at + 7] for at in range(0, len(b"".join(found)), 7)],
)


@variant("sse-charset", "head", only="stream")
def sse_charset(head: Head, seen: Seen) -> None:
    """The media type of streams has a charset and other letters."""
    if head.status == 200:
        head.set("content-type", "Text/Event-Stream; charset=UTF-8")


def _unusual(found: list[bytes]) -> list[bytes]:
    """Comments, no space, CRLF, blank lines, a byte order mark, and reads of five bytes."""
    spelt = (b": hm\n" + event.replace(b"data: ", b"data:", 1) + b"\n" for event in found)
    whole = b"\xef\xbb\xbf" + b"".join(spelt).replace(b"\n", b"\r\n")
    return [whole[at : at + 5] for at in range(0, len(whole), 5)]


_bytes("sse-bom", lambda found: [b"\xef\xbb\xbf" + found[0], *found[1:]])
_bytes("sse-unusual-in-every-way", _unusual)
