"""The token counts: present, true to arithmetic, and true to the answer they belong to."""

from __future__ import annotations

import json
import re
from typing import Any

from conformance.checks.answer import Answer, answer
from conformance.checks.api import (
    MUST,
    REGULAR,
    SHOULD,
    STREAM,
    Broken,
    Case,
    Depth,
    NotApplicable,
    Source,
    Untestable,
    check,
)
from conformance.checks.context import Context
from conformance.checks.plain import answered, plain_request, read_case
from conformance.checks.prompts import long_prompts, longer_prompt
from conformance.checks.refusal import told
from conformance.verdicts import Level

#: Endpoints whose answers count tokens.
COUNTING = ("chat", "completions")
ARITHMETIC = Source(
    "arithmetic",
    "openapi.yaml:32211",
    "Total number of tokens used in the request (prompt + completion).",
)
PROMPT = Source("arithmetic", "openapi.yaml:32211", "Number of tokens in the prompt.")
COMPLETION = Source(
    "arithmetic", "openapi.yaml:32211", "Number of tokens in the generated completion."
)
LIMIT = Source(
    "specification text",
    "openapi.yaml:33373",
    "The maximum number of tokens that can be generated in the chat completion.",
)
STREAMED = Source(
    "specification text",
    "openapi.yaml:31765",
    "an additional chunk will be streamed before the data: [DONE] message with the usage "
    "statistics for the entire request",
)

#: Parameters that choose among tokens and cannot change what the prompt is.
SAMPLING = frozenset(
    [
        "temperature",
        "top_p",
        "max_tokens",
        "max_completion_tokens",
        "stop",
        "presence_penalty",
        "frequency_penalty",
        "repetition_penalty",
        "logit_bias",
        "seed",
        "user",
        "stream",
        "n",
    ]
)
#: Answers cut at more tokens, or to larger requests, may have met the end of the context.
SHORT, SMALL = 64, 4096
#: The documented parts; others may count what is no part (tokens written to a cache, say).
DOCUMENTED = frozenset(
    [
        "cached_tokens",
        "audio_tokens",
        "reasoning_tokens",
        "accepted_prediction_tokens",
        "rejected_prediction_tokens",
    ]
)
#: No vocabulary has longer pieces.
LONGEST_PIECE = 160


def counts_of(found: Answer) -> tuple[int, int]:
    """Prompt and completion tokens; raises ``NotApplicable`` where they are not to be had."""
    prompt, completion = found.tokens("prompt"), found.tokens("completion")
    if prompt is None or completion is None:
        raise NotApplicable("the answer has no usage object with whole counts", found.exchange)
    return prompt, completion


def asked(found: Answer) -> dict[str, Any]:
    """The request's body."""
    body = found.exchange.request.json
    return body if isinstance(body, dict) else {}


def limit_of(body: dict[str, Any]) -> int | None:
    """The explicit ceiling of generated tokens for each choice, if there is one."""
    for name in ("max_completion_tokens", "max_tokens"):
        value = body.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def choices_asked(body: dict[str, Any]) -> int:
    """How many choices are generated: ``n`` (or ``best_of``) for each prompt."""
    several = [body.get(name) for name in ("n", "best_of")]
    each = max([n for n in several if isinstance(n, int) and n > 0], default=1)
    return each * prompts_asked(body)


def prompts_asked(body: dict[str, Any]) -> int:
    """How many prompts the request has: an array of strings or of token arrays is a batch."""
    prompt = body.get("prompt")
    if isinstance(prompt, list) and prompt and isinstance(prompt[0], (str, list)):
        return len(prompt)
    return 1


def reasons(found: Answer) -> bool:
    """Whether the answer says that tokens went into reasoning."""
    details = (found.usage or {}).get("completion_tokens_details")
    counted = isinstance(details, dict) and bool(details.get("reasoning_tokens"))
    return counted or any(choice.reasoning for choice in found.choices.values())


