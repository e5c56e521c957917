"""A loopback recording proxy: lets a real client (an SDK, curl) speak through the wire.

The client is given ``proxy.base_url`` and a placeholder key. Each of its requests becomes a
:class:`~conformance.wire.exchange.Request` for ``forward``, which sends it within the run's limits,
records it and knows the real key; the client gets back the very bytes that were recorded, and
where the exchange broke, a connection that breaks at the same place.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

import h11

from conformance.wire.exchange import Credential, Exchange, Request
from conformance.wire.framing import head_end, response_end

__all__ = ["PLACEHOLDER_KEY", "RecordingProxy"]

Forward = Callable[[Request], Awaitable[Exchange]]

#: What a client carries in place of the key.
PLACEHOLDER_KEY = "sk-conformance-placeholder"

#: Seconds that a client's connection may take to close.
CLOSING = 1.0

#: Fields of one connection (RFC 9110 §7.6.1), or that the wire writes itself.
_OWN_FIELDS = frozenset(
    (
        "host",
        "content-length",
        "connection",
        "keep-alive",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
    )
)
_ACCEPTED = "accept-encoding"
#: Defaults of the wire that a client which does not send them must not be given.
_DEFAULTS = ("User-Agent", "Accept", "Content-Type")


class RecordingProxy:
    """``async with RecordingProxy(base_url, forward) as proxy:`` listens on a free loopback port.

    ``base_url`` is the target's: its path becomes the path of ``proxy.base_url``. ``exchanges``
    lists what was recorded, in the order of completion.
    """

    def __init__(
        self, base_url: str, forward: Forward, *, placeholder: str = PLACEHOLDER_KEY
    ) -> None:
        self.base_path = urlsplit(base_url).path.rstrip("/")
        self.forward, self.placeholder = forward, placeholder
        self.exchanges: list[Exchange] = []
        self.port = 0
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.Task[None]] = set()

    @property
    def base_url(self) -> str:
        """Where a client should send its requests."""
        return f"http://127.0.0.1:{self.port}{self.base_path}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._server:
            self._server.close()
        clients = list(self._clients)
        for task in clients:
            task.cancel()
        await asyncio.gather(*clients, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(reader, writer))
        self._clients.add(task)
        task.add_done_callback(self._clients.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with suppress(OSError, h11.ProtocolError):
                parser = h11.Connection(h11.SERVER)
                while await self._serve_one(parser, reader, writer):
                    parser.start_next_cycle()
        finally:
            writer.close()
            with suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), CLOSING)

    async def _serve_one(
        self, parser: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> bool:
        """Serve one request; whether the connection may serve another."""
        received = await _receive(parser, reader, writer)
        if received is None:
            return False
        request = self.request(*received)
        if request is None:
            writer.write(
                b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            )
            await writer.drain()
            return False
        exchange = await self.forward(request)
        self.exchanges.append(exchange)
        answer, whole = replay(exchange)
        writer.write(answer)
        await writer.drain()
        if not whole:
            return False
        # h11 must believe that it answered, or it refuses the next request.
        parser.send(h11.Response(status_code=200, headers=[("Content-Length", "0")]))
        parser.send(h11.EndOfMessage())
        return parser.our_state is h11.DONE and parser.their_state is h11.DONE

    def request(self, head: h11.Request, body: bytes) -> Request | None:
        """What a client's request means as one of ours; ``None`` outside the base path."""
        target = head.target.decode("ascii")
        if not target.startswith(self.base_path):
            return None
        headers: list[tuple[str, str | None]] = []
        credential: Credential = "none"
        for name, value in _decoded(head):
            if name.lower() == "authorization":
                if value == f"Bearer {self.placeholder}":
                    credential = "key"
                else:
                    headers.append((name, value))
            elif name.lower() not in _OWN_FIELDS:
                headers.append((name, _decodable(value) if name.lower() == _ACCEPTED else value))
        sent = {name.lower() for name, _ in headers}
        headers += [(name, None) for name in _DEFAULTS if name.lower() not in sent]
        path = target[len(self.base_path) :]
        return Request(head.method.decode("ascii"), path, body, tuple(headers), credential)


def _decodable(accepted: str) -> str:
    """An Accept-Encoding value without the codings that the recorder cannot read."""
    kept = [
        coding.strip()
        for coding in accepted.split(",")
        if coding.split(";")[0].strip().lower() in ("gzip", "x-gzip", "deflate", "identity")
    ]
    return ", ".join(kept) or "identity"


def _decoded(head: h11.Request) -> list[tuple[str, str]]:
    return [(k.decode("latin-1"), v.decode("latin-1")) for k, v in head.headers.raw_items()]


async def _receive(
    parser: h11.Connection, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> tuple[h11.Request, bytes] | None:
    head: h11.Request | None = None
    body = bytearray()
    while True:
        event = parser.next_event()
        if event is h11.NEED_DATA:
            if parser.they_are_waiting_for_100_continue:
                go_on = h11.InformationalResponse(status_code=100, headers=[])
                writer.write(parser.send(go_on) or b"")
            parser.receive_data(await reader.read(64 * 1024))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
        elif isinstance(event, h11.EndOfMessage) and head:
            return head, bytes(body)
        else:
            return None


def replay(exchange: Exchange) -> tuple[bytes, bool]:
    """The bytes to give to the client, and whether they delimit themselves."""
    raw, status = exchange.raw, exchange.status
    begin = head_end(raw)
    if status is None or begin is None:
        return raw, False
    if exchange.raw_reads and exchange.raw_reads[-1].end > len(raw):
        return _staying(_rebuilt(exchange)), False
    end = response_end(raw, begin, exchange.request.method, status, exchange.headers)
    closing = "close" in (exchange.header("connection") or "").lower()
    return _staying(raw), exchange.complete and end == len(raw) and not closing


#: A Location that is not a path of the same host.
_ELSEWHERE = re.compile(rb"(?im)^location(?=[ \t]*:[ \t]*+(?!/[^/\\\r\n]))")


def _staying(raw: bytes) -> bytes:
    """``raw`` without an invitation to go anywhere else: clients follow redirects, and what they
    ask another host for would pass no proxy, no limit and no record."""
    head, blank, body = raw.partition(b"\r\n\r\n")
    return _ELSEWHERE.sub(b"X-Location", head) + blank + body


def _rebuilt(exchange: Exchange) -> bytes:
    """A response of which not all raw bytes were kept: its head and decoded body, to the end."""
    framing = ("content-length", "transfer-encoding", "content-encoding", "connection")
    lines = [f"{k}: {v}\r\n" for k, v in exchange.headers if k.lower() not in framing]
    head = (
        f"HTTP/1.1 {exchange.status} {exchange.reason}\r\n{''.join(lines)}connection: close\r\n\r\n"
    )
    return head.encode("latin-1") + exchange.body
