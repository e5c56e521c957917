"""What clients are shown: answers to plain requests, to faulty ones, and to one that calls tools."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from conformance.checks.api import REGULAR, STREAM
from conformance.checks.chapters.model import UNKNOWN
from conformance.checks.clients import Probe
from conformance.checks.context import Context
from conformance.checks.plain import plain_request
from conformance.wire.exchange import Request

__all__ = ["probes_of"]


async def probes_of(ctx: Context, names: Iterable[str]) -> dict[str, Probe]:
    """The probes ``names`` that this profile has, with the answers of this repetition."""
    found: dict[str, Probe] = {}
    for name in dict.fromkeys(names):
        there = _place(ctx, name)
        if there is None:
            continue
        arguments = _arguments(there)
        stream = there.mode is STREAM
        surface = there.endpoint.name
        if name == "live":
            found[name] = Probe(name, surface, stream, arguments)
            continue
        request = _request(there, name)
        if request is not None:
            exchange = await there.ask(request)
            found[name] = Probe(name, surface, stream, arguments, exchange)
    return found


def _place(ctx: Context, name: str) -> Context | None:
    endpoint = "completions" if name.startswith("completions") else "chat"
    contract = ctx.profile.endpoints.get(endpoint)
    mode = STREAM if name.endswith("-stream") or name == "live" else REGULAR
    if contract is None or mode not in contract.modes:
        return None
    return ctx.on(endpoint=endpoint, mode=mode)


def _arguments(there: Context) -> dict[str, Any]:
    """What the oldest client takes: it is replayed an answer, or asks the plainest question."""
    body = there.body()
    return {
        name: body[name] for name in ("model", "messages", "prompt", "max_tokens") if name in body
    }


def _request(there: Context, name: str) -> Request | None:
    """The request whose answer is shown; ``None`` where the profile does not promise it."""
    if name.startswith("unknown-model"):
        return there.request(model=UNKNOWN)
    if name == "wrong-key":
        secured = "auth" in there.profile.features and there.subject.has_key
        return plain_request(there, credential="wrong") if secured else None
    if name == "wrong-type":
        return there.request(max_tokens="many") if there.promises("max_tokens") else None
    if name == "member-missing":
        return there.request(messages=...)
    if name == "usage-stream":
        asked = "stream-usage" in there.profile.features
        return there.request(stream_options={"include_usage": True}) if asked else None
    if name.startswith("tools"):
        return there.request(**_tools()) if there.promises("tools") else None
    return plain_request(there)


def _tools() -> dict[str, Any]:
    """Two calls of one function: what an accumulator that loses the index mixes up."""
    weather = {
        "name": "get_weather",
        "description": "Get the weather in a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
            "additionalProperties": False,
        },
    }
    question = "Tell me the weather in Oslo and in Lima. Call the function once for each city."
    return {
        "messages": [{"role": "user", "content": question}],
        "tools": [{"type": "function", "function": weather}],
        "tool_choice": "required",
        "max_tokens": 128,
    }
