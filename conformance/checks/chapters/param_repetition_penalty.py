"""``repetition_penalty``: tokens of the prompt and of the generated text become less likely.

The convention (arXiv:1909.05858 §4.1, in the form of Hugging Face's processor): a positive logit is
divided by the penalty, a negative one multiplied, once for each distinct token; 1 is neutral. Where
``logit_bias`` is added *before*, logits near 100 are halved by a penalty of 2, and nothing that is
compared here is close. Where it is added *after*, a small natural logit may lose too little to be
seen: then the greedy text of repetitive prompts decides.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
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
from conformance.checks.coin import biased, coin, draw, edge_of, tokens_of, toss
from conformance.checks.context import Context
from conformance.checks.repetitive import natural_effect
from conformance.checks.second import followed, second
from conformance.checks.stats import fisher
from conformance.checks.steadiness import insist
from conformance.wire.exchange import Exchange

APPEARANCE = Source(
    "documentation",
    "deeptrin-openai-api.txt:167",
    "repetition_penalty: Penalizes new tokens based on their appearance in the prompt and "
    "generated text.",
)
CONVENTION = Source("convention", "arXiv:1909.05858 §4.1; 1 is neutral, more penalizes")
NAME = "repetition_penalty"
STRONG = 2
#: A lead that only a penalized logit of about 100 loses: shows that the bias is added before.
FAR = 20
#: Draws of a sample where leads do not tell, and the chance that accepts a difference.
SAMPLE, SEEN = 384, 0.01


async def _first(
    ctx: Context, tilt: int, *, repeat: int = 0, **given: Any
) -> tuple[bool, Exchange]:
    """Whether the token that the prompt contains comes first, at ``tilt`` above the tie."""
    known = await ctx.learn(coin)
    request = await toss(ctx, known.bias(tilt), **known.prompt, **given)
    found = await answer(ctx, request, repeat=repeat)
    return tokens_of(found.text, known.a, known.b)[:1] == [known.a], found.exchange


def _again(
    ctx: Context, tilt: int, wrong: bool, penalty: float
) -> Callable[[int], Awaitable[bool]]:
    async def accuses(number: int) -> bool:
        first, _ = await _first(ctx, tilt, repeat=number, repetition_penalty=penalty)
        return first is wrong

    return accuses


async def _second(ctx: Context, lead: int, **given: float) -> tuple[bool, Exchange]:
    """Whether the token that came first follows itself, at ``lead`` above the tie."""
    known = await ctx.learn(second)
    bias = biased(known.a, known.b, known.edge + lead)
    found = await answer(ctx, await toss(ctx, bias, 2, **given))
    return tokens_of(found.text, known.a, known.b)[1:2] == [known.a], found.exchange


@check(
    "param.repetition_penalty.effect",
    MUST,
    APPEARANCE,
    needs=(NAME,),
    parameter=NAME,
    aspect="effect",
    elsewhere=Depth.STANDARD,
    cost=2,
)
async def effect(ctx: Context, case: Case) -> str | None:
    """A `repetition_penalty` of 2 makes tokens that appeared less likely."""
    try:
        stays, control = await _first(ctx, 1)
    except (Untestable, Undecided) as absent:
        return await natural_effect(ctx, absent.message, 2, repetition_penalty=STRONG)
    if not stays:
        raise Undecided("the edge of the first token is not repeatable", control)
    stays, treated = await _first(ctx, 1, repetition_penalty=STRONG)
    if not stays:
        return "a token of the prompt loses its lead"
    return await _unmoved(ctx, treated, control)


async def _unmoved(ctx: Context, treated: Exchange, control: Exchange) -> str | None:
    """The prompt's token kept its lead: is the sign wrong, or generated text all that counts?"""
    raised, higher = await _first(ctx, -2, repetition_penalty=STRONG)
    below, without = await _first(ctx, -2)
    if raised and not below:
        await insist(ctx, _again(ctx, -2, True, STRONG))
        raise Broken(
            "repetition_penalty=2 makes a token of the prompt likelier: the sign is reversed",
            higher,
            without,
        )
    try:
        stays, _ = await _second(ctx, 1, repetition_penalty=STRONG)
    except (Untestable, Undecided):
        stays = True
    if not stays:
        return "a generated token loses its lead, one of the prompt does not"
    try:
        return await natural_effect(
            ctx, "forced tokens keep their lead", 2, repetition_penalty=STRONG
        )
    except Ignored as ignored:
        raise Ignored(
            f"a token that the prompt contains keeps a lead of 1 to 2 over another; {ignored.message}",
            treated,
            control,
            *ignored.evidence,
        ) from None


@check(
    "param.repetition_penalty.generated",
    MUST,
    APPEARANCE,
    needs=(NAME, "logit_bias", "temperature"),
    parameter=NAME,
    aspect="effect",
    depth=Depth.STANDARD,
    cost=2,
)
async def generated(ctx: Context, case: Case) -> str | None:
    """A `repetition_penalty` of 2 makes a generated token less likely to follow."""
    stays, control = await _second(ctx, 1)
    if not stays:
        raise Undecided("the edge of the second token is not repeatable", control)
    stays, treated = await _second(ctx, 1, repetition_penalty=STRONG)
    if not stays:
        return None
    if not await _added_before(ctx):
        return await _generated_by_draws(ctx)
    raise Broken(
        "repetition_penalty=2: a generated token follows itself as in the control run, though one "
        f"of the prompt loses a lead of {FAR}",
        treated,
        control,
    )


