"""What only the completions endpoint has: ``echo``, ``best_of`` and ``suffix``."""

from __future__ import annotations

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
    Source,
    Undecided,
    Untestable,
    check,
)
from conformance.checks.context import Context
from conformance.checks.forcing import shown
from conformance.checks.oracle import force, greedy_body, oracle, same_text
from conformance.checks.probabilities import entries_of, joined
from conformance.checks.refusal import envelope_problem, error_object, told, unsent
from conformance.wire.exchange import Exchange

COMPLETIONS = ("completions",)
ECHO = Source(
    "specification text", "openapi.yaml:33891", "Echo back the prompt in addition to the completion"
)
ECHOED_LOGPROBS = Source(
    "observed behaviour",
    "https://github.com/ggml-org/llama.cpp/issues/27174",
    "with echo, tokens and token_logprobs cover prompt and completion; the first is null",
)
BEST = Source(
    "specification text",
    "openapi.yaml:33871",
    'Generates `best_of` completions server-side and returns the "best" (the one with the highest '
    "log probability per token). Results cannot be streamed.",
)
SUFFIX = Source(
    "specification text",
    "openapi.yaml:34011",
    "The suffix that comes after a completion of inserted text.",
)
TOKENS, N, BEST_OF = 4, 2, 3
SUFFIXED = 16
SUFFIXES = (
    " and that is why the old bridge over the river was closed.",
    "}\n\nprint(total)\n",
    " miles, said the captain.",
)


async def _forced(ctx: Context, **parameters: Any) -> tuple[Answer, str | None]:
    """An answer of four tokens, forced where that is possible, and the text that is due."""
    try:
        piece = (await ctx.learn(oracle)).best
    except Untestable:
        return await answer(ctx, ctx.request(max_tokens=TOKENS, **parameters)), None
    request = ctx.request(max_tokens=TOKENS, logit_bias=force(piece.id), **parameters)
    return await answer(ctx, request), piece.text * TOKENS


@check(
    "param.echo.effect",
    MUST,
    ECHO,
    endpoints=COMPLETIONS,
    needs=("echo",),
    parameter="echo",
    aspect="effect",
    cost=1,
)
async def effect(ctx: Context, case: Case) -> str | None:
    """With `echo` the text begins with the prompt, and the completion follows."""
    prompt = ctx.body().get("prompt")
    if not isinstance(prompt, str):
        raise Untestable("the plainest request has no prompt of text")
    found, due = await _forced(ctx, echo=True)
    if not found.text.lstrip().startswith(prompt.strip()):
        if due is None or same_text(found.text, due):
            raise Ignored(f"echo: true gave {shown(found.text)} without the prompt", found.exchange)
        raise Broken(f"echo: true gave {shown(found.text)}", found.exchange)
    if due is not None and not same_text(found.text, prompt + due):
        raise Broken(
            f"echo: true gave {shown(found.text, 80)}, due was the prompt and {shown(due)}",
            found.exchange,
        )
    return None


@check(
    "param.echo.off",
    MUST,
    ECHO,
    endpoints=COMPLETIONS,
    needs=("echo", "logit_bias"),
    parameter="echo",
    aspect="effect",
    modes=(REGULAR,),
    depth=Depth.STANDARD,
    cost=1,
)
async def echo_off(ctx: Context, case: Case) -> None:
    """`echo: false` is no echo."""
    found, due = await _forced(ctx, echo=False)
    if due is not None and not same_text(found.text, due):
        raise Broken(f"echo: false gave {shown(found.text)}, due was {shown(due)}", found.exchange)


@check(
    "param.echo.logprobs",
    SHOULD,
    ECHOED_LOGPROBS,
    endpoints=COMPLETIONS,
    needs=("echo", "logprobs"),
    parameter="echo",
    modes=(REGULAR,),
    depth=Depth.STANDARD,
    cost=1,
)
async def echo_logprobs(ctx: Context, case: Case) -> str | None:
    """With `echo` the log probabilities cover the prompt too."""
    cold = 0 if ctx.promises("temperature") else ...
    request = ctx.request(max_tokens=TOKENS, echo=True, logprobs=1, temperature=cold)
    exchange = await ctx.ask(request)
    found = read_answer(exchange)
    if found is None:
        raise Untestable(f"echo with logprobs: {told(exchange)}", exchange)
    entries = entries_of(found, "completions")
    made = joined(entries)
    if made is None:
        raise Undecided("a token is only part of a character", exchange)
    if not same_text(made, found.text) and not made.endswith(found.text):
        raise Broken(
            f"the tokens make {shown(made)}, the echoed text is {shown(found.text)}", exchange
        )
    return None


@check(
    "param.best_of.effect",
    MUST,
    BEST,
    endpoints=COMPLETIONS,
    needs=("best_of", "n"),
    parameter="best_of",
    aspect="effect",
    modes=(REGULAR,),
    cost=2,
)
async def best_of(ctx: Context, case: Case) -> str | None:
    """Of `best_of` completions the `n` best are returned."""
    for n, several in ((N, BEST_OF), (1, N), (N, N)):
        found, _ = await _forced(ctx, n=n, best_of=several)
        if len(found.choices) != n:
            raise Broken(
                f"n={n}, best_of={several} gave {len(found.choices)} choices", found.exchange
            )
        if sorted(found.choices) != list(range(n)):
            raise Broken(
                f"n={n}, best_of={several}: the indexes are {sorted(found.choices)}",
                found.exchange,
            )
    counted = found.tokens("completion")
    return f"completion_tokens is {counted} for n={N}, best_of={N}"


@check(
    "param.suffix.effect",
    MUST,
    SUFFIX,
    endpoints=COMPLETIONS,
    needs=("suffix",),
    parameter="suffix",
    aspect="effect",
    modes=(REGULAR,),
    cost=2,
)
async def suffix(ctx: Context, case: Case) -> str | None:
    """A `suffix` reaches the model, or is refused as what it is."""
    cold = 0 if ctx.promises("temperature") else ...
    control = await answer(ctx, ctx.post(greedy_body(ctx, SUFFIXED, temperature=cold)))
    same: list[Answer] = []
    for text in SUFFIXES:
        request = ctx.post(greedy_body(ctx, SUFFIXED, temperature=cold, suffix=text))
        exchange = await ctx.ask(request)
        found = read_answer(exchange)
        if found is None:
            return _refused(exchange)
        if found.text != control.text or found.tokens("prompt") != control.tokens("prompt"):
            return None
        same.append(found)
    raise Ignored(
        f"with {len(same)} suffixes and without: prompt_tokens {control.tokens('prompt')} and the "
        f"text {shown(control.text)}",
        *(each.exchange for each in (*same, control)),
    )


def _refused(exchange: Exchange) -> str:
    if reason := unsent(exchange):
        raise Untestable(reason, exchange)
    if exchange.status is None or exchange.status >= 500:
        raise Broken(f"a suffix is answered with {told(exchange)}", exchange)
    if problem := envelope_problem(exchange):
        raise Broken(f"a suffix is refused, but {problem}", exchange, level=SHOULD)
    error = error_object(exchange) or {}
    if "suffix" not in f"{error.get('param')} {error.get('message')}":
        raise Broken(
            f"a suffix is refused without naming it: {told(exchange)}", exchange, level=SHOULD
        )
    return f"refused: {told(exchange)}"
