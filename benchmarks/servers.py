"""Servers to measure against, each in a process of its own on a free loopback port.

    python -m benchmarks.servers KIND [SECONDS]     prints `base_url model`, ends with its parent

``honest``    the reference server, ``SECONDS`` late with every answer; counts at ``/_stats``
``constant``  the same text for everything: whatever is asked is ignored
``failing``   500 for everything
``nothing``   200 and an empty object for everything
``flooding``  bodies of 4 MiB, streams without an end, events beyond any size
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse

from conformance.reference.app import create_app
from conformance.reference.service import MODELS, Service
from conformance.reference.variants import Variant

__all__ = ["KEY", "Server", "environment", "started"]

#: What the honest server asks for; a run finds it where it looks for a loopback server's key.
KEY = "sk-benchmark-0123456789"
MIB = 1 << 20
ANSWER = {
    "id": "constant",
    "object": "chat.completion",
    "created": 1700000000,
    "model": MODELS[0],
    "choices": [
        {
            "index": 0,
            "text": "Certainly.",
            "message": {"role": "assistant", "content": "Certainly."},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}


@dataclass(frozen=True)
class Server:
    """Where a server is, and what it serves."""

    base_url: str
    model: str

    def statistics(self) -> dict[str, int]:
        """What the honest server counted."""
        parts = urlsplit(self.base_url)
        with urllib.request.urlopen(f"{parts.scheme}://{parts.netloc}/_stats", timeout=30) as reply:
            counted: dict[str, int] = json.load(reply)
        return counted


def environment() -> dict[str, str]:
    """The variables of a process that knows the key."""
    return {**os.environ, "OPENAI_API_KEY": KEY}


@contextmanager
def started(kind: str, seconds: float = 0.0) -> Iterator[Server]:
    """The server, until the block ends."""
    command = [sys.executable, "-m", "benchmarks.servers", kind, str(seconds)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield Server(*process.stdout.readline().split())
        finally:
            process.kill()


def _application(kind: str, seconds: float) -> Any:
    if kind == "honest":
        return create_app(Service(Variant(latency=seconds)), KEY)
    reply = {"constant": _constant, "failing": _failing, "nothing": _nothing, "flooding": _flood}

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        request = Request(scope, receive)
        response = await reply[kind](request)
        await response(scope, receive, send)

    return answer


async def _constant(request: Request) -> Response:
    body = await request.body()
    if b'"stream": true' in body or b'"stream":true' in body:
        return Response(
            b"data: " + json.dumps(ANSWER).encode() + b"\n\ndata: [DONE]\n\n",
            media_type="text/event-stream",
        )
    return JSONResponse(ANSWER)


async def _failing(request: Request) -> Response:
    return JSONResponse({"error": {"message": "broken", "type": "server_error"}}, 500)


async def _nothing(request: Request) -> Response:
    return JSONResponse({})


async def _flood(request: Request) -> Response:
    body = await request.body()
    if b'"stream": true' in body or b'"stream":true' in body:
        return StreamingResponse(_endless(), media_type="text/event-stream")
    return JSONResponse({**ANSWER, "padding": "x" * (4 * MIB)})


async def _endless() -> AsyncIterator[bytes]:
    while True:
        yield b"data: " + b"y" * (MIB // 4)


def _main(kind: str, seconds: float) -> None:
    import uvicorn

    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(256)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    print(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", MODELS[0], flush=True)
    config = uvicorn.Config(
        _application(kind, seconds), log_level="critical", access_log=False, lifespan="off"
    )
    uvicorn.Server(config).run(sockets=[listener])


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    _main(sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 0.0)
