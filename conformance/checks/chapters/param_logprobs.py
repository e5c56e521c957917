"""``logprobs`` and ``top_logprobs``: one entry for each token, in the layout of the endpoint."""

from __future__ import annotations

import math
from typing import Any

from conformance.checks.answer import Answer, answer, read_answer
from conformance.checks.api import (
    MUST,
    REGULAR,
    SHOULD,
    Broken,
    Case,
    Depth,
    Ignored,
    Rejected,
    Source,
    Undecided,
    Untestable,
    check,
)
from conformance.checks.context import Context
from conformance.checks.forcing import shown
from conformance.checks.oracle import greedy_body, reasoning, same_text
from conformance.checks.probabilities import Entry, entries_of, joined, layout_problem
from conformance.checks.refusal import told, unsent
from conformance.verdicts import Mode

OUTPUT = Source(
    "specification text",
    "openapi.yaml:33361",
    "If true, returns the log probabilities of each output token returned in the `content` of "
    "`message`.",
)
TOP = Source(
    "specification text",
    "openapi.yaml:33211",
    "An integer between 0 and 20 specifying the maximum number of most likely tokens to return at "
    "each token position, each with an associated log probability.",
)
CHOSEN = Source(
    "specification text",
    "openapi.yaml:33935",
    "Include the log probabilities on the `logprobs` most likely output tokens, as well the chosen "
    "tokens.",
)
TOKENS, WANTED = 8, 3
#: Rounding of log probabilities; nats by which a greedy token may lie below the likeliest.
ROUNDING, TIE = 1e-3, 0.5
GENERATING = ("chat", "completions")


def _parameters(ctx: Context, top: int = WANTED) -> dict[str, Any]:
    if ctx.endpoint.name != "chat":
        return {"logprobs": top}
    return {"logprobs": True, **({"top_logprobs": top} if ctx.promises("top_logprobs") else {})}


async def _asked(ctx: Context, top: int = WANTED) -> tuple[Answer, list[Entry]]:
    """The greedy answer with log probabilities; raises ``Untestable`` where there are none."""
    found = await _answer(ctx, **_parameters(ctx, top))
    entries = entries_of(found, ctx.endpoint.name)
    if not entries:
        raise Untestable("the answer has no log probabilities to judge", found.exchange)
    return found, entries


async def _answer(ctx: Context, **parameters: Any) -> Answer:
    if ctx.mode is Mode.STREAM and ctx.promises("stream_options"):
        parameters["stream_options"] = {"include_usage": True}
    if not ctx.promises("temperature"):
        parameters["temperature"] = ...
    return await answer(ctx, ctx.post(greedy_body(ctx, TOKENS, **parameters)))


@check(
    "param.logprobs.effect",
    MUST,
    OUTPUT,
    endpoints=GENERATING,
    needs=("logprobs",),
    parameter="logprobs",
    aspect="effect",
    cost=1,
)
async def effect(ctx: Context, case: Case) -> str | None:
    """With `logprobs` the answer has one log probability for each token."""
    found = await _answer(ctx, **_parameters(ctx))
    if problem := layout_problem(found, ctx.endpoint.name):
        raise Broken(problem, found.exchange)
    entries = entries_of(found, ctx.endpoint.name)
    if not entries:
        if not found.text:
            raise Untestable("the answer has no text", found.exchange)
        raise Ignored("logprobs were asked for; the answer has none", found.exchange)
    if (await ctx.learn(reasoning)).found:
        return "not counted: tokens of the reasoning are none of the answer's"
    tokens = found.tokens("completion")
    if tokens is None:
        return f"{len(entries)} entries; no usage to compare with"
    # The end of sequence is a token to some and none to others: only a cut answer is exact.
    spare = 0 if found.finish_reason == "length" else 1
    if abs(len(entries) - tokens) > spare:
        raise Broken(
            f"{len(entries)} log probabilities for {tokens} completion_tokens", found.exchange
        )
    return None


@check(
    "param.logprobs.text",
    MUST,
    OUTPUT,
    endpoints=GENERATING,
    needs=("logprobs",),
    parameter="logprobs",
    aspect="effect",
    cost=0,
)
async def text(ctx: Context, case: Case) -> str | None:
    """The tokens of the log probabilities make the text."""
    found, entries = await _asked(ctx)
    made = joined(entries)
    if made is None:
        raise Undecided("a token is only part of a character", found.exchange)
    whole = found.finish_reason == "length"
    if same_text(made, found.text) or (not whole and made.startswith(found.text)):
        return None
    raise Broken(f"the tokens make {shown(made)}, the text is {shown(found.text)}", found.exchange)


