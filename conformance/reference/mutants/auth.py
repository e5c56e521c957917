"""Keys that are not asked for, not compared, or given away."""

from __future__ import annotations

from collections.abc import Callable, MutableMapping
from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.answering import (
    ASGIApp,
    Receive,
    Reply,
    Request,
    Send,
    error_reply,
    intercept,
)
from conformance.reference.mutants.honest import KEY


def _rewritten(change: Callable[[dict[bytes, bytes], MutableMapping[str, Any]], None]) -> Any:
    """Middleware that lets ``change`` edit the header fields (and scope) before the server sees it."""

    def wrap(app: ASGIApp) -> ASGIApp:
        async def answer(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
            if scope["type"] == "http":
                fields = {key.lower(): value for key, value in scope["headers"]}
                scope = {**scope}
                change(fields, scope)
                scope["headers"] = list(fields.items())
            await app(scope, receive, send)

        return answer

    return wrap


def _with_key(trusted: Callable[[dict[bytes, bytes]], bool]) -> Callable[[ASGIApp], ASGIApp]:
    """Middleware that puts the server's own key into what ``trusted`` lets pass."""

    def wrap(app: ASGIApp) -> ASGIApp:
        key = getattr(app, "key", None) or KEY

        def change(fields: dict[bytes, bytes], scope: MutableMapping[str, Any]) -> None:
            if trusted(fields):
                fields[b"authorization"] = f"Bearer {key}".encode()

        wrapped: ASGIApp = _rewritten(change)(app)
        return wrapped

    return wrap


@mutant(
    "auth-no-key-needed",
    kills=("auth.no-key",),
    kind="asgi",
    thread="https://github.com/router-for-me/CLIProxyAPI/issues/2714",
)
def no_key_needed(app: ASGIApp) -> ASGIApp:
    """A request without a key is answered."""
    return _with_key(lambda fields: b"authorization" not in fields)(app)


@mutant("auth-any-key", kills=("auth.wrong-key",), kind="asgi")
def any_key(app: ASGIApp) -> ASGIApp:
    """Any bearer token is as good as the key."""
    return _with_key(lambda fields: fields.get(b"authorization", b"").startswith(b"Bearer "))(app)


@mutant("auth-key-begins", kills=("auth.whole-key",), kind="asgi")
def key_begins(app: ASGIApp) -> ASGIApp:
    """Whatever begins with the key is as good as the key."""
    key = f"Bearer {getattr(app, 'key', None) or KEY}".encode()
    return _with_key(lambda fields: fields.get(b"authorization", b"").startswith(key))(app)


@mutant("auth-any-scheme", kills=("auth.credentials-form",), kind="asgi")
def any_scheme(app: ASGIApp) -> ASGIApp:
    """Credentials of another scheme are let pass."""
    return _with_key(lambda fields: fields.get(b"authorization", b"").startswith(b"Basic "))(app)


def _changed(change: Callable[[Request, Reply], Reply | None]) -> Callable[[ASGIApp], ASGIApp]:
    return intercept(change)


@mutant("auth-status-403", kills=("auth.status",), kind="asgi")
def status_403(app: ASGIApp) -> ASGIApp:
    """A wrong key is answered with 403."""

    def change(request: Request, honest: Reply) -> Reply | None:
        return Reply(403, honest.headers, honest.body) if honest.status == 401 else None

    return _changed(change)(app)


@mutant("auth-after-validation", kills=("auth.before-validation",), kind="asgi")
def after_validation(app: ASGIApp) -> ASGIApp:
    """The body is validated before the key is looked at."""

    def change(request: Request, honest: Reply) -> Reply | None:
        invalid = request.method == "POST" and not request.members.get("model")
        return error_reply(400, "you must provide a model parameter") if invalid else None

    return _changed(change)(app)


@mutant("auth-scheme-case", kills=("auth.scheme-case",), kind="asgi")
def scheme_case(app: ASGIApp) -> ASGIApp:
    """Only `Bearer` with a capital B is a scheme."""

    def change(request: Request, honest: Reply) -> Reply | None:
        value = request.header("authorization") or ""
        return error_reply(401, "bad scheme") if value.startswith("bearer") else None

    return _changed(change)(app)


@mutant("auth-no-challenge", kills=("auth.challenge",), kind="head")
def no_challenge(head: Any, seen: Seen) -> None:
    """A 401 has no WWW-Authenticate field."""
    head.drop("www-authenticate")


@mutant("auth-key-echoed", kills=("auth.key-secret",), kind="asgi")
def key_echoed(app: ASGIApp) -> ASGIApp:
    """The error about a wrong key quotes it in full."""

    def change(request: Request, honest: Reply) -> Reply | None:
        if honest.status != 401:
            return None
        return error_reply(401, f"Incorrect API key provided: {request.header('authorization')}")

    return _changed(change)(app)


@mutant("auth-key-in-head", kills=("auth.key-secret",), kind="asgi")
def key_in_head(app: ASGIApp) -> ASGIApp:
    """Every answer repeats the key in a debugging field."""

    def change(request: Request, honest: Reply) -> Reply | None:
        value = (request.header("authorization") or "").encode("latin-1")
        return Reply(honest.status, [*honest.headers, (b"x-debug-auth", value)], honest.body)

    return _changed(change)(app)


@mutant(
    "auth-open-alias",
    kills=("auth.aliases",),
    kind="asgi",
    thread="https://github.com/lm-sys/FastChat/issues/2518",
)
def open_alias(app: ASGIApp) -> ASGIApp:
    """The same routes stand below /api, without the key."""
    inner = _with_key(lambda fields: fields.get(b"x-alias") == b"1")(app)

    def change(fields: dict[bytes, bytes], scope: MutableMapping[str, Any]) -> None:
        if scope["path"].startswith("/api/v1/"):
            scope["path"] = scope["path"].removeprefix("/api")
            scope["raw_path"] = scope["path"].encode()
            fields[b"x-alias"] = b"1"

    wrapped: ASGIApp = _rewritten(change)(inner)
    return wrapped
