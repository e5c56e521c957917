"""``presence_penalty`` and ``frequency_penalty``: ``mu[j] - c[j] * frequency - (c[j] > 0) * presence``.

All relations are exact at temperature 0. Two tokens are forced together, and one of them, ``a``,
comes first. At the *edge* of the second position (:mod:`conformance.checks.second`) the log-odds
of ``a`` are between 0 and 1 without a penalty; a penalty of 2 takes 2 off, so that ``b`` follows.
Whether biases or penalties come first does not matter: both are added.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from conformance.checks.answer import answer
from conformance.checks.api import (
    BOTH,
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
from conformance.checks.coin import Coin, biased, coin, tokens_of, toss
from conformance.checks.context import Context
from conformance.checks.forcing import answers, shown
from conformance.checks.repetitive import natural_effect
from conformance.checks.second import Second, followed, second, second_token
from conformance.checks.stats import level, relation_broken
from conformance.checks.steadiness import insist
from conformance.schema.contract import Grade
from conformance.verdicts import Level, Mode
from conformance.wire.exchange import Request

Judge = Callable[[Context, Case], Awaitable[str | None]]
Accuses = Callable[[int], Awaitable[bool]]

PRESENCE = Source(
    "documentation",
    "deeptrin-openai-api.txt:163",
    "presence_penalty: Penalizes new tokens based on their presence in the generated text so far.",
)
FREQUENCY = Source(
    "documentation",
    "deeptrin-openai-api.txt:165",
    "frequency_penalty: Penalizes new tokens based on their frequency in the generated text so far.",
)
FORMULA = Source(
    "specification text",
    "https://developers.openai.com/api/docs/guides/advanced-usage, parameter details",
    "mu[j] -> mu[j] - c[j] * alpha_frequency - float(c[j] > 0) * alpha_presence",
)
SOURCES = {"presence_penalty": PRESENCE, "frequency_penalty": FREQUENCY}
STRONG = 2
#: A penalty that tells where between 0 and 1 the tie lies.
GAUGE = 0.5
#: Tokens of an answer in which a penalty that comes late is seen.
DELAYED = 12


def _effect(name: str) -> Judge:
    async def judge(ctx: Context, case: Case) -> str | None:
        try:
            known = await ctx.learn(second)
        except (Untestable, Undecided) as absent:
            return await natural_effect(
                # A flat 2 may be too little to change a text: never accused by its text.
                ctx,
                absent.message,
                15 if name == "frequency_penalty" else 1000,
                **{name: STRONG},
            )
        stays, control = await second_token(ctx, known, 0)
        if not stays:
            raise Undecided("the edge of the second token is not repeatable", control)
        stays, treated = await second_token(ctx, known, 0, **{name: STRONG})
        if not stays:
            thorough = known.apart and ctx.subject.depth.covers(Depth.STANDARD)
            return await _not_too_strong(ctx, known, name) if thorough else None
        if not known.apart:
            return await _by_draws(ctx, known, name)
        falls, negative = await second_token(ctx, known, 0, **{name: -STRONG})
        await insist(ctx, _stays(ctx, known, 0, **{name: STRONG}))
        evidence = (treated, control, negative)
        if not falls:
            raise Broken(
                f"{name}=2 leaves a token that was generated where it is, -2 makes another one "
                "likelier: the sign is reversed",
                *evidence,
            )
        await _not_delayed(ctx, known, name)
        raise Ignored(
            f"{name}=2 and -2: the tokens are those of the control run, where a lead of 1 at most "
            "was to be lost",
            *evidence,
        )

    judge.__doc__ = f"A `{name}` of 2 makes a token that was generated less likely to follow."
    return judge


async def _not_delayed(ctx: Context, known: Second, name: str) -> None:
    """Raise ``Broken`` where tokens after the second show that the penalty is not ignored."""
    bias = biased(known.a, known.b, known.edge)
    control, treated = await answers(
        ctx, [await toss(ctx, bias, DELAYED, **given) for given in ({}, {name: STRONG})]
    )
    if control.text != treated.text:
        await insist(ctx, _stays(ctx, known, 0, **{name: STRONG}))
        raise Broken(
            f"{name}=2 spares the token right after the one that came, and changes later ones: "
            f"{shown(treated.text)}, control run: {shown(control.text)}",
            treated.exchange,
            control.exchange,
        )


def _stays(ctx: Context, known: Second, lead: int, **given: float) -> Accuses:
    async def again(number: int) -> bool:
        return (await second_token(ctx, known, lead, repeat=number, **given))[0]

    return again


def _falls(ctx: Context, known: Second, lead: int, **given: float) -> Accuses:
    async def again(number: int) -> bool:
        return not (await second_token(ctx, known, lead, repeat=number, **given))[0]

    return again


async def _not_too_strong(ctx: Context, known: Second, name: str) -> str | None:
    """After one occurrence the penalty is 2: a lead of 3 and more outlives it."""
    stays, exchange = await second_token(ctx, known, 3, **{name: STRONG})
    if not stays:
        await insist(ctx, _falls(ctx, known, 3, **{name: STRONG}))
        raise Broken(
            f"{name}=2 takes a lead of 3 away after one occurrence", exchange, level=SHOULD
        )
    return None


async def _by_draws(ctx: Context, known: Second, name: str) -> str | None:
    """How often ``a`` follows ``a`` in answers of two tokens drawn at temperature 1."""
    control, one = await followed(ctx, known)
    treated, other = await followed(ctx, known, **{name: STRONG})
    counts = (control[0], sum(control), treated[0], sum(treated))
    bound = level("penalty-shift")
    told = (
        f"after {known.a.text!r} the same token came {control[0]} times in {sum(control)}, with "
        f"{name}=2 {treated[0]} in {sum(treated)}"
    )
    if min(sum(control), sum(treated)) < 8 or not relation_broken(*counts, bound, shift=-STRONG):
        raise Undecided(told, *other, *one)
    if relation_broken(*counts, 0.01):
        raise Broken(f"{told}: not 2 less in the log-odds", *other, *one)
    raise Ignored(told, *other, *one)


def _negative(name: str) -> Judge:
    other = next(each for each in SOURCES if each != name)

    async def judge(ctx: Context, case: Case) -> str | None:
        known = await ctx.learn(second)
        # Where the first token flips at the same edge, the other penalty makes b follow.
        lead = -1 if known.apart else 1
        helped: dict[str, Any] = {} if known.apart else {other: STRONG}
        if helped and not ctx.promises(other):
            raise Untestable(f"the first token flips with the second, and no {other} is promised")
        stays, control = await second_token(ctx, known, lead, **helped)
        if stays:
            raise Undecided("the control run gives the same token twice", control)
        raised = {**helped, name: -STRONG}
        stays, treated = await second_token(ctx, known, lead, **raised)
        if not stays:
            await insist(ctx, _falls(ctx, known, lead, **raised))
            raise Broken(
                f"{name}=-2: the tokens are those of the control run, though 2 more than the lead "
                "of the other token was to be gained",
                treated,
                control,
            )
        return None

    judge.__doc__ = f"A `{name}` of -2 makes a token that was generated likelier to follow."
    return judge


def _size(name: str) -> Judge:
    """Between 0 and 1, where is the tie? 0.5 tells the half, and the half tells what to ask.

    Below, a penalty of 2 takes a lead of one more away, and 1 would not. Above, 2 of the *other*
    penalty are made good by -2, and -1 would not do.
    """
    other = next(each for each in SOURCES if each != name)

    async def judge(ctx: Context, case: Case) -> str | None:
        known = await ctx.learn(second)
        gauged: dict[str, Any] = {name: GAUGE}
        above, gauge = await second_token(ctx, known, 0, **gauged)
        if not above:
            lead, given, due = 1, {name: STRONG}, False
        elif ctx.promises(other):
            lead, given, due = 0, {name: -STRONG, other: STRONG}, True
            balanced, _ = await second_token(ctx, known, 2, **{other: STRONG})
            if not balanced:
                raise Undecided(f"{other}=2 takes a lead of more than 2 away")
        else:
            raise Undecided("the tie lies too high to tell 2 from 1")
        stays, treated = await second_token(ctx, known, lead, **given)
        if stays is due:
            return None
        for number in range(1, 4):  # jitter near the gauge does not come four times over
            again, _ = await second_token(ctx, known, 0, repeat=number, **gauged)
            still, _ = await second_token(ctx, known, lead, repeat=number, **given)
            if again is not above or still is due:
                raise Undecided(f"{name}={given[name]} moves the tie by 2 now and then")
        raise Broken(
            f"{name}={given[name]} moves the tie by less than 1.5, by {name}={GAUGE}: values are "
            "clamped or scaled",
            treated,
            gauge,
            level=_level_of_range(ctx, name),
        )

    judge.__doc__ = f"A `{name}` of 2 takes 2 off the logit of a token that was generated once."
    return judge


def _level_of_range(ctx: Context, name: str) -> Level:
    """MUST where the documentation states the range that 2 lies in."""
    grades = {bound.grade for bound in ctx.endpoint.parameters[name].bounds}
    return MUST if grades & {Grade.HARD, Grade.DERIVABLE} else SHOULD


def _prompt_spared(name: str) -> Judge:
    async def judge(ctx: Context, case: Case) -> str | None:
        known = await ctx.learn(coin)
        texts, exchanges = [], []
        for given in ({}, {name: STRONG}):
            request = await toss(ctx, known.bias(1), **known.prompt, **given)
            found = await answer(ctx, request)
            texts.append(tokens_of(found.text, known.a, known.b)[:1])
            exchanges.append(found.exchange)
        if texts[0] != [known.a]:
            raise Undecided("the edge of the first token is not repeatable", exchanges[0])
        if texts[1] != [known.a]:
            await insist(ctx, lambda number: _other(ctx, known, request, number))
            raise Broken(
                f"{name}=2 makes {known.a.text!r} less likely as the first token of the answer: "
                "it is in the prompt, and nothing was generated yet",
                *reversed(exchanges),
                level=_level_of_prompt(ctx, name),
            )
        return None

    judge.__doc__ = f"`{name}` counts generated tokens only, not those of the prompt."
    return judge


async def _other(ctx: Context, known: Coin, request: Request, number: int) -> bool:
    """Whether the token that the prompt lacks comes first again."""
    found = await answer(ctx, request, repeat=number)
    return tokens_of(found.text, known.a, known.b)[:1] == [known.b]


def _level_of_prompt(ctx: Context, name: str) -> Level:
    """MUST where the documentation says "generated text", else what it leaves open."""
    return MUST if "generated" in ctx.endpoint.parameters[name].source.quote else SHOULD


def _neutral(name: str) -> Judge:
    async def judge(ctx: Context, case: Case) -> str | None:
        known = await ctx.learn(second)
        control, one = await second_token(ctx, known, 1)
        stays, other = await second_token(ctx, known, 1, **{name: 0})
        if control and not stays:
            await insist(ctx, _falls(ctx, known, 1, **{name: 0}))
            raise Broken(f"{name}=0 takes a lead away that the control run keeps", other, one)
        return None

    judge.__doc__ = f"A `{name}` of 0 has no effect."
    return judge


def _default(name: str) -> Judge:
    async def judge(ctx: Context, case: Case) -> str | None:
        known = await ctx.learn(second)
        if not known.apart:
            return "not asked: the first token flips with the second"
        omitted, without = await second_token(ctx, known, -1)
        given, explicit = await second_token(ctx, known, -1, **{name: 0})
        if given and not omitted:
            await insist(ctx, _stays(ctx, known, -1, **{name: 0}))
            raise Broken(
                f"{name}=0 makes a generated token likelier to follow than no {name} does: left "
                "out it is more than 0",
                explicit,
                without,
            )
        return None

    judge.__doc__ = f"Without `{name}` there is none, as with the documented default, 0."
    return judge


_ROWS: tuple[tuple[str, Callable[[str], Judge], tuple[Mode, ...], float], ...] = (
    ("effect", _effect, BOTH, 3),
    ("negative", _negative, BOTH, 2),
    ("size", _size, (REGULAR,), 2),
    ("generated-only", _prompt_spared, BOTH, 2),
    ("neutral", _neutral, (REGULAR,), 3),
    ("default", _default, (REGULAR,), 1),
)


def _register(name: str, detail: str, judge: Judge, modes: tuple[Mode, ...], cost: float) -> None:
    needs: tuple[str, ...] = () if detail == "effect" else ("logit_bias", "temperature")
    documented = detail == "default"
    check(
        f"param.{name}.{detail}",
        SHOULD if documented else MUST,
        SOURCES[name] if detail in ("effect", "generated-only") else FORMULA,
        needs=(name, *needs, *(["feature:default-values"] if documented else [])),
        parameter=name,
        aspect=None if documented else "effect",
        modes=modes,
        depth=Depth.QUICK if detail == "effect" else Depth.STANDARD,
        elsewhere=Depth.STANDARD,
        cost=cost,
    )(judge)


for _name in SOURCES:
    for _detail, _make, _modes, _cost in _ROWS:
        _register(_name, _detail, _make(_name), _modes, _cost)
