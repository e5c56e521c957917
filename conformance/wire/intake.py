"""From a response's head and body pieces to an Exchange: decoding, limits, early closing.

Shared by every way of sending (sockets, raw requests, in-process), so that all record alike.
"""

from __future__ import annotations

from conformance.wire.decoding import DecodeError, Decoder, decoders
from conformance.wire.exchange import Exchange, Failure, FailureKind, Read, Request
from conformance.wire.limits import Limits
from conformance.wire.sse import SSEParser

__all__ = ["Intake"]


class Intake:
    """Collects one response. ``body`` returns false when enough has been read."""

    def __init__(self, request: Request, limits: Limits) -> None:
        self.request, self.limits = request, limits
        self.status: int | None = None
        self.reason = ""
        self.http_version = ""
        self.headers: tuple[tuple[str, str], ...] = ()
        self.failure: Failure | None = None
        self.closed_by_us = False
        self._decoders: list[Decoder] = []
        self._pieces: list[bytes] = []
        self._reads: list[Read] = []
        self._wire_size = self._size = 0
        self._at = 0.0
        self._parser = SSEParser() if request.delivery.close_after is not None else None

    def head(
        self, status: int, reason: bytes, version: bytes, headers: list[tuple[bytes, bytes]]
    ) -> bool:
        """Take the response head; ``headers`` in the order and case of the wire."""
        self.status = status
        self.reason = reason.decode("latin-1")
        self.http_version = version.decode("latin-1")
        self.headers = tuple((k.decode("latin-1"), v.decode("latin-1")) for k, v in headers)
        try:
            self._decoders = decoders(self.headers)
        except DecodeError as error:
            self.fail(FailureKind.DECODE, str(error))
        if self.request.delivery.close_after == 0:
            self.closed_by_us = True
        return not self.closed_by_us

    def fail(self, kind: FailureKind, detail: str) -> None:
        """Note the first failure; later ones are its consequences."""
        self.failure = self.failure or Failure(kind, detail)

    def body(self, data: bytes, at: float) -> bool:
        """Take body bytes (transfer framing removed), arrived at ``at`` seconds."""
        self._at = at
        self._wire_size += len(data)
        if self._wire_size > self.limits.body:
            return self._too_large()
        if not self._decoders:
            return self._take(data, at)
        try:
            for decoder in self._decoders:
                data = decoder.decode(data, self.limits.body + 1 - self._size)
        except DecodeError as error:
            self.fail(FailureKind.DECODE, str(error))
            return False
        fits = self._take(data, at)
        if any(each.overflow for each in self._decoders):
            return self._too_large()
        return fits

    def _take(self, data: bytes, at: float) -> bool:
        if not data:
            return True
        self._size += len(data)
        self._pieces.append(data)
        if self._reads and self._reads[-1].at == at:
            self._reads[-1] = Read(at, self._size)
        else:
            self._reads.append(Read(at, self._size))
        if self._parser is not None:
            self._parser.feed(data, at)
            self.closed_by_us = len(self._parser.events) >= (self.request.delivery.close_after or 0)
        return not self.closed_by_us

    def _too_large(self) -> bool:
        limits = self.limits
        detail = f"the body is larger than {limits.body} bytes; the first {limits.kept} are kept"
        self.fail(FailureKind.BODY_TOO_LARGE, detail)
        body = bytearray()
        for piece in self._pieces:
            body += piece[: limits.kept - len(body)]
        self._pieces = [bytes(body)]
        self._size = len(body)
        self._reads = [read for read in self._reads if read.end < self._size]
        if body:
            self._reads.append(Read(self._at, self._size))
        return False

    def end(self) -> None:
        """The body is complete: a compressed one must be, too."""
        try:
            for decoder in self._decoders:
                decoder.finish()
        except DecodeError as error:
            self.fail(FailureKind.DECODE, str(error))

    def exchange(self) -> Exchange:
        """What was collected; the caller adds what only it knows."""
        return Exchange(
            self.request,
            status=self.status,
            reason=self.reason,
            http_version=self.http_version,
            headers=self.headers,
            body=b"".join(self._pieces),
            body_reads=tuple(self._reads),
            failure=self.failure,
            closed_by_us=self.closed_by_us,
        )
