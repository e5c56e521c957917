"""A server under several clients: nobody hangs, nobody is answered with another's text."""

from __future__ import annotations

from conformance.checks.answer import read_answer
from conformance.checks.api import (
    MUST,
    REGULAR,
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
from conformance.wire.exchange import Delivery, Exchange, FailureKind

GENERATING = ("chat", "completions")
CONVENTION = Source("convention", "a server answers several clients at once")


@check(
    "robust.parallel-streams",
    MUST,
    CONVENTION,
    endpoints=GENERATING,
    modes=(STREAM,),
    phase=Phase.EXCLUSIVE,
    depth=Depth.STANDARD,
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
    "robust.outlives-faults",
    MUST,
    Source("convention", "a faulty request harms nobody but its sender"),
    endpoints=(),
    modes=(),
    phase=Phase.FINAL,
    cost=0,
)
async def outlives_faults(ctx: Context, case: Case) -> None:
    """After every faulty request the server still answers an ordinary one, or does so again soon.

    Judges the record and sends nothing: a server that is dead for good answers nothing any more.
    Where it is not to be reached at all (a time-out) the network may be at fault, and nobody is
    accused.
    """
    hostile: list[Exchange] = []
    probe: Exchange | None = None
    for exchange in reversed(ctx.recorded):
        if exchange.phase == "probe" and not hostile:
            probe = exchange
            if exchange.ok or _network(exchange):
                return
        elif exchange.phase == Phase.HOSTILE and probe is not None:
            hostile.append(exchange)
        elif hostile:
            break
        if len(hostile) == SUSPECTS:
            break
    if probe is None or not hostile:
        raise NotApplicable("no faulty request was followed by a probe")
    ordinary = probe.request.identity
    if not any(each.ok and each.request.identity == ordinary for each in ctx.recorded):
        raise NotApplicable("an ordinary request was never answered")
    how = probe.failure or f"status {probe.status}"
    message = f"dead after faulty requests, an ordinary one gets: {how}; the last {len(hostile)} are suspects"
    raise Broken(message, probe, *hostile)


#: Requests shown when a server did not come back: as many as are sent between two probes.
SUSPECTS = 16


def _network(exchange: Exchange) -> bool:
    """Whether there was no answer and no refusal either."""
    refused = (FailureKind.RESET, FailureKind.PROTOCOL)
    return exchange.failure is not None and exchange.failure.kind not in refused


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
    regular = ctx.on(mode=REGULAR)
    request = regular.request()
    before = await regular.ask(request, fresh=True)
    given_up = ctx.post(ctx.body(**long_prompt(ctx)), delivery=Delivery(close_after=1))
    left = await ctx.ask(given_up, fresh=True)
    if left.status != 200 or not before.ok:
        raise NotApplicable("no stream to give up", before, left)
    after = await regular.ask(request, fresh=True)
    if not after.ok:
        raise Broken(f"the next request fails ({after.failure or after.status})", after, left)
    then, now = _prompt_tokens(before), _prompt_tokens(after)
    if then is not None and now != then:
        raise Broken(f"prompt_tokens {then} before, {now} after", after, before, left)


def _prompt_tokens(exchange: Exchange) -> int | None:
    found = read_answer(exchange)
    return found.tokens("prompt") if found else None
