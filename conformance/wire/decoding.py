"""Content codings of RFC 9110 §8.4.1, incremental and with a bound on what they may yield."""

from __future__ import annotations

import zlib
from collections.abc import Iterable

__all__ = ["DecodeError", "Decoder", "decoders"]

#: Concatenated gzip members are legal (RFC 1952 §2.2); so many are an attack.
MAX_MEMBERS = 64
#: Codings on top of each other.
MAX_CODINGS = 3

_WINDOW = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}
_NAMES = {"gzip": "gzip", "x-gzip": "gzip", "deflate": "deflate"}


class DecodeError(ValueError):
    """A body that its Content-Encoding does not decode."""


class Decoder:
    """One ``gzip`` or ``deflate`` coding. ``overflow``: more came out than was wanted."""

    def __init__(self, coding: str) -> None:
        self.coding = coding
        self.overflow = False
        self._inflate = zlib.decompressobj(_WINDOW[coding])
        self._start = b""  # the first two bytes, which say whether deflate has its wrapper
        self._members = 1

    def decode(self, data: bytes, limit: int) -> bytes:
        """Decode ``data`` to fewer than ``limit`` bytes; at ``limit``, set ``overflow``."""
        if not data or self.overflow or limit <= 0:
            return b""
        try:
            decoded = self._decompress(data, limit)
            while self._inflate.eof and self._inflate.unused_data and len(decoded) < limit:
                decoded += self._next_member(self._inflate.unused_data, limit - len(decoded))
        except zlib.error as error:
            raise DecodeError(f"the body is not valid {self.coding}: {error}") from None
        self.overflow = len(decoded) >= limit
        return decoded

    def _decompress(self, data: bytes, limit: int) -> bytes:
        start = self._start
        if len(start) < 2:
            self._start = (start + data)[:2]
        try:
            return self._inflate.decompress(data, limit)
        except zlib.error:
            if self.coding != "deflate" or len(start) >= 2:
                raise
        # "deflate" without the zlib wrapper is wrong but common (RFC 9110 §8.4.1.2, note).
        self._inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        return self._inflate.decompress(start + data, limit)

    def _next_member(self, data: bytes, limit: int) -> bytes:
        self._members += 1
        if self.coding != "gzip" or self._members > MAX_MEMBERS:
            raise DecodeError(f"bytes follow the end of the {self.coding} body")
        self._inflate = zlib.decompressobj(_WINDOW["gzip"])
        return self._inflate.decompress(data, limit)

    def finish(self) -> None:
        """Raise :class:`DecodeError` when the coding's own end did not come."""
        if self._start and not self._inflate.eof:
            raise DecodeError(f"the {self.coding} body ends early")


def decoders(headers: Iterable[tuple[str, str]]) -> list[Decoder]:
    """The decoders of a response, in the order to apply; raises :class:`DecodeError`."""
    codings = [
        coding.strip().lower()
        for name, value in headers
        if name.lower() == "content-encoding"
        for coding in value.split(",")
    ]
    wanted = [coding for coding in codings if coding not in ("", "identity")]
    for coding in wanted:
        if coding not in _NAMES:
            raise DecodeError(f"Content-Encoding {coding[:40]!r}, which was not asked for")
    if len(wanted) > MAX_CODINGS:
        raise DecodeError(f"{len(wanted)} content codings on top of each other")
    return [Decoder(_NAMES[coding]) for coding in reversed(wanted)]
