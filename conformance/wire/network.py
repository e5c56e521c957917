"""Recording at the socket: an httpcore2 network backend that keeps every read.

The connection pool may hand a connection to any task, so a stream finds the recorder of the request
it works for through a context variable of the task that reads. The recorder also owns the clocks:
each read gets the time that is left, so that no time-out depends on what the HTTP parser
makes of the bytes (one byte a second ends at ``total``).
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterable
from contextvars import ContextVar
from typing import Any

import httpcore2
from httpcore2 import AnyIOBackend, AsyncNetworkBackend, AsyncNetworkStream

from conformance.wire.exchange import Failure, FailureKind, Read
from conformance.wire.limits import Limits, Timeouts

__all__ = ["RECORDER", "Recorder", "RecordingBackend", "RecordingStream"]

#: The recorder of the request that the current task is sending.
RECORDER: ContextVar[Recorder | None] = ContextVar("conformance_recorder", default=None)


class Recorder:
    """All that one request's connection sees: bytes, arrival times, the way it ended."""

    def __init__(self, timeouts: Timeouts, limits: Limits) -> None:
        self.timeouts, self.limits = timeouts, limits
        self.created = time.perf_counter()
        self.started = time.time()
        self.failure: Failure | None = None
        self.reused = True  # until a connection is made for this request
        self.eof = False
        self.head_done = False
        self._began: float | None = None
        self._forget()

    def _forget(self) -> None:
        self.size = 0  # bytes read; more than len(raw) when evidence was cut
        self.at = 0.0  # arrival of the latest read
        self.reads: list[Read] = []
        self._pieces: list[bytes] = []
        self._kept = 0

    @property
    def raw(self) -> bytes:
        """The bytes read, as far as kept."""
        if len(self._pieces) > 1:
            self._pieces = [b"".join(self._pieces)]
        return self._pieces[0] if self._pieces else b""

    @property
    def cut(self) -> bool:
        """Whether ``raw`` lacks bytes that were read."""
        return self._kept < self.size

    @property
    def elapsed(self) -> float:
        """Seconds since the request's first byte was sent (or since it was tried)."""
        return time.perf_counter() - (self.created if self._began is None else self._began)

    def begin(self) -> None:
        """Start the clocks at the request's first byte."""
        if self._began is None:
            self._began = time.perf_counter()
            self.started = time.time()

    def restart(self) -> None:
        """Forget what a proxy's CONNECT exchange left: the tunnel begins here."""
        self._began = None
        self._forget()

    def fail(self, kind: FailureKind, detail: str) -> None:
        """Note the first failure; later ones are its consequences."""
        self.failure = self.failure or Failure(kind, detail)

    def take(self, data: bytes) -> None:
        """Record one read."""
        if not data:
            self.eof = True
            return
        self.at = self.elapsed
        self.size += len(data)
        self.reads.append(Read(self.at, self.size))
        if (room := self.limits.raw - self._kept) > 0:
            self._pieces.append(data[:room])
            self._kept += min(room, len(data))

    def patience(self) -> tuple[float, FailureKind, str]:
        """Seconds that the next read may take, and which time-out it is that ends it."""
        left = self.timeouts.total - self.elapsed
        if self.size:
            wait, kind = self.timeouts.idle, FailureKind.IDLE_TIMEOUT
            what = f"no byte for {wait:g} s"
        else:
            wait, kind = self.timeouts.first_byte - self.elapsed, FailureKind.FIRST_BYTE_TIMEOUT
            what = f"no byte of an answer within {self.timeouts.first_byte:g} s"
        if left <= wait:
            what = f"not complete within {self.timeouts.total:g} s"
            return max(left, 0.0), FailureKind.TOTAL_TIMEOUT, what
        return max(wait, 0.0), kind, what

    def check_head(self) -> None:
        """Raise when an unfinished head is larger than allowed, or no HTTP at all."""
        if self.head_done or not self.size:
            return
        if self.size > self.limits.headers:
            detail = f"the response head is larger than {self.limits.headers} bytes"
            self.fail(FailureKind.HEADERS_TOO_LARGE, detail)
            raise httpcore2.RemoteProtocolError(detail)
        if not b"HTTP/".startswith(self.raw.lstrip(b"\r\n")[:5]):
            detail = f"no HTTP response: {self.raw[:40]!r}"
            self.fail(FailureKind.PROTOCOL, detail)
            raise httpcore2.RemoteProtocolError(detail)


# ASYNC109 (a timeout parameter): the signatures are those of httpcore2's public base classes.


class RecordingStream(AsyncNetworkStream):
    """A network stream whose reads go to the recorder of the reading task."""

    def __init__(self, stream: AsyncNetworkStream) -> None:
        self._stream = stream
        self.spoiled = False  # never to be used for another request

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109
        recorder = RECORDER.get()
        if recorder is None:
            return await self._stream.read(max_bytes, timeout)
        recorder.check_head()
        wait, kind, detail = recorder.patience()
        try:
            data = await self._stream.read(max_bytes, wait)
        except httpcore2.ReadTimeout:
            recorder.fail(kind, detail)
            raise
        recorder.take(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        recorder = RECORDER.get()
        if recorder is None:
            await self._stream.write(buffer, timeout)
            return
        recorder.begin()
        try:
            await self._stream.write(buffer, max(recorder.timeouts.total - recorder.elapsed, 0.0))
        except httpcore2.WriteTimeout:
            detail = f"the request was not taken within {recorder.timeouts.total:g} s"
            recorder.fail(FailureKind.TOTAL_TIMEOUT, detail)
            raise

    async def aclose(self) -> None:
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> AsyncNetworkStream:
        recorder = RECORDER.get()
        try:
            stream = await self._stream.start_tls(ssl_context, server_hostname, timeout)
        except httpcore2.ConnectTimeout:
            if recorder:
                recorder.fail(FailureKind.CONNECT_TIMEOUT, "the TLS handshake did not end in time")
            raise
        except (httpcore2.ConnectError, OSError, ValueError) as error:
            if recorder:
                recorder.fail(FailureKind.TLS, f"the TLS handshake failed: {sentence(error)}")
            raise httpcore2.ConnectError(str(error)) from error
        if recorder:
            recorder.restart()
        return RecordingStream(stream)

    def get_extra_info(self, info: str) -> Any:
        # The pool takes a readable idle connection for a closed one: how a spoiled one retires.
        if info == "is_readable" and self.spoiled:
            return True
        return self._stream.get_extra_info(info)


class RecordingBackend(AsyncNetworkBackend):
    """Connections of ``backend`` that record."""

    def __init__(self, backend: AsyncNetworkBackend | None = None) -> None:
        self._backend = backend or AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> AsyncNetworkStream:
        recorder = RECORDER.get()
        if recorder:
            recorder.reused = False
        stream = await self._backend.connect_tcp(host, port, timeout, local_address, socket_options)
        return RecordingStream(stream)

    async def sleep(self, seconds: float) -> None:
        await self._backend.sleep(seconds)


def sentence(error: BaseException) -> str:
    """What went wrong, on one line: the deepest cause that has words."""
    words = type(error).__name__
    seen: BaseException | None = error
    while seen is not None:
        words = str(seen).strip() or words
        seen = seen.__cause__ or seen.__context__
    return " ".join(words.split())[:300]
