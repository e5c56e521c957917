"""``temperature``: 0 repeats, 1 draws, and the odds follow it over the whole range.

Everything here is said of a coin (:mod:`conformance.checks.coin`) whose log-odds δ at temperature
1 are known to within a nat before anything is drawn: at temperature T they are δ/T. Engines that
add ``logit_bias`` after dividing have (δ - d)/T + d, where d is the difference of the biases; the
bounds used here hold for both orders.
"""

from __future__ import annotations

from conformance.checks.answer import read_answer
from conformance.checks.api import (
    MAY,
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
from conformance.checks.forcing import answers, shown
from conformance.checks.oracle import greedy, greedy_body
from conformance.checks.stats import (
    at_least,
    at_most,
    chance_one_sided,
    fisher,
    level,
    probability,
    same_proportion,
)

RANDOMNESS = Source(
    "documentation",
    "deeptrin-openai-api.txt:155",
    "temperature: Controls randomness in output generation (0-2).",
)
HOTTER = Source(
    "specification text",
    "openapi.yaml:32988",
    "Higher values like 0.8 will make the output more random, while lower values like 0.2 will "
    "make it more focused and deterministic.",
)
#: Draws at temperature 1; greedy requests; draws where the odds are uneven.
DRAWS, GREEDY, UNEVEN, COLD = 64, 6, 384, 256
#: Greedy draws where the first few do not tell, and the chance that they deceive.
SOME, LONGER, APART = 16, 128, 0.01
#: The chance that draws at temperature 0.1 look unlike those at 1 where no temperature matters:
#: it decides between two words for one failure.
CHILLED = 1e-4
#: The most of single draws, one a request.
SINGLE = 48
HIGH, LOW = 2, 0.2
#: Characters of a text that hardly comes twice by chance at temperature 2.
TELLING = 16


@check(
    "param.temperature.effect",
    MUST,
    RANDOMNESS,
    needs=("temperature",),
    parameter="temperature",
    aspect="effect",
    elsewhere=Depth.STANDARD,
    exact=False,
    cost=5,
)
async def effect(ctx: Context, case: Case) -> str | None:
    """Temperature 0 gives the likelier of two tokens each time, temperature 1 gives both."""
    try:
        known = await ctx.learn(coin)
    except (Untestable, Undecided) as absent:
        return await _by_text(ctx, absent.message)
    warm = await _both_sides(ctx, known)
    frozen = await _frozen_draws(ctx, known, warm)
    if not frozen.b:
        if warm.a and warm.b:
            if not _told_apart(known, frozen, warm):
                raise Undecided(f"temperature 0 gave {frozen}, temperature 1 {warm}: too uneven")
            return f"temperature 1 gave {warm}, temperature 0 {frozen}"
        return await _always_cold(ctx, known, warm, frozen)
    return await _always_warm(ctx, known, warm, frozen)


async def _frozen_draws(ctx: Context, known: Coin, warm: Draws) -> Draws:
    """Draws at temperature 0: more and more of them, as long as they do not tell.

    A coin that was calibrated at a temperature of its own may be uneven; and a server that refuses
    several choices at temperature 0 gives one a request.
    """
    for count in (GREEDY, SOME, LONGER):
        frozen = await greedy_draws(ctx, known, 0, count)
        if frozen.b or not (warm.a and warm.b) or _told_apart(known, frozen, warm):
            break
    return frozen


def _told_apart(known: Coin, frozen: Draws, warm: Draws) -> bool:
    """Whether the draws at temperature 0 hardly come from the same coin as those at 1.

    Single draws, each of them a request, are too few to ask.
    """
    return known.per_request == 1 or fisher(frozen.b, frozen.n, warm.b, warm.n) <= APART


async def _both_sides(ctx: Context, known: Coin) -> Draws:
    """Draws at temperature 1: single ones until both sides were seen, or one large request."""
    count = max(DRAWS, min(known.per_request, 128)) if known.per_request > 1 else SINGLE
    return await draw(ctx, known, count, until_both=True)


async def _always_cold(ctx: Context, known: Coin, warm: Draws, frozen: Draws) -> str | None:
    """Only one side at temperature 1, as at 0: what is the chance, and is text greedy too?"""
    odds = [probability(delta) for delta in known.bounds()]
    if chance_one_sided(warm.n, odds[0], odds[1]) > level("coin-fairness"):
        raise Undecided(f"{warm.n} draws at temperature 1 gave one side only", *warm.exchanges)
    hot, still = await answers(
        ctx, [ctx.post(greedy_body(ctx, temperature=HIGH)), ctx.post(greedy_body(ctx))]
    )
    if hot.text != still.text or len(still.text.strip()) < TELLING:
        raise Undecided(
            "draws of one token are all equal, but text does not show the temperature to be "
            "ignored (copies, or a fixed seed)",
            *warm.exchanges,
        )
    raise Ignored(
        f"{warm.n} draws of a fair coin at temperature 1 gave {warm}, as at temperature 0 "
        f"({frozen}); text at temperature 2 is that of temperature 0: {shown(hot.text)}",
        *warm.exchanges,
        *frozen.exchanges,
        hot.exchange,
    )


async def _always_warm(ctx: Context, known: Coin, warm: Draws, frozen: Draws) -> str | None:
    """Both sides at temperature 0. Jitter does that to a tie, not to a coin tilted by two nats.

    Where greedy output is random the edge is not where it seems: both directions are tried, with
    so many draws that a server which is random throughout does not look steady in both.
    """
    count = min(known.per_request, LONGER) if known.per_request > 1 else 16
    for tilt in (2, -2):
        tilted = await greedy_draws(ctx, known, tilt, count)
        if tilted.a and tilted.b:
            break
    else:
        return f"temperature 0 gave {frozen} on a tie and one side off it"
    control = await draw(ctx, known, count, tilt)
    chilled = await draw(ctx, known, count, tilt, temperature=0.1)
    told = f"temperature 0 gave {tilted}, temperature 1 {control}"
    evidence = (*tilted.exchanges, *control.exchanges, *frozen.exchanges, *warm.exchanges)
    if same_proportion(control.a, control.n, chilled.a, chilled.n) <= CHILLED:
        raise Broken(f"{told}, 0.1 {chilled}: 0 is treated as if it were not set", *evidence)
    raise Ignored(f"{told}, temperature 0.1 {chilled}", *evidence, *chilled.exchanges)


def _lopsided(known: Coin) -> Coin:
    """The coin with the naturally likelier token as ``a``, so that ``a`` needs no bias to lead."""
    return known if known.edge <= 0 else known.flipped()


@check(
    "param.temperature.high",
    MUST,
    HOTTER,
    needs=("temperature", "logit_bias", "n"),
    parameter="temperature",
    aspect="effect",
    depth=Depth.STANDARD,
    exact=False,
    cost=3,
)
async def high(ctx: Context, case: Case) -> str | None:
    """Temperature 2 makes the unlikely token likelier, as far as dividing by 2 does."""
    known, tilt = _lopsided(await ctx.learn(coin)), 4
    sample = await draw(ctx, known, UNEVEN, tilt, temperature=HIGH)
    difference = known.edge + tilt
    most = known.bounds(tilt)[1] / HIGH + max(0, difference) * (1 - 1 / HIGH)
    lowest = known.bounds(tilt)[0] / HIGH + min(0, difference) * (1 - 1 / HIGH)
    least, greatest = 1 - probability(most), 1 - probability(lowest)
    bound = level("temperature-odds") / 2  # two tails
    if at_least(sample.b, sample.n, greatest) <= bound:
        await expect_varied(ctx, await ctx.learn(coin))
        raise Broken(
            f"temperature 2: the unlikely token came {sample.b} times in {sample.n}, at most "
            f"{greatest * sample.n:.0f} were due: temperature 2 is more than 2",
            *sample.exchanges,
        )
    if at_most(sample.b, sample.n, least) <= bound:
        await expect_varied(ctx, await ctx.learn(coin))
        if not sample.b:
            return await _cut_off(ctx, known, sample)
        usual = 1 - probability(tilt)
        raise Broken(
            f"temperature 2: the unlikely token came {sample.b} times in {sample.n}, at least "
            f"{least * sample.n:.0f} were due (temperature 1: at most {usual * sample.n:.0f}): "
            "high temperatures are clamped or ignored",
            *sample.exchanges,
        )
    return None


async def _cut_off(ctx: Context, known: Coin, never: Draws) -> str | None:
    """The unlikely token never came at temperature 2: is it cut off before temperature counts?

    Some engines first drop what is unlikely at temperature 1 (a default of ``min_p``, say), which
    nobody's text forbids. Then a coin that is less uneven shows what temperature does.
    """
    usual = await draw(ctx, known, UNEVEN, 4)
    if usual.b:
        raise Broken(
            f"temperature 2: the unlikely token never came in {never.n} draws, at temperature 1 "
            f"{usual.b} times in {usual.n}",
            *never.exchanges,
            *usual.exchanges,
        )
    usual, hot = [await draw(ctx, known, UNEVEN, 2, temperature=each) for each in (1, HIGH)]
    told = f"unlikely tokens are cut off before; of {hot.n} draws, {usual.b} at temperature 1"
    if hot.b > usual.b and same_proportion(usual.b, usual.n, hot.b, hot.n) <= APART:
        return f"{told}, {hot.b} at temperature 2"
    raise Undecided(f"{told}, {hot.b} at 2", *hot.exchanges, *usual.exchanges, *never.exchanges)


@check(
    "param.temperature.low",
    MUST,
    HOTTER,
    needs=("temperature", "logit_bias", "n"),
    parameter="temperature",
    aspect="effect",
    depth=Depth.STANDARD,
    exact=False,
    cost=1,
)
async def low(ctx: Context, case: Case) -> str | None:
    """Temperature 0.2 makes the unlikely token rare, as dividing by 0.2 does."""
    known, tilt = _lopsided(await ctx.learn(coin)), 2
    sample = await draw(ctx, known, COLD, tilt, temperature=LOW)
    difference = known.edge + tilt
    least = known.bounds(tilt)[0] / LOW - max(0, difference) * (1 / LOW - 1)
    most = 1 - probability(max(0.0, least))
    if at_least(sample.b, sample.n, most) <= level("temperature-odds"):
        frozen = await greedy_draws(ctx, known, tilt, sample.n)
        if frozen.b:
            raise Undecided(
                f"temperature 0.2 gave {sample}, and temperature 0 {frozen}: greedy output jitters",
                *sample.exchanges,
                *frozen.exchanges,
            )
        raise Broken(
            f"temperature 0.2: the unlikely token came {sample.b} times in {sample.n}, at most "
            f"{most * sample.n:.1f} were due: low temperatures are clamped or ignored",
            *sample.exchanges,
        )
    return None


@check(
    "param.temperature.default",
    SHOULD,
    HOTTER,
    modes=(REGULAR,),
    needs=("temperature", "logit_bias", "n"),
    parameter="temperature",
    depth=Depth.STANDARD,
    exact=False,
    cost=1,
)
async def default(ctx: Context, case: Case) -> str | None:
    """Without temperature the odds are those of the documented default, 1."""
    known = await ctx.learn(coin)
    explicit = await draw(ctx, known, 128)
    omitted = await draw(ctx, known, 128, temperature=...)
    if same_proportion(explicit.a, explicit.n, omitted.a, omitted.n) > level("default-temperature"):
        return None
    await expect_varied(ctx, known)
    documented = ctx.endpoint.parameters["temperature"].default == 1
    raise Broken(
        f"temperature 1 gave {explicit}, no temperature {omitted}",
        *omitted.exchanges,
        *explicit.exchanges,
        level=SHOULD if documented else MAY,
    )


async def _by_text(ctx: Context, absent: str) -> str | None:
    """Without a coin: greedy text repeats, and text at temperature 2 differs from it."""
    still = await ctx.learn(greedy)
    request = ctx.post(greedy_body(ctx, temperature=HIGH))
    hot = [
        found
        for number in range(3)
        if (found := read_answer(await ctx.ask(request, repeat=number)))
    ]
    if not hot:
        raise Untestable(f"{absent}; and no answer at temperature 2")
    if len(still.text.strip()) < TELLING:
        raise Untestable(f"{absent}; and the greedy text is too short: {shown(still.text)}")
    if all(each.text == still.text for each in hot):
        raise Ignored(
            f"{len(hot)} texts at temperature 2 are that of temperature 0: {shown(still.text)}",
            *(each.exchange for each in hot),
        )
    if not still.repeatable:
        raise Undecided(f"{absent}; and {still.finding}")
    return f"judged by text alone ({absent})"
