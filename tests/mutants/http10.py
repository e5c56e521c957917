"""An HTTP/1.0 server: no chunks, no keep-alive; the end of the connection ends the answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import unquote

import h11

__all__ = ["served"]


@asynccontextmanager
async def served(app: Any) -> AsyncIterator[str]:
    """The base URL at which ``app`` is served on a free port of this machine."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await _answered(app, reader, writer)
        except (ConnectionError, h11.RemoteProtocolError):
            pass  # a client that left or spoke no HTTP: nothing is owed to it
        finally:
            writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"


async def _answered(app: Any, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head, body = await _read(reader)
    path, _, query = head.target.partition(b"?")
    scope = {
        "type": "http",
        "http_version": "1.0",
        "method": head.method.decode(),
        "path": unquote(path.decode("latin-1")),
        "raw_path": path,
        "query_string": query,
        "headers": [(bytes(name), bytes(value)) for name, value in head.headers],
    }
    given = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if given:
            return given.pop()
        await reader.read()
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            lines = [b"HTTP/1.0 %d OK" % message["status"], b"connection: close"]
            lines += [b"%s: %s" % pair for pair in message["headers"]]
            writer.write(b"\r\n".join(lines) + b"\r\n\r\n")
        elif head.method != b"HEAD":
            writer.write(message.get("body", b""))
        await writer.drain()

    await app(scope, receive, send)


async def _read(reader: asyncio.StreamReader) -> tuple[h11.Request, bytes]:
    connection, parts = h11.Connection(h11.SERVER), list[bytes]()
    request: h11.Request | None = None
    while True:
        event = connection.next_event()
        if event is h11.NEED_DATA:
            connection.receive_data(await reader.read(65_536))
        elif isinstance(event, h11.Request):
            request = event
        elif isinstance(event, h11.Data):
            parts.append(bytes(event.data))
        elif isinstance(event, h11.EndOfMessage) and request is not None:
            return request, b"".join(parts)
        else:
            raise ConnectionError("the client left")
