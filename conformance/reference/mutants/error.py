"""Errors that clients cannot read, that come with the wrong status, or that never come."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from conformance.reference.mutants import Head, Seen, mutant
from conformance.reference.mutants.answering import (
    ASGIApp,
    Reply,
    Request,
    error_reply,
    intercept,
    model_of,
)

Document = dict[str, Any]


# The envelope


@mutant(
    "error-detail",
    kills=("error.envelope",),
    kind="error",
    thread="https://github.com/raullenchai/Rapid-MLX/pull/491",
)
def error_detail(document: Document, seen: Seen) -> Document:
    """Errors are `{"detail": …}`."""
    return {"detail": document["error"]["message"]}


@mutant(
    "error-flat",
    kills=("error.envelope",),
    kind="error",
    thread="https://github.com/vllm-project/vllm/issues/4667",
)
def error_flat(document: Document, seen: Seen) -> Document:
    """Errors have no `error` member: their fields stand at the top."""
    return {"object": "error", **document["error"], "code": 40001}


@mutant("error-string", kills=("error.envelope",), kind="error")
def error_string(document: Document, seen: Seen) -> Document:
    """`error` is a string."""
    return {"error": document["error"]["message"]}


@mutant(
    "error-no-message",
    kills=("error.envelope",),
    kind="error",
    thread="https://github.com/lm-sys/FastChat/issues/1966",
)
def error_no_message(document: Document, seen: Seen) -> None:
    """The message of errors is empty."""
    document["error"]["message"] = ""


@mutant(
    "error-code-integer",
    kills=("error.members",),
    kind="error",
    thread="https://github.com/NVIDIA/TensorRT-LLM/pull/19457",
)
def error_code_integer(document: Document, seen: Seen) -> None:
    """`error.code` repeats the HTTP status as a number."""
    document["error"]["code"] = seen.status


@mutant("error-no-param", kills=("error.members",), kind="error")
def error_no_param(document: Document, seen: Seen) -> None:
    """Errors have no `param`."""
    document["error"].pop("param", None)


@mutant("error-param-null", kills=("error.param",), kind="error")
def error_param_null(document: Document, seen: Seen) -> None:
    """Errors never name the parameter."""
    document["error"]["param"] = None


@mutant("error-as-text", kills=("error.content-type",), kind="head")
def error_as_text(head: Head, seen: Seen) -> None:
    """Errors are sent as text/html."""
    if head.status >= 400:
        head.set("content-type", "text/html; charset=utf-8")


@mutant("error-traceback", kills=("error.no-internals",), kind="error")
def error_traceback(document: Document, seen: Seen) -> None:
    """Error messages hold a stack trace."""
    document["error"]["message"] += (
        '\nTraceback (most recent call last):\n  File "/app/server.py", line 12, in chat'
    )


@mutant("error-code-varies", kills=("error.repeatable",), kind="error")
def error_code_varies(document: Document, seen: Seen) -> None:
    """The same fault gets another code each time."""
    document["error"]["code"] = f"code_{seen.number}"


# Status


def _instead(matches: Callable[[Request], bool], reply: Reply) -> Callable[[ASGIApp], ASGIApp]:
    return intercept(lambda request, honest: reply if matches(request) else None)


def _refused(status: int, becomes: int) -> Callable[[ASGIApp], ASGIApp]:
    def change(request: Request, honest: Reply) -> Reply | None:
        return Reply(becomes, honest.headers, honest.body) if honest.status == status else None

    return intercept(change)


@mutant(
    "error-status-200",
    kills=("error.unknown-model",),
    kind="asgi",
    thread="https://github.com/runpod-workers/worker-vllm/issues/57",
)
def error_status_200(app: ASGIApp) -> ASGIApp:
    """A model that is not found is told in the body of a 200."""
    return _refused(404, 200)(app)


@mutant("fault-status-500", kills=("error.never-5xx", "param.messages.validates"), kind="asgi")
def fault_status_500(app: ASGIApp) -> ASGIApp:
    """A faulty request is answered with 500."""
    return _refused(400, 500)(app)


@mutant(
    "fault-status-404",
    kills=("param.temperature.validates",),
    kind="asgi",
    thread="https://github.com/diegosouzapw/OmniRoute/issues/6412",
)
def fault_status_404(app: ASGIApp) -> ASGIApp:
    """A faulty request is answered with 404, as if the model were unknown."""
    return _refused(400, 404)(app)


@mutant(
    "unknown-model-401",
    kills=("error.unknown-model.status",),
    kind="asgi",
    thread="https://github.com/diegosouzapw/OmniRoute/issues/10856",
)
def unknown_model_401(app: ASGIApp) -> ASGIApp:
    """An unknown model is answered as a wrong key is."""
    return _refused(404, 401)(app)


@mutant(
    "unknown-model-served",
    kills=("error.unknown-model",),
    kind="asgi",
    thread="https://github.com/sgl-project/sglang/issues/31404",
)
def unknown_model_served(app: ASGIApp) -> ASGIApp:
    """Any model name is accepted; the one model answers."""
    return model_of(app)


@mutant("unknown-model-retrieved", kills=("model.unknown",), kind="asgi")
def unknown_model_retrieved(app: ASGIApp) -> ASGIApp:
    """A model that does not exist is found."""
    entry = {"id": "x", "object": "model", "created": 1, "owned_by": "x"}
    found = Reply.json(200, entry)

    def change(request: Request, honest: Reply) -> Reply | None:
        return found if "/models/" in request.path and honest.status == 404 else None

    return intercept(change)(app)


@mutant("model-path-slash", kills=("model.path-forms",), kind="asgi")
def model_path_slash(app: ASGIApp) -> ASGIApp:
    """A percent-encoded model id is not decoded."""
    return _instead(
        lambda request: b"%" in request.raw_path and "/models/" in request.path,
        error_reply(404, "no such model"),
    )(app)


@mutant(
    "empty-messages-500",
    kills=("param.messages.validates",),
    kind="asgi",
    thread="https://github.com/letta-ai/letta/issues/3381",
)
def empty_messages_500(app: ASGIApp) -> ASGIApp:
    """An empty array of messages raises an exception."""
    return _instead(
        lambda request: request.asked("messages") == [], error_reply(500, "list index out of range")
    )(app)


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


@mutant("stream-errors-in-stream", kills=("param.temperature.validates",), kind="asgi")
def stream_errors_in_stream(app: ASGIApp) -> ASGIApp:
    """With `stream: true` a fault is told inside a stream of status 200."""

    def change(request: Request, honest: Reply) -> Reply | None:
        if honest.status != 400 or request.asked("stream") is not True:
            return None
        body = b"data: " + honest.body + b"\n\ndata: [DONE]\n\n"
        return Reply(200, [(b"content-type", b"text/event-stream")], body)

    return intercept(change)(app)


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
    "invalid-utf-8-500",
    kills=("robust.body.survives",),
    kind="asgi",
    thread="https://github.com/six2dez/burp-ai-agent/issues/66",
)
def invalid_utf8_500(app: ASGIApp) -> ASGIApp:
    """A body that is not UTF-8 raises an exception."""
    return _instead(
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

    return _instead(odd, error_reply(500, "Background loop has errored already."))(app)


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


# Routes and methods


@mutant("unknown-route-html", kills=("error.unknown-route",), kind="asgi")
def unknown_route_html(app: ASGIApp) -> ASGIApp:
    """An unknown route shows the web page of the front end."""
    page = Reply(404, [(b"content-type", b"text/html")], b"<!doctype html><title>404</title>")
    return _instead(lambda request: "no-such-route" in request.path, page)(app)


@mutant("wrong-method-200", kills=("error.wrong-method",), kind="asgi")
def wrong_method_200(app: ASGIApp) -> ASGIApp:
    """A GET of a route that takes POST is answered with an empty 200."""
    return _instead(
        lambda request: request.method == "GET" and request.path.endswith("completions"),
        Reply.json(200, {}),
    )(app)


@mutant("media-type-500", kills=("error.media-type",), kind="asgi")
def media_type_500(app: ASGIApp) -> ASGIApp:
    """A body declared as text raises an exception."""
    return _instead(
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


# Acceptance


def _refuse(
    name: str, matches: Callable[[Any], bool] = lambda value: True, status: int = 400
) -> Any:
    reply = error_reply(status, f"{name} is not supported", param=name)

    def concerned(request: Request) -> bool:
        return bool(request.body) and name in request.members and matches(request.asked(name))

    return _instead(concerned, reply)


@mutant("stop-refused", kills=("param.stop.accepts",), kind="asgi")
def stop_refused(app: ASGIApp) -> ASGIApp:
    """`stop` is refused as an unsupported parameter."""
    return _refuse("stop")(app)  # type: ignore[no-any-return]


@mutant("stop-four-refused", kills=("param.stop.accepts",), kind="asgi")
def stop_four_refused(app: ASGIApp) -> ASGIApp:
    """Four stop sequences are one too many."""
    return _refuse("stop", lambda stop: isinstance(stop, list) and len(stop) > 3)(app)  # type: ignore[no-any-return]


@mutant("temperature-zero-500", kills=("param.temperature.accepts",), kind="asgi")
def temperature_zero_500(app: ASGIApp) -> ASGIApp:
    """Temperature 0 divides by zero."""
    return _refuse("temperature", lambda value: value == 0, 500)(app)  # type: ignore[no-any-return]


@mutant("null-refused", kills=("param.top_p.accepts",), kind="asgi")
def null_refused(app: ASGIApp) -> ASGIApp:
    """`top_p: null` is refused."""
    return _refuse("top_p", lambda value: value is None)(app)  # type: ignore[no-any-return]


@mutant("both-refused", kills=("accepts.together",), kind="asgi")
def both_refused(app: ASGIApp) -> ASGIApp:
    """`temperature` and `top_p` are refused together."""
    return _instead(
        lambda request: (
            {"temperature", "top_p"} <= request.members.keys()
            and None not in (request.asked("temperature"), request.asked("top_p"))
        ),
        error_reply(400, "temperature and top_p cannot both be specified"),
    )(app)


@mutant("plain-refused", kills=("accepts.minimal",), kind="asgi")
def plain_refused(app: ASGIApp) -> ASGIApp:
    """Every request of one member less than the server wants is refused."""
    return _instead(
        lambda request: bool(request.members) and "temperature" not in request.members,
        error_reply(400, "temperature is required"),
    )(app)


# Messages


def _roles(request: Request) -> list[Any]:
    messages = request.asked("messages")
    found = messages if isinstance(messages, list) else []
    return [each.get("role") for each in found if isinstance(each, dict)]


@mutant("system-refused", kills=("message.role.system",), kind="asgi")
def system_refused(app: ASGIApp) -> ASGIApp:
    """The template of the model knows no system role."""
    return _instead(
        lambda request: "system" in _roles(request), error_reply(400, "Unexpected message role.")
    )(app)


@mutant("assistant-refused", kills=("message.role.assistant",), kind="asgi")
def assistant_refused(app: ASGIApp) -> ASGIApp:
    """Earlier answers are not taken."""
    return _instead(
        lambda request: "assistant" in _roles(request), error_reply(400, "Unexpected message role.")
    )(app)


@mutant(
    "developer-refused",
    kills=("message.role.developer",),
    kind="asgi",
    thread="https://github.com/ogx-ai/ogx/issues/6069",
)
def developer_refused(app: ASGIApp) -> ASGIApp:
    """The role `developer` is unknown."""
    return _instead(
        lambda request: "developer" in _roles(request), error_reply(400, "Unexpected message role.")
    )(app)


@mutant("user-refused", kills=("message.role.user",), kind="asgi")
def user_refused(app: ASGIApp) -> ASGIApp:
    """The role of the person who asks has another name."""
    return _instead(
        lambda request: "user" in _roles(request), error_reply(400, "Unexpected message role.")
    )(app)


@mutant(
    "role-order-500",
    kills=("message.order",),
    kind="asgi",
    thread="https://github.com/nathaninline/ajean/issues/26",
)
def role_order_500(app: ASGIApp) -> ASGIApp:
    """A second system message makes the template raise."""
    return _instead(
        lambda request: _roles(request).count("system") > 1,
        error_reply(500, "Jinja Exception: System message must be at the beginning"),
    )(app)


@mutant(
    "parts-blanked",
    kills=("message.text-part",),
    kind="request",
    thread="https://github.com/CommandCodeAI/command-code/issues/820",
)
def parts_blanked(body: Document, seen: Seen) -> None:
    """Content given as parts is dropped in silence."""
    for message in body.get("messages") or []:
        if isinstance(message, dict) and isinstance(message.get("content"), list):
            message["content"] = ""


@mutant(
    "null-content-refused",
    kills=("message.tool-round-trip",),
    kind="asgi",
    thread="https://github.com/mistralai/mistral-common/issues/324",
)
def null_content_refused(app: ASGIApp) -> ASGIApp:
    """The null content of a message that calls a tool is refused."""

    def concerned(request: Request) -> bool:
        messages = request.asked("messages")
        found = messages if isinstance(messages, list) else []
        return any(
            isinstance(m, dict) and m.get("tool_calls") and m.get("content") is None for m in found
        )

    return _instead(concerned, error_reply(400, "Input should be a valid string"))(app)


@mutant("image-part-500", kills=("message.image-part",), kind="asgi")
def image_part_500(app: ASGIApp) -> ASGIApp:
    """An image part raises an exception."""
    return _instead(
        lambda request: b'"image_url"' in request.body, error_reply(500, "KeyError: 'image_url'")
    )(app)


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

    return _instead(concerned, error_reply(500, "n must be 1 when using greedy sampling"))(app)


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
    return _instead(lambda request: b":NaN" in request.body, error_reply(500, "nan"))(app)


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

    return _instead(concerned, error_reply(500, "KeyError"))(app)


@mutant("deep-nesting-crashes", kills=("robust.stop.survives",), kind="asgi")
def deep_nesting_crashes(app: ASGIApp) -> ASGIApp:
    """A deeply nested value raises an exception."""
    return _instead(
        lambda request: b"[" * 50 in request.body, error_reply(500, "maximum recursion depth")
    )(app)


# Every parameter at once

_DEEPTRIN = (
    "temperature",
    "top_p",
    "stop",
    "n",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
    "logit_bias",
)


@mutant(
    "extras-refused",
    kills=tuple(f"param.{name}.accepts" for name in _DEEPTRIN),
    kind="asgi",
)
def extras_refused(app: ASGIApp) -> ASGIApp:
    """Any parameter beyond the prompt, a limit and `stream` is refused."""
    plain = {"model", "messages", "prompt", "max_tokens", "stream"}
    return _instead(
        lambda request: not request.members.keys() <= plain, error_reply(400, "extra parameter")
    )(app)


@mutant(
    "plain-refused-everywhere",
    kills=(
        "param.model.accepts",
        "param.messages.accepts",
        "param.prompt.accepts",
        "param.max_tokens.accepts",
    ),
    kind="asgi",
)
def plain_refused_everywhere(app: ASGIApp) -> ASGIApp:
    """Every POST is refused."""
    return _instead(lambda request: request.method == "POST", error_reply(400, "no"))(app)


@mutant("stream-off-refused", kills=("param.stream.accepts",), kind="asgi")
def stream_off_refused(app: ASGIApp) -> ASGIApp:
    """`stream: false` is refused."""
    return _instead(
        lambda request: request.asked("stream") is False, error_reply(400, "stream must be true")
    )(app)


@mutant(
    "nothing-validated",
    kills=(
        *(f"param.{name}.validates" for name in _DEEPTRIN),
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
