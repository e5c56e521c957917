"""The reference server over HTTP: routes, bearer keys, error envelopes, server-sent events."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from conformance.reference.errors import APIError
from conformance.reference.service import Job, Service
from conformance.reference.validation import parse_object, unknown_model

__all__ = ["BASE_PATHS", "Application", "Statistics", "create_app"]

#: Where the API is served: the usual place, and the documented provider's.
BASE_PATHS = ("/v1", "/inference-api/openai/v1")
MAX_BODY = 8 << 20
#: Seconds of generation before other requests get a turn.
SLICE = 0.005

_CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Allow-Methods": "GET, POST, OPTIONS",
}


@dataclass
class Statistics:
    """What the server saw (``GET /_stats``): requests to the API, tokens, requests in flight."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    in_flight: int = 0
    max_in_flight: int = 0


def create_app(service: Service | None = None, key: str | None = None) -> Application:
    """The ASGI application; with ``key`` every route of the API asks for it."""
    return Application(service or Service(), key)


class Application:
    """An ASGI application. Its methods are the routes."""

    def __init__(self, service: Service, key: str | None) -> None:
        self.service, self.key = service, key
        self.statistics = Statistics()
        self.routes: dict[str, tuple[str, Callable[[Request], Awaitable[Response]]]] = {
            "/chat/completions": ("POST", self.chat),
            "/completions": ("POST", self.completions),
            "/models": ("GET", self.models),
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection scope."""
        if scope["type"] != "http":
            return
        request = Request(scope, receive)
        if request.url.path == "/_stats":
            await _json(200, vars(self.statistics))(scope, receive, send)
            return
        statistics = self.statistics
        statistics.requests += 1
        statistics.in_flight += 1
        statistics.max_in_flight = max(statistics.max_in_flight, statistics.in_flight)
        try:
            response = await self.respond(request)
            response.headers["x-request-id"] = f"req_{secrets.token_hex(16)}"
            await response(scope, receive, send)
        except ClientDisconnect:
            return
        finally:
            statistics.in_flight -= 1

    async def respond(self, request: Request) -> Response:
        """The response, refusals as envelopes."""
        try:
            return await self.dispatch(request)
        except APIError as error:
            return _json(error.status, error.envelope(), error.headers)
        except ClientDisconnect:
            raise
        except Exception:
            fault = APIError(500, "The server had an error.", type="server_error")
            return _json(500, fault.envelope())

    async def dispatch(self, request: Request) -> Response:
        """Find the route; the key is checked before anything else of the API."""
        path = self.below_base(request)
        if path is None:
            raise APIError(404, f"Invalid URL ({request.method} {request.url.path})")
        if request.method == "OPTIONS":
            return Response(status_code=204, headers={**_CORS, "Allow": "GET, POST, OPTIONS"})
        self.authorize(request)
        method, handler = self.route(request, path)
        if request.method not in (method, "HEAD" if method == "GET" else method):
            message = f"Not allowed to {request.method} on {request.url.path}. (HINT: Perhaps you meant to use a different HTTP method?)"
            raise APIError(
                405, message, code="method_not_supported", headers={"Allow": f"{method}, OPTIONS"}
            )
        return await handler(request)

    def below_base(self, request: Request) -> str | None:
        """The path below the API's base, still percent-encoded."""
        raw = request.scope.get("raw_path") or request.url.path.encode()
        path = bytes(raw).split(b"?")[0].decode("ascii", "replace")
        for base in BASE_PATHS:
            if path.startswith(f"{base}/"):
                return path.removeprefix(base)
        return None

    def route(
        self, request: Request, path: str
    ) -> tuple[str, Callable[[Request], Awaitable[Response]]]:
        """Method and handler for ``path``."""
        if path in self.routes:
            return self.routes[path]
        if path.startswith("/models/"):
            name = unquote(path.removeprefix("/models/"))

            async def model(request: Request) -> Response:
                return self.model(name)

            return "GET", model
        raise APIError(404, f"Invalid URL ({request.method} {request.url.path})")

    def authorize(self, request: Request) -> None:
        """401 without the key, or with another (which is shown masked)."""
        if self.key is None:
            return
        scheme, _, given = (request.headers.get("authorization") or "").partition(" ")
        given = given.strip()
        if scheme.lower() != "bearer" or not given:
            message = (
                "You didn't provide an API key. You need to provide your API key in an "
                "Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY)."
            )
            raise APIError(401, message, headers={"WWW-Authenticate": "Bearer"})
        if not secrets.compare_digest(given.encode(), self.key.encode()):
            message = f"Incorrect API key provided: {_masked(given)}."
            headers = {"WWW-Authenticate": "Bearer"}
            raise APIError(401, message, code="invalid_api_key", headers=headers)

    # Routes

    async def models(self, request: Request) -> Response:
        """``GET /models``."""
        return _json(200, self.service.model_list())

    def model(self, name: str) -> Response:
        """``GET /models/{id}``; the id may contain a slash, plain or as ``%2F``."""
        if name not in self.service.models:
            raise unknown_model(name)
        return _json(200, self.service.model_object(name))

    async def chat(self, request: Request) -> Response:
        """``POST /chat/completions``."""
        return await self.generate("chat", await self.body(request), request)

    async def completions(self, request: Request) -> Response:
        """``POST /completions``."""
        return await self.generate("completions", await self.body(request), request)

    async def body(self, request: Request) -> dict[str, Any]:
        """The request's JSON object; 413 beyond the limit."""
        parts, size = [], 0
        async for part in request.stream():
            size += len(part)
            if size > MAX_BODY:
                raise APIError(413, "The request body is too large.")
            parts.append(part)
        return parse_object(b"".join(parts))

    async def generate(self, endpoint: str, body: Mapping[str, Any], request: Request) -> Response:
        """A regular answer, or a stream of chunks."""
        service = self.service
        job = service.prepare(endpoint, body)
        if service.variant.latency:
            await asyncio.sleep(service.variant.latency)
        if job.values.get("stream"):
            return self.events(service.stream(job), job)
        await self.step_through(job, request)
        document = service.answer(job)
        self.count(document["usage"])
        return _json(200, document)

    async def step_through(self, job: Job, request: Request) -> None:
        """Generate in slices, so that others are served; ends when the client is gone."""
        turn = time.perf_counter()
        for choice in job.choices:
            while choice.finish_reason is None:
                choice.step()
                if self.service.variant.token_delay:
                    await asyncio.sleep(self.service.variant.token_delay)
                if time.perf_counter() - turn > SLICE:
                    await asyncio.sleep(0)
                    if await request.is_disconnected():
                        self.count(job.usage(job.choices))
                        raise ClientDisconnect
                    turn = time.perf_counter()

    def events(self, chunks: Iterator[dict[str, Any]], job: Job) -> Response:
        """The chunks as server-sent events, each written as soon as it is made."""

        async def body() -> AsyncIterator[bytes]:
            delay = self.service.variant.token_delay
            try:
                for chunk in chunks:
                    yield b"data: " + _encoded(chunk) + b"\n\n"
                    await asyncio.sleep(delay)
                yield b"data: [DONE]\n\n"
            finally:
                self.count(job.usage(job.choices))

        headers = {"Cache-Control": "no-cache"}
        return StreamingResponse(body(), media_type="text/event-stream", headers=headers)

    def count(self, usage: Mapping[str, Any]) -> None:
        """Add to the statistics."""
        self.statistics.prompt_tokens += usage["prompt_tokens"]
        self.statistics.completion_tokens += usage["completion_tokens"]


def _json(status: int, document: Any, headers: Mapping[str, str] | None = None) -> Response:
    return Response(
        _encoded(document),
        status_code=status,
        media_type="application/json",
        headers={**(headers or {}), "Access-Control-Allow-Origin": "*"},
    )


_serialise = json.JSONEncoder(
    ensure_ascii=False, check_circular=False, separators=(",", ":")
).encode
#: Line breaks to some decoders of streams, though not to JSON: written as escapes.
_BREAKS = {code: f"\\u{code:04x}" for code in (0x85, 0x2028, 0x2029)}


def _encoded(document: Any) -> bytes:
    text = _serialise(document)
    return (text if text.isascii() else text.translate(_BREAKS)).encode("utf-8", "replace")


def _masked(key: str) -> str:
    return f"{key[:3]}***{key[-4:]}" if len(key) >= 16 else "***"
