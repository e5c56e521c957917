"""Errors: the right status, the envelope, no server error, nothing told that is not the client's."""

from __future__ import annotations

from dataclasses import dataclass

from conformance.checks.answer import read_answer
from conformance.checks.api import (
    MUST,
    REGULAR,
    SHOULD,
    Broken,
    Case,
    Depth,
    Phase,
    Source,
    Untestable,
    check,
)
from conformance.checks.chapters.model import UNKNOWN
from conformance.checks.context import Context
from conformance.checks.plain import any_endpoint, generates, plain_request
from conformance.checks.prompts import words
from conformance.checks.refusal import (
    envelope_problem,
    error_object,
    expect_refusal,
    told,
    unsent,
)
from conformance.wire.exchange import Exchange, Request

GENERATING = ("chat", "completions")
ENVELOPE = Source("specification schema", "openapi.yaml:38286, 38249", "ErrorResponse: error")
REFUSED = Source("convention", "official clients map 400, 404 and 422 to errors, 5xx to a retry")
NOT_FOUND = Source(
    "observed behaviour",
    "https://github.com/Chainlit/cookbook/issues/82",
    "The model `gpt-4` does not exist or you do not have access to it.",
)
SERVER = Source(
    "standard",
    "RFC 9110, section 15.6",
    "The 5xx (Server Error) class of status code indicates that the server is aware that it has "
    "erred or is incapable of performing the requested method.",
)


def _unknown_model(ctx: Context) -> Request:
    return ctx.request(model=UNKNOWN)


@check(
    "error.unknown-model",
    MUST,
    REFUSED,
    endpoints=GENERATING,
    needs=("model",),
    phase=Phase.HOSTILE,  # loading what does not exist has ended servers
)
async def unknown_model(ctx: Context, case: Case) -> None:
    """A model that does not exist is refused, never answered by another one."""
    expect_refusal(await ctx.ask(_unknown_model(ctx)), f"the model {UNKNOWN!r}")


@check(
    "error.unknown-model.status",
    SHOULD,
    NOT_FOUND,
    endpoints=GENERATING,
    needs=("model",),
    phase=Phase.HOSTILE,
)
async def unknown_model_status(ctx: Context, case: Case) -> None:
    """A model that does not exist is answered with status 404."""
    exchange = await ctx.ask(_unknown_model(ctx))
    if exchange.status is not None and 400 <= exchange.status < 500 and exchange.status != 404:
        raise Broken(f"the model {UNKNOWN!r}: {told(exchange)} instead of 404", exchange)


@check(
    "error.repeatable",
    SHOULD,
    REFUSED,
    endpoints=GENERATING,
    modes=(REGULAR,),
    needs=("model",),
    phase=Phase.HOSTILE,
)
async def repeatable(ctx: Context, case: Case) -> None:
    """The same faulty request is refused with the same status and code each time."""
    first = await ctx.ask(_unknown_model(ctx))
    again = await ctx.ask(_unknown_model(ctx), repeat=1)
    if first.status is None or again.status is None or first.status < 400:
        raise Untestable("the unknown model is not refused", first)
    for one, other in ((first.status, again.status), (_code(first), _code(again))):
        if one != other:
            raise Broken(f"first {one}, then {other}", again, first)


def _code(exchange: Exchange) -> str:
    return repr((error_object(exchange) or {}).get("code"))[:60]


# Routes and methods


@check("error.unknown-route", SHOULD, REFUSED, endpoints=(), modes=())
async def unknown_route(ctx: Context, case: Case) -> None:
    """A route that does not exist is answered with 404 and the error envelope."""
    there = any_endpoint(ctx)
    path = there.endpoint.path_for(ctx.subject.model) + "/no-such-route"
    exchange = await ctx.ask(there.post(plain_request(there).body, path=path))
    expect_refusal(exchange, f"POST {path}", accepted=SHOULD)
    if exchange.status not in (404, 405):
        raise Broken(f"POST {path}: {told(exchange)} instead of 404", exchange)
    if problem := envelope_problem(exchange):
        raise Broken(f"POST {path}: {problem}", exchange)


