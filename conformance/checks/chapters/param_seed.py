"""``seed``: a best effort, so that nothing here is more than a SHOULD."""

from __future__ import annotations

from conformance.checks.answer import Answer, answer
from conformance.checks.api import (
    REGULAR,
    SHOULD,
    Broken,
    Case,
    Depth,
    Ignored,
    Source,
    Undecided,
    check,
)
from conformance.checks.context import Context
from conformance.checks.forcing import shown
from conformance.checks.oracle import greedy_body

EFFORT = Source(
    "specification text",
    "openapi.yaml:33278",
    "our system will make a best effort to sample deterministically, such that repeated requests "
    "with the same `seed` and parameters should return the same result. Determinism is not "
    "guaranteed",
)
TOKENS, REQUESTS, MORE = 12, 3, 8


async def _texts(ctx: Context, seeds: list[int], start: int = 0) -> list[Answer]:
    """Warm answers, one for each seed."""
    warm = 1 if ctx.promises("temperature") else ...
    return [
        await answer(
            ctx,
            ctx.post(greedy_body(ctx, TOKENS, temperature=warm, seed=seed)),
            repeat=start + number,
        )
        for number, seed in enumerate(seeds)
    ]


@check(
    "param.seed.effect",
    SHOULD,
    EFFORT,
    needs=("seed",),
    parameter="seed",
    aspect="effect",
    exact=False,
    cost=REQUESTS + 2,
)
async def effect(ctx: Context, case: Case) -> str | None:
    """The same `seed` gives the same text more often than different seeds do."""
    same = await _texts(ctx, [7] * REQUESTS)
    repeats = REQUESTS - len({each.text for each in same})
    if repeats == REQUESTS - 1:
        other = await _texts(ctx, [1, 2, 3])
        if len({each.text for each in (*same, *other)}) == 1:
            raise Undecided("the text is the same with every seed", *(e.exchange for e in other))
        return None
    same += await _texts(ctx, [7] * (MORE - REQUESTS), REQUESTS)
    different = len({each.text for each in same})
    if different < MORE - 1:
        return f"{MORE} answers with one seed are {different} different texts"
    raise Ignored(
        f"{MORE} answers with the same seed are {different} different texts, among them "
        f"{shown(same[0].text)} and {shown(same[1].text)}",
        *(each.exchange for each in same[:4]),
    )


@check(
    "param.seed.zero",
    SHOULD,
    EFFORT,
    modes=(REGULAR,),
    needs=("seed",),
    parameter="seed",
    depth=Depth.STANDARD,
    exact=False,
    cost=REQUESTS,
)
async def zero(ctx: Context, case: Case) -> str | None:
    """A `seed` of 0 is a seed like any other, not the absence of one."""
    count = REQUESTS
    while True:
        same, zeros = await _texts(ctx, [7] * count), await _texts(ctx, [0] * count)
        kinds = len({each.text for each in same}), len({each.text for each in zeros})
        if kinds != (1, count):
            return f"{count} answers with seed 7 are {kinds[0]} texts, with seed 0 {kinds[1]}"
        if count == MORE:
            break
        count = MORE
    raise Broken(
        f"{count} answers with seed 7 are the same text, {count} with seed 0 are as many different "
        f"ones: {shown(zeros[0].text)}, {shown(zeros[1].text)}: 0 counts as not set",
        *(each.exchange for each in zeros[:3]),
    )
