"""Streams at byte level: media type, server-sent events, the end marker, arrival.

What the event-stream grammar allows and is merely unusual (CRLF, comments, no space behind the
colon, blank lines, bytes split anywhere, a charset parameter) is information and nothing else.
"""

from __future__ import annotations

from conformance.checks.answer import answer, error_event
from conformance.checks.api import (
    MAY,
    MUST,
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
from conformance.checks.oracle import forced, long_prompt, oracle
from conformance.checks.plain import answered
from conformance.checks.streams import pieces, stream_of
from conformance.schema.contract import Source
from conformance.wire.events import Breach
from conformance.wire.exchange import Delivery, Exchange, FailureKind, Request
from conformance.wire.jsonbody import JSONProblem

DATA_ONLY = Source(
    "specification text",
    "openai-openapi: CreateCompletionRequest.stream",
    "tokens will be sent as data-only server-sent events as they become available, with the "
    "stream terminated by a `data: [DONE]` message",
)
GRAMMAR = Source("standard", "WHATWG HTML §9.2.5, Parsing an event stream")
READER = Source(
    "SDK requirement",
    "openai-python 1.0.0 to 3.x, SSE decoder",
    "an event without its blank line, or with an `event:` field, is dropped without a word",
)
MEDIA = Source(
    "specification schema",
    "openai-openapi: POST /chat/completions, response 200",
    "text/event-stream",
)
DELTAS = Source(
    "documentation",
    "stream",
    "If set to true, partial message deltas will be sent as they become available.",
)


@check("stream.content-type", MUST, MEDIA, modes=(STREAM,), cases=answered)
async def content_type(ctx: Context, case: Case) -> None:
    """A stream is sent with the media type `text/event-stream`."""
    assert case.request is not None
    exchange = await ctx.ask(case.request)
    if exchange.status != 200:
        raise NotApplicable(f"status {exchange.status}", exchange)
    if exchange.media_type != "text/event-stream":
        shown = exchange.header("content-type")
        raise Broken(f"stream: true was answered with Content-Type {shown!r}", exchange)


def _refuse(exchange: Exchange, kinds: tuple[str, ...]) -> None:
    """Raise ``Broken`` for the first breach of one of ``kinds``."""
    found = [breach for breach in exchange.stream.illegal if breach.kind in kinds]
    if found:
        raise Broken(_told(found), exchange, event=_event_at(exchange, found[0]))


def _told(found: list[Breach]) -> str:
    first = found[0]
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{first.kind} at byte {first.offset}: {first.detail}{more}"


def _event_at(exchange: Exchange, breach: Breach) -> int | None:
    for number, event in enumerate(exchange.stream.events):
        if event.offset <= breach.offset < max(event.end, event.offset + 1):
            return number
    return None


@check("stream.lines", MUST, GRAMMAR, modes=(STREAM,), cases=answered)
async def lines(ctx: Context, case: Case) -> None:
    """Every line of a stream is a `data` field, a comment or blank."""
    _refuse(await stream_of(ctx, case), ("not-sse", "unknown-field"))


@check("stream.utf-8", MUST, GRAMMAR, modes=(STREAM,), cases=answered)
async def utf_8(ctx: Context, case: Case) -> None:
    """A stream is valid UTF-8."""
    _refuse(await stream_of(ctx, case), ("invalid-utf-8",))


@check("stream.data-only", MUST, DATA_ONLY, modes=(STREAM,), cases=answered)
async def data_only(ctx: Context, case: Case) -> None:
    """Events have data and neither name, id nor reconnection time."""
    kinds = ("named-event", "event-id", "retry", "dataless-event")
    _refuse(await stream_of(ctx, case), kinds)


@check("stream.event-json", MUST, DATA_ONLY, modes=(STREAM,), cases=answered)
async def event_json(ctx: Context, case: Case) -> None:
    """The data of every event is one JSON object or `[DONE]`."""
    exchange = await stream_of(ctx, case)
    named = (
        "double-json",
        "data-prefix-in-data",
        "comment-as-data",
        "empty-data",
        "malformed-done",
    )
    _refuse(exchange, named)
    for number, event in enumerate(exchange.stream.events):
        if event.done or isinstance(event.json, dict) or not event.terminated:
            continue
        why = event.json.detail if isinstance(event.json, JSONProblem) else "not an object"
        raise Broken(f"event {number} is no JSON object ({why})", exchange, event=number)


@check("stream.terminated", MUST, READER, modes=(STREAM,), cases=answered)
async def terminated(ctx: Context, case: Case) -> None:
    """A blank line follows every event, the last one too."""
    exchange = await stream_of(ctx, case)
    if exchange.failure is None:
        _refuse(exchange, ("unterminated-event",))


@check("stream.size", MUST, GRAMMAR, modes=(STREAM,), cases=answered)
async def size(ctx: Context, case: Case) -> None:
    """No event is larger than 1 MiB and no stream has more than 50,000 events."""
    _refuse(await stream_of(ctx, case), ("event-too-large", "too-many-events"))


@check("stream.done-marker", MUST, DATA_ONLY, modes=(STREAM,), cases=answered)
async def done_marker(ctx: Context, case: Case) -> None:
    """The stream ends with exactly one `[DONE]`."""
    exchange = await stream_of(ctx, case)
    events = exchange.stream.events
    if exchange.failure is not None or any(not event.terminated for event in events[-1:]):
        raise NotApplicable("the stream was cut", exchange)
    marks = [number for number, event in enumerate(events) if event.done]
    if not marks:
        raise Broken(f"no [DONE] after {len(events)} events", exchange)
    if len(marks) > 1:
        raise Broken(f"{len(marks)} [DONE] events", exchange, event=marks[1])
    if marks[0] != len(events) - 1:
        after = marks[0] + 1
        raise Broken("an event follows [DONE]", exchange, event=after)


@check("stream.complete", MUST, GRAMMAR, modes=(STREAM,), cases=answered)
async def complete(ctx: Context, case: Case) -> None:
    """A stream that began comes to its end: it is not cut and does not stall."""
    exchange = await stream_of(ctx, case)
    if exchange.failure is not None and exchange.failure.kind is not FailureKind.CANCELLED:
        count = len(exchange.stream.events)
        raise Broken(f"cut after {count} events ({exchange.failure})", exchange, event=count - 1)


@check("stream.no-error-event", MUST, DELTAS, modes=(STREAM,), cases=answered)
async def no_error_event(ctx: Context, case: Case) -> None:
    """The stream for a valid request carries no error object."""
    exchange = await stream_of(ctx, case)
    if (error := error_event(exchange)) is not None:
        raise Broken(f"event {error[0]} is an error: {error[1]}", exchange, event=error[0])


@check("stream.byte-order-mark", SHOULD, READER, modes=(STREAM,), cases=answered)
async def byte_order_mark(ctx: Context, case: Case) -> None:
    """A stream does not open with a byte order mark (clients lose its first event)."""
    exchange = await stream_of(ctx, case)
    if any(breach.kind == "bom" for breach in exchange.stream.breaches):
        raise Broken("a byte order mark opens the stream", exchange, event=0)


@check("stream.unusual", MAY, GRAMMAR, modes=(STREAM,), cases=answered)
async def unusual(ctx: Context, case: Case) -> str | None:
    """What the grammar allows and is merely unusual is reported."""
    exchange = await stream_of(ctx, case)
    kinds = sorted({breach.kind for breach in exchange.stream.breaches if breach.legal})
    return f"legal, seen: {', '.join(kinds)}" if kinds else None


#: Tokens of the request that shows whether a stream is incremental.
LONG = 48
#: Seconds a whole answer has to take before its arrivals say anything about buffering.
SLOW = 0.3


@check(
    "stream.incremental",
    SHOULD,
    DELTAS,
    modes=(STREAM,),
    needs=("stream", "max_tokens"),
    phase=Phase.EXCLUSIVE,
    depth=Depth.STANDARD,
    parameter="stream",
    cost=2,
)
async def incremental(ctx: Context, case: Case) -> str | None:
    """Deltas arrive while the answer is made, not in one burst at its end."""
    request = await _long_request(ctx)
    found = await answer(ctx, request, fresh=True)
    exchange = found.exchange
    texts = pieces(exchange).get(0, [])
    length = sum(len(text) for _, text in texts)
    if length < LONG:
        raise NotApplicable(f"the answer has only {length} characters", exchange)
    if len(texts) == 1:
        raise Broken(f"{length} characters came in a single event", exchange, event=texts[0][0])
    events = exchange.stream.events
    first, last = events[texts[0][0]].at, events[texts[-1][0]].at
    if last < SLOW:
        return f"{len(texts)} pieces within {last * 1000:.0f} ms: too fast to see buffering"
    if last - first < 0.1 * last:
        message = f"the first of {len(texts)} pieces came after {first:.2f} s, the last after {last:.2f} s"
        raise Broken(f"{message}: the answer was held back", exchange, event=texts[0][0])
    return None


async def _long_request(ctx: Context) -> Request:
    """A request for ``LONG`` tokens: forced where that can be had, else a story."""
    try:
        best = (await ctx.learn(oracle)).best
    except Untestable:
        return ctx.request(**long_prompt(ctx), max_tokens=LONG)
    return forced(ctx, best.id, LONG)


@check(
    "stream.disconnect",
    SHOULD,
    Source("convention", "early disconnect", ""),
    modes=(STREAM,),
    phase=Phase.EXCLUSIVE,
    depth=Depth.STANDARD,
    cost=3,
)
async def disconnect(ctx: Context, case: Case) -> None:
    """A client that leaves after the first event harms no later request."""
    body = ctx.body(
        **long_prompt(ctx), **({"max_tokens": LONG} if ctx.promises("max_tokens") else {})
    )
    left = await ctx.ask(ctx.post(body, delivery=Delivery(close_after=1)), fresh=True)
    if left.status != 200:
        raise NotApplicable(f"status {left.status}", left)
    after = await ctx.ask(ctx.request(), fresh=True)
    if not after.ok:
        how = after.failure or f"status {after.status}"
        raise Broken(f"the request after a disconnect is not answered ({how})", after, left)