@check(
    "param.logprobs.values",
    MUST,
    OUTPUT,
    endpoints=GENERATING,
    needs=("logprobs",),
    parameter="logprobs",
    aspect="effect",
    cost=0,
)
async def values(ctx: Context, case: Case) -> None:
    """A log probability is a finite number and not positive."""
    found, entries = await _asked(ctx)
    for position, entry in enumerate(entries):
        numbers = [("", entry.logprob), *(entry.top or ())]
        for token, value in numbers:
            if not Entry("", value).finite or value > ROUNDING:
                of = f"alternative {token!r}" if token else repr(entry.token)
                raise Broken(
                    f"the log probability of {of} at position {position} is {str(value)[:40]}",
                    found.exchange,
                )


@check(
    "param.logprobs.argmax",
    SHOULD,
    CHOSEN,
    endpoints=GENERATING,
    needs=("logprobs", "temperature"),
    parameter="logprobs",
    depth=Depth.STANDARD,
    cost=0,
)
async def argmax(ctx: Context, case: Case) -> None:
    """At temperature 0 the chosen token is the likeliest."""
    found, entries = await _asked(ctx)
    compared = 0
    for position, entry in enumerate(entries):
        best = max((v for _, v in entry.top or () if Entry("", v).finite), default=None)
        if best is None or not entry.finite:
            continue
        compared += 1
        if entry.logprob < best - TIE:
            raise Broken(
                f"{entry.token!r} at position {position} has log probability {entry.logprob:.3f}, "
                f"the likeliest alternative {best:.3f}",
                found.exchange,
            )
    if not compared:
        raise Untestable("no alternatives to compare with", found.exchange)


def _top_cases(ctx: Context) -> list[Case]:
    most = 5 if ctx.endpoint.name == "completions" else WANTED
    return [Case(f"{most} alternatives", data=most), Case("1 alternative", data=1)]


async def _judge_top(ctx: Context, case: Case) -> str | None:
    found, entries = await _asked(ctx, case.data)
    # The completions endpoint adds the chosen token where it is none of the likeliest.
    most = case.data + (ctx.endpoint.name == "completions")
    lengths = [len(entry.top or ()) for entry in entries]
    if not any(lengths):
        raise Ignored(f"{case.data} alternatives were asked for, none came", found.exchange)
    if max(lengths) > most:
        raise Broken(f"{case.data} alternatives asked for, {max(lengths)} came", found.exchange)
    for position, entry in enumerate(entries):
        numbers = [value for _, value in entry.top or () if Entry("", value).finite]
        if ctx.endpoint.name == "chat" and numbers != sorted(numbers, reverse=True):
            raise Broken(
                f"the alternatives at position {position} are not in order: {numbers}",
                found.exchange,
                level=SHOULD,
            )
        mass = sum(math.exp(min(0.0, value)) for value in numbers)
        distinct = len({token for token, _ in entry.top or ()}) == len(numbers)
        if mass > 1 + 0.01 and distinct:
            raise Broken(
                f"the probabilities at position {position} sum to {mass:.3f}", found.exchange
            )
    return None


@check(
    "param.top_logprobs.effect",
    MUST,
    TOP,
    endpoints=("chat",),
    needs=("logprobs", "top_logprobs"),
    cases=_top_cases,
    parameter="top_logprobs",
    aspect="effect",
    cost=1,
)
async def top_logprobs(ctx: Context, case: Case) -> str | None:
    """Each token has at most `top_logprobs` alternatives, likeliest first."""
    return await _judge_top(ctx, case)


@check(
    "param.logprobs.alternatives",
    MUST,
    CHOSEN,
    endpoints=("completions",),
    needs=("logprobs",),
    cases=_top_cases,
    parameter="logprobs",
    aspect="effect",
    cost=2,
)
async def alternatives(ctx: Context, case: Case) -> str | None:
    """Each token has at most `logprobs` alternatives and the chosen one."""
    return await _judge_top(ctx, case)


@check(
    "param.logprobs.zero",
    MUST,
    CHOSEN,
    endpoints=GENERATING,
    needs=("logprobs",),
    parameter="logprobs",
    aspect="effect",
    modes=(REGULAR,),
    depth=Depth.STANDARD,
    cost=1,
)
async def zero(ctx: Context, case: Case) -> str | None:
    """No alternatives are asked for with 0; the chosen tokens have their log probabilities."""
    if ctx.endpoint.name == "chat" and not ctx.promises("top_logprobs"):
        raise Untestable("top_logprobs is not promised")
    request = ctx.request(max_tokens=TOKENS, **_parameters(ctx, 0))
    exchange = await ctx.ask(request)
    found = read_answer(exchange)
    if found is None:
        if reason := unsent(exchange):
            raise Untestable(reason, exchange)
        await _asked(ctx)  # logprobs at all: otherwise it is not the 0 that is refused
        raise Rejected(f"{_parameters(ctx, 0)}: {told(exchange)}", exchange)
    entries = entries_of(found, ctx.endpoint.name)
    if not entries and found.text:
        raise Broken(f"{_parameters(ctx, 0)} gave no log probabilities: 0 counts as off", exchange)
    return None
