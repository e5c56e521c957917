"""Forced answers, wherever they were asked for: each is known beforehand, so each is a probe.

Checks of ``n``, streams, usage, concurrency and limits force a token and look at one thing each.
Here the whole of every such answer is compared with what was due: the token as often as the limit
says, finished by ``length``. An answer that belongs to another request cannot pass for it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from conformance.checks.answer import Answer, read_answer
from conformance.checks.api import MUST, Broken, Case, NotApplicable, Phase, Source, check
from conformance.checks.context import Context
from conformance.checks.forcing import repeats, shown
from conformance.checks.observed import recorded_here, valid
from conformance.checks.oracle import FORCED_TOKENS, Piece, forced, oracle_here
from conformance.checks.plain import plain_request
from conformance.wire.exchange import Exchange

GENERATING = ("chat", "completions")
EXCLUSIVE = Source(
    "specification text",
    "openapi.yaml:33361",
    "values like -100 or 100 should result in a ban or exclusive selection of the relevant token",
)
#: Longer answers may meet the end of the context before their limit.
SHORT = 64
#: Members beside which a forced answer is still known; others may change or end it.
HARMLESS = frozenset(
    [
        "model",
        "messages",
        "prompt",
        "max_tokens",
        "logit_bias",
        "temperature",
        "top_p",
        "stream",
        "stream_options",
        "n",
        "seed",
        "user",
    ]
)


def _forced_id(exchange: Exchange) -> int | None:
    """The only token that may come, if the request leaves no other."""
    body = exchange.request.json
    bias = body.get("logit_bias") if isinstance(body, dict) else None
    if not isinstance(bias, dict) or len(bias) != 1 or not body.keys() <= HARMLESS:
        return None
    id, value = next(iter(bias.items()))
    limited = isinstance(body.get("max_tokens"), int)
    single = not isinstance(body.get("prompt"), list)
    return int(id) if value == 100 and id.isdecimal() and limited and single else None


def _all_forced(ctx: Context) -> Sequence[Case]:
    found = [
        case
        for case in recorded_here(ctx)
        if valid(case.data) and _forced_id(case.data) is not None
    ]
    return [Case("the plainest request", plain_request(ctx)), *found]


@check(
    "diff.forced-throughout",
    MUST,
    EXCLUSIVE,
    endpoints=GENERATING,
    needs=("logit_bias", "max_tokens"),
    phase=Phase.FINAL,
    cases=_all_forced,
    cost=0,
)
async def forced_throughout(ctx: Context, case: Case) -> None:
    """Every answer of the run whose token was forced is this token, as often as its limit says, and ends by `length`."""
    pieces = {each.id: each for each in (await oracle_here(ctx)).pieces}
    if case.data is None:
        return
    piece = pieces.get(_forced_id(case.data) or -1)
    if piece is None:
        raise NotApplicable("the token's text is not known")
    await _as_usual(ctx, piece)
    exchange = await ctx.revisit(case)
    found = read_answer(exchange) if valid(exchange) else None
    if found is None:
        raise NotApplicable("no answer to read", exchange)
    if problem := _problem(found, piece, exchange.request.json):
        raise Broken(problem, exchange)


async def _as_usual(ctx: Context, piece: Piece) -> None:
    """Hold where the shortest forced answer is as it ought to be; else others say what is wrong."""
    control = read_answer(await ctx.ask(forced(ctx, piece.id, FORCED_TOKENS)))
    if control is None or _problem(control, piece, control.exchange.request.json):
        raise NotApplicable("no forced answer is as it ought to be")


def _problem(found: Answer, piece: Piece, body: dict[str, Any]) -> str | None:
    limit = body["max_tokens"]
    for index, choice in sorted(found.choices.items()):
        count = repeats(choice.text, piece)
        if count is not None and choice.finish_reason == "length" and limit > SHORT:
            continue  # the context may have been full
        if count != limit:
            due = f"{piece.text!r} {limit} times"
            return f"choice {index} is {shown(choice.text)}, not the forced {due}"
        if choice.finish_reason != "length":
            ended = f"finish_reason {choice.finish_reason!r}, not 'length'"
            return f"choice {index} was ended by its limit of {limit} tokens with {ended}"
    return None
