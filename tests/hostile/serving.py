"""A server on a real socket that answers as its sin says, with the honest answers at hand.

It runs in a thread of its own. Requests are read as a lenient server reads them; what is written is
up to the sin, byte by byte.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import threading
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any, Self

import h11

from conformance.reference.app import Application
from conformance.reference.service import MODELS, Service

__all__ = ["KEY", "MODEL", "Answer", "Asked", "Server", "Talk"]

KEY = "sk-hostile/5d41402abc4b2a76+b9719d911017c592"
MODEL = MODELS[0]


@dataclass(frozen=True)
class Asked:
    """One request as it arrived; ``method`` is empty where it was no HTTP."""

    method: str = ""
    target: str = ""
    headers: tuple[tuple[bytes, bytes], ...] = ()
    body: bytes = b""

    @property
    def json(self) -> Any:
        """The body as JSON, or ``None``."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None

    @property
    def streamed(self) -> bool:
        """Whether a stream is asked for."""
        return isinstance(self.json, dict) and self.json.get("stream") is True


@dataclass
class Answer:
    """An honest answer, to be changed: status, fields, and the pieces of the body."""

    status: int = 200
    reason: bytes = b"OK"
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)

    @property
    def body(self) -> bytes:
        """The body as a whole."""
        return b"".join(self.pieces)

    @property
    def streamed(self) -> bool:
        """Whether it is a stream of events."""
        return any(b"event-stream" in value for _, value in self.headers)

    def with_body(self, body: bytes) -> Answer:
        """The same answer with another body."""
        return replace(self, pieces=[body])

    def with_headers(self, *added: tuple[bytes, bytes]) -> Answer:
        """The same answer with more header fields."""
        return replace(self, headers=[*self.headers, *added])

    def change(self, text: Callable[[bytes], bytes]) -> Answer:
        """The same answer with ``text`` applied to each JSON document: the body, or an event's."""
        if not self.streamed:
            return self.with_body(text(self.body)) if self.body else self
        prefix = b"data: "
        events = [
            prefix + text(event.removeprefix(prefix)) if event.startswith(prefix + b"{") else event
            for event in self.body.split(b"\n\n")
        ]
        return replace(self, pieces=[event + b"\n\n" for event in events if event])

    def change_json(self, value: Callable[[Any], Any]) -> Answer:
        """The same answer with ``value`` applied to each parsed document."""
        return self.change(lambda text: json.dumps(value(json.loads(text))).encode())

    @property
    def head(self) -> bytes:
        """Status line and fields, without framing and without the blank line."""
        lines = b"".join(b"%s: %s\r\n" % pair for pair in self.headers)
        return b"HTTP/1.1 %d %s\r\n%s" % (self.status, self.reason, lines)

    @property
    def chunked(self) -> bytes:
        """The body in chunks, one a piece, without the last one."""
        return b"".join(b"%x\r\n%s\r\n" % (len(p), p) for p in self.pieces if p)

    @property
    def wire(self) -> bytes:
        """All of it with correct framing: a stream in chunks, anything else with its length."""
        if self.streamed:
            return self.head + b"Transfer-Encoding: chunked\r\n\r\n" + self.chunked + b"0\r\n\r\n"
        body = b"" if self.status in (204, 304) else self.body
        return self.head + b"Content-Length: %d\r\n\r\n" % len(body) + body