@check("usage.present", SHOULD, COMPLETION, endpoints=COUNTING, modes=(REGULAR,), cases=answered)
async def present(ctx: Context, case: Case) -> None:
    """Every regular answer has a usage object with three whole counts."""
    found = await read_case(ctx, case)
    absent = [k for k in ("prompt", "completion", "total") if found.tokens(k) is None]
    if absent:
        words = ", ".join(f"{kind}_tokens" for kind in absent)
        raise Broken(f"usage lacks {words} as whole numbers", found.exchange)


async def _total(ctx: Context, case: Case) -> None:
    found = await read_case(ctx, case)
    prompt, completion = counts_of(found)
    total = found.tokens("total")
    if total != prompt + completion:
        shown = f"total_tokens {total}, prompt_tokens {prompt}, completion_tokens {completion}"
        raise Broken(f"{shown}: the sum is {prompt + completion}", found.exchange)


@check("usage.total", MUST, ARITHMETIC, endpoints=COUNTING, modes=(REGULAR,), cases=answered)
async def total(ctx: Context, case: Case) -> None:
    """Where usage is given, `total_tokens` is the sum of prompt and completion tokens."""
    await _total(ctx, case)


@check(
    "usage.stream.total",
    MUST,
    ARITHMETIC,
    endpoints=COUNTING,
    modes=(STREAM,),
    needs=("stream_options",),
)
async def stream_total(ctx: Context, case: Case) -> None:
    """In a stream's usage, `total_tokens` is the sum of prompt and completion tokens."""
    asking = ctx.request(stream_options={"include_usage": True})
    await _total(ctx, Case("a stream with usage", asking))


PARTS = Source(
    "specification text",
    "openapi.yaml:32211",
    "Breakdown of tokens used in the prompt.",
)


@check("usage.details", MUST, PARTS, endpoints=COUNTING, modes=(REGULAR,), cases=answered)
async def details(ctx: Context, case: Case) -> None:
    """Where tokens are broken down, no part is greater than the whole."""
    found = await read_case(ctx, case)
    for kind, whole in zip(("prompt", "completion"), counts_of(found), strict=True):
        parts = (found.usage or {}).get(f"{kind}_tokens_details")
        for name, part in parts.items() if isinstance(parts, dict) else ():
            if name in DOCUMENTED and type(part) is int and part > whole:
                shown = f"{kind}_tokens_details.{name} {part} of {kind}_tokens {whole}"
                # Some count reasoning beside the completion, which then has the wrong name.
                level = SHOULD if name == "reasoning_tokens" else None
                raise Broken(shown[:160], found.exchange, level=level)


@check("usage.limit", MUST, LIMIT, endpoints=COUNTING, modes=(REGULAR,), cases=answered)
async def limit(ctx: Context, case: Case) -> None:
    """`completion_tokens` never exceeds the limit times the number of choices."""
    found = await read_case(ctx, case)
    _, completion = counts_of(found)
    body = asked(found)
    ceiling = limit_of(body)
    if ceiling is None:
        raise NotApplicable("no limit was asked for")
    if completion > ceiling * choices_asked(body):
        shown = f"{completion} completion tokens with a limit of {ceiling}"
        shown += f" for each of {choices_asked(body)} choices" if choices_asked(body) > 1 else ""
        # Where reasoning is billed beside the limit, the documentation leaves it open.
        raise Broken(shown, found.exchange, level=SHOULD if reasons(found) else None)


@check("usage.length", MUST, LIMIT, endpoints=COUNTING, modes=(REGULAR,), cases=answered)
async def length(ctx: Context, case: Case) -> None:
    """Every choice that ends with `length` is counted with its whole budget."""
    found = await read_case(ctx, case)
    _, completion = counts_of(found)
    body = asked(found)
    ceiling = limit_of(body)
    if ceiling is None or ceiling > SHORT or len(found.exchange.request.body) > SMALL:
        raise NotApplicable("the limit may not be what ended the answer")
    if body.get("echo") or reasons(found):
        raise NotApplicable("the count is not the visible text's alone")
    cut = sum(choice.finish_reason == "length" for choice in found.choices.values())
    if not cut:
        raise NotApplicable("no choice ended with length")
    if completion < cut * ceiling:
        message = f"{cut} choices ended with length at max_tokens {ceiling}"
        raise Broken(f"{message}, but completion_tokens is {completion}", found.exchange)


