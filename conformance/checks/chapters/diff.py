"""Differential checks: wherever a server has two paths to one answer, both must agree.

The strongest oracle of all needs no expectation of its own. Forced output makes it exact; natural
text at temperature 0 is compared only where the target repeats itself, with control pairs
interleaved and Fisher's exact test between them.
"""

from __future__ import annotations

import asyncio

from conformance.checks.answer import Answer, answer, read_answer, why_unreadable
from conformance.checks.api import (
    BOTH,
    MAY,
    MUST,
    REGULAR,
    SHOULD,
    STREAM,
    Broken,
    Case,
    Depth,
    NotApplicable,
    Phase,
    Untestable,
    check,
)
from conformance.checks.context import Context
from conformance.checks.forcing import answers, repeats, shown
from conformance.checks.oracle import (
    Piece,
    force,
    forced,
    greedy,
    greedy_body,
    oracle,
    same_text,
)
from conformance.checks.plain import plain_request
from conformance.schema.contract import Source
from conformance.wire.exchange import Delivery

GENERATING = ("chat", "completions")
TOKENS = 8
TWO_MODES = Source(
    "documentation",
    "streaming and regular modes",
    "This API supports Chat Completion and Completion endpoints, both in streaming and regular "
    "modes.",
)
ISOLATION = Source("convention", "requests are independent of each other")
DEFAULTS = Source(
    "specification text", "openai-openapi: CreateChatCompletionRequest, defaults of the parameters"
)


@check(
    "diff.stream-equals-regular",
    MUST,
    TWO_MODES,
    endpoints=GENERATING,
    modes=(STREAM,),
    needs=("stream", "max_tokens"),
    cost=4,
)
async def stream_equals_regular(ctx: Context, case: Case) -> None:
    """The concatenated deltas of a stream equal the text of the regular answer."""
    pieces = (await ctx.learn(oracle)).words[:2]
    for piece in pieces:
        streamed, regular = await asyncio.gather(
            answer(ctx, forced(ctx, piece.id, TOKENS)),
            answer(ctx.on(mode=REGULAR), forced(ctx.on(mode=REGULAR), piece.id, TOKENS)),
        )
        _agree(streamed, regular)


def _agree(streamed: Answer, regular: Answer) -> None:
    if not same_text(streamed.text, regular.text):
        message = (
            f"the stream says {shown(streamed.text)}, the regular answer {shown(regular.text)}"
        )
        raise Broken(message, streamed.exchange, regular.exchange)
    if streamed.finish_reason != regular.finish_reason:
        message = (
            f"finish_reason is {streamed.finish_reason!r} in the stream and "
            f"{regular.finish_reason!r} in the regular answer"
        )
        raise Broken(message, streamed.exchange, regular.exchange)


@check(
    "diff.stream-model",
    SHOULD,
    TWO_MODES,
    endpoints=GENERATING,
    modes=(STREAM,),
    needs=("stream",),
    cost=0,
)
async def stream_model(ctx: Context, case: Case) -> None:
    """A stream names the model that the regular answer to the same request names."""
    regular = ctx.on(mode=REGULAR)
    streamed, whole = await asyncio.gather(
        answer(ctx, plain_request(ctx)), answer(regular, plain_request(regular))
    )
    here, there = (next(iter(found.documents), {}).get("model") for found in (streamed, whole))
    if isinstance(here, str) and isinstance(there, str) and here != there:
        shown_names = f"{here[:80]!r} in the stream and {there[:80]!r} in the regular answer"
        raise Broken(f"model is {shown_names}", streamed.exchange, whole.exchange)


#: Prompts that invite characters of several bytes, and words with spaces and line breaks between.
TEXTS = (
    "Repeat exactly, nothing else: 日本語のテキスト 🎉👩‍👩‍👧 naïve café",
    "Write the numbers from one to ten in words, three to a line.",
)
LONGER = 24


def _texts(ctx: Context) -> list[Case]:
    return [Case(text[:24], data=text) for text in TEXTS]


@check(
    "diff.stream-text",
    MUST,
    TWO_MODES,
    endpoints=GENERATING,
    modes=(STREAM,),
    needs=("stream", "temperature", "max_tokens"),
    cases=_texts,
    depth=Depth.STANDARD,
    cost=4,
)
async def stream_text(ctx: Context, case: Case) -> None:
    """Natural text at temperature 0 is the same in a stream, every character whole."""
    found = await ctx.learn(greedy)
    if not found.repeatable:
        raise Untestable(f"not repeatable: {found.finding}")
    prompt = _prompt(ctx, case.data)
    regular_ctx = ctx.on(mode=REGULAR)
    streamed, regular, again = await asyncio.gather(
        answer(ctx, ctx.post(greedy_body(ctx, LONGER, **prompt))),
        answer(regular_ctx, regular_ctx.post(greedy_body(regular_ctx, LONGER, **prompt))),
        answer(regular_ctx, regular_ctx.post(greedy_body(regular_ctx, LONGER, **prompt)), repeat=1),
    )
    if regular.text != again.text:
        raise Untestable("this prompt's answer is not repeatable", regular.exchange, again.exchange)
    if same_text(streamed.text, regular.text):
        return
    once_more = await answer(ctx, ctx.post(greedy_body(ctx, LONGER, **prompt)), repeat=1)
    if once_more.text != streamed.text:
        raise Untestable("the stream is not repeatable", streamed.exchange, once_more.exchange)
    broken = streamed.text.count("\ufffd") - regular.text.count("\ufffd")
    why = f" ({broken} characters arrived broken)" if broken > 0 else ""
    message = (
        f"the stream says {shown(streamed.text)}, the regular answer {shown(regular.text)}{why}"
    )
    raise Broken(message, streamed.exchange, regular.exchange)


