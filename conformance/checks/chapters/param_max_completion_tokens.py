"""``max_completion_tokens``: the limit's present name."""

from __future__ import annotations

from conformance.checks.answer import answer
from conformance.checks.api import MUST, Broken, Case, Ignored, Source, Untestable, check
from conformance.checks.context import Context
from conformance.checks.forcing import repeats, shown
from conformance.checks.oracle import force, oracle

BOUND = Source(
    "specification text",
    "openapi.yaml:33146",
    "An upper bound for the number of tokens that can be generated for a completion, including "
    "visible output tokens and [reasoning tokens](/docs/guides/reasoning).",
)
LIMIT, GUARD = 3, 12


@check(
    "param.max_completion_tokens.effect",
    MUST,
    BOUND,
    endpoints=("chat",),
    needs=("max_completion_tokens",),
    parameter="max_completion_tokens",
    aspect="effect",
    cost=1,
)
async def effect(ctx: Context, case: Case) -> str | None:
    """An answer that nothing else ends has `max_completion_tokens` tokens."""
    try:
        piece = (await ctx.learn(oracle)).best
    except Untestable as absent:
        return await _by_usage(ctx, absent.message)
    # A stop sequence bounds the cost on a server that does not know the parameter.
    guard = {"stop": [piece.text * GUARD]} if ctx.promises("stop") else {}
    found = await answer(
        ctx,
        ctx.request(
            max_tokens=..., max_completion_tokens=LIMIT, logit_bias=force(piece.id), **guard
        ),
    )
    count = repeats(found.text, piece)
    if guard and not found.text and found.finish_reason == "stop":
        count = GUARD  # the stop sequence was reached, and is cut off
    if count != LIMIT:
        if count is not None and count > LIMIT + 2:
            raise Ignored(f"max_completion_tokens={LIMIT}: {count} tokens came", found.exchange)
        raise Broken(
            f"max_completion_tokens={LIMIT}: {shown(found.text)} came, the forced token "
            f"{piece.text!r} was due {LIMIT} times",
            found.exchange,
        )
    if found.finish_reason != "length":
        raise Broken(
            f"max_completion_tokens={LIMIT} was used up: finish_reason is {found.finish_reason!r}",
            found.exchange,
        )
    return None


async def _by_usage(ctx: Context, absent: str) -> str:
    found = await answer(ctx, ctx.request(max_tokens=..., max_completion_tokens=LIMIT))
    tokens = found.tokens("completion")
    if tokens is None:
        raise Untestable(f"{absent}; and the answer reports no completion_tokens", found.exchange)
    if tokens > LIMIT:
        raise Broken(f"max_completion_tokens={LIMIT} gave {tokens} tokens", found.exchange)
    return f"judged by usage alone ({absent})"
