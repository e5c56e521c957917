"""A server under several clients: nobody hangs, nobody is answered with another's text."""

from __future__ import annotations

from conformance.checks.api import (
    MUST,
    SHOULD,
    STREAM,
    Broken,
    Case,
    Depth,
    NotApplicable,
    Phase,
    check,
)
from conformance.checks.context import Context
from conformance.checks.oracle import long_prompt
from conformance.schema.contract import Source
from conformance.wire.exchange import Delivery, Exchange

GENERATING = ("chat", "completions")
CONVENTION = Source("convention", "a server answers several clients at once")


@check(
    "robust.parallel-streams",
    MUST,
    CONVENTION,
    endpoints=GENERATING,
    modes=(STREAM,),
    phase=Phase.EXCLUSIVE,
    cost=4,
)
async def parallel_streams(ctx: Context, case: Case) -> None:
    """Streams that are open at the same time all come to their end."""
    count = max(2, min(4, ctx.subject.concurrency))
    body = ctx.body(
        **long_prompt(ctx), **({"max_tokens": 16} if ctx.promises("max_tokens") else {})
    )
    request = ctx.post(body, delivery=Delivery(group=f"{count} streams"))
    exchanges = await ctx.ask_all([request] * count, fresh=True)
    stuck = [each for each in exchanges if not each.complete]
    if stuck:
        raise Broken(f"{len(stuck)} of {count} streams do not end ({stuck[0].failure})", *stuck)


@check(
    "robust.abandoned-answer",
    SHOULD,
    CONVENTION,
    endpoints=GENERATING,
    modes=(STREAM,),
    phase=Phase.EXCLUSIVE,
    depth=Depth.STANDARD,
    cost=3,
)
async def abandoned(ctx: Context, case: Case) -> None:
    """A stream given up half way leaves nothing behind in the next answer."""
    request = ctx.request()
    before = await ctx.ask(request, fresh=True)
    left = await ctx.ask(ctx.post(ctx.body(), delivery=Delivery(close_after=1)), fresh=True)
    after = await ctx.ask(request, fresh=True)
    if left.status != 200 or not before.ok:
        raise NotApplicable("no stream to give up", before, left)
    if not after.ok:
        raise Broken(f"the next request fails ({after.failure or after.status})", after)
    if _prompt_tokens(before) != _prompt_tokens(after):
        message = f"prompt_tokens {_prompt_tokens(before)} before, {_prompt_tokens(after)} after"
        raise Broken(message, after, before)


def _prompt_tokens(exchange: Exchange) -> object:
    for event in reversed(exchange.stream.events):
        if isinstance(event.json, dict) and isinstance(event.json.get("usage"), dict):
            return event.json["usage"].get("prompt_tokens")
    return None