@check("usage.text", MUST, COMPLETION, endpoints=COUNTING, modes=(REGULAR,), cases=answered)
async def text(ctx: Context, case: Case) -> None:
    """Text costs tokens: none of it comes for free, and no token is longer than any known."""
    found = await read_case(ctx, case)
    _, completion = counts_of(found)
    if asked(found).get("echo"):
        raise NotApplicable("the prompt is echoed")
    written = [len(each.encode("utf-8", "surrogatepass")) for each in found.texts]
    if completion < sum(size > 0 for size in written):
        raise Broken(f"completion_tokens {completion} for {len(written)} texts", found.exchange)
    if sum(written) > LONGEST_PIECE * completion:
        shown = f"{sum(written)} bytes of text for completion_tokens {completion}"
        raise Broken(shown, found.exchange, level=SHOULD)


@check("usage.prompt", MUST, PROMPT, endpoints=COUNTING, modes=(REGULAR,))
async def prompt(ctx: Context, case: Case) -> None:
    """A prompt that is not empty has at least one token."""
    found = await answer(ctx, plain_request(ctx))
    prompt, _ = _counted(found)
    if prompt < 1:
        raise Broken(f"prompt_tokens is {prompt} for a prompt with text", found.exchange)


@check("usage.prompt-constant", MUST, PROMPT, endpoints=COUNTING, modes=(REGULAR,), cases=answered)
async def prompt_constant(ctx: Context, case: Case) -> None:
    """Parameters that only choose among tokens leave `prompt_tokens` as it is."""
    found = await read_case(ctx, case)
    body = asked(found)
    plain = ctx.body()
    others = {name for name in body if name not in plain or body[name] != plain[name]}
    if not others or not others <= SAMPLING:
        raise NotApplicable("the request differs in more than sampling")
    prompt, _ = counts_of(found)
    control = await answer(ctx, plain_request(ctx))
    expected, _ = counts_of(control)
    if prompt != expected:
        changed = ", ".join(f"{each}={json.dumps(body[each])[:40]}" for each in sorted(others))
        # Counting the prompt once for each of n choices is wrong but found; once is documented.
        level = Level.SHOULD if "n" in others else None
        shown = f"prompt_tokens {prompt} with {changed}, {expected} without"
        raise Broken(shown, found.exchange, control.exchange, level=level)


@check("usage.prompt-grows", MUST, PROMPT, endpoints=COUNTING, modes=(REGULAR,))
async def prompt_grows(ctx: Context, case: Case) -> None:
    """A longer prompt has more tokens."""
    short = await answer(ctx, plain_request(ctx))
    long = await answer(ctx, ctx.request(**longer_prompt(ctx)))
    before, after = _counted(short)[0], _counted(long)[0]
    if after <= before:
        shown = f"prompt_tokens {before}, and {after} after more text was added"
        raise Broken(shown, long.exchange, short.exchange)


@check(
    "usage.prompt-whole",
    MUST,
    PROMPT,
    endpoints=COUNTING,
    modes=(REGULAR,),
    needs=("max_tokens",),
    depth=Depth.STANDARD,
    cost=2,
)
async def prompt_whole(ctx: Context, case: Case) -> str | None:
    """A sentence more inside of a long prompt, or in the first of many messages, has more tokens."""
    requests = [ctx.request(**each, max_tokens=1) for each in long_prompts(ctx)]
    exchanges = await ctx.ask_all(requests)
    refused = next((each for each in exchanges if not each.ok), None)
    if refused:
        return f"a long prompt is not answered: {told(refused)}"
    plain, longer = [await answer(ctx, each) for each in requests]
    before, after = _counted(plain)[0], _counted(longer)[0]
    if after <= before:
        shown = f"prompt_tokens {before}, and {after} with a sentence more"
        place = "in the first of many messages" if ctx.promises("messages") else "in its middle"
        raise Broken(f"{shown} {place}: part of it is lost", longer.exchange, plain.exchange)
    return None


