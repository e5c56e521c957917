"""Bytes to lines, as they arrive: CR, LF and CRLF end a line, also where a read cuts them in two.

The memory is bounded: of a line that does not end no more is held back than its limit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

__all__ = ["Line", "Lines"]

_LINE_END = re.compile(rb"\r\n?|\n")


@dataclass(frozen=True, slots=True)
class Line:
    """One line without its end: ``start`` is its offset, ``end`` lies just behind the first byte
    of its line end (so that a CRLF cut in two changes nothing)."""

    data: bytes
    start: int
    end: int


class Lines:
    """Splits what is fed. ``ended`` is told of each line end and its offset, once per kind it is."""

    def __init__(self, limit: int, ended: Callable[[bytes, int], None]) -> None:
        self.limit, self._ended = limit, ended
        self.position = 0  # bytes fed
        self.start = 0  # offset of the line that has not ended
        self._partial: list[bytes] = []  # its pieces
        self._partial_size = 0
        self._cr_at: int | None = None  # offset of a CR that ended the last chunk

    def feed(self, data: bytes) -> Iterator[Line]:
        """Take ``data`` and yield the lines that it completes; to be exhausted, or never fed again."""
        if not data:
            return
        base, start = self.position, self._resolve_cr(data[:1])
        self.position += len(data)
        for match in _LINE_END.finditer(data, start):
            begin, end = match.span()
            if end == len(data) and data[-1] == 0x0D:
                self._cr_at = base + begin  # the next byte says whether this is CR or CRLF
            else:
                self._ended(match.group(), base + begin)
            line = Line(self._joined(data[start:begin]), self.start, base + begin + 1)
            start = end
            self.start = base + end
            yield line
        if start < len(data):
            self._keep(data[start:])

    def rest(self) -> bytes:
        """The line left without an end when there is nothing more to come."""
        self._resolve_cr(b"")
        return self._joined(b"")

    def _resolve_cr(self, following: bytes) -> int:
        """Classify a CR that ended the last chunk; 1 if ``following`` belongs to it."""
        if self._cr_at is None:
            return 0
        is_crlf = following == b"\n"
        self._ended(b"\r\n" if is_crlf else b"\r", self._cr_at)
        self._cr_at = None
        self.start += is_crlf
        return int(is_crlf)

    def _keep(self, piece: bytes) -> None:
        """Hold back an unfinished line, never more of it than its limit."""
        if self._partial_size < self.limit:
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
