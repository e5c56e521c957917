"""Documented values that are refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.reference.mutants import mutant
from conformance.reference.mutants.answering import ASGIApp, Request, error_reply, instead
from conformance.reference.mutants.asked import SAMPLING


def _refuse(
    name: str, matches: Callable[[Any], bool] = lambda value: True, status: int = 400
) -> Any:
    reply = error_reply(status, f"{name} is not supported", param=name)

    def concerned(request: Request) -> bool:
        return bool(request.body) and name in request.members and matches(request.asked(name))

    return instead(concerned, reply)


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
    return instead(
        lambda request: (
            {"temperature", "top_p"} <= request.members.keys()
            and None not in (request.asked("temperature"), request.asked("top_p"))
        ),
        error_reply(400, "temperature and top_p cannot both be specified"),
    )(app)


@mutant("plain-refused", kills=("accepts.minimal",), kind="asgi")
def plain_refused(app: ASGIApp) -> ASGIApp:
    """Every request of one member less than the server wants is refused."""
    return instead(
        lambda request: bool(request.members) and "temperature" not in request.members,
        error_reply(400, "temperature is required"),
    )(app)


@mutant(
    "extras-refused",
    kills=tuple(f"param.{name}.accepts" for name in SAMPLING),
    kind="asgi",
)
def extras_refused(app: ASGIApp) -> ASGIApp:
    """Any parameter beyond the prompt, a limit and `stream` is refused."""
    plain = {"model", "messages", "prompt", "max_tokens", "stream"}
    return instead(
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
    return instead(lambda request: request.method == "POST", error_reply(400, "no"))(app)


@mutant("stream-off-refused", kills=("param.stream.accepts",), kind="asgi")
def stream_off_refused(app: ASGIApp) -> ASGIApp:
    """`stream: false` is refused."""
    return instead(
        lambda request: request.asked("stream") is False, error_reply(400, "stream must be true")
    )(app)


@mutant(
    "nonzero-penalty-refused",
    kills=("param.presence_penalty.accepts", "param.frequency_penalty.accepts"),
    kind="asgi",
    thread="https://github.com/google-gemini/cookbook/issues/1290",
)
def nonzero_penalty_refused(app: ASGIApp) -> ASGIApp:
    """Penalties are not enabled for the model: none but 0 is taken."""
    return instead(
        lambda request: bool(
            request.asked("presence_penalty") or request.asked("frequency_penalty")
        ),
        error_reply(400, "Penalty is not enabled for this model"),
    )(app)


@mutant(
    "tools-stream-logprobs-refused",
    kills=("accepts.together",),
    kind="asgi",
    profile="openai",
    thread="https://github.com/am17an/llama.cpp/issues/35",
)
def tools_stream_logprobs_refused(app: ASGIApp) -> ASGIApp:
    """Log probabilities are refused where tools are streamed."""
    return instead(
        lambda request: bool(
            request.asked("tools") and request.asked("logprobs") and request.asked("stream")
        ),
        error_reply(400, "logprobs is not supported with tools + stream"),
    )(app)


@mutant(
    "json-schema-refused",
    kills=("param.response_format.accepts",),
    kind="asgi",
    profile="openai",
    thread="https://github.com/khoj-ai/khoj/issues/1336",
)
def json_schema_refused(app: ASGIApp) -> ASGIApp:
    """Of the response formats json_schema is not available."""

    def concerned(request: Request) -> bool:
        wanted = request.asked("response_format")
        return isinstance(wanted, dict) and wanted.get("type") == "json_schema"

    return instead(concerned, error_reply(400, "This response_format type is unavailable now"))(app)
