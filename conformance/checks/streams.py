"""What checks of streams share: which exchanges are streams, and their chunks by choice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.checks.api import Case, NotApplicable
from conformance.checks.context import Context
from conformance.wire.exchange import Exchange

__all__ = ["choices_of", "chunks", "has_payload", "pieces", "stream_of", "wants_usage"]


async def stream_of(ctx: Context, case: Case) -> Exchange:
    """The exchange of ``case``, if the request was answered with a stream.

    Raises ``NotApplicable`` for a refused request and for a JSON body (which
    ``stream.content-type`` judges).
    """
    if case.request is None:
        raise NotApplicable("the case has no request")
    exchange = await ctx.ask(case.request)
    if exchange.status != 200:
        raise NotApplicable(f"status {exchange.status}", exchange)
    if isinstance(exchange.json, dict):
        raise NotApplicable("a JSON body, not a stream", exchange)
    return exchange


def chunks(exchange: Exchange) -> Iterator[tuple[int, dict[str, Any]]]:
    """The JSON objects of the stream with their event indexes, error events left out."""
    for number, event in enumerate(exchange.stream.events):
        if not event.done and isinstance(event.json, dict) and not event.json.get("error"):
            yield number, event.json


def choices_of(exchange: Exchange) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Every choice of every chunk: event index, choice index, the choice object."""
    for number, chunk in chunks(exchange):
        found = chunk.get("choices")
        for position, choice in enumerate(found if isinstance(found, list) else []):
            if isinstance(choice, dict):
                index = choice.get("index")
                if not isinstance(index, int) or isinstance(index, bool):
                    index = position
                yield number, index, choice


def pieces(exchange: Exchange) -> dict[int, list[tuple[int, str]]]:
    """The text pieces of each choice: ``(event index, text)``."""
    found: dict[int, list[tuple[int, str]]] = {}
    for number, index, choice in choices_of(exchange):
        delta = choice.get("delta")
        text = delta.get("content") if isinstance(delta, dict) else choice.get("text")
        if isinstance(text, str) and text:
            found.setdefault(index, []).append((number, text))
    return found


def has_payload(choice: dict[str, Any]) -> bool:
    """Whether a streamed choice carries text, a refusal or part of a tool call."""
    delta = choice.get("delta")
    holder = delta if isinstance(delta, dict) else choice
    names = ("content", "text", "refusal", "tool_calls", "function_call", "reasoning_content")
    return any(holder.get(name) for name in names)


def wants_usage(exchange: Exchange) -> bool:
    """Whether the request asked for a usage chunk (``stream_options.include_usage``)."""
    body = exchange.request.json
    options = body.get("stream_options") if isinstance(body, dict) else None
    return isinstance(options, dict) and options.get("include_usage") is True
