"""The wire without sockets: requests go to an ASGI application in this process.

What is seen equals what the application behind uvicorn would show: each ``http.response.body``
message is one read with its own arrival time, a missing Content-Length means chunked framing, an
exception before the response is a 500 and one after it a cut connection. A ``ConnectionError``
that the application raises cuts the connection at any time.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from http import HTTPStatus
from types import TracebackType
from typing import Any, Self
from urllib.parse import unquote

import h11

from conformance.wire.ending import finished
from conformance.wire.exchange import Exchange, FailureKind, Request
from conformance.wire.intake import Intake
from conformance.wire.limits import Limits, Timeouts
from conformance.wire.network import Recorder, sentence
from conformance.wire.outgoing import Address, Keys, fields, fill

__all__ = ["ASGIApp", "ASGIWire"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


_PHRASES = {status.value: status.phrase.encode("ascii") for status in HTTPStatus}


class ASGIWire:
    """Like :class:`~conformance.wire.client.Wire`, for an application in this process."""

    def __init__(
        self,
        app: ASGIApp,
        base_url: str = "http://testserver/v1",
        keys: Mapping[str, str | None] | None = None,
        *,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
    ) -> None:
        self.app, self.base_url = app, base_url
        self.address = Address.parse(base_url)
        self.keys = Keys(keys)
        self.timeouts, self.limits = timeouts or Timeouts(), limits or Limits()
        self._running: set[asyncio.Task[None]] = set()

    async def send(
        self, request: Request, *, id: str = "", repetition: int = 0, phase: str = "ordinary"
    ) -> Exchange:
        """The exchange for ``request``, sent once."""
        recorder = Recorder(self.timeouts, self.limits)
        conversation = _Conversation(Intake(request, self.limits), recorder)
        try:
            incoming = self._incoming(request)
        except h11.RemoteProtocolError:
            conversation.answer(400, b"Invalid HTTP request received.")
        except (h11.LocalProtocolError, UnicodeError, ValueError) as error:
            detail = f"the request cannot be sent: {sentence(error)}"
            recorder.fail(FailureKind.PROTOCOL, detail)
        else:
            if incoming is None:
                recorder.fail(FailureKind.FIRST_BYTE_TIMEOUT, "the server waits for the rest")
            else:
                await self._run(conversation, *incoming)
        return finished(conversation.intake, recorder, id=id, repetition=repetition, phase=phase)

    def _incoming(self, request: Request) -> tuple[dict[str, Any], bytes] | None:
        """The scope and body that a server makes of ``request``; ``None``: not yet complete."""
        if request.raw is not None:
            return self._parse(fill(request.raw, request, self.address, self.keys))
        pairs = fields(request, self.address, self.keys)
        headers = [(name.encode("utf-8"), value.encode("utf-8")) for name, value in pairs]
        target = self.address.target(request.path).encode("ascii")
        event = h11.Request(method=request.method, target=target, headers=headers)
        return self._scope(event), request.body

    def _parse(self, raw: bytes) -> tuple[dict[str, Any], bytes] | None:
        parser = h11.Connection(h11.SERVER)
        parser.receive_data(raw)
        head: h11.Request | None = None
        body = bytearray()
        while True:
            event = parser.next_event()
            if isinstance(event, h11.Request):
                head = event
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage) and head:
                return self._scope(head), bytes(body)
            else:
                return None

    def _scope(self, event: h11.Request) -> dict[str, Any]:
        raw_path, _, query = event.target.partition(b"?")
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": event.http_version.decode("ascii"),
            "method": event.method.decode("ascii"),
            "scheme": self.address.scheme,
            "path": unquote(raw_path.decode("ascii")),
            "raw_path": raw_path,
            "query_string": query,
            "root_path": "",
            "headers": list(event.headers),
            "client": ("127.0.0.1", 50000),
            "server": (self.address.host, self.address.port or 80),
            "state": {},
        }

    async def _run(self, conversation: _Conversation, scope: dict[str, Any], body: bytes) -> None:
        task = asyncio.create_task(conversation.run(self.app, scope, body, self.timeouts.total))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        try:
            await conversation.wait()
        except asyncio.CancelledError:
            task.cancel()
            raise
        if not conversation.intake.closed_by_us and not conversation.whole:
            task.cancel()

    async def aclose(self) -> None:
        """Stop what the application still does for requests that were closed early."""
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


class _Conversation:
    """One request to the application: its ``receive`` and ``send``, and the bytes they mean."""

    def __init__(self, intake: Intake, recorder: Recorder) -> None:
        self.intake, self.recorder = intake, recorder
        self.whole = False  # the application sent its whole response
        self._over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._gone = asyncio.Event()  # the client's side of the connection is closed
        self._body: bytes | None = None
        self._length: int | None = None  # bytes still due by Content-Length
        self._chunked = self._bodiless = False
        recorder.begin()

    async def wait(self) -> None:
        """Until the exchange is over, one way or another; never raises but when cancelled."""
        recorder, timeouts = self.recorder, self.recorder.timeouts
        while not self._over.done():
            if recorder.size:
                due, kind = recorder.at + timeouts.idle, FailureKind.IDLE_TIMEOUT
            else:
                due, kind = timeouts.first_byte, FailureKind.FIRST_BYTE_TIMEOUT
            if timeouts.total <= due:
                due, kind = timeouts.total, FailureKind.TOTAL_TIMEOUT
            left = due - recorder.elapsed
            if left <= 0:
                recorder.fail(kind, f"nothing more came within {due:g} s")
                break
            # Woken at least once an idle time, since the first byte changes what is due.
            await asyncio.wait([self._over], timeout=min(left, timeouts.idle))
        self._gone.set()

    def _end(self) -> None:
        if not self._over.done():
            self._over.set_result(None)

    async def run(self, app: ASGIApp, scope: dict[str, Any], body: bytes, total: float) -> None:
        """Call the application and note how it left."""
        self._body = body
        try:
            async with asyncio.timeout(total):
                await app(scope, self.receive, self.send)
            self._left("the application returned")
        except ConnectionError as error:
            self.recorder.fail(FailureKind.RESET, f"the connection was cut: {sentence(error)}")
        except Exception as error:
            self._left(f"the application raised {type(error).__name__}")
        finally:
            self._end()

    def _left(self, how: str) -> None:
        if self.whole or self._over.done():
            return
        if self.intake.status is None:
            self.answer(500, b"Internal Server Error")
        else:
            detail = f"{how} before the response was complete"
            self.recorder.fail(FailureKind.RESET, detail)

    async def receive(self) -> Message:
        """The request body once, then the news that the client is gone."""
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        await self._gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take one message of the application."""
        if not self._over.done():
            if message["type"] == "http.response.start":
                self._start(int(message["status"]), list(message.get("headers", ())))
            elif message["type"] == "http.response.body":
                self._piece(bytes(message.get("body", b"")), bool(message.get("more_body", False)))
            else:
                raise RuntimeError(f"unexpected ASGI message {message['type']!r}")
        await asyncio.sleep(0)

    def answer(self, status: int, text: bytes) -> None:
        """What uvicorn itself answers."""
        headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
        self._start(status, [*headers, (b"content-length", b"%d" % len(text))])
        self._piece(text, more=False)

    def _start(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        if self.intake.status is not None:
            raise RuntimeError("the response was started twice")
        headers = [(bytes(name), bytes(value)) for name, value in headers]
        self._frame(status, headers)
        reason = _PHRASES.get(status, b"")
        lines = b"".join(b"%s: %s\r\n" % pair for pair in headers)
        head = b"HTTP/1.1 %d %s\r\n%s\r\n" % (status, reason, lines)
        self.recorder.take(head)
        if len(head) > self.recorder.limits.headers:
            detail = f"the response head is larger than {self.recorder.limits.headers} bytes"
            self.recorder.fail(FailureKind.HEADERS_TOO_LARGE, detail)
            self._end()
        if not self.intake.head(status, reason, b"HTTP/1.1", headers):
            self._end()

    def _frame(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """Choose the body's framing as uvicorn does."""
        self._bodiless = self.intake.request.method == "HEAD" or status in (204, 304)
        length = next((v for k, v in headers if k.lower() == b"content-length"), None)
        if length is not None:
            self._length = int(length)
        elif not self._bodiless:
            self._chunked = True
            if not any(k.lower() == b"transfer-encoding" for k, _ in headers):
                headers.append((b"transfer-encoding", b"chunked"))

    def _piece(self, data: bytes, more: bool) -> None:
        if self.intake.status is None:
            raise RuntimeError("a body before the response was started")
        if self._bodiless:
            data = b""
        elif self._length is not None:
            self._length -= len(data)
            if self._length < 0:
                raise RuntimeError("Response content longer than Content-Length")
            if self._length and not more:
                self._deliver(data, data)
                raise RuntimeError("Response content shorter than Content-Length")
        framed = data
        if self._chunked:
            framed = b"%x\r\n%s\r\n" % (len(data), data) if data else b""
            framed += b"" if more else b"0\r\n\r\n"
        go_on = self._deliver(framed, data)
        if not more and go_on:
            self.whole = True
            self.intake.end()
        if not more or not go_on:
            self._end()

    def _deliver(self, framed: bytes, data: bytes) -> bool:
        if framed:
            self.recorder.take(framed)
        return self.intake.body(data, self.recorder.at)
