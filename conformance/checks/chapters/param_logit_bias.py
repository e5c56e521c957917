"""``logit_bias``: +100 forces a token, -100 bans one, keys are token ids as strings."""

from __future__ import annotations

from conformance.checks.answer import answer, read_answer
from conformance.checks.api import (
    MUST,
    Broken,
    Case,
    Depth,
    Ignored,
    Source,
    Undecided,
    Untestable,
    check,
)
from conformance.checks.context import Context
from conformance.checks.forcing import answers, repeats, shown
from conformance.checks.oracle import (
    FORCED_TOKENS,
    ORDINARY_IDS,
    Oracle,
    Piece,
    force,
    forced,
    oracle,
    oracle_here,
    period,
    pieces_of,
)

FORCED = Source(
    "specification text",
    "openapi.yaml:33332",
    "values like -100 or 100 should result in a ban or exclusive selection of the relevant token",
)
ADDED = Source(
    "specification text",
    "openapi.yaml:33332",
    "Accepts a JSON object that maps tokens (specified by their token ID in the tokenizer) to an "
    "associated bias value from -100 to 100.",
)
#: Size of a forced set, and the tokens drawn from it.
SET, DRAWN = 6, 32
#: Entries of a large bias: more than any small table holds, fewer than any documented limit.
MANY = 64


def _pair(known: Oracle) -> tuple[Piece, Piece]:
    chosen = known.words if len(known.words) > 1 else known.pieces
    return chosen[0], chosen[1]


async def _gives(ctx: Context, bias: dict[str, int], piece: Piece, what: str) -> None:
    """The answer under ``bias`` is ``piece`` and nothing else."""
    found = await answer(ctx, forced(ctx, piece.id, FORCED_TOKENS, logit_bias=bias))
    if repeats(found.text, piece) is None or not found.text.strip():
        raise Broken(
            f"{what}: logit_bias={shown(str(bias), 80)} gave {shown(found.text)}, not {piece.text!r} alone",
            found.exchange,
        )


@check(
    "param.logit_bias.effect",
    MUST,
    FORCED,
    needs=("logit_bias",),
    parameter="logit_bias",
    aspect="effect",
    cost=2,
)
async def effect(ctx: Context, case: Case) -> str | None:
    """A token with bias 100 is the only one that appears."""
    try:
        pair = _pair(await ctx.learn(oracle))
    except Untestable as absent:
        if not absent.message.endswith("does not force its token"):
            raise
        await _explain(ctx, ORDINARY_IDS[:4])
        raise Undecided(absent.message) from None
    found = await answers(ctx, [forced(ctx, piece.id, FORCED_TOKENS) for piece in pair])
    wrong = [
        (piece, each)
        for piece, each in zip(pair, found, strict=True)
        if repeats(each.text, piece) is None or not each.text.strip()
    ]
    if wrong:
        if len(wrong) == len(pair):
            await _explain(ctx, [piece.id for piece in pair])
        piece, each = wrong[0]
        raise Broken(
            f"logit_bias={force(piece.id)} gave {shown(each.text)}, not {piece.text!r} alone",
            *(each.exchange for _, each in wrong),
        )
    return None


async def _explain(ctx: Context, ids: tuple[int, ...] | list[int]) -> None:
    """Compare with control runs at temperature 0; raises ``Ignored`` or ``Broken`` if it can."""
    cold = {"temperature": 0} if ctx.promises("temperature") else {"temperature": ...}
    control, *treated = await answers(
        ctx,
        [
            forced(ctx, ids[0], FORCED_TOKENS, logit_bias=bias, **cold)
            for bias in (..., *(force(number) for number in ids))
        ],
    )
    again = await answer(ctx, forced(ctx, ids[0], FORCED_TOKENS, logit_bias=..., **cold), repeat=1)
    evidence = [each.exchange for each in (*treated, control)]
    if not control.text.strip():
        return
    reverse = await answer(
        ctx, forced(ctx, ids[0], FORCED_TOKENS, logit_bias=force(ids[0], bias=-100), **cold)
    )
    if period(reverse.text) and not period(control.text):
        raise Broken(
            f"logit_bias -100 forces its token ({shown(reverse.text)}), +100 does not: the sign is "
            "reversed",
            reverse.exchange,
            *evidence,
        )
    if all(each.text == control.text for each in treated):
        raise Ignored(
            f"logit_bias +100 for {len(ids)} different tokens, one a request, gave the text of "
            f"the control run: {shown(control.text)}",
            *evidence,
        )
    if again.text == control.text:
        changed = sum(each.text != control.text for each in treated)
        raise Broken(
            f"logit_bias +100 forces no token; {changed} of {len(treated)} answers differ from the "
            "control run's",
            *evidence,
        )


