"""Can one greedy answer accuse? Asked only where one would.

A choice that lies a nat or more off a tie is the same each time at temperature 0, unless logits
jitter as much. A server whose greedy output repeats, near ties of forced tokens too, is believed at
once (and reproduced, as every failure is). On any other an accusing answer must come again and
again: honest jitter makes it come less often than not, and as seldom as the controls go astray.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from conformance.checks.answer import answer
from conformance.checks.api import Undecided
from conformance.checks.coin import coin, tokens_of, toss
from conformance.checks.context import Context
from conformance.checks.oracle import greedy

__all__ = ["Steady", "insist", "steady"]

#: Controls on each side of the tie; the share of strays beyond which nothing can be told.
CONTROLS, HOPELESS = 8, 0.25
#: How often more an accusing answer must come where output is not steady. With the engine's
#: reproduction that makes twelve: at most 5 · 0.3¹² < 3e-6 where three in ten go astray, and
#: below 1e-9 where one in seven does.
AGAIN = 5


@dataclass(frozen=True)
class Steady:
    """How often a token with a lead of one to two nats does not win at temperature 0."""

    finding: str
    steady: bool
    strays: int
    asked: int


async def steady(ctx: Context) -> Steady:
    """Whether greedy output repeats, and how often forced tokens go astray a nat off their tie."""
    known, text = await ctx.learn(coin), await ctx.learn(greedy)
    strays = 0
    for tilt, due in ((1, known.a), (-2, known.b)):
        request = await toss(ctx, known.bias(tilt), **known.prompt)
        for number in range(1, CONTROLS + 1):
            found = await answer(ctx, request, repeat=number)
            strays += tokens_of(found.text, known.a, known.b)[:1] != [due]
    asked = 2 * CONTROLS
    finding = (
        f"at temperature 0 a token with a lead of a nat or more lost {strays} of {asked} times; "
        f"{text.finding}"
    )
    return Steady(finding, not strays and text.repeatable, strays, asked)


async def insist(ctx: Context, accuses: Callable[[int], Awaitable[bool]]) -> None:
    """Raise ``Undecided`` unless the accusing answer is sure.

    ``accuses`` asks once more, under the repetition number that it is given, and says whether the
    answer accuses again.
    """
    learned = await ctx.learn(steady)
    if learned.steady:
        return
    if learned.strays > HOPELESS * learned.asked:
        raise Undecided(learned.finding)
    for number in range(1, AGAIN + 1):
        if not await accuses(number):
            raise Undecided(f"seen, and not again when repeated; {learned.finding}")
