"""``logit_bias`` on a token that the model chooses by itself: -100 bans it, 0 leaves it alone.

Beside a forced token a negative bias cannot be seen. So a token is looked for whose text is known and
that the greedy answer holds anyway: in a story, or where the prompt repeats it. Every later token
may change with it; that anything changes at all is what is judged.
"""

from __future__ import annotations

from typing import Any

from conformance.checks.answer import Answer, answer
from conformance.checks.api import (
    MUST,
    REGULAR,
    SHOULD,
    Broken,
    Case,
    Depth,
    Source,
    Undecided,
    Untestable,
    check,
)
from conformance.checks.context import Context
from conformance.checks.forcing import shown
from conformance.checks.oracle import Piece, force, greedy, greedy_body, oracle
from conformance.wire.exchange import Request

BAN = Source(
    "specification text",
    "openapi.yaml:33332",
    "values like -100 or 100 should result in a ban or exclusive selection of the relevant token",
)
#: Prompts that repeat a token, one for each of so many tokens; how often they do.
PROMPTS, TIMES = 2, 12
#: Repetitions of an accusing text.
AGAIN = 3


@check(
    "param.logit_bias.natural",
    SHOULD,
    BAN,
    modes=(REGULAR,),
    needs=("logit_bias", "temperature"),
    parameter="logit_bias",
    aspect="effect",
    depth=Depth.STANDARD,
    cost=4,
)
async def natural(ctx: Context, case: Case) -> str | None:
    """Of a token that the model chooses by itself, a bias of -100 leaves none and one of 0 each.

    A ban that has no effect breaks a MUST. Whether a token that the model chooses is known at all
    is a matter of luck, so that nothing is missing where none is.
    """
    piece, prompt, control = await _chosen(ctx)
    banned = await answer(ctx, _biased(ctx, prompt, piece, -100))
    if banned.text == control.text:
        raise Broken(
            f"{piece.text!r} comes with a bias of -100 as without: {shown(banned.text)}",
            banned.exchange,
            control.exchange,
            level=MUST,
        )
    alone = await answer(ctx, _biased(ctx, prompt, piece, 0))
    if alone.text != control.text:
        await _expect_again(ctx, _biased(ctx, prompt, piece, 0), alone)
        raise Broken(
            f"a bias of 0 for {piece.text!r} gave {shown(alone.text)}, none {shown(control.text)}",
            alone.exchange,
            control.exchange,
            level=MUST,
        )
    return f"{piece.text!r} is banned: {shown(banned.text)}"


def _biased(ctx: Context, prompt: dict[str, Any], piece: Piece, bias: int) -> Request:
    return ctx.post(greedy_body(ctx, **prompt, logit_bias=force(piece.id, bias=bias)))


async def _expect_again(ctx: Context, request: Request, found: Answer) -> None:
    """A text that jitter made does not come four times over."""
    for number in range(1, AGAIN + 1):
        if (await answer(ctx, request, repeat=number)).text != found.text:
            raise Undecided("greedy output is not repeatable", found.exchange)


async def _chosen(ctx: Context) -> tuple[Piece, dict[str, Any], Answer]:
    """A known token that a repeatable greedy answer holds, and that answer; else ``Untestable``."""
    known = await ctx.learn(oracle)
    text = await ctx.learn(greedy)
    if not text.repeatable:
        raise Untestable(text.finding)
    prompts: list[dict[str, Any]] = [{}]
    prompts += [_repeating(ctx, piece) for piece in known.words[:PROMPTS]]
    for prompt in prompts:
        request = ctx.post(greedy_body(ctx, **prompt))
        found = await answer(ctx, request)
        for piece in known.pieces:
            if _holds(found.text, piece):
                again = await answer(ctx, request, repeat=1)
                if again.text == found.text:
                    return piece, prompt, found
    raise Untestable("no token of known text came by itself in greedy answers")


def _repeating(ctx: Context, piece: Piece) -> dict[str, Any]:
    text = " ".join([piece.text.strip()] * TIMES)
    if "messages" in ctx.endpoint.parameters:
        return {"messages": [{"role": "user", "content": text}]}
    return {"prompt": text} if "prompt" in ctx.endpoint.parameters else {}


def _holds(text: str, piece: Piece) -> bool:
    """Whether the token itself is in the text: a whole word with its space, not part of another."""
    at = text.find(piece.text)
    if at < 0 or not piece.text.startswith(" "):
        return False
    end = text[at + len(piece.text) : at + len(piece.text) + 1]
    return bool(end) and not end.isalnum()
