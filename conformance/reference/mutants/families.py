"""Defects that every parameter can have: refused though promised, not checked, crashing.

These mutants stand for the requirements that each parameter of the wide profiles gives rise to;
the narrow profile's parameters have mutants of their own.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.answering import Reply, Request, error_reply, instead, intercept
from conformance.reference.mutants.streaming import ASGIApp, Receive, Send, read_request, replayed

#: Parameters beyond those of the narrow profile.
WIDE = (
    "max_completion_tokens",
    "stream_options",
    "logprobs",
    "top_logprobs",
    "seed",
    "response_format",
    "tools",
    "tool_choice",
    "parallel_tool_calls",
    "functions",
    "function_call",
    "user",
    "safety_identifier",
    "prompt_cache_key",
    "prompt_cache_retention",
    "prompt_cache_options",
    "metadata",
    "store",
    "service_tier",
    "modalities",
    "audio",
    "reasoning_effort",
    "verbosity",
    "prediction",
    "web_search_options",
    "moderation",
    "best_of",
    "echo",
    "suffix",
)
#: Those whose faulty values may harm a server.
RISKY = (
    "max_completion_tokens",
    "stream_options",
    "top_logprobs",
    "seed",
    "response_format",
    "tools",
    "tool_choice",
    "functions",
    "function_call",
    "prompt_cache_options",
    "metadata",
    "modalities",
    "audio",
    "prediction",
    "web_search_options",
    "moderation",
    "best_of",
)


#: Those that are no business of the model's.
INERT = ("prompt_cache_key", "safety_identifier", "service_tier", "store")


def _wide(request: Request) -> bool:
    return not request.members.keys().isdisjoint(WIDE)


@mutant(
    "wide-parameters-refused",
    kills=tuple(f"param.{name}.accepts" for name in WIDE),
    kind="asgi",
    profile="openai",
)
def wide_refused(app: ASGIApp) -> ASGIApp:
    """Parameters that came after the first API are refused as unknown."""
    refusal = error_reply(400, "Extra inputs are not permitted")
    return intercept(lambda request, honest: refusal if _wide(request) else None)(app)


@mutant(
    "wide-parameters-unchecked",
    kills=tuple(f"param.{name}.validates" for name in WIDE),
    kind="asgi",
    profile="openai",
)
def wide_unchecked(app: ASGIApp) -> ASGIApp:
    """Faulty values of parameters that came after the first API are answered with 200."""
    choice = {"index": 0, "text": "", "message": {"role": "assistant", "content": ""}}
    answer = {"id": "x", "object": "x", "created": 1, "model": "m", "choices": [choice]}
    done = Reply.json(200, answer)

    def change(request: Request, honest: Reply) -> Reply | None:
        return done if honest.status in (400, 404, 422) and _wide(request) else None

    return intercept(change)(app)


@mutant(
    "wide-parameters-crash",
    kills=tuple(f"robust.{name}.survives" for name in RISKY),
    kind="asgi",
    profile="openai",
)
def wide_crash(app: ASGIApp) -> ASGIApp:
    """Faulty values of parameters that came after the first API raise an exception."""
    crash = error_reply(500, "KeyError")

    def change(request: Request, honest: Reply) -> Reply | None:
        faulty = honest.status in (400, 404, 422)
        named = _wide(request) or any(b'"%s"' % name.encode() in request.body for name in RISKY)
        return crash if faulty and named else None

    return intercept(change)(app)


@mutant(
    "nulls-crash",
    thread="https://github.com/vllm-project/vllm/issues/19862",
    kills=("param.stop.accepts", "param.max_tokens.null", "error.never-5xx"),
    kind="asgi",
)
def nulls_crash(app: ASGIApp) -> ASGIApp:
    """An optional parameter that is null raises an exception."""
    crash = error_reply(500, "AssertionError")
    return intercept(lambda request, honest: crash if None in request.members.values() else None)(
        app
    )


@mutant(
    "token-prompt-crashes",
    thread="https://github.com/BerriAI/litellm/issues/17118",
    kills=("param.prompt.accepts",),
    kind="asgi",
    profile="openai",
)
def token_prompt_crashes(app: ASGIApp) -> ASGIApp:
    """A prompt of token ids raises an exception."""
    crash = error_reply(500, "Unmapped prompt format")

    def change(request: Request, honest: Reply) -> Reply | None:
        prompt = request.asked("prompt")
        ids = isinstance(prompt, list) and not all(isinstance(each, str) for each in prompt)
        return crash if ids else None

    return intercept(change)(app)


@mutant(
    "several-choices-refused",
    thread="https://github.com/algorithmicsuperintelligence/optillm/issues/8",
    kills=("param.n.accepts",),
    kind="asgi",
)
def several_choices_refused(app: ASGIApp) -> ASGIApp:
    """More than one choice is refused."""
    refusal = error_reply(400, "Only one completion choice is allowed", param="n")
    return intercept(
        lambda request, honest: refusal if request.asked("n") not in (None, 1) else None
    )(app)


@mutant(
    "syntax-error-kills",
    thread="https://github.com/mozilla-ai/llamafile/issues/116",
    kills=("error.malformed",),
    kind="asgi",
)
def syntax_error_kills(app: ASGIApp) -> ASGIApp:
    """A body that is no JSON aborts the process: the connection is cut."""

    async def answer(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await app(scope, receive, send)
            return
        data, seen = await read_request(scope, receive, 0)
        if data and seen.body is None:
            raise ConnectionResetError("aborted")
        await app(scope, replayed(data, receive), send)

    return answer


@mutant(
    "bookkeeping-shortens-answer",
    kills=tuple(f"param.{name}.effect" for name in INERT),
    kind="request",
    profile="openai",
)
def bookkeeping_shortens_answer(body: dict[str, Any], seen: Seen) -> None:
    """Parameters that are for bookkeeping halve the answer."""
    if not body.keys().isdisjoint(INERT) and isinstance(body.get("max_tokens"), int):
        body["max_tokens"] = max(1, body["max_tokens"] // 2)


@mutant(
    "echo-of-nothing-crashes",
    kills=("robust.combinations.survive",),
    kind="asgi",
    profile="openai",
    thread="https://github.com/vllm-project/vllm/issues/6521",
)
def echo_of_nothing_crashes(app: ASGIApp) -> ASGIApp:
    """echo with logprobs and no token to generate raises in the engine."""

    def concerned(request: Request) -> bool:
        asked = request.members
        return bool(asked.get("echo") and "logprobs" in asked) and asked.get("max_tokens") == 0

    return instead(concerned, error_reply(500, "list index out of range"))(app)
