"""``temperature`` and ``top_p`` hold for every token of an answer, not for the first alone.

Engines choose the first token while they read the prompt, and later ones in another loop (or check
what a smaller model proposed): two places where a parameter can be forgotten. One-token draws see the
first only. Here two tokens are forced together, ``a`` comes first, and what follows it is counted.
"""

from __future__ import annotations

from dataclasses import dataclass

from conformance.checks.answer import read_answer
from conformance.checks.api import MUST, REGULAR, Broken, Case, Depth, Source, Undecided, check
from conformance.checks.coin import biased, toss
from conformance.checks.context import Context
from conformance.checks.second import Second, followed, second, second_token
from conformance.checks.stats import fisher
from conformance.checks.steadiness import insist
from conformance.wire.exchange import Exchange

#: Answers at temperature 1, and answers that must all be alike.
WARM, FROZEN = 128, 32
#: Steps of bias from the edge, and the share at temperature 1 that tells a lead to be of use.
LEADS, BOTH = (1, -2, -4, -6, -9), 0.08
#: Single answers where a request buys no more.
SINGLE = 6
#: Two samples with a p-value above this are not told apart.
ALIKE = 0.01


@dataclass(frozen=True, slots=True)
class Rule:
    """A value that leaves only the likeliest token, and whose sentence says so."""

    statement: str
    value: float
    source: Source


RULES = {
    "temperature": Rule(
        "At temperature 0 the later tokens are the likeliest ones too, not only the first.",
        0,
        Source(
            "documentation",
            "deeptrin-openai-api.txt:155",
            "temperature: Controls randomness in output generation (0-2).",
        ),
    ),
    "top_p": Rule(
        "A tiny `top_p` leaves only the likeliest of the later tokens too, not only of the first.",
        0.01,
        Source(
            "specification text",
            "openapi.yaml:32999",
            "0.1 means only the tokens comprising the top 10% probability mass are considered.",
        ),
    ),
}


def _register(name: str, rule: Rule) -> None:
    async def judge(ctx: Context, case: Case) -> str | None:
        known, given = await ctx.learn(second), {name: rule.value}
        lead, warm, drawn = await _varied(ctx, known)
        frozen, alike = await _alike(ctx, known, lead, given)
        told = (
            f"after {known.a.text!r} came {known.a.text!r} and {known.b.text!r} {frozen[0]} : "
            f"{frozen[1]} with {name}={rule.value}, {warm[0]} : {warm[1]} with temperature 1"
        )
        if not min(frozen) or fisher(min(frozen), sum(frozen), min(warm), sum(warm)) <= ALIKE:
            return told  # jitter may let the likelier token lose now and then

        async def again(number: int) -> bool:
            return min((await _alike(ctx, known, lead, given, number))[0]) > 0

        await insist(ctx, again)
        raise Broken(f"{told}: it does not hold for the second token", *alike, *drawn)

    judge.__doc__ = rule.statement
    check(
        f"param.{name}.later",
        MUST,
        rule.source,
        modes=(REGULAR,),
        needs=(name, "temperature", "logit_bias", "n"),
        parameter=name,
        aspect="effect",
        depth=Depth.STANDARD,
        cost=2,
    )(judge)


async def _varied(ctx: Context, known: Second) -> tuple[int, tuple[int, int], list[Exchange]]:
    """A lead at which both tokens follow at temperature 1, how often they do, and where.

    The first is where the edge is what it seems; it is not where greedy output is random.
    """
    for lead in LEADS:
        drawn, exchanges = await followed(ctx, known, WARM, lead)
        if min(drawn) >= sum(drawn) * BOTH > 0:
            return lead, drawn, exchanges
    raise Undecided("no lead lets two tokens follow at temperature 1", *exchanges)


async def _alike(
    ctx: Context, known: Second, lead: int, given: dict[str, float], number: int = 0
) -> tuple[tuple[int, int], list[Exchange]]:
    """How often ``a`` and ``b`` followed an ``a`` where only the likelier may.

    Several choices of one greedy answer are refused by some engines: then in single ones.
    """
    warm = {"temperature": 1, **given}
    bias = biased(known.a, known.b, known.edge + lead)
    found = read_answer(await ctx.ask(await toss(ctx, bias, 2, n=FROZEN, **warm), repeat=number))
    if found is not None and len(found.choices) == FROZEN:
        return await followed(ctx, known, FROZEN, lead, start=number, **given)
    first = SINGLE * number
    single = [
        await second_token(ctx, known, lead, repeat=first + each, **warm) for each in range(SINGLE)
    ]
    stays = sum(stayed for stayed, _ in single)
    return (stays, SINGLE - stays), [exchange for _, exchange in single]


for _name, _rule in RULES.items():
    _register(_name, _rule)
