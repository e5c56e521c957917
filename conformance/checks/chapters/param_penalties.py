"""``presence_penalty`` and ``frequency_penalty``: ``mu[j] - c[j] * frequency - (c[j] > 0) * presence``.

All relations are exact at temperature 0. Two tokens are forced together, and one of them, ``a``,
comes first. At the *edge* of the second position (:func:`conformance.checks.coin.second`) the log-odds
of ``a`` are between 0 and 1 without a penalty; a penalty of 2 takes 2 off, so that ``b`` follows.
Whether biases or penalties come first does not matter: both are added.

Runs: ``a`` repeats until ``n`` · frequency exceeds the lead that its bias gives it. How far the lead
drifts while ``a`` repeats is the model's affair, so lengths of runs are only compared where the
drift cancels: if a run of frequency 1 and lead β ends after R tokens, one of frequency 2 and lead
β + R ends after R as well, whatever the drift.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from conformance.checks.answer import Answer, answer
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
from conformance.checks.coin import Second, biased, coin, second, tokens_of, toss
from conformance.checks.context import Context
from conformance.checks.forcing import shown
from conformance.checks.oracle import Piece, force, oracle
from conformance.checks.repetitive import natural_effect
from conformance.checks.stats import level, relation_broken
from conformance.schema.contract import Grade
from conformance.verdicts import Level, Mode
from conformance.wire.exchange import Exchange

Judge = Callable[[Context, Case], Awaitable[str | None]]

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
#: Tokens of a run that must, or must not, end; the lead of its token.
RUN, LEAD = 64, 40
#: Draws of two tokens at temperature 1; a penalty that tells where between 0 and 1 the tie lies.
PAIRED, GAUGE = 256, 0.5
#: Nats of jitter that a run's end may move by, in tokens.
SLIP = 2


async def _second_token(
    ctx: Context, known: Second, lead: int, *, repeat: int = 0, **given: float
) -> tuple[bool, Exchange]:
    """Whether ``a`` follows the first ``a`` at ``lead`` above the edge, and where that was seen."""
    request = await toss(ctx, biased(known.a, known.b, known.edge + lead), 2, **given)
    found = await answer(ctx, request, repeat=repeat)
    came = tokens_of(found.text, known.a, known.b)
    if len(came) < 2 or came[0] != known.a:
        raise Undecided(
            f"{shown(found.text)} came, {known.a.text!r} was due as first token", found.exchange
        )
    return came[1] == known.a, found.exchange


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
        stays, control = await _second_token(ctx, known, 0)
        if not stays:
            raise Undecided("the edge of the second token is not repeatable", control)
        stays, treated = await _second_token(ctx, known, 0, **{name: STRONG})
        if not stays:
            thorough = known.apart and ctx.subject.depth.covers(Depth.STANDARD)
            return await _not_too_strong(ctx, known, name) if thorough else None
        if not known.apart:
            return await _by_draws(ctx, known, name)
        falls, negative = await _second_token(ctx, known, 0, **{name: -STRONG})
        evidence = (treated, control, negative)
        if not falls:
            raise Broken(
                f"{name}=2 leaves a token that was generated where it is, -2 makes another one "
                "likelier: the sign is reversed",
                *evidence,
            )
        raise Ignored(
            f"{name}=2 and -2: the tokens are those of the control run, where a lead of 1 at most "
            "was to be lost",
            *evidence,
        )

    judge.__doc__ = f"A `{name}` of 2 makes a token that was generated less likely to follow."
    return judge


async def _not_too_strong(ctx: Context, known: Second, name: str) -> str | None:
    """After one occurrence the penalty is 2: a lead of 4 and more outlives it."""
    stays, exchange = await _second_token(ctx, known, 4, **{name: STRONG})
    if not stays:
        raise Broken(
            f"{name}=2 takes a lead of 4 away after one occurrence", exchange, level=SHOULD
        )
    return None


async def _by_draws(ctx: Context, known: Second, name: str) -> str | None:
    """How often ``a`` follows ``a`` in answers of two tokens drawn at temperature 1."""
    control, one = await _followed(ctx, known)
    treated, other = await _followed(ctx, known, **{name: STRONG})
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


async def _followed(
    ctx: Context, known: Second, **given: float
) -> tuple[tuple[int, int], list[Exchange]]:
    """How often ``a`` and ``b`` followed an ``a``."""
    size = (await ctx.learn(coin)).per_request
    if size < 8:
        raise Undecided("draws are not to be had: n buys none")
    counts, exchanges = [0, 0], []
    bias = biased(known.a, known.b, known.edge)
    request = await toss(ctx, bias, 2, temperature=1, n=size, **given)
    for number in range(-(-PAIRED // size)):
        found = await answer(ctx, request, repeat=number)
        exchanges.append(found.exchange)
        for text in found.texts:
            came = tokens_of(text, known.a, known.b)
            if len(came) == 2 and came[0] == known.a:
                counts[came[1] != known.a] += 1
    return (counts[0], counts[1]), exchanges


def _negative(name: str) -> Judge:
    other = next(each for each in SOURCES if each != name)

    async def judge(ctx: Context, case: Case) -> str | None:
        known = await ctx.learn(second)
        # Where the first token flips at the same edge, the other penalty makes b follow.
        lead = -1 if known.apart else 1
        helped: dict[str, Any] = {} if known.apart else {other: STRONG}
        if helped and not ctx.promises(other):
            raise Untestable(f"the first token flips with the second, and no {other} is promised")
        stays, control = await _second_token(ctx, known, lead, **helped)
        if stays:
            raise Undecided("the control run gives the same token twice", control)
        stays, treated = await _second_token(ctx, known, lead, **{**helped, name: -STRONG})
        if not stays:
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
        above, gauge = await _second_token(ctx, known, 0, **gauged)
        if not above:
            lead, given, due = 1, {name: STRONG}, False
        elif ctx.promises(other):
            lead, given, due = 0, {name: -STRONG, other: STRONG}, True
            balanced, _ = await _second_token(ctx, known, 2, **{other: STRONG})
            if not balanced:
                raise Undecided(f"{other}=2 takes a lead of more than 2 away")
        else:
            raise Undecided("the tie lies too high to tell 2 from 1")
        stays, treated = await _second_token(ctx, known, lead, **given)
        if stays is due:
            return None
        for number in range(1, 4):  # jitter near the gauge does not come four times over
            again, _ = await _second_token(ctx, known, 0, repeat=number, **gauged)
            still, _ = await _second_token(ctx, known, lead, repeat=number, **given)
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
            raise Broken(
                f"{name}=2 makes {known.a.text!r} less likely as the first token of the answer: "
                "it is in the prompt, and nothing was generated yet",
                *reversed(exchanges),
                level=_level_of_prompt(ctx, name),
            )
        return None

    judge.__doc__ = f"`{name}` counts generated tokens only, not those of the prompt."
    return judge


def _level_of_prompt(ctx: Context, name: str) -> Level:
    """MUST where the documentation says "generated text", else what it leaves open."""
    return MUST if "generated" in ctx.endpoint.parameters[name].source.quote else SHOULD


def _neutral(name: str) -> Judge:
    async def judge(ctx: Context, case: Case) -> str | None:
        known = await ctx.learn(second)
        control, one = await _second_token(ctx, known, 1)
        stays, other = await _second_token(ctx, known, 1, **{name: 0})
        if control and not stays:
            raise Broken(f"{name}=0 takes a lead away that the control run keeps", other, one)
        return None

    judge.__doc__ = f"A `{name}` of 0 has no effect."
    return judge


_ROWS: tuple[tuple[str, Callable[[str], Judge], tuple[Mode, ...], float], ...] = (
    ("effect", _effect, BOTH, 3),
    ("negative", _negative, BOTH, 2),
    ("size", _size, (REGULAR,), 2),
    ("generated-only", _prompt_spared, BOTH, 2),
    ("neutral", _neutral, (REGULAR,), 3),
)


def _register(name: str, detail: str, judge: Judge, modes: tuple[Mode, ...], cost: float) -> None:
    check(
        f"param.{name}.{detail}",
        MUST,
        SOURCES[name] if detail in ("effect", "generated-only") else FORMULA,
        needs=(name,) if detail == "effect" else (name, "logit_bias", "temperature"),
        parameter=name,
        aspect="effect",
        modes=modes,
        depth=Depth.QUICK if detail == "effect" else Depth.STANDARD,
        elsewhere=Depth.STANDARD,
        cost=cost,
    )(judge)


for _name in SOURCES:
    for _detail, _make, _modes, _cost in _ROWS:
        _register(_name, _detail, _make(_name), _modes, _cost)


# Runs


async def _run(ctx: Context, bias: dict[str, int], tokens: int, **given: float) -> Answer:
    return await answer(ctx, await toss(ctx, bias, tokens, **given))


async def _length(
    ctx: Context, a: Piece, b: Piece, lead: int, tokens: int, **given: float
) -> tuple[int | None, Exchange]:
    """After how many ``a`` the first ``b`` comes; ``None`` where none comes."""
    found = await _run(ctx, biased(a, b, lead), tokens, **given)
    text = found.text if found.text.startswith(a.text) else f" {found.text}"
    count = 0
    while text.startswith(a.text):
        text, count = text.removeprefix(a.text), count + 1
    if not text.strip() or a.text.startswith(text):
        return None, found.exchange
    if not text.lstrip().startswith(b.text.strip()):
        raise Undecided(
            f"{a.text!r} and {b.text!r} were forced and {shown(found.text)} came", found.exchange
        )
    return count, found.exchange


@check(
    "param.presence_penalty.flat",
    MUST,
    FORMULA,
    needs=("presence_penalty", "logit_bias", "temperature"),
    parameter="presence_penalty",
    aspect="effect",
    depth=Depth.STANDARD,
    cost=1,
)
async def flat(ctx: Context, case: Case) -> str | None:
    """`presence_penalty` does not grow with the number of occurrences."""
    a, b = (await ctx.learn(oracle)).words[:2]
    control, without = await _length(ctx, a, b, LEAD, RUN)
    if control is not None:
        raise Undecided(f"a forced token ends by itself after {control} of {RUN}", without)
    length, exchange = await _length(ctx, a, b, LEAD, RUN, presence_penalty=STRONG)
    if length is not None:
        raise Broken(
            f"presence_penalty=2 ended the run of a token with a lead of {LEAD} after {length}; "
            f"without it the run has {RUN}",
            exchange,
            without,
        )
    return None


@check(
    "param.frequency_penalty.grows",
    MUST,
    FREQUENCY,
    needs=("frequency_penalty", "logit_bias", "temperature"),
    parameter="frequency_penalty",
    aspect="effect",
    depth=Depth.STANDARD,
    cost=1,
)
async def grows(ctx: Context, case: Case) -> str | None:
    """`frequency_penalty` grows with the number of occurrences, until another token comes."""
    a, b = (await ctx.learn(oracle)).words[:2]
    control, without = await _length(ctx, a, b, LEAD, RUN)
    if control is not None:
        raise Undecided(f"a forced token ends by itself after {control} of {RUN}", without)
    length, exchange = await _length(ctx, a, b, LEAD, RUN, frequency_penalty=STRONG)
    if length is None:
        raise Broken(
            f"frequency_penalty=2: a token with a lead of {LEAD} came {RUN} times without end, "
            f"though {RUN * STRONG} were to be taken off",
            exchange,
            without,
        )
    return f"a lead of {LEAD} lasted {length} tokens"


@check(
    "param.frequency_penalty.linear",
    MUST,
    FORMULA,
    needs=("frequency_penalty", "logit_bias", "temperature"),
    parameter="frequency_penalty",
    aspect="effect",
    depth=Depth.STANDARD,
    cost=2,
)
async def linear(ctx: Context, case: Case) -> str | None:
    """`frequency_penalty` takes off its value for each occurrence."""
    a, b = (await ctx.learn(oracle)).words[:2]
    lead, low, high = 18, -8, 48
    while True:
        length, slow = await _length(ctx, a, b, lead, RUN, frequency_penalty=1)
        if length is not None and 12 <= length <= 40:
            break
        low, high = (low, lead) if length is None or length > 40 else (lead, high)
        if high - low < 3:
            raise Undecided("no run of a telling length at frequency_penalty 1", slow)
        lead = (low + high) // 2
    again, fast = await _length(
        ctx, a, b, lead + length, min(96, 2 * length + 8), frequency_penalty=STRONG
    )
    if again is not None and abs(again - length) <= SLIP:
        return f"runs of {length} and {again} where {length} were due"
    raise Broken(
        f"frequency_penalty=1 ended a run after {length} tokens; with 2 and a lead of {length} more "
        f"it ends after {again if again is not None else 'none'} tokens, {length} were due",
        fast,
        slow,
    )


@check(
    "param.frequency_penalty.alternates",
    MUST,
    FREQUENCY,
    needs=("frequency_penalty", "logit_bias", "temperature"),
    parameter="frequency_penalty",
    aspect=None,
    depth=Depth.DEEP,
    cost=1,
)
async def alternates(ctx: Context, case: Case) -> str | None:
    """Of several forced tokens none is left out when `frequency_penalty` is 2."""
    pieces = (await ctx.learn(oracle)).words[:4]
    request = await toss(ctx, force(*(piece.id for piece in pieces)), RUN, frequency_penalty=STRONG)
    found = await answer(ctx, request)
    missing = set(pieces) - set(tokens_of(found.text, *pieces))
    if missing:
        raise Broken(
            f"{', '.join(repr(p.text) for p in missing)} never came in {RUN} tokens: "
            f"{shown(found.text)}",
            found.exchange,
            level=SHOULD,
        )
    return None
