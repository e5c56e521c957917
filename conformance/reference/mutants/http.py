"""Defects of HTTP itself: methods, header fields, framing, spellings of JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, MutableMapping
from typing import Any

from conformance.reference.mutants import Head, Seen, mutant
from conformance.reference.mutants.answering import (
    ASGIApp,
    Receive,
    Reply,
    Request,
    Send,
    error_reply,
    intercept,
)


def _instead(matches: Callable[[Request], bool], reply: Reply) -> Callable[[ASGIApp], ASGIApp]:
    return intercept(lambda request, honest: reply if matches(request) else None)


@mutant("head-500", kills=("http.head", "error.never-5xx"), kind="asgi")
def head_500(app: ASGIApp) -> ASGIApp:
    """HEAD raises an exception."""
    return _instead(lambda request: request.method == "HEAD", error_reply(500, "no body"))(app)


@mutant("options-500", kills=("http.options",), kind="asgi")
def options_500(app: ASGIApp) -> ASGIApp:
    """OPTIONS raises an exception."""
    return _instead(lambda request: request.method == "OPTIONS", error_reply(500, "no body"))(app)


@mutant(
    "options-404-html",
    kills=("http.preflight",),
    kind="asgi",
    thread="https://github.com/anomalyco/opencode/issues/31041",
)
def options_html(app: ASGIApp) -> ASGIApp:
    """OPTIONS shows the web page of the front end."""
    page = Reply(404, [(b"content-type", b"text/html")], b"<!doctype html><title>404</title>")
    return _instead(lambda request: request.method == "OPTIONS", page)(app)


@mutant(
    "options-no-cors",
    kills=("http.preflight",),
    kind="head",
    thread="https://github.com/lm-sys/RouteLLM/issues/43",
)
def options_no_cors(head: Head, seen: Seen) -> None:
    """A preflight is answered without the field that a browser looks for."""
    head.drop("access-control-allow-origin")


@mutant("cors-in-preflight-only", kills=("http.cross-origin",), kind="asgi")
def cors_in_preflight_only(app: ASGIApp) -> ASGIApp:
    """A browser may ask, and is not let see what comes back."""

    def change(request: Request, honest: Reply) -> Reply | None:
        if request.method == "OPTIONS":
            allowed = (b"access-control-allow-origin", b"*")
            return Reply(204, [*honest.headers, allowed])
        kept = [p for p in honest.headers if p[0].lower() != b"access-control-allow-origin"]
        return Reply(honest.status, kept, honest.body)

    return intercept(change)(app)


@mutant("charset-refused", kills=("http.content-type-form",), kind="asgi")
def charset_refused(app: ASGIApp) -> ASGIApp:
    """The media type is compared as a string."""

    def other(request: Request) -> bool:
        return request.header("content-type") not in (None, "application/json")

    return _instead(other, error_reply(415, "Unsupported media type"))(app)


@mutant("unknown-fields-refused", kills=("http.unknown-fields",), kind="asgi")
def unknown_fields_refused(app: ASGIApp) -> ASGIApp:
    """Header fields that clients add are refused."""
    return _instead(
        lambda request: request.header("x-stainless-lang") is not None,
        error_reply(400, "unknown header"),
    )(app)


@mutant("accept-406", kills=("http.accept-json-stream",), kind="asgi")
def accept_406(app: ASGIApp) -> ASGIApp:
    """A stream needs `Accept: text/event-stream`."""

    def other(request: Request) -> bool:
        return request.asked("stream") is True and request.header("accept") == "application/json"

    return _instead(other, error_reply(406, "Not Acceptable"))(app)


@mutant("accept-any-406", kills=("http.accept-any",), kind="asgi")
def accept_any_406(app: ASGIApp) -> ASGIApp:
    """`Accept: */*` is refused."""
    return _instead(
        lambda request: request.header("accept") == "*/*", error_reply(406, "Not Acceptable")
    )(app)


@mutant("chunked-400", kills=("http.chunked-request",), kind="asgi")
def chunked_400(app: ASGIApp) -> ASGIApp:
    """A body in chunks is taken for an empty one."""
    return _instead(
        lambda request: request.header("transfer-encoding") is not None,
        error_reply(400, "you must provide a model parameter"),
    )(app)


@mutant("expect-400", kills=("http.expect-continue",), kind="asgi")
def expect_400(app: ASGIApp) -> ASGIApp:
    """A request that expects 100 is refused."""
    return _instead(
        lambda request: request.header("expect") is not None, error_reply(400, "Expect?")
    )(app)


@mutant("broken-after-error", kills=("http.usable-after-error",), kind="asgi")
def broken_after_error(app: ASGIApp) -> ASGIApp:
    """What is left of a refused body is taken for the next request."""
    left = [False]

    def change(request: Request, honest: Reply) -> Reply | None:
        if left[0] and honest.status == 200:
            left[0] = False
            return Reply(400, [(b"content-type", b"text/plain")], b"Invalid HTTP request received.")
        left[0] = left[0] or (honest.status == 400 and not request.members)
        return None

    return intercept(change)(app)


@mutant("body-cut", kills=("http.framing",), kind="asgi")
def body_cut(app: ASGIApp) -> ASGIApp:
    """A regular body is shorter than its Content-Length."""

    async def answer(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        async def cut(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                fields = [
                    (key, b"%d" % (int(value) + 9) if key.lower() == b"content-length" else value)
                    for key, value in message.get("headers", ())
                ]
                message = {**message, "headers": fields}
            await send(message)

        await app(scope, receive, cut if scope["type"] == "http" else send)

    return answer


@mutant("two-framings", kills=("http.framing",), kind="head")
def two_framings(head: Head, seen: Seen) -> None:
    """Answers have a Content-Length, and a transfer coding beside it."""
    if head.get("content-length") is not None:
        head.set("transfer-encoding", "identity")


@mutant(
    "rate-limit-minus-one",
    kills=("http.rate-limit-fields",),
    kind="head",
    thread="https://github.com/openai/openai-dotnet/issues/838",
)
def rate_limit_minus_one(head: Head, seen: Seen) -> None:
    """Rate limits are told as -1."""
    head.set("x-ratelimit-remaining-tokens", "-1")


@mutant("rate-limit-reset-date", kills=("http.rate-limit-fields",), kind="head")
def rate_limit_reset_date(head: Head, seen: Seen) -> None:
    """The reset of a rate limit is a date in words."""
    head.set("x-ratelimit-reset-requests", "tomorrow")


@mutant("retry-after-words", kills=("http.retry-after",), kind="head")
def retry_after_words(head: Head, seen: Seen) -> None:
    """Retry-After is no number and no date."""
    head.set("retry-after", "soon")


@mutant("escapes-kept", kills=("http.json-spelling",), kind="asgi")
def escapes_kept(app: ASGIApp) -> ASGIApp:
    """Escapes in strings are not decoded."""

    def keep(body: bytes) -> bytes:
        if b"\\u" not in body:
            return body
        try:
            value = json.loads(body.replace(b"\\u", b"\\\\u"))
        except ValueError:
            return body
        readable = {_plain(name): each for name, each in value.items()}
        return json.dumps(readable | {"model": _plain(str(readable.get("model")))}).encode()

    return intercept(lambda request, honest: None, before=keep)(app)


def _plain(text: str) -> str:
    return text.encode("latin-1", "replace").decode("unicode_escape")
