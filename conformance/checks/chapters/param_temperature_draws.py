"""``temperature`` above 0 draws: fractions of 1 too, and anew with every request."""

from __future__ import annotations

from conformance.checks.answer import answer
from conformance.checks.api import (
    MUST,
    REGULAR,
    SHOULD,
    Broken,
    Case,
    Depth,
    Undecided,
    check,
)
from conformance.checks.chapters.param_temperature import RANDOMNESS
from conformance.checks.coin import Coin, coin, draw, expect_varied, sides_of, toss
from conformance.checks.context import Context
from conformance.checks.stats import chance_one_sided, chance_same_order, level, probability

#: A fraction so near 1 that the odds hardly depend on when the bias is added.
FRACTION, DRAWS = 0.9, 128
#: Steps of bias at which the size of a bias is judged, too, by the same two requests.
DOWN = -2


def _bounds(known: Coin, temperature: float) -> tuple[float, float]:
    """P(a) at ``temperature``, whether the bias is added before it divides or after."""
    widened = 1 / temperature - 1
    low, high = known.bounds()
    return (
        probability(low / temperature - max(0.0, known.edge * widened)),
        probability(high / temperature - min(0.0, known.edge * widened)),
    )


@check(
    "param.temperature.fraction",
    MUST,
    RANDOMNESS,
    modes=(REGULAR,),
    needs=("temperature", "logit_bias", "n"),
    parameter="temperature",
    aspect="effect",
    depth=Depth.STANDARD,
    exact=False,
    cost=1,
)
async def fraction(ctx: Context, case: Case) -> str | None:
    """A temperature of 0.9 is not 0: of two tokens of like odds both come."""
    known = await ctx.learn(coin)
    count = DRAWS if known.per_request > 1 else 1
    sample = await draw(ctx, known, count, temperature=FRACTION)
    told = f"temperature 0.9 gave {sample}"
    if sample.a and sample.b:
        return told
    if chance_one_sided(sample.n, *_bounds(known, FRACTION)) > level("temperature-fraction"):
        return f"{told}; the odds may be as uneven"
    await expect_varied(ctx, known)
    raise Broken(f"{told}: it is treated as 0", *sample.exchanges)


@check(
    "param.temperature.anew",
    SHOULD,
    RANDOMNESS,
    modes=(REGULAR,),
    needs=("temperature", "logit_bias", "n"),
    parameter="temperature",
    depth=Depth.STANDARD,
    exact=False,
    cost=0,
)
async def anew(ctx: Context, case: Case) -> None:
    """Without a seed each request at temperature 1 is drawn anew."""
    known = await ctx.learn(coin)
    if known.per_request < DRAWS:
        raise Undecided("draws are not to be had: n buys too few")
    request = await toss(ctx, known.bias(DOWN), temperature=1, **known.prompt, n=DRAWS)
    found = [await answer(ctx, request, repeat=number) for number in range(2)]
    orders = [sides_of(known, each) for each in found]
    if orders[0] != orders[1]:
        return
    low, high = (probability(delta) for delta in known.bounds(DOWN))
    if chance_same_order(len(orders[0]), low, high) > level("fresh-draws"):
        raise Undecided("two requests gave the same draws, of odds too uneven to tell")
    await expect_varied(ctx, known)
    raise Broken(
        f"two requests with n={DRAWS} at temperature 1 gave the same {len(orders[0])} draws in the "
        "same order: a fixed seed",
        *(each.exchange for each in found),
    )
