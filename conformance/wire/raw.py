"""The raw-socket sender: exact bytes out, and whatever comes back, read leniently.

For requests that no HTTP library would send (RFC 9112 breaches on purpose). The answer is parsed by
h11 in the role of a client that is told nothing about the request but its method.
"""

from __future__ import annotations

from contextlib import suppress

import h11
import httpcore2
from httpcore2 import AsyncNetworkStream

from conformance.wire.intake import Intake
from conformance.wire.network import Recorder

__all__ = ["converse"]

READ_SIZE = 64 * 1024


async def converse(
    stream: AsyncNetworkStream, data: bytes, intake: Intake, recorder: Recorder
) -> None:
    """Send ``data``, then read until one response is complete, the peer closes or time is up.

    Raises httpcore2's exceptions; the caller closes ``stream``.
    """
    parser = _expecting(data)
    with suppress(httpcore2.WriteError):  # the peer may have answered before it closed
        await stream.write(data)
    try:
        await _read(stream, parser, intake, recorder)
    except h11.RemoteProtocolError as error:
        raise httpcore2.RemoteProtocolError(str(error)) from error


def _expecting(data: bytes) -> h11.Connection:
    """A parser that has "sent" a request, so that it reads a response."""
    parser = h11.Connection(h11.CLIENT, max_incomplete_event_size=128 * 1024)
    method = data.split(b" ", 1)[0]
    known = method if method in (b"HEAD", b"CONNECT") else b"GET"
    parser.send(h11.Request(method=known, target="/", headers=[("Host", "placeholder")]))
    parser.send(h11.EndOfMessage())
    return parser


async def _read(
    stream: AsyncNetworkStream, parser: h11.Connection, intake: Intake, recorder: Recorder
) -> None:
    while True:
        event = parser.next_event()
        if event is h11.NEED_DATA:
            data = await stream.read(READ_SIZE)
            if not data and not recorder.head_done:
                raise httpcore2.RemoteProtocolError("closed without a response")
            parser.receive_data(data)
        elif isinstance(event, h11.Response):
            recorder.head_done = True
            headers = event.headers.raw_items()
            version = b"HTTP/" + event.http_version
            if not intake.head(event.status_code, event.reason, version, headers):
                return
        elif isinstance(event, h11.Data):
            if not intake.body(bytes(event.data), recorder.at):
                return
        elif isinstance(event, h11.EndOfMessage) or event is h11.PAUSED:
            intake.end()
            return
        elif isinstance(event, h11.ConnectionClosed):
            return
