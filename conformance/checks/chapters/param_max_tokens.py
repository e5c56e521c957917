"""``max_tokens``: exactly so many tokens, the right finish reason, no hidden limit.

With a forced token the text for k tokens is known, so no tokenizer and no usage is needed; without
one, the reported usage must keep the limit.
"""

from __future__ import annotations

from typing import Any

from conformance.checks.answer import (
    Answer,
    answer,
    error_event,
    read_answer,
    why_unreadable,
)
from conformance.checks.api import (
    MUST,
    REGULAR,
    SHOULD,
    STREAM,
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
from conformance.checks.forcing import answers, repeats, shown, written
from conformance.checks.oracle import (
    FORCED_TOKENS,
    NATURAL_TOKENS,
    Piece,
    forced,
    greedy_body,
    natural,
    natural_request,
    oracle_here,
)
from conformance.wire.exchange import Request

CEILING = Source(
    "specification text",
    "openapi.yaml:33373",
    "The maximum number of tokens that can be generated in the chat completion.",
)
FINISH = Source(
    "specification text",
    "openapi.yaml:33507",
    "`length` if the maximum number of tokens specified in the request was reached",
)
OPTIONAL = Source(
    "specification schema", "openapi.yaml:33373", "max_tokens is not a required member"
)
DEFAULT = Source("specification schema", "openapi.yaml:33950", "default: 16")

#: Limits of the main check; the last is the calibrating request's own.
LIMITS = (1, 2, FORCED_TOKENS)
#: A limit that a hidden cap (16, 64, 100, 128, 256, 512 …) shows under, and one for short contexts.
HIGH = (520, 200)
#: Sizes of short contexts, and special tokens that may count or not.
CONTEXTS, SPARE = (256, 384, 512), 2
#: A limit that only a short context refuses.
LARGE = 2000


async def _forced(ctx: Context, tokens: tuple[int, ...] = LIMITS) -> tuple[Piece, list[Answer]]:
    piece = (await oracle_here(ctx)).best
    return piece, await answers(ctx, [forced(ctx, piece.id, count) for count in tokens])


@check(
    "param.max_tokens.effect",
    MUST,
    CEILING,
    needs=("max_tokens",),
    parameter="max_tokens",
    aspect="effect",
    cost=3,
)
async def effect(ctx: Context, case: Case) -> str | None:
    """An answer that nothing else ends has exactly `max_tokens` tokens, and is the beginning of a longer one."""
    try:
        piece, found = await _forced(ctx)
    except Untestable as absent:
        if not absent.message.startswith("no forced-token oracle"):
            raise
        return await _by_usage(ctx, absent.message)
    counts = [repeats(each.text, piece) for each in found]
    if len({each.text for each in found}) == 1 and found[0].text:
        limits = ", ".join(map(str, LIMITS))
        raise Ignored(
            f"max_tokens={limits} all gave the same {counts[0] or '?'} tokens "
            f"{shown(found[0].text)}",
            *(each.exchange for each in found),
        )
    for limit, count, each in zip(LIMITS, counts, found, strict=True):
        if count != limit:
            raise Broken(
                f"max_tokens={limit}: {_amount(count, each, piece)} where the forced token "
                f"{piece.text!r} was due {limit} times",
                each.exchange,
                found[-1].exchange,
            )
    return None


def _amount(count: int | None, found: Answer, piece: Piece) -> str:
    if count is None:
        return f"the text {shown(found.text)} is no repetition of the forced token"
    return f"{count} tokens came ({shown(found.text)})"


async def _two_limits(ctx: Context) -> tuple[Answer, Answer]:
    """Greedy answers of at most 4 and 24 tokens, with usage wherever it can be had."""
    extra: dict[str, Any] = {} if ctx.promises("temperature") else {"temperature": ...}
    if ctx.mode is STREAM and ctx.promises("stream_options"):
        extra["stream_options"] = {"include_usage": True}
    few, many = await answers(
        ctx, [ctx.post(greedy_body(ctx, limit, **extra)) for limit in (4, 24)]
    )
    return few, many


async def _by_usage(ctx: Context, absent: str) -> str | None:
    """Without an oracle: the reported usage keeps the limit, a shorter limit a shorter text."""
    few, many = await _two_limits(ctx)
    tokens = few.tokens("completion")
    short, long = written(few), written(many)
    same = short == long and len(short) > 4 * 20
    if tokens is not None and tokens > 4 and (same or tokens == many.tokens("completion")):
        raise Ignored(
            f"max_tokens=4 and 24 gave the same {tokens} tokens", few.exchange, many.exchange
        )
    if tokens is not None and tokens > 4:
        raise Broken(f"max_tokens=4 gave {tokens} completion_tokens", few.exchange)
    if tokens is None and same:
        raise Ignored(
            f"max_tokens=4 and 24 gave the same {len(short)} characters",
            few.exchange,
            many.exchange,
        )
    if tokens is None and not (long.startswith(short) and long != short):
        raise Undecided(
            f"neither usage nor a shorter text shows the limit ({absent})", few.exchange
        )
    return f"judged by usage and length of text alone ({absent})"


@check(
    "param.max_tokens.usage",
    MUST,
    CEILING,
    modes=(REGULAR,),
    needs=("max_tokens", "logit_bias"),
    parameter="max_tokens",
    aspect="effect",
    cost=0,
)
async def usage(ctx: Context, case: Case) -> str | None:
    """`usage.completion_tokens` equals `max_tokens` when the answer used them all."""
    _, found = await _forced(ctx)
    for limit, each in zip(LIMITS, found, strict=True):
        reported = each.tokens("completion")
        if reported is None:
            raise Untestable("the answer reports no completion_tokens", each.exchange)
        if reported != limit:
            raise Broken(
                f"max_tokens={limit} and a forced token: completion_tokens is {reported}",
                each.exchange,
            )
    return None


@check(
    "param.max_tokens.finish-reason",
    MUST,
    FINISH,
    needs=("max_tokens",),
    parameter="max_tokens",
    aspect="effect",
    cost=1,
)
async def finish_reason(ctx: Context, case: Case) -> str | None:
    """`finish_reason` is `length` when the limit ended the answer, and not when something else did."""
    try:
        piece, found = await _forced(ctx)
    except Untestable as absent:
        if not absent.message.startswith("no forced-token oracle"):
            raise
        return await _natural_finish(ctx, absent.message)
    for limit, each in zip(LIMITS, found, strict=True):
        if repeats(each.text, piece) == limit and each.finish_reason != "length":
            raise Broken(
                f"max_tokens={limit} was used up by a forced token: finish_reason is "
                f"{each.finish_reason!r}, not 'length'",
                each.exchange,
            )
    if ctx.promises("stop"):
        ended = await answer(ctx, forced(ctx, piece.id, FORCED_TOKENS, stop=piece.text[-1]))
        if len(ended.text) < len(piece.text) and ended.finish_reason == "length":
            raise Broken(
                f"a stop sequence ended the answer after one of {FORCED_TOKENS} tokens: "
                "finish_reason is 'length'",
                ended.exchange,
            )
    return await _room_to_end(ctx) if ctx.mode is REGULAR else None


async def _room_to_end(ctx: Context) -> str:
    """A short answer with room is not ended by its limit."""
    learned = await ctx.learn(natural)
    found = await answer(ctx, natural_request(ctx))
    spent = found.tokens("completion")
    if found.finish_reason == "length" and spent is not None and spent < NATURAL_TOKENS:
        raise Broken(
            f"finish_reason is 'length' after {spent} of {NATURAL_TOKENS} tokens", found.exchange
        )
    return learned.finding


async def _natural_finish(ctx: Context, absent: str) -> str | None:
    """`length` means that the budget was used; less than the budget is never `length`."""
    few, many = await _two_limits(ctx)
    for limit, each in ((4, few), (24, many)):
        tokens = each.tokens("completion")
        if tokens is not None and tokens < limit and each.finish_reason == "length":
            raise Broken(
                f"finish_reason is 'length' after {tokens} of {limit} tokens", each.exchange
            )
    short, long = written(few), written(many)
    if short and long.startswith(short) and len(long) > len(short):
        if few.finish_reason != "length":
            raise Broken(
                f"max_tokens=4 cut the answer that goes on with max_tokens=24: finish_reason is "
                f"{few.finish_reason!r}",
                few.exchange,
                many.exchange,
            )
        return None
    raise Undecided(f"no answer was seen to be cut by its limit ({absent})", few.exchange)


@check(
    "param.max_tokens.hidden-cap",
    MUST,
    CEILING,
    needs=("max_tokens", "logit_bias"),
    parameter="max_tokens",
    aspect="effect",
    depth=Depth.STANDARD,
    cost=1,
)
async def hidden_cap(ctx: Context, case: Case) -> str | None:
    """No limit lower than a moderate `max_tokens` ends an answer."""
    piece = (await oracle_here(ctx)).best
    for limit in HIGH:
        exchange = await ctx.ask(forced(ctx, piece.id, limit))
        found = read_answer(exchange)
        if found is None:
            told = f"max_tokens={limit}: {why_unreadable(exchange)}"
            continue
        if (error := error_event(exchange)) is not None:
            told = f"max_tokens={limit}: the stream turns into an error: {error[1]}"
            continue
        count = repeats(found.text, piece)
        if count == limit:
            return None
        if not _fills_context(found):
            raise Broken(
                f"max_tokens={limit}: {_amount(count, found, piece)}, finish_reason "
                f"{found.finish_reason!r}",
                found.exchange,
            )
        told = f"max_tokens={limit}: prompt and answer have {found.tokens('total')} tokens"
    raise Untestable(f"{told}: the context may be as short", exchange)


def _fills_context(found: Answer) -> bool:
    """Whether prompt and answer together are as long as short contexts are."""
    total = found.tokens("total")
    return total is not None and any(abs(total - size) <= SPARE for size in CONTEXTS)


async def _stopped_early(ctx: Context) -> Piece:
    """A forced word that ``stop`` is seen to end: bounds requests that have no other limit."""
    piece = (await oracle_here(ctx)).best
    ended = await answer(ctx, forced(ctx, piece.id, FORCED_TOKENS, stop=piece.text[-1]))
    if ended.text.strip() != piece.text[:-1]:
        raise Untestable("stop does not end an answer here, so an unbounded request is not sent")
    return piece


@check(
    "param.max_tokens.large",
    MUST,
    CEILING,
    needs=("max_tokens", "logit_bias", "stop"),
    parameter="max_tokens",
    aspect="effect",
    depth=Depth.STANDARD,
    cost=1,
)
async def large(ctx: Context, case: Case) -> str | None:
    """A large `max_tokens` changes neither the prompt nor an answer that ends before it."""
    piece = await _stopped_early(ctx)
    small, found = await answers(
        ctx,
        [forced(ctx, piece.id, limit, stop=piece.text[-1]) for limit in (FORCED_TOKENS, LARGE)],
    )
    if found.text.strip() != small.text.strip():
        raise Broken(
            f"max_tokens={LARGE} gave {shown(found.text)} where {FORCED_TOKENS} gave "
            f"{shown(small.text)}",
            found.exchange,
            small.exchange,
        )
    before, after = small.tokens("prompt"), found.tokens("prompt")
    if before is not None and after is not None and before != after:
        raise Broken(
            f"the same prompt has {after} tokens with max_tokens={LARGE} and {before} with "
            f"{FORCED_TOKENS}",
            found.exchange,
            small.exchange,
        )
    return None


@check(
    "param.max_tokens.omitted",
    MUST,
    OPTIONAL,
    needs=("max_tokens", "logit_bias", "stop"),
    parameter="max_tokens",
    aspect="effect",
    elsewhere=Depth.STANDARD,
    cost=1,
)
async def omitted(ctx: Context, case: Case) -> str | None:
    """A request without `max_tokens` is answered."""
    piece = await _stopped_early(ctx)
    request = forced(ctx, piece.id, FORCED_TOKENS, max_tokens=..., stop=piece.text[-1])
    found = await _readable(ctx, request, "without max_tokens")
    if found.text.strip() != piece.text[:-1]:
        raise Broken(
            f"without max_tokens the answer is {shown(found.text)}, not {piece.text[:-1]!r}",
            found.exchange,
        )
    return None


async def _readable(ctx: Context, request: Request, what: str) -> Answer:
    exchange = await ctx.ask(request)
    found = read_answer(exchange)
    if found is None:
        raise Broken(f"{what}: {why_unreadable(exchange)}", exchange)
    return found


@check(
    "param.max_tokens.null",
    SHOULD,
    OPTIONAL,
    needs=("max_tokens", "logit_bias", "stop"),
    parameter="max_tokens",
    depth=Depth.STANDARD,
    cost=1,
)
async def null(ctx: Context, case: Case) -> str | None:
    """`max_tokens: null` means the same as no `max_tokens`."""
    piece = await _stopped_early(ctx)
    absent, exchange = await ctx.ask_all(
        [
            forced(ctx, piece.id, FORCED_TOKENS, max_tokens=value, stop=piece.text[-1])
            for value in (..., None)
        ]
    )
    without, found = read_answer(absent), read_answer(exchange)
    if without is None:
        raise Untestable("a request without max_tokens has no answer either", absent)
    if found is None:
        hard = exchange.status is None or exchange.status >= 500
        raise Broken(
            f"max_tokens null: {why_unreadable(exchange)}",
            exchange,
            level=MUST if hard else SHOULD,
        )
    if found.text != without.text:
        raise Broken(
            f"max_tokens null gave {shown(found.text)}, no max_tokens {shown(without.text)}",
            exchange,
            absent,
        )
    return None


@check(
    "param.max_tokens.default",
    SHOULD,
    DEFAULT,
    endpoints=("completions",),
    needs=("feature:default-values", "max_tokens", "logit_bias", "stop"),
    parameter="max_tokens",
    depth=Depth.STANDARD,
    cost=1,
)
async def default(ctx: Context, case: Case) -> str | None:
    """Without `max_tokens` a completion has the documented default number of tokens."""
    piece = await _stopped_early(ctx)
    documented = ctx.endpoint.parameters["max_tokens"].default
    bound = documented if isinstance(documented, int) else 16
    request = forced(ctx, piece.id, FORCED_TOKENS, max_tokens=..., stop=piece.text * (bound + 1))
    found = await answer(ctx, request)
    count = repeats(found.text, piece)
    seen = "more than that" if found.finish_reason == "stop" else f"{count} tokens"
    if not isinstance(documented, int):
        return f"no default is documented; with a bound of {bound} tokens: {seen}"
    if found.finish_reason == "stop" or count != bound:
        raise Broken(f"the default is documented as {bound} tokens; seen: {seen}", found.exchange)
    return None
