"""Faults that are answered with the wrong status."""

from __future__ import annotations

import json
from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.answering import (
    ASGIApp,
    Reply,
    Request,
    error_reply,
    instead,
    intercept,
    restated,
)

Document = dict[str, Any]


@mutant(
    "error-status-200",
    kills=("error.unknown-model",),
    kind="asgi",
    thread="https://github.com/runpod-workers/worker-vllm/issues/57",
)
def error_status_200(app: ASGIApp) -> ASGIApp:
    """A model that is not found is told in the body of a 200."""
    return restated(404, 200)(app)


@mutant("fault-status-500", kills=("error.never-5xx", "param.messages.validates"), kind="asgi")
def fault_status_500(app: ASGIApp) -> ASGIApp:
    """A faulty request is answered with 500."""
    return restated(400, 500)(app)


@mutant(
    "fault-status-404",
    kills=("param.temperature.validates", "param.messages.validates"),
    kind="asgi",
    thread="https://github.com/diegosouzapw/OmniRoute/issues/6412",
)
def fault_status_404(app: ASGIApp) -> ASGIApp:
    """A faulty request is answered with 404, as if the model were unknown."""
    return restated(400, 404)(app)


@mutant("stream-errors-in-stream", kills=("param.temperature.validates",), kind="asgi")
def stream_errors_in_stream(app: ASGIApp) -> ASGIApp:
    """With `stream: true` a fault is told inside a stream of status 200."""

    def change(request: Request, honest: Reply) -> Reply | None:
        if honest.status != 400 or request.asked("stream") is not True:
            return None
        body = b"data: " + honest.body + b"\n\ndata: [DONE]\n\n"
        return Reply(200, [(b"content-type", b"text/event-stream")], body)

    return intercept(change)(app)


@mutant("unknown-route-html", kills=("error.unknown-route",), kind="asgi")
def unknown_route_html(app: ASGIApp) -> ASGIApp:
    """An unknown route shows the web page of the front end."""
    page = Reply(404, [(b"content-type", b"text/html")], b"<!doctype html><title>404</title>")
    return instead(lambda request: "no-such-route" in request.path, page)(app)


@mutant("wrong-method-200", kills=("error.wrong-method",), kind="asgi")
def wrong_method_200(app: ASGIApp) -> ASGIApp:
    """A GET of a route that takes POST is answered with an empty 200."""
    return instead(
        lambda request: request.method == "GET" and request.path.endswith("completions"),
        Reply.json(200, {}),
    )(app)


@mutant("media-type-500", kills=("error.media-type",), kind="asgi")
def media_type_500(app: ASGIApp) -> ASGIApp:
    """A body declared as text raises an exception."""
    return instead(
        lambda request: request.header("content-type") == "text/plain",
        error_reply(500, "'NoneType' object is not subscriptable"),
    )(app)


@mutant(
    "context-cut",
    kills=("error.context-overflow",),
    kind="request",
    thread="https://github.com/JustVugg/colibri/pull/506",
)
def context_cut(body: Document, seen: Seen) -> None:
    """A prompt that is too long is cut to its beginning in silence."""
    for message in body.get("messages") or []:
        if isinstance(message, dict) and isinstance(message.get("content"), str):
            message["content"] = message["content"][:2_000]
    if isinstance(body.get("prompt"), str):
        body["prompt"] = body["prompt"][:2_000]


def _overflow(request: Request, honest: Reply) -> bool:
    """Whether the prompt is longer than the context."""
    return honest.status == 400 and b"context" in honest.body


@mutant(
    "overflow-finish-error",
    kills=("error.context-overflow",),
    kind="asgi",
    thread="https://github.com/LostRuins/koboldcpp/issues/2481",
)
def overflow_finish_error(app: ASGIApp) -> ASGIApp:
    """A prompt that is too long is answered with 200, no text and the finish reason `error`."""
    choice = {
        "index": 0,
        "text": "",
        "message": {"role": "assistant", "content": ""},
        "finish_reason": "error",
    }
    done = Reply.json(
        200, {"id": "x", "object": "x", "created": 1, "model": "m", "choices": [choice]}
    )
    return intercept(lambda request, honest: done if _overflow(request, honest) else None)(app)


@mutant(
    "overflow-empty-stream",
    kills=("error.context-overflow",),
    kind="asgi",
    thread="https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/2339",
)
def overflow_empty_stream(app: ASGIApp) -> ASGIApp:
    """A streamed prompt that is too long is answered with a stream that has no text."""
    choice = {"index": 0, "delta": {"role": "assistant"}, "text": "", "finish_reason": "stop"}
    chunk = {"id": "x", "object": "x", "created": 1, "model": "m", "choices": [choice]}
    body = b"data: " + json.dumps(chunk).encode() + b"\n\ndata: [DONE]\n\n"
    stream = Reply(200, [(b"content-type", b"text/event-stream")], body)

    def change(request: Request, honest: Reply) -> Reply | None:
        streams = request.asked("stream") is True
        return stream if streams and _overflow(request, honest) else None

    return intercept(change)(app)
