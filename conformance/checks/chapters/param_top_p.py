"""``top_p``: the smallest set of tokens that reaches the mass, and always one.

The coin at tilt 1 has P(a) between 0.62 and 0.92: a nucleus of 0.5 is ``a`` alone, one of 0.95 has
both tokens. At temperature 1 it does not matter whether the nucleus is cut before or after the
temperature divides; with two tokens a hidden top_k of two or more cuts nothing.
"""

from __future__ import annotations

from typing import Any

from conformance.checks.answer import answer
from conformance.checks.api import (
    MUST,
    REGULAR,
    SHOULD,
    Broken,
    Case,
    Depth,
    Ignored,
    Source,
    Undecided,
    Untestable,
    check,
)
from conformance.checks.coin import Coin, Draws, coin, draw, expect_varied, greedy_draws
from conformance.checks.context import Context
from conformance.checks.forcing import shown
from conformance.checks.oracle import greedy, greedy_body, same_text
from conformance.checks.stats import (
    chance_one_sided,
    fisher,
    level,
    lower_bound,
    probability,
    same_distribution,
    same_proportion,
)

NUCLEUS = Source(
    "specification text",
    "openapi.yaml:32999",
    "the model considers the results of the tokens with top_p probability mass. So 0.1 means only "
    "the tokens comprising the top 10% probability mass are considered.",
)
TILT, DRAWS = 1, 128
#: Steps of bias at which one token has a chance of 0.88 to 0.95; draws that show the other.
RARE, UNEVEN = 2, 256
#: Below the likelier token's probability, and above it.
NARROW, WIDE, TINY = 0.5, 0.95, 0.01


@check(
    "param.top_p.effect",
    MUST,
    NUCLEUS,
    needs=("top_p",),
    parameter="top_p",
    aspect="effect",
    elsewhere=Depth.STANDARD,
    exact=False,
    cost=2,
)
async def effect(ctx: Context, case: Case) -> str | None:
    """A `top_p` of 0.5 leaves only the likelier of two tokens, 1 leaves both."""
    try:
        known = await ctx.learn(coin)
    except (Untestable, Undecided) as absent:
        return await _by_text(ctx, absent.message)
    control = await _control(ctx, known)
    narrow = await _draws(ctx, known, NARROW, single=20)
    if not narrow.b:
        return f"top_p 1 gave {control}, 0.5 {narrow}"
    tiny = await _draws(ctx, known, TINY)
    if jitters := await _jitters(ctx, known, narrow):
        if fisher(narrow.b, narrow.n, control.b, control.n) <= 0.01:
            return f"{jitters}; top_p 1 gave {control}"
        raise Undecided(jitters, *narrow.exchanges, *control.exchanges)
    evidence = (*narrow.exchanges, *tiny.exchanges, *control.exchanges)
    told = f"top_p 1 gave {control}, 0.5 {narrow}, 0.01 {tiny}"
    if tiny.b and fisher(narrow.b, narrow.n, control.b, control.n) > 0.01:
        raise Ignored(told, *evidence)
    if known.per_request > 1 and lower_bound(control.a, control.n, level("top-p-cut")) <= NARROW:
        raise Undecided(f"{told}: no side is surely the likelier", *evidence)
    raise Broken(f"{told}: the less likely token is outside of a nucleus of 0.5", *evidence)


async def _draws(
    ctx: Context, known: Coin, top_p: Any, *, many: int = DRAWS, single: int = 40
) -> Draws:
    """Draws at ``top_p``: one request, or ``single`` ones until both sides were seen."""
    count = many if known.per_request > 1 else single
    return await draw(ctx, known, count, TILT, until_both=True, top_p=top_p)


async def _control(ctx: Context, known: Coin) -> Draws:
    """Draws with top_p 1; raises ``Broken`` where it cuts, ``Undecided`` where nothing varies."""
    sample = await _draws(ctx, known, 1)
    if sample.a and sample.b:
        return sample
    omitted = await _draws(ctx, known, ...)
    told = f"top_p 1 gave {sample}, no top_p {omitted}"
    evidence = (*sample.exchanges, *omitted.exchanges)
    alike = same_proportion(omitted.a, omitted.n, sample.a, sample.n)
    if omitted.a and omitted.b and alike <= level("top-p-cut"):  # copies differ by luck
        raise Broken(f"{told}: the whole mass leaves out a token", *evidence)
    raise Undecided(told, *evidence)


