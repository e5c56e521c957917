"""Servers that one client alone does not break."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from conformance.reference.mutants import mutant
from conformance.reference.mutants.answering import Reply, Request, intercept
from conformance.reference.mutants.streaming import (
    FOREVER,
    ASGIApp,
    Leave,
    Receive,
    Send,
    is_stream,
    read_request,
    relay,
    replayed,
)


@mutant(
    "parallel-streams-hang",
    thread="https://github.com/InternLM/lmdeploy/issues/3144",
    kills=("robust.parallel-streams",),
    kind="asgi",
)
def parallel_hang(app: ASGIApp) -> ASGIApp:
    """Of equal streams that are open at the same time only the first ends."""
    open_now: set[bytes] = set()

    async def answer(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        data, seen = await read_request(scope, receive, 0)
        if not seen.streams:
            await app(scope, replayed(data, receive), send)
            return
        if data in open_now:
            await asyncio.sleep(FOREVER)
        open_now.add(data)
        try:
            await asyncio.sleep(0.005)
            await app(scope, replayed(data, receive), send)
        finally:
            open_now.discard(data)

    return answer


@mutant("parallel-streams-cut", kills=("robust.parallel-streams",), kind="asgi")
def parallel_cut(app: ASGIApp) -> ASGIApp:
    """A stream is cut half way while an equal one is open."""
    open_now: set[bytes] = set()
    broken = relay(app, leave=lambda seen: Leave.CUT)

    async def answer(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        data, seen = await read_request(scope, receive, 0)
        if seen.streams and data in open_now:
            await broken(scope, replayed(data, receive), send)
            return
        open_now.add(data)
        try:
            await asyncio.sleep(0.005)
            await app(scope, replayed(data, receive), send)
        finally:
            open_now.discard(data)

    return answer


@mutant(
    "abandoned-stream-eats-prompt",
    thread="https://github.com/sgl-project/sglang/pull/36552",
    kills=("robust.abandoned-answer",),
    kind="asgi",
)
def abandoned_eats_prompt(app: ASGIApp) -> ASGIApp:
    """After a client left a stream the next answer is made for a prompt of one token."""
    return relay(app, abandoned=_leftover(1))


@mutant("abandoned-stream-answers-next", kills=("robust.abandoned-answer",), kind="asgi")
def abandoned_answers_next(app: ASGIApp) -> ASGIApp:
    """After a client left a stream the next request gets an answer made for another."""
    return relay(app, abandoned=_leftover(77))


def _leftover(prompt_tokens: int) -> Callable[[Send], Awaitable[None]]:
    usage = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": 8,
        "total_tokens": prompt_tokens + 8,
    }

    async def answer(send: Send) -> None:
        choice = {
            "index": 0,
            "message": {"role": "assistant", "content": "left over", "refusal": None},
            "text": "left over",
            "logprobs": None,
            "finish_reason": "length",
        }
        document = {
            "id": f"chatcmpl-left-{prompt_tokens}",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [choice],
            "usage": usage,
        }
        fields = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        body = json.dumps(document).encode()
        await send({"type": "http.response.body", "body": body, "more_body": False})

    return answer


@mutant(
    "second-stream-repeats-first",
    thread="https://github.com/LostRuins/koboldcpp/issues/669",
    kills=("diff.stream-equals-regular",),
    kind="asgi",
)
def second_repeats_first(app: ASGIApp) -> ASGIApp:
    """The second and every later stream returns the answer of the one before."""
    last: dict[str, bytes] = {}

    def change(request: Request, honest: Reply) -> Reply | None:
        if not is_stream(honest.body):
            return None
        before, last[request.path] = last.get(request.path, honest.body), honest.body
        return Reply(honest.status, honest.headers, before)

    return intercept(change)(app)