#: Kinds of text that the corpus sends, and what stands instead of their characters in a control.
REPLACED = {
    "cjk": re.compile("[\u0250-\uffff]"),
    "astral": re.compile("[\U00010000-\U0010ffff]"),
    "nul": re.compile(r"\\u0000.*?(?=(?<!\\)\")"),
}


def _replaced(ctx: Context) -> list[Case]:
    """The rows of the corpus with such text, each with its control request."""
    rows = []
    for kind, pattern in REPLACED.items():
        row = next((each for each in ctx.corpus if _has_text(each, kind)), None)
        if row is not None and row.request is not None:
            text = json.dumps(row.request.json, ensure_ascii=False)
            control = json.loads(pattern.sub("" if kind == "nul" else "?", text))
            rows.append(Case(kind, row.request, ctx.post(control)))
    return rows


CALLED = {
    "cjk": "characters of other scripts than Latin",
    "astral": "characters beyond U+FFFF (emoji, say)",
    "nul": "U+0000",
}


def _has_text(case: Case, kind: str) -> bool:
    return any(tag.endswith(f"text:{kind}") for tag in case.data.tags)


@check(
    "usage.prompt-characters",
    SHOULD,
    PROMPT,
    endpoints=COUNTING,
    modes=(REGULAR,),
    cases=_replaced,
    depth=Depth.STANDARD,
    elsewhere=Depth.DEEP,
    cost=len(REPLACED),
)
async def prompt_characters(ctx: Context, case: Case) -> str | None:
    """Every character counts: text beyond ASCII has more tokens than question marks in its place, and U+0000 ends no prompt."""
    if case.request is None:
        return None
    exchange = await ctx.ask(case.request)
    if case.label == "nul" and not exchange.ok:
        return f"U+0000 is not taken: {told(exchange)}"
    found, control = await answer(ctx, case.request), await answer(ctx, case.data)
    here, there = _counted(found)[0], _counted(control)[0]
    if here <= there:
        without = "cut before it" if case.label == "nul" else "with question marks instead"
        what = f"a prompt with {CALLED[case.label]}"
        shown = f"prompt_tokens {here} for {what}, {there} for the same {without}"
        raise Broken(shown, found.exchange, control.exchange)
    return None


@check(
    "usage.stream.prompt",
    MUST,
    STREAMED,
    endpoints=COUNTING,
    modes=(STREAM,),
    needs=("stream_options",),
)
async def stream_prompt(ctx: Context, case: Case) -> None:
    """The same prompt has as many tokens in a stream as in a regular answer."""
    streamed = await answer(ctx, ctx.request(stream_options={"include_usage": True}))
    regular = ctx.on(mode=REGULAR)
    whole = await answer(regular, plain_request(regular))
    here, there = _counted(streamed), _counted(whole)
    if here[0] != there[0]:
        shown = f"prompt_tokens {here[0]} in the stream, {there[0]} in the regular answer"
        raise Broken(shown, streamed.exchange, whole.exchange)


@check(
    "usage.stream.length",
    MUST,
    STREAMED,
    endpoints=COUNTING,
    modes=(STREAM,),
    needs=("stream_options", "max_tokens"),
    depth=Depth.STANDARD,
)
async def stream_length(ctx: Context, case: Case) -> None:
    """A stream that ends with `length` is counted with its whole budget."""
    budget = 8
    found = await answer(
        ctx, ctx.request(max_tokens=budget, stream_options={"include_usage": True})
    )
    _, completion = _counted(found)
    if found.finish_reason != "length" or reasons(found):
        return
    if completion != budget:
        shown = f"finish_reason length at max_tokens {budget}, completion_tokens {completion}"
        raise Broken(shown, found.exchange)


def _counted(found: Answer) -> tuple[int, int]:
    """The counts of a single request, whose absence leaves nothing to judge."""
    try:
        return counts_of(found)
    except NotApplicable as absent:
        raise Untestable(absent.message, found.exchange) from None
