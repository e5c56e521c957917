"""Middleware for mutants that change a status, a route or a whole answer."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

__all__ = [
    "ASGIApp",
    "Reply",
    "Request",
    "error_reply",
    "instead",
    "intercept",
    "model_of",
    "restated",
]

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


@dataclass(frozen=True)
class Request:
    """A whole request as the application is given it."""

    scope: Mapping[str, Any]
    body: bytes

    @property
    def method(self) -> str:
        """The method."""
        return str(self.scope["method"])

    @property
    def path(self) -> str:
        """The decoded path."""
        return str(self.scope["path"])

    @property
    def raw_path(self) -> bytes:
        """The path as it was sent."""
        return bytes(self.scope.get("raw_path") or self.path.encode())

    def header(self, name: str) -> str | None:
        """The first field ``name``, or ``None``."""
        wanted = name.lower().encode()
        found = (value for key, value in self.scope["headers"] if key.lower() == wanted)
        return next((value.decode("latin-1") for value in found), None)

    @cached_property
    def members(self) -> dict[str, Any]:
        """The members of the body; none if it is not an object."""
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def asked(self, name: str) -> Any:
        """The parameter ``name``."""
        return self.members.get(name)


@dataclass
class Reply:
    """A whole answer."""

    status: int
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes = b""

    @classmethod
    def json(cls, status: int, value: Any) -> Reply:
        """``value`` as a JSON answer."""
        return cls(status, [(b"content-type", b"application/json")], json.dumps(value).encode())


def error_reply(status: int, message: str, *, param: str | None = None) -> Reply:
    """An error with the envelope."""
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": None}
    return Reply.json(status, {"error": error})


#: Says what is answered instead of the honest reply; ``None`` leaves it.
Change = Callable[[Request, Reply], Reply | None]


def intercept(
    change: Change, *, before: Callable[[bytes], bytes] | None = None
) -> Callable[[ASGIApp], ASGIApp]:
    """Middleware that replaces answers; ``before`` repairs a body before it is read.

    An answer that is left alone is passed on piece by piece, so that streams stay streams.
    """

    def wrap(app: ASGIApp) -> ASGIApp:
        async def answer(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await app(scope, receive, send)
                return
            body = await _whole(receive)
            request = Request(scope, body)
            sent: list[Message] = []

            async def collect(message: Message) -> None:
                sent.append(message)

            passed = before(body) if before else body
            await app(_sized(scope, len(passed)), _replay(passed, receive), collect)
            reply = change(request, _reply(sent))
            for message in sent if reply is None else _messages(reply):
                await send(message)

        return answer

    return wrap


def instead(matches: Callable[[Request], bool], reply: Reply) -> Callable[[ASGIApp], ASGIApp]:
    """Middleware that answers requests that match with ``reply``."""
    return intercept(lambda request, honest: reply if matches(request) else None)


def cutting(matches: Callable[[Request], bool]) -> Callable[[ASGIApp], ASGIApp]:
    """Middleware that cuts the connection of requests that match, as a process that dies does."""

    def change(request: Request, honest: Reply) -> Reply | None:
        if matches(request):
            raise ConnectionResetError("aborted")
        return None

    return intercept(change)


def restated(status: int, becomes: int) -> Callable[[ASGIApp], ASGIApp]:
    """Middleware that answers with the status ``becomes`` where it ought to be ``status``."""

    def change(request: Request, honest: Reply) -> Reply | None:
        return Reply(becomes, honest.headers, honest.body) if honest.status == status else None

    return intercept(change)


def model_of(app: ASGIApp) -> ASGIApp:
    """Every model name stands for the server's first model."""
    from conformance.reference.service import MODELS

    async def answer(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        body = await _whole(receive)
        members = Request(scope, body).members
        if isinstance(members.get("model"), str):
            body = json.dumps({**members, "model": MODELS[0]}).encode()
        await app(_sized(scope, len(body)), _replay(body, receive), send)

    return answer


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


def _replay(data: bytes, receive: Receive) -> Receive:
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


def _reply(messages: list[Message]) -> Reply:
    start = next((each for each in messages if each["type"] == "http.response.start"), None)
    body = b"".join(bytes(each.get("body", b"")) for each in messages)
    if start is None:
        return Reply(500)
    return Reply(int(start["status"]), list(start.get("headers", ())), body)


def _messages(reply: Reply) -> list[Message]:
    fields = [pair for pair in reply.headers if pair[0].lower() != b"content-length"]
    fields.append((b"content-length", b"%d" % len(reply.body)))
    return [
        {"type": "http.response.start", "status": reply.status, "headers": fields},
        {"type": "http.response.body", "body": reply.body, "more_body": False},
    ]
