"""``presence_penalty`` and ``frequency_penalty`` over runs: one flat, the other with every occurrence.

Two tokens are forced together; the first, ``a``, repeats until ``n`` · frequency exceeds the lead
that its bias gives it. How far the lead drifts while ``a`` repeats is the model's affair, so lengths
of runs are only compared where the drift cancels: if a run of frequency 1 and lead β ends after R
tokens, one of frequency 2 and lead β + R ends after R as well, whatever the drift.
"""

from __future__ import annotations

from conformance.checks.answer import answer
from conformance.checks.api import (
    MUST,
    SHOULD,
    Broken,
    Case,
    Depth,
    Undecided,
    check,
)
from conformance.checks.chapters.param_penalties import FORMULA, FREQUENCY, STRONG
from conformance.checks.coin import biased, tokens_of, toss
from conformance.checks.context import Context
from conformance.checks.forcing import shown
from conformance.checks.oracle import Piece, force, oracle
from conformance.wire.exchange import Exchange

#: Tokens of a run that must, or must not, end; the lead of its token.
RUN, LEAD = 64, 40
#: Nats of jitter that a run's end may move by, in tokens.
SLIP = 2


async def _length(
    ctx: Context, a: Piece, b: Piece, lead: int, tokens: int, **given: float
) -> tuple[int | None, Exchange]:
    """After how many ``a`` the first ``b`` comes; ``None`` where none comes."""
    found = await answer(ctx, await toss(ctx, biased(a, b, lead), tokens, **given))
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


async def _controlled(ctx: Context, **given: float) -> tuple[int | None, Exchange, Exchange]:
    """After how many tokens a run that does not end by itself ends with ``given``, where that was
    seen, and the control run. Raises ``Undecided`` where the control ends.
    """
    a, b = (await ctx.learn(oracle)).words[:2]
    control, without = await _length(ctx, a, b, LEAD, RUN)
    if control is not None:
        raise Undecided(f"a forced token ends by itself after {control} of {RUN}", without)
    return (*await _length(ctx, a, b, LEAD, RUN, **given), without)


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
    length, exchange, without = await _controlled(ctx, presence_penalty=STRONG)
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
    length, exchange, without = await _controlled(ctx, frequency_penalty=STRONG)
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
