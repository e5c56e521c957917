"""Errors in other words, and HTTP used in other ways."""

from __future__ import annotations

import asyncio
import gzip
import itertools
from collections.abc import Callable, MutableMapping
from typing import Any

from conformance.reference.honest_wire.registry import variant
from conformance.reference.mutants.answering import Reply, Request, error_reply, intercept
from conformance.reference.mutants.model import Head, Seen
from conformance.reference.mutants.streaming import is_stream
from conformance.reference.mutants.transform import ASGIApp, Receive, Send

Document = dict[str, Any]


@variant("other-wordings", "error")
def other_wordings(document: Document, seen: Seen) -> None:
    """Errors are told in other words, with other codes."""
    error = document["error"]
    error["message"] = "La requête n'est pas valable."
    error["code"] = "bad_request" if seen.status == 400 else error.get("code")
    error["type"] = "BadRequestError" if seen.status == 400 else error.get("type")


@variant("status-422", "head")
def status_422(head: Head, seen: Seen) -> None:
    """Faulty requests are answered with 422, unless they are no JSON."""
    if head.status == 400 and seen.body is not None:
        head.status = 422


def _now_and_then(every: int, reply: Reply) -> Callable[[ASGIApp], ASGIApp]:
    counter = itertools.count(1)
    return intercept(
        lambda request, honest: (
            reply if request.method == "POST" and next(counter) % every == 0 else None
        )
    )


@variant("429-now-and-then", "asgi")
def too_many(app: ASGIApp) -> ASGIApp:
    """Every ninth request is one too many and may come again at once."""
    reply = error_reply(429, "Rate limit reached")
    reply.headers.append((b"retry-after", b"0"))
    return _now_and_then(9, reply)(app)


@variant("503-now-and-then", "asgi")
def unavailable(app: ASGIApp) -> ASGIApp:
    """Every eleventh request finds the engine overloaded and may come again at once."""
    reply = error_reply(503, "The engine is overloaded")
    reply.headers.append((b"retry-after", b"0"))
    return _now_and_then(11, reply)(app)


@variant("origins-listed", "asgi")
def origins_listed(app: ASGIApp) -> ASGIApp:
    """Browsers of other origins than those on a list are turned away."""
    refusal = Reply(400, [(b"content-type", b"text/plain"), (b"vary", b"Origin")], b"Disallowed")
    return intercept(lambda request, honest: refusal if request.method == "OPTIONS" else None)(app)


@variant("gzip", "asgi")
def gzipped(app: ASGIApp) -> ASGIApp:
    """Regular answers are compressed for clients that take that."""

    def change(request: Request, honest: Reply) -> Reply | None:
        takes = "gzip" in (request.header("accept-encoding") or "")
        if not takes or not honest.body or is_stream(honest.body):
            return None
        fields = [*honest.headers, (b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
        return Reply(honest.status, fields, gzip.compress(honest.body, mtime=0))

    return intercept(change)(app)


@variant("connection-close", "head")
def connection_close(head: Head, seen: Seen) -> None:
    """Every connection is closed behind its answer."""
    head.set("connection", "close")


@variant("no-chunked-bodies", "asgi")
def no_chunked(app: ASGIApp) -> ASGIApp:
    """Request bodies without a length are refused with 411."""
    refusal = error_reply(411, "Content-Length is required")
    return intercept(
        lambda request, honest: refusal if request.header("transfer-encoding") else None
    )(app)


@variant("latency", "asgi")
def latency(app: ASGIApp) -> ASGIApp:
    """Every answer begins a little later."""

    async def answer(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.02)
        await app(scope, receive, send)

    return answer


@variant("no-length", "asgi")
def no_length(app: ASGIApp) -> ASGIApp:
    """Answers are sent in pieces and tell no length."""

    async def answer(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        async def passed(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                kept = [pair for pair in message["headers"] if pair[0] != b"content-length"]
                await send({**message, "headers": kept})
                return
            body = bytes(message.get("body", b""))
            for at in range(0, len(body), 50):
                piece = {"body": body[at : at + 50], "more_body": True}
                await send({"type": "http.response.body", **piece})
            if not message.get("more_body", False):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

        await app(scope, receive, passed)

    return answer


@variant("gateway-fields", "head")
def gateway_fields(head: Head, seen: Seen) -> None:
    """Every answer has the fields that gateways add, rate limits among them."""
    head.set("access-control-allow-origin", "*")
    head.set("x-request-id", "req_0123456789")
    head.set("x-ratelimit-limit-requests", "10000")
    head.set("x-ratelimit-remaining-requests", "9999")
    head.set("x-ratelimit-reset-requests", "6m0s")
    head.set("server", "gateway")
    head.set("strict-transport-security", "max-age=31536000")