async def _generated_by_draws(ctx: Context) -> str:
    """A small natural logit loses little: more than chance takes is enough to hold."""
    known = await ctx.learn(second)
    (kept, lost), one = await followed(ctx, known)
    (stays, falls), other = await followed(ctx, known, repetition_penalty=STRONG)
    told = (
        f"after {known.a.text!r} the same token came {kept} times in {kept + lost}, with "
        f"repetition_penalty=2 {stays} in {stays + falls}"
    )
    if fisher(lost, kept + lost, falls, stays + falls) <= SEEN:
        return told
    raise Undecided(f"{told}; its natural logit may be small", *other, *one)


async def _prompt_by_draws(ctx: Context) -> str:
    """As :func:`_generated_by_draws`, of a token that the prompt contains."""
    known = await ctx.learn(coin)
    control = await draw(ctx, known, SAMPLE)
    treated = await draw(ctx, known, SAMPLE, repetition_penalty=STRONG)
    told = (
        f"a token of the prompt came {control.a} times in {control.n}, with repetition_penalty=2 "
        f"{treated.a} in {treated.n}"
    )
    if fisher(control.b, control.n, treated.b, treated.n) <= SEEN:
        return told
    raise Undecided(f"{told}; its natural logit may be small", *treated.exchanges)


async def _added_before(ctx: Context) -> bool:
    """Whether a prompt's token loses a far lead: then forced logits are divided."""
    kept, _ = await _first(ctx, FAR)
    lost, _ = await _first(ctx, FAR, repetition_penalty=STRONG)
    return kept and not lost


@check(
    "param.repetition_penalty.prompt",
    MUST,
    APPEARANCE,
    needs=(NAME, "logit_bias", "temperature"),
    parameter=NAME,
    aspect="effect",
    depth=Depth.STANDARD,
    cost=2,
)
async def prompt(ctx: Context, case: Case) -> str | None:
    """A `repetition_penalty` of 2 makes a token of the prompt less likely to come first."""
    stays, control = await _first(ctx, 1)
    if not stays:
        raise Undecided("the edge of the first token is not repeatable", control)
    stays, treated = await _first(ctx, 1, repetition_penalty=STRONG)
    if not stays:
        return None
    kept, far = await _second(ctx, FAR)
    lost, penalized = await _second(ctx, FAR, repetition_penalty=STRONG)
    if not kept or lost:
        return await _prompt_by_draws(ctx)
    await _one_token_each(ctx)
    raise Broken(
        "repetition_penalty=2: a token that the prompt contains keeps a lead of 1 to 2, though a "
        f"generated one loses a lead of {FAR}: the prompt is not counted",
        treated,
        control,
        penalized,
        far,
    )


async def _one_token_each(ctx: Context) -> None:
    """The prompt holds the token itself: four of its text more cost four tokens more."""
    known = await ctx.learn(coin)
    on = ctx.on(mode=REGULAR)
    text = "Say" + known.a.text * 8
    longer = {"messages": [{"role": "user", "content": text}]}
    counts = []
    for given in (known.prompt, longer if "messages" in known.prompt else {"prompt": text}):
        found = await answer(on, await toss(on, known.bias(1), **given))
        counts.append(found.tokens("prompt"))
    if None in counts or (counts[1] or 0) - (counts[0] or 0) != 4:
        raise Undecided(f"the prompt may not hold {known.a.text!r} as one token (tokens: {counts})")


@check(
    "param.repetition_penalty.size",
    SHOULD,
    CONVENTION,
    modes=(REGULAR,),
    needs=(NAME, "logit_bias", "temperature"),
    parameter=NAME,
    aspect="effect",
    depth=Depth.STANDARD,
    cost=8,
)
async def size(ctx: Context, case: Case) -> str | None:
    """A greater `repetition_penalty` takes more away.

    No documentation states a range. Of a logit of about 100, 1.25 leaves about 80 and 2 about 50: with natural logits between -30
    and 30 the difference is at least 21.
    """
    known = await ctx.learn(second)

    async def stays(lead: int, penalty: float = 1.25) -> bool:
        return (await _second(ctx, lead, repetition_penalty=penalty))[0]

    if await stays(4):
        raise Undecided("a penalty of 1.25 takes less than 4 away: the bias is added after it")
    weak = await edge_of(stays)
    if weak is None or known.edge + weak + 12 > 60:
        raise Undecided("no lead outlives a penalty of 1.25")
    kept, exchange = await _second(ctx, weak + 10, repetition_penalty=STRONG)
    if kept:
        raise Broken(
            f"a lead of {weak} outlives repetition_penalty=1.25, and one of {weak + 10} outlives 2 "
            "as well: values are clamped",
            exchange,
        )
    return f"1.25 takes a lead of {weak} away, 2 more than {weak + 10}"


@check(
    "param.repetition_penalty.neutral",
    MUST,
    CONVENTION,
    modes=(REGULAR,),
    needs=(NAME, "logit_bias", "temperature"),
    parameter=NAME,
    aspect="effect",
    depth=Depth.STANDARD,
    cost=3,
)
async def neutral(ctx: Context, case: Case) -> str | None:
    """A `repetition_penalty` of 1 has no effect."""
    for tilt in (1, -2):
        given, one = await _first(ctx, tilt, repetition_penalty=1)
        omitted, other = await _first(ctx, tilt, repetition_penalty=...)
        if omitted and not given:
            await insist(ctx, _again(ctx, tilt, False, 1))
            raise Broken("repetition_penalty=1 makes a token of the prompt less likely", one, other)
        if given and not omitted:
            return "left out it is more than 1: a default of the server's own"
    return None
