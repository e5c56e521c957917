"""Faulty requests that are not noticed."""

from __future__ import annotations

import json
from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.answering import ASGIApp, Reply, Request, intercept
from conformance.reference.mutants.asked import SAMPLING, number_in, put

Document = dict[str, Any]

#: What the honest server takes.
RANGES = {
    "temperature": (0, 2),
    "top_p": (0.01, 1),
    "presence_penalty": (-2, 2),
    "frequency_penalty": (-2, 2),
    "n": (1, 128),
}


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
        except (ValueError, RecursionError):
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


@mutant(
    "ranges-not-checked",
    kills=(
        "param.temperature.validates",
        "param.top_p.validates",
        "param.presence_penalty.validates",
        "param.frequency_penalty.validates",
        "param.logit_bias.validates",
        "param.n.validates",
    ),
    kind="request",
    profile="openai",
    thread="https://github.com/raullenchai/Rapid-MLX/pull/740",
)
def ranges_not_checked(body: Document, seen: Seen) -> None:
    """Numbers out of range are answered as if they were the nearest in range."""
    for name, (low, high) in RANGES.items():
        value = number_in(body, name)
        put(body, name, None if value is None else max(low, min(high, value)))
    bias = body.get("logit_bias")
    if isinstance(bias, dict):
        bias.update({k: max(-100, min(100, v)) for k, v in bias.items() if isinstance(v, int)})


@mutant(
    "empty-messages-answered",
    kills=("param.messages.validates",),
    kind="request",
    endpoint="chat",
    profile="openai",
    thread="https://github.com/llm-d/llm-d-inference-sim/pull/674",
)
def empty_messages_answered(body: Document, seen: Seen) -> None:
    """An empty conversation is answered."""
    if body.get("messages") == []:
        body["messages"] = [{"role": "user", "content": "-"}]