@check(
    "param.logit_bias.ban",
    MUST,
    FORCED,
    needs=("logit_bias",),
    parameter="logit_bias",
    aspect="effect",
    depth=Depth.STANDARD,
    cost=2,
)
async def ban(ctx: Context, case: Case) -> str | None:
    """Of two tokens, the one with bias -100 never appears and the one with 100 always does."""
    one, other = _pair(await oracle_here(ctx))
    for wanted, banned in ((one, other), (other, one)):
        bias = force(wanted.id) | force(banned.id, bias=-100)
        await _gives(ctx, bias, wanted, f"{banned.text!r} banned")
    return None


@check(
    "param.logit_bias.key-order",
    MUST,
    ADDED,
    needs=("logit_bias",),
    parameter="logit_bias",
    aspect="effect",
    depth=Depth.STANDARD,
    elsewhere=Depth.DEEP,
    cost=2,
)
async def key_order(ctx: Context, case: Case) -> str | None:
    """Every entry counts, whatever the order of the keys: the greatest bias wins."""
    known = await oracle_here(ctx)
    one, other = _pair(known)
    strong = force(one.id)
    weak = force(*_others(known, one), other.id, bias=20)
    if (
        read_answer(await ctx.ask(forced(ctx, one.id, FORCED_TOKENS, logit_bias=weak | strong)))
        is None
    ):
        weak = force(other.id, bias=20)  # some refuse so many entries
    for where, bias in (("first", strong | weak), ("last", weak | strong)):
        await _gives(
            ctx, bias, one, f"{one.text!r} at 100 in the {where} place, {len(weak)} others at 20"
        )
    return None


def _others(known: Oracle, but: Piece) -> list[int]:
    """Many ids that the vocabulary has, because it has greater ones."""
    highest = max(piece.id for piece in known.pieces)
    return [number for number in range(max(0, highest - MANY), highest) if number != but.id]


@check(
    "param.logit_bias.zero",
    MUST,
    ADDED,
    needs=("logit_bias",),
    parameter="logit_bias",
    aspect="effect",
    depth=Depth.STANDARD,
    elsewhere=Depth.DEEP,
    cost=1,
)
async def zero(ctx: Context, case: Case) -> str | None:
    """A bias of 0 leaves its token alone."""
    one, other = _pair(await oracle_here(ctx))
    await _gives(ctx, force(other.id, bias=0) | force(one.id), one, f"{other.text!r} at 0")
    return None


@check(
    "param.logit_bias.set",
    MUST,
    FORCED,
    needs=("logit_bias",),
    parameter="logit_bias",
    aspect="effect",
    depth=Depth.STANDARD,
    cost=1,
)
async def forced_set(ctx: Context, case: Case) -> str | None:
    """Where several tokens have bias 100, nothing but these tokens appears."""
    known = await oracle_here(ctx)
    chosen = known.pieces[:SET]
    found = await answer(ctx, forced(ctx, [piece.id for piece in chosen], DRAWN))
    texts = [piece.text for piece in chosen]
    if pieces_of(found.text, texts) is None:
        raise Broken(
            f"tokens {', '.join(map(repr, texts))} forced together gave {shown(found.text, 80)}",
            found.exchange,
        )
    return None
