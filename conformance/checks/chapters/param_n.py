"""``n``: so many choices, each with its own index, whole, and drawn for itself."""

from __future__ import annotations

from typing import Any

from conformance.checks.answer import Answer, answer, read_answer, why_unreadable
from conformance.checks.api import (
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
from conformance.checks.context import Context
from conformance.checks.forcing import answers, repeats, shown
from conformance.checks.oracle import Piece, forced, oracle_here
from conformance.checks.stats import fisher, level
from conformance.wire.exchange import Request

CHOICES = Source(
    "specification text",
    "openapi.yaml:33391",
    "How many chat completion choices to generate for each input message.",
)
INDEX = Source(
    "specification text",
    "openapi.yaml:33507",
    "The index of the choice in the list of choices.",
)
BILLED = Source(
    "specification text",
    "openapi.yaml:33391",
    "Note that you will be charged based on the number of generated tokens across all of the "
    "choices.",
)
#: Number of choices and tokens of the request that most checks here share.
N, TOKENS = 3, 2
#: The independence check: choices of one request → single requests to compare with.
DRAWS = {16: 8, 8: 12}
#: Tokens of each draw.
DRAWN = 4
#: Temperatures of the rounds: the set of tokens is narrowed when one of them always wins.
TEMPERATURES = (1, 2, 2)


async def _request(ctx: Context, n: int, tokens: int = TOKENS) -> tuple[Request, Piece | None]:
    """A request for ``n`` choices, of a forced token where there is an oracle."""
    try:
        piece = (await oracle_here(ctx)).best
    except Untestable:
        warm = {"temperature": 1} if ctx.promises("temperature") else {}
        return ctx.request(n=n, max_tokens=tokens, **warm), None
    return forced(ctx, piece.id, tokens, n=n), piece


def _raw_indexes(found: Answer) -> list[Any]:
    """The ``index`` members as they came: of the body's choices, or of all streamed ones."""
    lists = [document.get("choices") for document in found.documents]
    raw = [
        choice.get("index")
        for choices in lists
        for choice in (choices if isinstance(choices, list) else ())
        if isinstance(choice, dict)
    ]
    if found.exchange.request.wants_stream:
        return list(dict.fromkeys(index if isinstance(index, int) else None for index in raw))
    return raw


@check("param.n.effect", MUST, CHOICES, needs=("n",), parameter="n", aspect="effect", cost=2)
async def effect(ctx: Context, case: Case) -> str | None:
    """An answer has exactly `n` choices."""
    counts = {}
    exchanges = []
    for n in (N, 2):
        request, piece = await _request(ctx, n)
        found = await answer(ctx, request)
        _no_merged_choices(found, n, piece)
        counts[n] = len(_raw_indexes(found))
        exchanges.append(found.exchange)
    told = ", ".join(f"n={n} gave {count}" for n, count in counts.items())
    if set(counts.values()) == {1}:
        raise Ignored(f"{told} choice", *exchanges)
    for (n, count), exchange in zip(counts.items(), exchanges, strict=True):
        if count != n:
            raise Broken(f"{told} choices", exchange)
    return None


def _no_merged_choices(found: Answer, n: int, piece: Piece | None) -> None:
    """Tell streamed choices that all came under one index from a lone choice."""
    if piece and len(found.choices) < n and found.exchange.request.wants_stream:
        counts = [repeats(text, piece) for text in found.texts]
        if all(counts) and sum(count or 0 for count in counts) == n * TOKENS:
            raise Broken(
                f"n={n}: {n * TOKENS} tokens came under {len(found.choices)} index", found.exchange
            )


@check("param.n.indices", MUST, INDEX, needs=("n",), parameter="n", aspect="effect", cost=0)
async def indices(ctx: Context, case: Case) -> str | None:
    """The choices have the indexes 0 to n-1, each once."""
    request, _ = await _request(ctx, N)
    found = await answer(ctx, request)
    indexes = _raw_indexes(found)
    if len(indexes) < 2:
        raise Untestable(f"n={N} gave {len(indexes)} choice", found.exchange)
    if sorted(indexes, key=repr) != list(range(len(indexes))):
        raise Broken(f"n={N}: the indexes are {str(indexes)[:80]}", found.exchange)
    return None


@check(
    "param.n.complete",
    MUST,
    CHOICES,
    needs=("n", "logit_bias"),
    parameter="n",
    aspect="effect",
    cost=0,
)
async def complete(ctx: Context, case: Case) -> str | None:
    """Each of the `n` choices is a whole answer with its own finish reason."""
    request, piece = await _request(ctx, N)
    if piece is None:
        await oracle_here(ctx)
        return None
    found = await answer(ctx, request)
    for index, choice in sorted(found.choices.items()):
        count = repeats(choice.text, piece)
        if count != TOKENS:
            told = "something else" if count is None else f"{count} tokens"
            raise Broken(
                f"n={N}: choice {index} is {shown(choice.text)} ({told}), not the forced token "
                f"{piece.text!r} {TOKENS} times",
                found.exchange,
            )
        if choice.finish_reason is None:
            raise Broken(f"n={N}: choice {index} has no finish_reason", found.exchange)
    return None


@check(
    "param.n.usage",
    MUST,
    BILLED,
    modes=(REGULAR,),
    needs=("n", "logit_bias", "max_tokens"),
    parameter="n",
    aspect="effect",
    cost=1,
)
async def usage(ctx: Context, case: Case) -> str | None:
    """`usage` counts the prompt once and the tokens of all choices."""
    piece = (await oracle_here(ctx)).best
    single, found = await answers(
        ctx, [forced(ctx, piece.id, TOKENS), forced(ctx, piece.id, TOKENS, n=N)]
    )
    if len(found.choices) != N:
        raise Untestable(f"n={N} gave {len(found.choices)} choices", found.exchange)
    completion, prompt, once = (
        found.tokens("completion"),
        found.tokens("prompt"),
        single.tokens("prompt"),
    )
    if completion is None:
        raise Untestable("the answer reports no completion_tokens", found.exchange)
    if completion != N * TOKENS:
        raise Broken(
            f"{N} choices of {TOKENS} tokens: completion_tokens is {completion}", found.exchange
        )
    if prompt is not None and once is not None and prompt != once:
        raise Broken(
            f"n={N} reports {prompt} prompt_tokens, n=1 reports {once} for the same prompt",
            found.exchange,
            single.exchange,
            level=SHOULD,
        )
    return None


@check(
    "param.n.single",
    MUST,
    CHOICES,
    needs=("n", "logit_bias", "max_tokens"),
    parameter="n",
    aspect="effect",
    depth=Depth.STANDARD,
    elsewhere=Depth.DEEP,
    cost=1,
)
async def single(ctx: Context, case: Case) -> str | None:
    """`n: 1` is the same as no `n`: one choice."""
    piece = (await oracle_here(ctx)).best
    without, found = await answers(
        ctx, [forced(ctx, piece.id, TOKENS), forced(ctx, piece.id, TOKENS, n=1)]
    )
    for what, each in (("n=1", found), ("no n", without)):
        if len(_raw_indexes(each)) != 1:
            raise Broken(f"{what} gave {len(_raw_indexes(each))} choices", each.exchange)
    if found.text != without.text or found.finish_reason != without.finish_reason:
        raise Broken(
            f"n=1 gave {shown(found.text)}, no n {shown(without.text)}",
            found.exchange,
            without.exchange,
        )
    return None


@check(
    "param.n.independent",
    MUST,
    CHOICES,
    needs=("n", "logit_bias", "temperature"),
    parameter="n",
    aspect="effect",
    depth=Depth.STANDARD,
    exact=False,
    cost=1,
)
async def independent(ctx: Context, case: Case) -> str | None:
    """The `n` choices are drawn independently: they are no copies of each other.

    Where all choices are equal, single requests are the control: if choices were drawn as single
    answers are, the equal ones would not all fall into one request (Fisher's exact test).
    """
    pieces = list((await oracle_here(ctx)).pieces)
    for temperature in TEMPERATURES:
        found = await _drawn_together(ctx, pieces, temperature)
        if len(set(found.texts)) > 1:
            return None
        differ, singles = await _drawn_alone(ctx, pieces, temperature, found)
        bound = level("n-independence") / len(TEMPERATURES)
        if fisher(0, len(found.texts), differ, len(singles)) <= bound:
            raise Broken(
                f"all {len(found.texts)} choices at temperature {temperature} are "
                f"{shown(found.text)}; {differ} of {len(singles)} single requests gave "
                "something else",
                found.exchange,
                *(each.exchange for each in singles),
            )
        # One token leaves the others no chance: draw among the others.
        pieces = [piece for piece in pieces if piece.text.strip() not in found.text]
        if len(pieces) < 2:
            break
    raise Undecided("single requests do not vary enough to compare with")


@check(
    "param.n.many",
    MUST,
    CHOICES,
    needs=("n", "logit_bias", "temperature"),
    parameter="n",
    aspect="effect",
    depth=Depth.STANDARD,
    cost=0,
)
async def many(ctx: Context, case: Case) -> str | None:
    """A greater `n` gives as many choices, or is refused; it is not cut down in silence."""
    ids = [piece.id for piece in (await oracle_here(ctx)).pieces]
    wanted = max(DRAWS)
    exchange = await ctx.ask(_drawing(ctx, ids, wanted, TEMPERATURES[0]))
    found = read_answer(exchange)
    if found is None:
        if exchange.status is not None and 400 <= exchange.status < 500:
            return f"n={wanted} is refused with status {exchange.status}"
        raise Untestable(f"n={wanted}: {why_unreadable(exchange)}", exchange)
    if len(found.choices) != wanted:
        raise Broken(f"n={wanted} gave {len(found.choices)} choices with status 200", exchange)
    return None


def _drawing(ctx: Context, ids: list[int], n: int, temperature: int) -> Request:
    """Several choices among the same forced tokens."""
    return forced(ctx, ids, DRAWN, n=n, temperature=temperature)


async def _drawn_together(ctx: Context, pieces: list[Piece], temperature: int) -> Answer:
    """One answer of as many choices as the server gives: 16, or 8 where that is too many."""
    ids = [piece.id for piece in pieces]
    for many in DRAWS:
        exchange = await ctx.ask(_drawing(ctx, ids, many, temperature))
        found = read_answer(exchange)
        if found is not None and len(found.choices) == many:
            return found
    told = why_unreadable(exchange) or f"{len(found.choices) if found else 0} choices came"
    raise Untestable(f"n={many}: {told}", exchange)


async def _drawn_alone(
    ctx: Context, pieces: list[Piece], temperature: int, found: Answer
) -> tuple[int, list[Answer]]:
    """The control: single requests, and how many of them differ from the equal choices."""
    request = forced(ctx, [piece.id for piece in pieces], DRAWN, temperature=temperature)
    singles = [
        await answer(ctx, request, repeat=number)
        for number in range(1, DRAWS[len(found.texts)] + 1)
    ]
    return sum(each.text != found.text for each in singles), singles
