"""Tools of mutants that break streams: events as bytes, and a relay that can leave half way."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import replace
from enum import Enum
from typing import Any

from conformance.reference.mutants.model import Seen
from conformance.reference.mutants.transform import ASGIApp, Message, Receive, Send

__all__ = [
    "DONE",
    "FOREVER",
    "ASGIApp",
    "Leave",
    "Message",
    "Receive",
    "Send",
    "events",
    "is_stream",
    "plainest",
    "read_request",
    "relay",
    "replayed",
    "with_text",
]

DONE = b"data: [DONE]\n\n"
#: Seconds that a stalled connection is held: longer than any time-out of a test.
FOREVER = 3600.0
_TEXTS = (b'"content":"', b'"text":"')


def events(body: bytes) -> list[bytes]:
    """The events of a stream, each with its blank line."""
    return [event + b"\n\n" for event in body.split(b"\n\n") if event]


def is_stream(body: bytes) -> bool:
    """Whether ``body`` is a stream that came to its end."""
    return body.startswith(b"data: ") and body.endswith(DONE)


def plainest(seen: Seen) -> bool:
    """Whether the request has a prompt, a model, a limit and the mode, and nothing else."""
    plain = {"model", "messages", "prompt", "stream", "max_tokens"}
    return set(seen.body or {"other": 1}) <= plain


def with_text(event: bytes, piece: bytes) -> bytes:
    """``event`` with ``piece`` before its text."""
    for mark in _TEXTS:
        event = event.replace(mark, mark + piece, 1)
    return event


class Leave(Enum):
    """How a server leaves a stream half way."""

    CUT = "the connection is cut"
    STALL = "nothing more is sent"


async def read_request(
    scope: MutableMapping[str, Any], receive: Receive, number: int
) -> tuple[bytes, Seen]:
    """The whole body of a request, and what a mutant may know of it."""
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if message["type"] != "http.request" or not message.get("more_body", False):
            break
    data = b"".join(parts)
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        body = None
    known = body if isinstance(body, dict) else None
    return data, Seen(scope["method"], scope["path"], known, number=number)


def replayed(data: bytes, receive: Receive) -> Receive:
    """``data`` once, and what the client does afterwards."""
    first = itertools.chain([data])

    async def again() -> Message:
        for body in first:
            return {"type": "http.request", "body": body, "more_body": False}
        return await receive()

    return again


def relay(
    app: ASGIApp,
    *,
    leave: Callable[[Seen], Leave | None] = lambda seen: None,
    hold: Callable[[Seen], float] = lambda seen: 0.0,
    abandoned: Callable[[Send], Awaitable[None]] | None = None,
) -> ASGIApp:
    """``app`` with streams that are left half way, held back, or punish clients that leave.

    ``leave`` says how a stream is left after half of its events, ``hold`` for how many seconds it
    is held back before all of it is sent, ``abandoned`` what is answered to the next request once
    a client has left a stream.
    """
    counter = itertools.count(1)
    punished = [0]

    async def answer(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        data, seen = await read_request(scope, receive, 0)
        if abandoned and scope["method"] == "POST":
            await asyncio.sleep(0.01)  # let the news of a client that left arrive first
        if abandoned and punished[0] and scope["method"] == "POST":
            punished[0] = 0
            await abandoned(send)
            return
        if not seen.streams:
            await app(scope, replayed(data, receive), send)
            return
        seen = replace(seen, number=next(counter))
        sent = await _collected(app, scope, replayed(data, receive))
        if sent[0]["status"] == 200:
            await asyncio.sleep(hold(seen))
            how = leave(seen)
            if how:
                await _left(sent, how, send)
            if abandoned and await _gone_early(receive, sent, send):
                punished[0] = 1
                return
        if not abandoned or sent[0]["status"] != 200:
            for message in sent:
                await send(message)

    return answer


async def _collected(
    app: ASGIApp, scope: MutableMapping[str, Any], receive: Receive
) -> list[Message]:
    sent: list[Message] = []

    async def collect(message: Message) -> None:
        sent.append(message)

    await app(scope, receive, collect)
    return sent


async def _left(sent: list[Message], how: Leave, send: Send) -> None:
    for message in sent[: max(2, len(sent) // 2)]:
        await send(message)
    if how is Leave.CUT:
        raise ConnectionResetError("cut")
    await asyncio.sleep(FOREVER)


async def _gone_early(receive: Receive, sent: list[Message], send: Send) -> bool:
    """Send everything, slowly enough to notice whether the client leaves before the end."""
    gone = asyncio.ensure_future(receive())
    try:
        for message in sent[:-1]:
            await send(message)
            await asyncio.sleep(0.001)
            if gone.done():
                return True
        await send(sent[-1])
        return False
    finally:
        gone.cancel()
