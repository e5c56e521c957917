"""Requests that raise an exception inside the server, or kill it."""

from __future__ import annotations

from conformance.reference.mutants import mutant
from conformance.reference.mutants.answering import (
    ASGIApp,
    Reply,
    Request,
    error_reply,
    instead,
    intercept,
)


@mutant(
    "empty-messages-500",
    kills=("param.messages.validates",),
    kind="asgi",
    thread="https://github.com/letta-ai/letta/issues/3381",
)
def empty_messages_500(app: ASGIApp) -> ASGIApp:
    """An empty array of messages raises an exception."""
    return instead(
        lambda request: request.asked("messages") == [], error_reply(500, "list index out of range")
    )(app)


@mutant(
    "invalid-utf-8-500",
    kills=("robust.body.survives",),
    kind="asgi",
    thread="https://github.com/six2dez/burp-ai-agent/issues/66",
)
def invalid_utf8_500(app: ASGIApp) -> ASGIApp:
    """A body that is not UTF-8 raises an exception."""
    return instead(
        lambda request: b"\xff" in request.body, error_reply(500, "json.exception.parse_error.101")
    )(app)


@mutant(
    "bias-key-kills",
    kills=("robust.logit_bias.survives",),
    kind="asgi",
    thread="https://github.com/vllm-project/vllm/pull/5963",
)
def bias_key_kills(app: ASGIApp) -> ASGIApp:
    """A token id that is none raises inside the engine."""

    def odd(request: Request) -> bool:
        bias = request.asked("logit_bias")
        return isinstance(bias, dict) and not all(key.isdigit() for key in bias)

    return instead(odd, error_reply(500, "Background loop has errored already."))(app)


@mutant("dies-of-faults", kills=("param.temperature.validates",), kind="asgi")
def dies_of_faults(app: ASGIApp) -> ASGIApp:
    """After a temperature of the wrong type nothing is answered any more for a while."""
    sick = [0]

    def change(request: Request, honest: Reply) -> Reply | None:
        if isinstance(request.asked("temperature"), (str, dict, list)):
            sick[0] = 3
        elif sick[0]:
            sick[0] -= 1
            return error_reply(500, "engine dead")
        return None

    return intercept(change)(app)


@mutant("dead-for-good", kills=("robust.outlives-faults",), kind="asgi")
def dead_for_good(app: ASGIApp) -> ASGIApp:
    """After a fault in `stop` the engine is dead, and the server says so for ever."""
    dead = [False]

    def change(request: Request, honest: Reply) -> Reply | None:
        if dead[0]:
            return error_reply(500, "engine dead")
        dead[0] = isinstance(request.asked("stop"), (int, dict))
        return None

    return intercept(change)(app)


@mutant(
    "greedy-choices-500",
    kills=("robust.combinations.survive",),
    kind="asgi",
    thread="https://github.com/ai-dynamo/dynamo/pull/3860",
)
def greedy_choices_500(app: ASGIApp) -> ASGIApp:
    """Several choices at temperature 0 raise an exception."""

    def concerned(request: Request) -> bool:
        several = isinstance(request.asked("n"), int) and request.asked("n") > 1
        return several and request.asked("temperature") == 0

    return instead(concerned, error_reply(500, "n must be 1 when using greedy sampling"))(app)


@mutant(
    "nan-crashes",
    kills=(
        "robust.top_p.survives",
        "robust.n.survives",
        "robust.max_tokens.survives",
        "robust.presence_penalty.survives",
        "robust.frequency_penalty.survives",
        "robust.repetition_penalty.survives",
    ),
    kind="asgi",
)
def nan_crashes(app: ASGIApp) -> ASGIApp:
    """What is no JSON number passes the parser and fails in the sampler."""
    return instead(lambda request: b":NaN" in request.body, error_reply(500, "nan"))(app)


@mutant(
    "missing-member-crashes",
    kills=("robust.model.survives", "robust.messages.survives", "robust.prompt.survives"),
    kind="asgi",
    thread="https://github.com/ggml-org/llama.cpp/issues/7133",
)
def missing_member_crashes(app: ASGIApp) -> ASGIApp:
    """A request without one of its required members raises an exception."""

    def concerned(request: Request) -> bool:
        required = "messages" if request.path.endswith("chat/completions") else "prompt"
        posted = request.method == "POST" and bool(request.members)
        return posted and not {"model", required} <= request.members.keys()

    return instead(concerned, error_reply(500, "KeyError"))(app)


@mutant("deep-nesting-crashes", kills=("robust.stop.survives",), kind="asgi")
def deep_nesting_crashes(app: ASGIApp) -> ASGIApp:
    """A deeply nested value raises an exception."""
    return instead(
        lambda request: b"[" * 50 in request.body, error_reply(500, "maximum recursion depth")
    )(app)
