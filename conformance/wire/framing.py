"""Where a response ends on the wire, by RFC 9112 §6: what comes behind it is nobody's answer."""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["head_end", "response_end"]

_BLANK_LINE = re.compile(rb"\n\r?\n")
_INFORMATIONAL = re.compile(rb"HTTP/\d\.\d 1(?!01)\d\d")
_CHUNK_SIZE = re.compile(rb"([0-9a-fA-F]{1,20})[^\r\n]*\r?\n")


def head_end(raw: bytes) -> int | None:
    """The offset behind the final response head (interim 1xx ones skipped), if it is complete."""
    start = 0
    while True:
        blank = _BLANK_LINE.search(raw, start)
        if blank is None:
            return None
        if not _INFORMATIONAL.match(raw, start):
            return blank.end()
        start = blank.end()


def response_end(
    raw: bytes, begin: int, method: str, status: int, headers: Iterable[tuple[str, str]]
) -> int | None:
    """The offset behind the response whose body starts at ``begin``.

    ``None`` when only the end of the connection ends it, or its framing cannot be followed.
    """
    lower = [(name.lower(), value.strip()) for name, value in headers]
    if method == "HEAD" or status in (204, 304):
        return begin
    if any(name == "transfer-encoding" for name, _ in lower):
        return _chunked_end(raw, begin)
    lengths = [value for name, value in lower if name == "content-length"]
    if not lengths or not lengths[0].split(",")[0].strip().isdecimal():
        return None
    return begin + int(lengths[0].split(",")[0])


def _chunked_end(raw: bytes, position: int) -> int | None:
    """Walk the chunks (RFC 9112 §7.1) and the trailer section."""
    while True:
        size = _CHUNK_SIZE.match(raw, position)
        if size is None:
            return None
        length = int(size[1], 16)
        if length == 0:
            break
        position = size.end() + length
        if position > len(raw):
            return None
        position += 2 if raw[position : position + 2] == b"\r\n" else 1
    if raw[size.end() : size.end() + 2] == b"\r\n":
        return size.end() + 2
    trailers = _BLANK_LINE.search(raw, size.end())
    return trailers.end() if trailers else None
