"""Defects that every parameter can have: refused though promised, not checked, crashing.

These mutants stand for the requirements that each parameter of the wide profiles gives rise to;
the narrow profile's parameters have mutants of their own.
"""

from __future__ import annotations

from conformance.reference.mutants import mutant
from conformance.reference.mutants.answering import Reply, Request, error_reply, intercept
from conformance.reference.mutants.streaming import ASGIApp

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
