"""What only many answers together can show: ids that come back, a clock that stands still."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from conformance.checks.api import (
    MUST,
    SHOULD,
    Broken,
    Case,
    NotApplicable,
    Phase,
    Source,
    Untestable,
    check,
)
from conformance.checks.chapters.shape import documents
from conformance.checks.context import Context
from conformance.checks.observed import valid_here
from conformance.checks.plain import plain_request
from conformance.wire.exchange import Exchange

GENERATING = ("chat", "completions")
RESPONSE = "openapi.yaml:33507"
UNIQUE = Source("specification text", RESPONSE, "A unique identifier for the chat completion.")
CREATED = Source(
    "specification text",
    RESPONSE,
    "The Unix timestamp (in seconds) of when the chat completion was created.",
)

#: How often each of two requests that shared an id is sent again, side by side.
AGAIN = 4
#: Seconds by which the clocks of several machines behind one name may differ.
APART = 2.0


def _members(exchange: Exchange, name: str) -> Iterable[Any]:
    try:
        found = [document for _, document in documents(exchange)]
    except NotApplicable:
        return ()
    return [each[name] for each in found if isinstance(each, dict) and name in each]


def _ids_of(exchange: Exchange) -> list[str]:
    """The different ids of an answer; an empty one names nothing."""
    found = [each for each in _members(exchange, "id") if isinstance(each, str) and each]
    return list(dict.fromkeys(found))


async def _answers(ctx: Context) -> list[Exchange]:
    """The recorded answers of the endpoint, at least two of them."""
    found: list[Exchange] = [each for each in valid_here(ctx) if each.complete]
    if len(found) < 2:
        found += await ctx.ask_all([plain_request(ctx)] * 2, fresh=True)
    return [each for each in found if each.ok]


@check("shape.id.unique", MUST, UNIQUE, endpoints=GENERATING, phase=Phase.FINAL, cost=0)
async def unique_ids(ctx: Context, case: Case) -> str | None:
    """No two answers have the same `id`."""
    exchanges = await _answers(ctx)
    if sum(bool(_ids_of(each)) for each in exchanges) < 2:
        raise Untestable("fewer than two answers have an id")
    twins = _twins(exchanges, exchanges)
    if twins and ctx.repetition:
        again = await ctx.ask_all([each.request for each in twins[1:] * AGAIN], fresh=True)
        twins = _twins([*exchanges, *again], again)
    if twins:
        id, one, other = twins
        same = _alike(one, other)
        what = "the same request, sent twice, has" if same else "two answers have"
        # One answer kept and given again is one completion.
        level = SHOULD if same else None
        raise Broken(f"{what} the id {id[:80]!r}", one, other, level=level)
    return f"{len(exchanges)} different ids"


def _twins(
    exchanges: Sequence[Exchange], among: Sequence[Exchange]
) -> tuple[str, Exchange, Exchange] | None:
    """An id with two answers that have it, one of them ``among`` some; different requests first."""
    owners: dict[str, list[Exchange]] = {}
    wanted = {each.id for each in among}
    found: list[tuple[str, Exchange, Exchange]] = []
    for exchange in exchanges:
        for id in _ids_of(exchange):
            known = owners.setdefault(id, [])
            found += [
                (id, exchange, other) for other in known[:1] if {exchange.id, other.id} & wanted
            ]
            known.append(exchange)
    return min(found, key=lambda twins: _alike(*twins[1:]), default=None)


def _alike(one: Exchange, other: Exchange) -> bool:
    """Whether two requests ask for the same, however it is spelt."""
    return bool(one.request.json == other.request.json)


@check("shape.created.clock", SHOULD, CREATED, endpoints=GENERATING, phase=Phase.FINAL, cost=0)
async def clock(ctx: Context, case: Case) -> str | None:
    """`created` goes with the clock: it is a time between request and end of the answer, on one clock for all."""
    exchanges = await _answers(ctx)
    if ctx.repetition:
        exchanges += await ctx.ask_all([plain_request(ctx)], fresh=True)
    spans = [(span, each) for each in exchanges if (span := _offset(each))]
    if len(spans) < 2:
        raise Untestable("fewer than two answers have a creation time")
    (least, _), early = max(spans, key=lambda each: each[0][0])
    (_, most), late = min(spans, key=lambda each: each[0][1])
    if least - most > APART:
        first, second = sorted((early, late), key=lambda each: each.started)
        passed, told = second.started - first.started, _created(second) - _created(first)
        shown = f"between two requests {passed:.1f} s passed, and created went on by {told} s"
        raise Broken(shown, second, first)
    return None


def _created(exchange: Exchange) -> int:
    return next(iter(_whole(exchange)))


def _whole(exchange: Exchange) -> list[int]:
    return [each for each in _members(exchange, "created") if type(each) is int and each > 0]


def _offset(exchange: Exchange) -> tuple[float, float] | None:
    """The least and the greatest difference between the server's clock and ours, by one answer.

    ``created`` is a whole second, rounded either way, between the request and the answer's end.
    """
    if exchange.attempts or not _whole(exchange):
        return None
    created = _created(exchange)
    return created - 1 - exchange.started - exchange.elapsed, created + 1 - exchange.started
