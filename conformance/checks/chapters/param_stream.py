"""``stream``: true gives events, false and nothing give one document."""

from __future__ import annotations

from conformance.checks.answer import why_unreadable
from conformance.checks.api import (
    MUST,
    REGULAR,
    STREAM,
    Broken,
    Case,
    Ignored,
    Source,
    Untestable,
    check,
)
from conformance.checks.context import Context
from conformance.wire.exchange import Exchange

SWITCH = Source(
    "specification text",
    "openapi.yaml:33320",
    "If set to true, the model response data will be streamed to the client as it is generated "
    "using server-sent events.",
)
#: Times the plain request is repeated, so that a switch that fails now and then is seen.
TIMES = 3


def _events(exchange: Exchange) -> int:
    return sum(isinstance(event.json, dict) for event in exchange.stream.events)


def _answered(exchange: Exchange) -> None:
    if exchange.status != 200:
        raise Untestable(f"no answer to judge: {why_unreadable(exchange)}", exchange)


@check(
    "param.stream.effect",
    MUST,
    SWITCH,
    modes=(STREAM,),
    needs=("stream",),
    parameter="stream",
    aspect="effect",
    cost=TIMES - 1,
)
async def effect(ctx: Context, case: Case) -> str | None:
    """`stream: true` is answered with server-sent events."""
    exchanges = [await ctx.ask(ctx.request(), repeat=number) for number in range(TIMES)]
    for exchange in exchanges:
        _answered(exchange)
    whole = [each for each in exchanges if not _events(each) and isinstance(each.json, dict)]
    if len(whole) == TIMES:
        raise Ignored("stream: true was answered with one JSON document", *whole)
    for exchange in exchanges:
        if not _events(exchange):
            media = exchange.media_type or "no content type"
            raise Broken(f"stream: true was answered without a JSON event ({media})", exchange)
    return None


@check(
    "param.stream.off",
    MUST,
    SWITCH,
    modes=(REGULAR,),
    needs=("stream",),
    parameter="stream",
    aspect="effect",
    cost=1,
)
async def off(ctx: Context, case: Case) -> str | None:
    """`stream: false`, and no `stream` at all, are answered with one JSON document."""
    switch = ctx.endpoint.stream_switch or "stream"
    for what, request in (
        ("no stream", ctx.request()),
        ("stream: false", ctx.request(**{switch: False})),
    ):
        exchange = await ctx.ask(request)
        _answered(exchange)
        if not isinstance(exchange.json, dict):
            told = "server-sent events" if _events(exchange) else "something else"
            raise Broken(f"{what} was answered with {told}, not one JSON document", exchange)
    return None
