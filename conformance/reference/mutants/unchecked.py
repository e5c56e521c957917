"""Faulty requests that are not noticed."""

from __future__ import annotations

import json
from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.answering import ASGIApp, Reply, Request, intercept
from conformance.reference.mutants.asked import SAMPLING

Document = dict[str, Any]


@mutant("stop-not-checked", kills=("param.stop.validates",), kind="request")
def stop_not_checked(body: Document, seen: Seen) -> None:
    """A stop sequence that is no string is dropped in silence."""
    stop = body.get("stop")
    if not isinstance(stop, (str, list)) or any(not isinstance(each, str) for each in stop):
        body.pop("stop", None)


@mutant(
    "scalars-not-checked",
    kills=("param.max_tokens.validates", "param.temperature.validates"),
    kind="request",
)
def scalars_not_checked(body: Document, seen: Seen) -> None:
    """Numbers of the wrong JSON type are dropped in silence."""
    for name in ("max_tokens", "temperature", "top_p", "n"):
        if isinstance(body.get(name), (str, list, dict, bool)):
            del body[name]


@mutant("malformed-accepted", kills=("error.malformed",), kind="asgi")
def malformed_accepted(app: ASGIApp) -> ASGIApp:
    """Whatever follows the JSON object is ignored."""

    def repair(body: bytes) -> bytes:
        try:
            value, _ = json.JSONDecoder().raw_decode(body.decode())
        except ValueError:
            return body
        return json.dumps(value).encode()

    return intercept(lambda request, honest: None, before=repair)(app)


@mutant(
    "nan-accepted",
    kills=("robust.temperature.survives",),
    kind="asgi",
    thread="https://github.com/raullenchai/Rapid-MLX/pull/740",
)
def nan_accepted(app: ASGIApp) -> ASGIApp:
    """NaN is read as a number and answered with nothing."""

    def repair(body: bytes) -> bytes:
        return body.replace(b":NaN", b":1")

    return intercept(lambda request, honest: None, before=repair)(app)


@mutant(
    "nothing-validated",
    kills=(
        *(f"param.{name}.validates" for name in SAMPLING),
        *(f"param.{name}.validates" for name in ("model", "messages", "prompt")),
        *(f"param.{name}.validates" for name in ("max_tokens", "stream")),
    ),
    kind="asgi",
)
def nothing_validated(app: ASGIApp) -> ASGIApp:
    """Whatever is asked is answered with 200 and an empty choice."""
    choice = {"index": 0, "text": "", "message": {"role": "assistant", "content": ""}}
    answer = {"id": "x", "object": "x", "created": 1, "model": "m", "choices": [choice]}
    done = Reply.json(200, answer)

    def change(request: Request, honest: Reply) -> Reply | None:
        return done if honest.status in (400, 404, 422) else None

    return intercept(change)(app)
