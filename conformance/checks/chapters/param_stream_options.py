"""``stream_options.include_usage``: the counts of the whole request, as a regular answer has them."""

from __future__ import annotations

from conformance.checks.answer import answer
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
from conformance.checks.oracle import FORCED_TOKENS, forced, oracle

USAGE = Source(
    "specification text",
    "openapi.yaml:31765",
    "If set, an additional chunk will be streamed before the `data: [DONE]` message. The `usage` "
    "field on this chunk shows the token usage statistics for the entire request",
)


@check(
    "param.stream_options.effect",
    MUST,
    USAGE,
    modes=(STREAM,),
    needs=("stream_options", "stream"),
    parameter="stream_options",
    aspect="effect",
    cost=1,
)
async def effect(ctx: Context, case: Case) -> str | None:
    """With `include_usage` a stream reports the usage that a regular answer does."""
    wanted = {"stream_options": {"include_usage": True}}
    kinds: tuple[str, ...] = ("prompt", "completion", "total")
    regular = ctx.on(mode=REGULAR)
    try:
        piece = (await ctx.learn(oracle)).best
        request = forced(ctx, piece.id, FORCED_TOKENS, **wanted)
        control = forced(regular, piece.id, FORCED_TOKENS)
    except Untestable:
        request, control = ctx.request(**wanted), regular.request()
        kinds = ("prompt",)  # the text need not be the same
    found = await answer(ctx, request)
    if found.usage is None:
        raise Ignored("include_usage was asked for; no chunk has a usage object", found.exchange)
    whole = await answer(regular, control)
    if whole.usage is None:
        raise Untestable("the regular answer has no usage to compare with", whole.exchange)
    for kind in kinds:
        if found.tokens(kind) != whole.tokens(kind):
            raise Broken(
                f"{kind}_tokens is {found.tokens(kind)} in the stream and {whole.tokens(kind)} in "
                "the regular answer to the same request",
                found.exchange,
                whole.exchange,
            )
    return None
