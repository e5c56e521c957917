"""What holds for the drawn requests holds for every answer of the run.

The requirements of shape, usage, streams and chunks are judged on the corpus. Other checks bring
about answers that no drawn request does: cut by a stop sequence, empty, of many choices, given
while others were in flight. They are judged here, by the same judges, and nothing is sent for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from conformance.checks.api import (
    MUST,
    REGULAR,
    STATIC,
    STREAM,
    Broken,
    Case,
    NotApplicable,
    Outcome,
    Phase,
    Requirement,
    Source,
    check,
)
from conformance.checks.chapters.shape import Members
from conformance.checks.context import Asker, Context
from conformance.checks.observed import recorded_here, valid
from conformance.checks.plain import answered, plain_request
from conformance.verdicts import Level, Mode
from conformance.wire.exchange import Exchange, Request

T = TypeVar("T")

GENERATING = ("chat", "completions")
EVERYWHERE = Source("arithmetic", "what holds for each of some valid requests holds for all")

CHAPTERS = frozenset({"shape", "usage", "stream", "chunk"})
#: Requirements of regular answers whose judges read streams as well, where these have usage.
OF_BOTH = frozenset({"usage.total", "usage.limit", "usage.length", "usage.text", "usage.details"})


class _Given(Asker):
    """An asker that has one answer already and asks another one for the rest."""

    def __init__(self, exchange: Exchange, other: Asker) -> None:
        self._exchange, self._other = exchange, other

    async def ask(self, request: Request, repetition: int | None, phase: Phase) -> Exchange:
        if request.identity == self._exchange.request.identity:
            return self._exchange
        return await self._other.ask(request, repetition, phase)

    async def learn(self, ctx: Context, lesson: Callable[[Context], Awaitable[T]]) -> T:
        return await self._other.learn(ctx, lesson)

    def corpus(self, endpoint: str, mode: Mode | None) -> Sequence[Case]:
        return self._other.corpus(endpoint, mode)

    def recorded(self) -> Sequence[Exchange]:
        return self._other.recorded()

    async def command(self, kind: str, code: str, phase: Phase) -> tuple[Any, list[Exchange]]:
        return await self._other.command(kind, code, phase)


class _Judges:
    """The requirements that the corpus is judged by, for one endpoint and mode."""

    def __init__(self, ctx: Context) -> None:
        self.members = Members(ctx.endpoint, ctx.mode)
        self.requirements = [each for each in STATIC.values() if _concerns(ctx, each)]
        self._told: asyncio.Task[set[str]] | None = None

    async def problems(self, ctx: Context, exchange: Exchange) -> dict[str, Broken]:
        """What is wrong with ``exchange``, by requirement id."""
        try:
            found = self.members.problems(exchange)
        except NotApplicable:
            found = {}
        given = replace(ctx, asker=_Given(exchange, ctx.asker), seen=[])
        for each in self.requirements:
            try:
                await each.judge(given, Case(each.id, exchange.request))
            except Broken as broken:
                broken.level = broken.level or each.level
                found[each.id] = broken
            except Outcome:
                continue
        return found

    async def told(self, ctx: Context) -> set[str]:
        """The requirements that the corpus breaks: they have verdicts of their own.

        Worked out once for all that ask, at the same time as they mostly do.
        """
        if self._told is None:
            self._told = asyncio.ensure_future(self._of_corpus(replace(ctx, seen=[])))
        return await asyncio.shield(self._told)

    async def _of_corpus(self, ctx: Context) -> set[str]:
        requests = [case.request for case in answered(ctx) if case.request]
        exchanges = await ctx.ask_all(requests)
        return {id for each in exchanges for id in await self.problems(ctx, each)}


def _concerns(ctx: Context, requirement: Requirement) -> bool:
    return (
        requirement.chapter in CHAPTERS
        and requirement.cases is answered
        and requirement.phase is Phase.ORDINARY
        and (requirement.endpoints is None or ctx.endpoint.name in requirement.endpoints)
        and (ctx.mode in requirement.modes or requirement.id in OF_BOTH)
        and all(ctx.profile.promises(need, ctx.endpoint) for need in requirement.needs)
    )


@dataclass(frozen=True)
class _Other:
    """An answer that the corpus does not have, and who judges it."""

    case: Case
    judges: _Judges


def _others(ctx: Context) -> Sequence[Case]:
    """The plainest request, for a run without any other, and what else was answered."""
    judges = _Judges(ctx)
    drawn = {case.request.identity for case in answered(ctx) if case.request}
    others = [
        replace(case, data=_Other(case, judges))
        for case in recorded_here(ctx)
        if valid(case.data) and case.data.request.identity not in drawn
    ]
    return [Case("the plainest request", plain_request(ctx)), *others]


async def _throughout(ctx: Context, case: Case) -> None:
    if case.data is None:
        return
    other: _Other = case.data
    exchange = await ctx.revisit(other.case)
    if not valid(exchange):
        raise NotApplicable("not answered this time", exchange)
    problems = await other.judges.problems(ctx, exchange)
    new = problems.keys() - (await other.judges.told(ctx) if problems else set())
    if new:
        id = min(new, key=lambda id: (list(Level).index(problems[id].level or MUST), id))
        worst = problems[id]
        message = f"{id}: {worst.message}"
        raise Broken(message, *worst.evidence, event=worst.event, level=worst.level)


@check(
    "shape.throughout",
    MUST,
    EVERYWHERE,
    endpoints=GENERATING,
    modes=(REGULAR,),
    phase=Phase.FINAL,
    cases=_others,
    cost=0,
)
async def answers(ctx: Context, case: Case) -> None:
    """Every answer of the run, whatever it was asked for, has the shape and the counts that answers must have."""
    await _throughout(ctx, case)


@check(
    "stream.throughout",
    MUST,
    EVERYWHERE,
    endpoints=GENERATING,
    modes=(STREAM,),
    phase=Phase.FINAL,
    cases=_others,
    cost=0,
)
async def streams(ctx: Context, case: Case) -> None:
    """Every stream of the run, whatever it was asked for, is made of the events and chunks that streams must have."""
    await _throughout(ctx, case)
