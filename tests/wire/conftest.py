"""Loopback servers that answer with given bytes, and one exchange with them."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from conformance.wire.client import Timeouts, Wire
from conformance.wire.exchange import Exchange, Request

#: Where an answer is expected, a busy machine must not turn it into a time-out …
PATIENT = Timeouts(connect=10.0, first_byte=10.0, idle=10.0, total=20.0)
#: … and where a time-out is expected, it should come soon.
SHORT = Timeouts(connect=2.0, first_byte=0.3, idle=0.3, total=0.8)

QUESTION = Request("POST", "/chat/completions", b'{"model":"m"}')

Behaviour = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


class Server:
    """Serves ``behaviour`` on each connection and keeps what it received.

    With ``reads`` false the behaviour is called once a connection and reads the request itself.
    """

    def __init__(
        self, behaviour: Behaviour, tls: ssl.SSLContext | None = None, *, reads: bool = True
    ) -> None:
        self.behaviour, self.tls, self.reads = behaviour, tls, reads
        self.heads: list[bytes] = []
        self.bodies: list[bytes] = []
        self.connections = 0
        self.port = 0

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self.tls)
        self.port = self._server.sockets[0].getsockname()[1]
        self._tasks: set[asyncio.Task[Any]] = set()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        await asyncio.sleep(0)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._talk(reader, writer))
        self._tasks.add(task)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                if not self.reads:
                    await self.behaviour(reader, writer)
                while self.reads and not writer.is_closing():
                    await self._read_request(reader)
                    await self.behaviour(reader, writer)
                    await writer.drain()
        finally:
            writer.close()
            with suppress(OSError, TimeoutError):
                await asyncio.wait_for(writer.wait_closed(), 0.2)

    async def _read_request(self, reader: asyncio.StreamReader) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(
            line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line
        )
        self.heads.append(head)
        self.bodies.append(await reader.readexactly(int(fields.get(b"content-length", 0))))


def writes(*pieces: bytes | float, close: bool = False) -> Behaviour:
    """Write the pieces one by one (a number is a pause in seconds)."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for piece in pieces:
            if isinstance(piece, bytes):
                writer.write(piece)
                await writer.drain()
            else:
                await asyncio.sleep(piece)
        if close:
            writer.close()

    return behave


def repeats(first: bytes, piece: bytes, pause: float = 0.0) -> Behaviour:
    """Write ``first``, then ``piece`` without end."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while not writer.is_closing():
            writer.write(piece)
            await writer.drain()
            await asyncio.sleep(pause)

    return behave


@pytest.fixture
def server() -> type[Server]:
    """The class of servers with a behaviour."""
    return Server


@pytest.fixture
def write() -> Callable[..., Behaviour]:
    """Behaviour: write these pieces."""
    return writes


@pytest.fixture
def repeat() -> Callable[..., Behaviour]:
    """Behaviour: write without end."""
    return repeats


@pytest.fixture
def short() -> Timeouts:
    """Time-outs for tests that wait for one."""
    return SHORT


@pytest.fixture
def ask() -> Callable[..., Exchange]:
    """One exchange with a server of the given behaviour."""

    def one(
        behaviour: Behaviour,
        request: Request = QUESTION,
        *,
        timeouts: Timeouts = PATIENT,
        keys: dict[str, str | None] | None = None,
        scheme: str = "http",
        tls: ssl.SSLContext | None = None,
        reads: bool = True,
        **options: Any,
    ) -> Exchange:
        async def run() -> Exchange:
            async with Server(behaviour, tls, reads=reads) as target:
                base_url = f"{scheme}://127.0.0.1:{target.port}/v1"
                async with Wire(base_url, keys, timeouts=timeouts, **options) as wire:
                    return await wire.send(request, id="x1", repetition=3, phase="hostile")

        return asyncio.run(run())

    return one


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1 and its key."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)]
    subprocess.run(command, check=True, capture_output=True)
    return cert, key