@check("error.wrong-method", SHOULD, REFUSED, modes=())
async def wrong_method(ctx: Context, case: Case) -> None:
    """A method that the route does not have is answered with 405, 404 or 501 and the envelope."""
    method = "GET" if generates(ctx) else "PUT"
    exchange = await ctx.ask(ctx.post(b"", method=method))
    what = f"{method} {ctx.endpoint.path}"
    if exchange.status != 501:  # "not implemented" is what RFC 9110 §9.1 says of unknown methods
        expect_refusal(exchange, what, accepted=SHOULD)
    if exchange.status not in (404, 405, 501):
        raise Broken(f"{what}: {told(exchange)} instead of 405", exchange)
    if problem := envelope_problem(exchange):
        raise Broken(f"{what}: {problem}", exchange)


@check("error.media-type", MUST, SERVER, endpoints=(), modes=())
async def media_type(ctx: Context, case: Case) -> None:
    """A body declared as another media type is answered or refused, not with a server error."""
    there = any_endpoint(ctx)
    headers = (("Content-Type", "text/plain"),)
    exchange = await ctx.ask(there.post(plain_request(there).body, headers=headers))
    if exchange.status is None or exchange.status >= 500:
        if reason := unsent(exchange):
            raise Untestable(reason, exchange)
        raise Broken(f"Content-Type: text/plain: {told(exchange)}", exchange)


# The end of the context


@dataclass(frozen=True)
class Overflow:
    """What became of a prompt that grew and grew. ``words`` were too many, or ``None``."""

    finding: str
    words: int | None


#: Words of the prompts tried at standard depth and beyond; the next is tried only if it is quick.
LADDER, BEYOND = (4_000, 36_000), (320_000,)
#: How an answer without text may end when the prompt was read.
ENDINGS = (None, "stop", "length")
#: Seconds that one step may be expected to take.
PATIENCE = 20.0


async def overflow(ctx: Context) -> Overflow:
    """Find a prompt that does not fit, by steps that stay affordable."""
    steps = LADDER + (BEYOND if ctx.subject.depth is Depth.DEEP else ())
    before: tuple[int, int | None, float] | None = None
    for count in steps:
        if before and before[2] * 2 * count / before[0] > PATIENCE:
            raise Untestable(f"a prompt of {count} words would take too long")
        exchange = await ctx.ask(_long(ctx, count))
        found = read_answer(exchange)
        if found is None:
            return Overflow(f"a prompt of {count} words is refused: {told(exchange)}", count)
        if before and not found.text and found.finish_reason not in ENDINGS:
            how = f"gets no text and the finish reason {found.finish_reason!r}"
            return Overflow(f"a prompt of {count} words {how}", count)
        tokens = found.tokens("prompt")
        if before and _cut(before, count, tokens):
            return Overflow(f"a prompt of {count} words is cut to {tokens} tokens", count)
        before = (count, tokens, exchange.elapsed)
    raise Untestable(f"the context holds {steps[-1]} words")


def _cut(before: tuple[int, int | None, float], count: int, tokens: int | None) -> bool:
    """Whether the prompt's tokens grew much less than its words did."""
    words_before, tokens_before, _ = before
    return bool(
        tokens is not None and tokens_before and tokens < 0.8 * tokens_before * count / words_before
    )


def _long(ctx: Context, count: int) -> Request:
    return ctx.request(
        **words(ctx, count), **({"max_tokens": 1} if ctx.promises("max_tokens") else {})
    )


@check(
    "error.context-overflow",
    SHOULD,
    Source(
        "observed behaviour",
        "https://github.com/crewAIInc/crewAI-examples/issues/121",
        "This model's maximum context length is 8192 tokens.",
    ),
    endpoints=GENERATING,
    depth=Depth.STANDARD,
    phase=Phase.EXCLUSIVE,
    cost=2,
)
async def context_overflow(ctx: Context, case: Case) -> None:
    """A prompt longer than the context is refused, not cut in silence and not answered empty."""
    found = await ctx.learn(overflow)
    if found.words is None:
        raise Untestable(found.finding)
    exchange = await ctx.ask(_long(ctx, found.words))
    fault = f"a prompt of {found.words} words ({found.finding})"
    expect_refusal(exchange, fault, accepted=SHOULD)