async def _jitters(ctx: Context, known: Coin, sample: Draws) -> str | None:
    """Whether temperature 0 gives the less likely token no more seldom than ``sample`` does.

    The control of a nucleus of one token: what jitter of the logits does to one it does to the
    other.
    """
    count = sample.n if known.per_request > 1 else 20
    frozen = await greedy_draws(ctx, known, TILT, count)
    if not frozen.b or fisher(frozen.b, frozen.n, sample.b, sample.n) <= level("top-p-cut"):
        return None
    return f"a nucleus of one token gave {sample}, temperature 0 {frozen}: greedy output jitters"


@check(
    "param.top_p.tiny",
    MUST,
    NUCLEUS,
    needs=("top_p", "logit_bias", "temperature"),
    parameter="top_p",
    aspect="effect",
    depth=Depth.STANDARD,
    exact=False,
    cost=1,
)
async def tiny(ctx: Context, case: Case) -> str | None:
    """A tiny `top_p` leaves the likeliest token, as temperature 0 does."""
    known = await ctx.learn(coin)
    sample = await _draws(ctx, known, TINY, many=32, single=8)
    if sample.b:
        if jitters := await _jitters(ctx, known, sample):
            return jitters
        raise Broken(f"top_p 0.01 gave {sample}: the less likely token too", *sample.exchanges)
    return None


@check(
    "param.top_p.wide",
    MUST,
    NUCLEUS,
    needs=("top_p", "logit_bias", "temperature", "n"),
    parameter="top_p",
    aspect="effect",
    depth=Depth.STANDARD,
    exact=False,
    cost=1,
)
async def wide(ctx: Context, case: Case) -> str | None:
    """A `top_p` of 0.95 keeps a token that lies inside of that mass."""
    known = await ctx.learn(coin)
    control = await _control(ctx, known)
    sample = await _draws(ctx, known, WIDE)
    odds = [probability(delta) for delta in known.bounds(TILT)]
    if not sample.b and chance_one_sided(sample.n, odds[0], odds[1]) <= level("top-p-cut"):
        raise Broken(
            f"top_p 0.95 gave {sample}, top_p 1 {control}: the nucleus is cut too small",
            *sample.exchanges,
            *control.exchanges,
        )
    return None


@check(
    "param.top_p.default",
    SHOULD,
    NUCLEUS,
    modes=(REGULAR,),
    needs=("feature:default-values", "top_p", "logit_bias", "temperature", "n"),
    parameter="top_p",
    depth=Depth.STANDARD,
    exact=False,
    cost=2,
)
async def default(ctx: Context, case: Case) -> str | None:
    """Without `top_p` nothing is cut, as with the documented default, 1."""
    known = await ctx.learn(coin)
    explicit, omitted = [await draw(ctx, known, UNEVEN, RARE, top_p=value) for value in (1, ...)]
    told = f"of a rare token, top_p 1 gave {explicit}, no top_p {omitted}"
    if same_proportion(explicit.a, explicit.n, omitted.a, omitted.n) > level("default-top-p"):
        return told
    await expect_varied(ctx, known)
    raise Broken(told, *omitted.exchanges, *explicit.exchanges)


async def _by_text(ctx: Context, absent: str) -> str | None:
    """Without a coin: text under a tiny nucleus is greedy text."""
    still = await ctx.learn(greedy)
    if not still.repeatable:
        raise Undecided(f"{absent}; and {still.finding}")
    if not still.text.strip():
        raise Untestable(f"{absent}; and the greedy text is empty")
    request = ctx.post(greedy_body(ctx, temperature=1, top_p=TINY))
    first = await answer(ctx, request)
    if same_text(first.text, still.text):
        return f"judged by text alone ({absent})"
    found = [first, *[await answer(ctx, request, repeat=number) for number in range(1, 9)]]
    again = [await answer(ctx, ctx.post(greedy_body(ctx)), repeat=number) for number in range(9)]
    p = same_distribution([each.text for each in again], [each.text for each in found])
    if p > level("greedy-pair") or len({each.text for each in found}) < 2:
        raise Undecided(f"{absent}; text under top_p 0.01 differs from greedy text now and then")
    raise Ignored(
        f"top_p 0.01 gave {len({each.text for each in found})} different texts in {len(found)}, "
        f"temperature 0 {len({each.text for each in again})}: {shown(first.text)}",
        *(each.exchange for each in found),
    )