def _prompt(ctx: Context, text: str) -> dict[str, object]:
    if "messages" in ctx.endpoint.parameters:
        return {"messages": [{"role": "user", "content": text}]}
    return {"prompt": text}


#: Requests in flight at once, where the target's limit allows as many.
AT_ONCE = 16


@check(
    "diff.concurrent-equals-sequential",
    MUST,
    ISOLATION,
    endpoints=GENERATING,
    modes=(),
    needs=("max_tokens",),
    phase=Phase.EXCLUSIVE,
    elsewhere=Depth.STANDARD,
    cost=AT_ONCE,
)
async def concurrent(ctx: Context, case: Case) -> None:
    """Of requests answered at the same time, streamed or not, each gets its own answer."""
    places = [ctx.on(mode=mode) for mode in ctx.endpoint.modes]
    pieces = (await places[0].learn(oracle)).pieces
    count = max(2, min(AT_ONCE, ctx.subject.concurrency))
    kinds = [
        (places[i % len(places)], pieces[i % len(pieces)], tokens)
        for i, tokens in enumerate((3, 5, 7, 4))
    ]
    alone = [await _alone(*kind) for kind in kinds]
    if len(set(alone)) < 2:
        raise Untestable(f"asked alone, every token gives the same text: {shown(alone[0])}")
    jobs = [(kinds[i % len(kinds)], alone[i % len(kinds)]) for i in range(count)]
    group = Delivery(group=f"{count} at once")
    requests = [
        there.post(forced(there, piece.id, tokens).body, delivery=group)
        for (there, piece, tokens), _ in jobs
    ]
    exchanges = await ctx.ask_all(requests, fresh=True)
    silent = [each for each in exchanges if not each.ok]
    if silent:
        how = silent[0].failure or f"status {silent[0].status}"
        raise Broken(f"{len(silent)} of {count} requests at once are not answered ({how})", *silent)
    for (_, expected), exchange in zip(jobs, exchanges, strict=True):
        found = read_answer(exchange)
        if found is None:
            raise Broken(f"no answer to read: {why_unreadable(exchange)}", exchange)
        if not same_text(found.text, expected):
            message = f"one of {count} answers at once is {shown(found.text)}"
            raise Broken(f"{message}, alone it is {shown(expected)}", exchange)


async def _alone(ctx: Context, piece: Piece, tokens: int) -> str:
    """Control: the text of a request that is served alone, the same twice or ``Untestable``.

    Sent anew: what was asked before, calibration included, may have been answered beside others.
    """
    first = await answer(ctx, forced(ctx, piece.id, tokens), fresh=True)
    if same_text(first.text, piece.text * tokens):
        return first.text
    again = await answer(ctx, forced(ctx, piece.id, tokens), fresh=True)
    if not same_text(first.text, again.text):
        raise Untestable("a forced answer asked alone differs from time to time", first.exchange)
    return first.text


@check(
    "diff.defaults-equal-absent",
    SHOULD,
    DEFAULTS,
    endpoints=GENERATING,
    modes=BOTH,
    needs=("max_tokens",),
    depth=Depth.STANDARD,
    cost=2,
)
async def defaults(ctx: Context, case: Case) -> None:
    """Documented neutral values, given explicitly, change nothing."""
    piece = (await ctx.learn(oracle)).best
    neutral = {
        name: each.neutral
        for name, each in ctx.endpoint.parameters.items()
        if each.neutral is not ... and name not in {"logit_bias", "temperature", "max_tokens"}
    }
    if not neutral:
        raise NotApplicable("no parameter has a documented neutral value")
    plain, explicit = await answers(
        ctx, [forced(ctx, piece.id, TOKENS), forced(ctx, piece.id, TOKENS, **neutral)]
    )
    if not same_text(plain.text, explicit.text):
        names = ", ".join(neutral)
        message = f"with {names} at their neutral values the text is {shown(explicit.text)}"
        raise Broken(
            f"{message}, without them {shown(plain.text)}", explicit.exchange, plain.exchange
        )


@check(
    "diff.chat-equals-completions",
    MAY,
    ISOLATION,
    endpoints=("chat",),
    modes=(REGULAR,),
    needs=("endpoint:completions", "max_tokens"),
    depth=Depth.STANDARD,
    cost=1,
)
async def chat_equals_completions(ctx: Context, case: Case) -> None:
    """Both endpoints decode the same token ids to the same text."""
    piece = (await ctx.learn(oracle)).best
    other = ctx.on(endpoint="completions")
    here, there = await asyncio.gather(
        answer(ctx, forced(ctx, piece.id, TOKENS)),
        answer(other, other.request(max_tokens=TOKENS, logit_bias=force(piece.id))),
    )
    if repeats(there.text, piece) != repeats(here.text, piece):
        message = f"chat says {shown(here.text)}, completions {shown(there.text)}"
        raise Broken(message, here.exchange, there.exchange)