@dataclass
class Talk:
    """One request, and all that a sin can do about it. ``number`` counts them from 1."""

    server: Server
    asked: Asked
    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    async def honest(self) -> Answer:
        """What the reference answers."""
        return await self.server.honest(self.asked)

    async def write(self, *data: bytes) -> None:
        """Send bytes as they are, each piece in a write of its own."""
        for each in data:
            self.writer.write(each)
            await self.writer.drain()

    async def reply(self, answer: Answer) -> None:
        """Send an answer with correct framing."""
        await self.write(answer.wire)

    async def close(self, *last: bytes) -> None:
        """Send ``last`` and close the connection in good order."""
        await self.write(*last)
        self.writer.close()

    async def reset(self) -> None:
        """Cut the connection hard (RST)."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def forever(self, piece: bytes = b"", pause: float = 60.0) -> None:
        """Send ``piece`` again and again until the other side is gone."""
        while not self.writer.is_closing():
            if piece:
                await self.write(piece)
            if pause or not piece:
                await asyncio.sleep(pause)


Act = Callable[[Talk], Awaitable[None]]


class Server:
    """Commits one sin for as long as the block lasts. ``requests`` is its own count.

    ``reads`` false: the sin is called at once, before any request was read.
    """

    def __init__(self, act: Act, *, reads: bool = True, tls: Any = None) -> None:
        self.act, self.reads, self.tls = act, reads, tls
        self.requests = 0
        self.bodies: list[bytes] = []
        self.notes: dict[str, Any] = {}  # what a sin wants to remember
        self.faults: list[str] = []  # what went wrong in the server itself
        self.port = 0
        self._app = Application(Service(), KEY)
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self._call(self._listen())
        return self

    def __exit__(self, *_: object) -> None:
        self._call(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def _call(self, doing: Any) -> None:
        asyncio.run_coroutine_threadsafe(doing, self._loop).result(30)

    async def _listen(self) -> None:
        self._listener = await asyncio.start_server(
            self._accept, "127.0.0.1", self.port, ssl=self.tls, backlog=256
        )
        self.port = self._listener.sockets[0].getsockname()[1]

    async def _end(self) -> None:
        self.die(None)
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await asyncio.sleep(0.05)

    def die(self, seconds: float | None) -> None:
        """Stop listening and cut every connection; come back after ``seconds``, or never.

        Connections that the loop has accepted and not yet handed over want a listener that is open
        (CPython's ``Server._attach``), so it is closed after them; they are cut as they come.
        """
        for writer in list(self._writers):
            writer.transport.abort()
        if self._listener is None:
            return  # dead already
        for each in self._listener.sockets:
            self._loop.remove_reader(each)
        self._loop.call_soon(self._listener.close)
        self._listener = None
        if seconds is not None:
            self._loop.call_later(seconds, self._come_back)

    def _come_back(self) -> None:
        task = self._loop.create_task(self._listen())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._listener is None:  # it came too late
            writer.transport.abort()
            return
        task = self._loop.create_task(self._serve(reader, writer))
        self._tasks.add(task)
        self._writers.add(writer)
        task.add_done_callback(self._over)

    def _over(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.faults.append(repr(error))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        rest = b""
        try:
            while not writer.is_closing():
                asked = Asked()
                if self.reads:
                    found = await read_request(reader, rest)
                    if found is None:
                        return
                    asked, rest = found
                self.requests += 1
                self.bodies.append(asked.body[:2000])
                await self.act(Talk(self, asked, self.requests, reader, writer))
                await writer.drain()
                if not self.reads:
                    return
        except (OSError, asyncio.IncompleteReadError):
            return
        finally:
            self._writers.discard(writer)
            writer.close()
            with contextlib.suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), 1)

    async def honest(self, asked: Asked) -> Answer:
        """What the reference answers to ``asked``; 400 where it is no HTTP."""
        if not asked.method:
            text = [(b"content-type", b"text/plain"), (b"connection", b"close")]
            return Answer(400, b"Bad Request", text, [b"Invalid HTTP request received."])
        answer = Answer()
        sent = [{"type": "http.request", "body": asked.body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            if not sent:
                await asyncio.sleep(60)
            return sent.pop()

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer.status = message["status"]
                answer.headers = [
                    (k, v) for k, v in message["headers"] if k.lower() != b"content-length"
                ]
            else:
                answer.pieces.append(message.get("body", b""))

        await self._app(_scope(asked), receive, send)
        if asked.method == "HEAD":
            answer.pieces.clear()
        return answer


def _scope(asked: Asked) -> dict[str, Any]:
    path, _, query = asked.target.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": asked.method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": list(asked.headers),
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 1),
    }


async def read_request(reader: asyncio.StreamReader, rest: bytes) -> tuple[Asked, bytes] | None:
    """The next request and what came behind it; ``None`` at the end of the connection."""
    parser = h11.Connection(h11.SERVER, max_incomplete_event_size=1 << 20)
    if rest:  # nothing would mean the end of the connection
        parser.receive_data(rest)
    asked, body = Asked(), bytearray()
    while True:
        try:
            event = parser.next_event()
        except h11.RemoteProtocolError:
            return Asked(body=bytes(body)), b""
        if event is h11.NEED_DATA:
            data = await reader.read(1 << 16)
            if not data:
                return None
            parser.receive_data(data)
        elif isinstance(event, h11.Request):
            target = event.target.decode("latin-1")
            asked = Asked(event.method.decode(), target, tuple(event.headers))
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage):
            return replace(asked, body=bytes(body)), parser.trailing_data[0]
        else:
            return None
