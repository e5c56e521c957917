"""A server changed from outside: the request before it, or the answer after it.

The answer of the honest application is collected whole, taken apart as its kind needs, changed,
and sent on; a stream is sent on event by event.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from dataclasses import replace
from typing import Any

from conformance.reference.mutants.model import Head, Mutant, Seen

__all__ = ["ASGIApp", "transformed"]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

DONE = b"data: [DONE]\n\n"


def transformed(app: ASGIApp, mutant: Mutant) -> ASGIApp:
    """``app`` with the defect ``mutant``."""
    if mutant.kind == "asgi":
        changed: ASGIApp = mutant.function(app)
        return changed
    counter = itertools.count(1)

    async def answer(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        data = await _whole(receive)
        seen = _seen(scope, data)
        seen = replace(seen, number=next(counter) if _concerns(mutant, seen) else 0)
        if not seen.number or seen.number % mutant.every:
            await app(scope, _replay(data, receive), send)
        elif mutant.kind == "request":
            data = _changed_request(mutant, data, seen)
            await app(_sized(scope, len(data)), _replay(data, receive), send)
        else:
            await _changed_answer(app, mutant, seen, scope, _replay(data, receive), send)

    return answer


def _concerns(mutant: Mutant, seen: Seen) -> bool:
    modes = mutant.only in (None, seen.mode)
    return modes and mutant.endpoint in (None, seen.endpoint)


async def _whole(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        if message["type"] != "http.request":
            break
        parts.append(message.get("body", b""))
        if not message.get("more_body", False):
            break
    return b"".join(parts)


def _seen(scope: MutableMapping[str, Any], data: bytes) -> Seen:
    try:
        body = json.loads(data)
    except (ValueError, RecursionError):
        body = None
    headers = tuple((bytes(name), bytes(value)) for name, value in scope.get("headers", ()))
    known = body if isinstance(body, dict) else None
    return Seen(scope["method"], scope["path"], known, headers)


def _replay(data: bytes, receive: Receive) -> Receive:
    """``data`` once, and what the client does afterwards."""
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": data, "more_body": False}

    return again


def _sized(scope: MutableMapping[str, Any], size: int) -> MutableMapping[str, Any]:
    fields = [pair for pair in scope["headers"] if pair[0].lower() != b"content-length"]
    return {**scope, "headers": [*fields, (b"content-length", b"%d" % size)]}


def _changed_request(mutant: Mutant, data: bytes, seen: Seen) -> bytes:
    if seen.body is None:
        return data
    body = json.loads(data)
    result = mutant.function(body, seen)
    return json.dumps(body if result is None else result).encode()


async def _changed_answer(
    app: ASGIApp,
    mutant: Mutant,
    seen: Seen,
    scope: MutableMapping[str, Any],
    receive: Receive,
    send: Send,
) -> None:
    head: Head | None = None
    parts: list[bytes] = []

    async def collect(message: Message) -> None:
        nonlocal head
        if message["type"] == "http.response.start":
            fields = [(bytes(name), bytes(value)) for name, value in message.get("headers", ())]
            head = Head(message["status"], fields)
        elif message["type"] == "http.response.body":
            parts.append(bytes(message.get("body", b"")))

    await app(scope, receive, collect)
    if head is None:
        return
    seen = replace(seen, status=head.status)
    pieces = _changed_body(mutant, seen, head, b"".join(parts))
    if head.get("content-length") is not None:
        head.set("content-length", str(sum(map(len, pieces))))
    if mutant.kind == "head":
        mutant.function(head, seen)
    await send({"type": "http.response.start", "status": head.status, "headers": head.headers})
    for piece in pieces:
        await send({"type": "http.response.body", "body": piece, "more_body": True})
    await send({"type": "http.response.body", "body": b"", "more_body": False})


def _changed_body(mutant: Mutant, seen: Seen, head: Head, body: bytes) -> list[bytes]:
    """The pieces to send instead of ``body``."""
    kind, media = mutant.kind, head.get("content-type") or ""
    if kind == "bytes":
        result = mutant.function(body, seen)
        return [result] if isinstance(result, bytes) else list(result)
    if media.startswith("text/event-stream"):
        changed = _changed_stream(mutant, seen, body)
        return _events(body) if changed is None else changed
    if media.startswith("application/json"):
        return [_changed_document(mutant, seen, body)]
    return [body]


def _changed_document(mutant: Mutant, seen: Seen, body: bytes) -> bytes:
    kinds = {"error"} if seen.status >= 400 else {"json", "document", "choice"}
    if mutant.kind not in kinds:
        return body
    document = json.loads(body)
    return json.dumps(_one(mutant, document, seen), ensure_ascii=False).encode()


def _changed_stream(mutant: Mutant, seen: Seen, body: bytes) -> list[bytes] | None:
    if mutant.kind not in ("stream", "document", "choice"):
        return None
    data = [event.removeprefix(b"data: ").strip() for event in _events(body)]
    chunks = [json.loads(each) for each in data if each.startswith(b"{")]
    if mutant.kind == "stream":
        result = mutant.function(chunks, seen)
        chunks = chunks if result is None else result
    else:
        chunks = [_one(mutant, chunk, seen) for chunk in chunks]
    lines = (json.dumps(chunk, ensure_ascii=False).encode() for chunk in chunks)
    return [*(b"data: %s\n\n" % line for line in lines), *([DONE] if b"[DONE]" in data else [])]


def _one(mutant: Mutant, document: Any, seen: Seen) -> Any:
    """One document changed as a whole, or choice by choice."""
    if mutant.kind != "choice":
        result = mutant.function(document, seen)
        return document if result is None else result
    choices = [(choice, mutant.function(choice, seen)) for choice in _choices(document)]
    if choices:
        document["choices"] = [old if new is None else new for old, new in choices]
    return document


def _choices(document: Any) -> Iterable[dict[str, Any]]:
    found = document.get("choices") if isinstance(document, dict) else None
    return found if isinstance(found, list) else []


def _events(body: bytes) -> list[bytes]:
    """The events of a stream, each with its blank line."""
    return [event + b"\n\n" for event in body.split(b"\n\n") if event]
