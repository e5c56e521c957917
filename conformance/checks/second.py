"""The second token: what becomes of a token's lead after the token itself has come once.

Two tokens are forced together, and ``a`` comes first. Its lead over ``b`` at the second position
is moved by whole steps of bias; the *edge* is the least at which ``a`` comes twice. Penalties for
tokens that were generated move it, nothing else between two requests does.
"""

from __future__ import annotations

from dataclasses import dataclass

from conformance.checks.answer import answer
from conformance.checks.api import Undecided, Untestable
from conformance.checks.coin import (
    PAIRS,
    WIDEST,
    biased,
    coin,
    edge_of,
    pairs_of,
    spread,
    tokens_of,
    toss,
)
from conformance.checks.context import Context
from conformance.checks.forcing import shown
from conformance.checks.oracle import Piece, oracle
from conformance.wire.exchange import Exchange

__all__ = ["Second", "followed", "second", "second_token"]

#: Answers of two tokens that a sample at temperature 1 takes, and choices worth a request.
PAIRED, WORTH = 256, 8


@dataclass(frozen=True)
class Second:
    """Two tokens and the edge between them *after one* ``a``, with the canonical prompt.

    From the edge upwards the first token is ``a`` and ``a`` follows it. ``apart``: one below, the
    first is still ``a`` and ``b`` follows, so that 0 ≤ δ ≤ 1 at the second position. Otherwise the
    first token itself flips there, and all that is known is δ ≥ 0.
    """

    finding: str
    a: Piece
    b: Piece
    edge: int
    apart: bool


async def second(ctx: Context) -> Second:
    """Find two tokens and their edge at the second position, after ``a``.

    Raises ``Untestable`` where no token can be forced.
    """
    known = await ctx.learn(oracle)
    fallback: Second | None = None
    for a, b in spread(list(pairs_of(known)))[:PAIRS]:
        seen: dict[int, list[Piece]] = {}

        async def wins(
            difference: int, a: Piece = a, b: Piece = b, seen: dict[int, list[Piece]] = seen
        ) -> bool:
            found = await answer(ctx, await toss(ctx, biased(a, b, difference), 2))
            seen[difference] = tokens_of(found.text, a, b)
            return seen[difference] == [a, a]

        edge = await edge_of(wins)
        if edge is None or edge + 8 > WIDEST:
            continue
        if seen[edge - 1] == [a, b]:
            finding = f"after one {a.text!r}, {b.text!r} is as likely at a bias {edge:+d} lower"
            return Second(finding, a, b, edge, apart=True)
        finding = f"{a.text!r} comes twice from a bias {edge:+d} above that of {b.text!r}"
        fallback = fallback or Second(finding, a, b, edge, apart=False)
    if fallback is None:
        raise Untestable("no calibrated second token: one token always wins, whatever the bias")
    return fallback


async def second_token(
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


async def followed(
    ctx: Context,
    known: Second,
    count: int = PAIRED,
    /,
    lead: int = 0,
    start: int = 0,
    **given: float,
) -> tuple[tuple[int, int], list[Exchange]]:
    """How often ``a`` and ``b`` followed an ``a`` in ``count`` answers, at temperature 1 unless given.

    ``start`` is the first repetition number. Raises ``Undecided`` where a request buys too few
    choices.
    """
    size = min(count, (await ctx.learn(coin)).per_request)
    if size < WORTH:
        raise Undecided("draws are not to be had: n buys none")
    counts, exchanges = [0, 0], []
    wanted = {"temperature": 1, **given}
    bias = biased(known.a, known.b, known.edge + lead)
    request = await toss(ctx, bias, 2, n=size, **wanted)
    for number in range(-(-count // size)):
        found = await answer(ctx, request, repeat=start + number)
        exchanges.append(found.exchange)
        for text in found.texts:
            came = tokens_of(text, known.a, known.b)
            if len(came) == 2 and came[0] == known.a:
                counts[came[1] != known.a] += 1
    return (counts[0], counts[1]), exchanges
