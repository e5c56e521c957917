"""The reference server, taught the parameters that a profile has and it has not."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator
from starlette.requests import Request
from starlette.responses import JSONResponse

from conformance.reference.parameters import CHAT, COMPLETIONS
from conformance.schema.contract import Endpoint, Profile
from conformance.wire.asgi import ASGIApp

KNOWN = {"chat": CHAT, "completions": COMPLETIONS}


def taught(app: ASGIApp, profile: Profile, model: str) -> ASGIApp:
    """``app``, which also takes what only ``profile`` documents: checked, and without effect.

    A model that the profile says is not looked at is never refused.
    """
    endpoints = {f"/v1{each.path}": each for each in profile.endpoints.values()}

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        endpoint = endpoints.get(scope.get("path", ""))
        body = await _object(scope, receive) if endpoint and endpoint.name in KNOWN else None
        if endpoint is None or isinstance(body, bytes | None):
            await app(scope, _again(body, receive) if body is not None else receive, send)
            return
        own = {each: value for each, value in body.items() if _is_own(endpoint, each)}
        for name, value in own.items():
            if value is not None and not _valid(endpoint, name, value):
                await _refusal(name)(scope, receive, send)
                return
        rest = {name: value for name, value in body.items() if name not in own}
        if "model" in profile.withdrawn and isinstance(rest.get("model"), str):
            rest["model"] = model
        plain = json.dumps(rest).encode()
        await app(_resized(scope, len(plain)), _again(plain, receive), send)

    return answer


async def _object(scope: Any, receive: Any) -> dict[str, Any] | bytes:
    """The body as a JSON object, else as it came."""
    body = await Request(scope, receive).body()
    try:
        given = json.loads(body)
    except ValueError:
        return body
    return given if isinstance(given, dict) else body


def _is_own(endpoint: Endpoint, name: str) -> bool:
    known = KNOWN[endpoint.name]
    return name in endpoint.parameters and name not in known and name != "model"


def _valid(endpoint: Endpoint, name: str, value: Any) -> bool:
    return Draft202012Validator(dict(endpoint.parameters[name].schema)).is_valid(value)


def _refusal(name: str) -> JSONResponse:
    message = f"Invalid value for '{name}'."
    error = {"message": message, "type": "invalid_request_error", "param": name, "code": None}
    return JSONResponse({"error": error}, 400)


def _resized(scope: Any, length: int) -> Any:
    headers = [(k, v) for k, v in scope["headers"] if k.lower() != b"content-length"]
    return {**scope, "headers": [*headers, (b"content-length", str(length).encode())]}


def _again(body: bytes, receive: Any) -> Any:
    """A ``receive`` that gives ``body``, then whatever comes."""
    events = iter([{"type": "http.request", "body": body, "more_body": False}])

    async def replay() -> Any:
        return next(events, None) or await receive()

    return replay
