"""Requests that raise an exception inside the server, or kill it."""

from __future__ import annotations

from conformance.reference.mutants import mutant
from conformance.reference.mutants.answering import (
    ASGIApp,
    Reply,
    Request,
    cutting,
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


def _incomplete(request: Request) -> bool:
    """Whether a required member is missing."""
    required = "messages" if request.path.endswith("chat/completions") else "prompt"
    posted = request.method == "POST" and bool(request.members)
    return posted and not {"model", required} <= request.members.keys()


@mutant(
    "missing-member-crashes",
    kills=("robust.model.survives", "robust.messages.survives", "robust.prompt.survives"),
    kind="asgi",
    thread="https://github.com/ggml-org/llama.cpp/issues/7133",
)
def missing_member_crashes(app: ASGIApp) -> ASGIApp:
    """A request without one of its required members raises an exception."""
    return instead(_incomplete, error_reply(500, "KeyError"))(app)


@mutant("deep-nesting-crashes", kills=("robust.stop.survives",), kind="asgi")
def deep_nesting_crashes(app: ASGIApp) -> ASGIApp:
    """A deeply nested value raises an exception."""
    return instead(
        lambda request: b"[" * 50 in request.body, error_reply(500, "maximum recursion depth")
    )(app)


@mutant(
    "missing-member-kills",
    kills=("robust.messages.survives", "robust.prompt.survives"),
    kind="asgi",
    thread="https://github.com/ggml-org/llama.cpp/issues/7133",
)
def missing_member_kills(app: ASGIApp) -> ASGIApp:
    """A request without one of its required members aborts the process: the connection is cut."""
    return cutting(_incomplete)(app)


@mutant(
    "invalid-utf-8-kills",
    kills=("robust.body.survives",),
    kind="asgi",
    thread="https://github.com/ggml-org/llama.cpp/pull/9210",
)
def invalid_utf8_kills(app: ASGIApp) -> ASGIApp:
    """The text of an error that is not UTF-8 throws in the error handler: the connection is cut."""
    return cutting(lambda request: b"\xff" in request.body)(app)


@mutant(
    "bias-beyond-vocabulary-kills",
    kills=("robust.logit_bias.survives",),
    kind="asgi",
    thread="https://github.com/sgl-project/sglang/issues/7670",
)
def bias_beyond_vocabulary_kills(app: ASGIApp) -> ASGIApp:
    """A token id beyond the vocabulary raises in the scheduler, which is gone then."""

    def beyond(request: Request) -> bool:
        bias = request.asked("logit_bias")
        ids = bias if isinstance(bias, dict) else {}
        return any(key.isdigit() and int(key) > 50_000 for key in ids)

    return cutting(beyond)(app)


@mutant(
    "chat-crashes",
    kills=("accepts.minimal",),
    kind="asgi",
    thread="https://github.com/triton-inference-server/triton_distributed/issues/302",
)
def chat_crashes(app: ASGIApp) -> ASGIApp:
    """A conversation is forwarded as something else: whatever is asked, the engine raises."""
    crash = error_reply(500, "prompt: Field required")
    return instead(
        lambda request: request.method == "POST" and request.path.endswith("chat/completions"),
        crash,
    )(app)


@mutant(
    "missing-max-tokens-crashes",
    kills=("param.max_tokens.omitted",),
    kind="asgi",
    thread="https://github.com/vllm-project/vllm/issues/6707",
)
def missing_max_tokens_crashes(app: ASGIApp) -> ASGIApp:
    """A request without max_tokens raises in the engine."""
    return instead(
        lambda request: bool(request.members) and "max_tokens" not in request.members,
        error_reply(500, "max_tokens is undefined"),
    )(app)


@mutant(
    "logprobs-crash",
    kills=("param.logprobs.accepts",),
    kind="asgi",
    profile="openai",
    thread="https://github.com/vllm-project/vllm/issues/2706",
)
def logprobs_crash(app: ASGIApp) -> ASGIApp:
    """Tokens are bytes and no JSON: a request with log probabilities raises an exception."""
    return instead(
        lambda request: bool(request.asked("logprobs")),
        error_reply(500, "Object of type bytes is not JSON serializable"),
    )(app)
