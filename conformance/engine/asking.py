"""What checks ask of a run: exchanges that are sent once, lessons that are learned once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from conformance.checks.api import Case, Outcome, Phase
from conformance.checks.catalogue import Item
from conformance.checks.context import Context, Subject
from conformance.engine.budget import requests_of
from conformance.engine.events import Event, Learned
from conformance.engine.hostile import HostileQueue, Settled
from conformance.engine.memo import Memo
from conformance.engine.sender import Sender
from conformance.schema.contract import Profile
from conformance.verdicts import Mode
from conformance.wire.exchange import Exchange, Request

__all__ = ["Corpora", "ItemAsker", "Questions", "RunExample"]

T = TypeVar("T")

#: Draws the corpus of an endpoint and mode.
Corpora = Callable[[str, Mode | None], Sequence[Case]]
#: Runs a documented example through the recording proxy.
RunExample = Callable[[str, str, Phase], Awaitable[tuple[Any, list[Exchange]]]]


@dataclass
class Questions:
    """Everything that was asked of one target, whichever check asked it."""

    name: str
    subject: Subject
    profile: Profile
    sender: Sender
    hostile: HostileQueue
    memo: Memo
    corpora: Corpora
    example: RunExample
    recorded: Callable[[], Sequence[Exchange]]
    emit: Callable[[Event], None]

    def __post_init__(self) -> None:
        self._lessons: dict[tuple[str, str], asyncio.Task[Any]] = {}

    def context(self, asker: ItemAsker, item: Item, repetition: int) -> Context:
        """How ``item`` sees the target, its requests counted by ``asker``."""
        return Context(
            asker,
            self.subject,
            self.profile,
            self.profile.endpoints[item.endpoint] if item.endpoint else None,
            item.mode,
            item.requirement.phase,
            repetition,
        )

    async def ask(
        self,
        request: Request,
        repetition: int | None,
        phase: Phase,
        sent: Callable[[Exchange], None],
        question: object = None,
    ) -> Exchange:
        """The exchange for ``request``; ``sent`` is called with it when it had to be sent.

        ``question`` is what hostile requests are asked for.

        Raises ``BudgetSpent`` where it came too late to be judged.
        """

        async def send() -> Exchange:
            if phase is Phase.HOSTILE:
                exchange = await self.hostile.ask(request, repetition, question)
            else:
                exchange = await self.sender.send(request, repetition=repetition, phase=phase)
            sent(exchange)
            return exchange

        if repetition is None:
            exchange = await send()
        else:
            exchange = await self._shared(request, repetition, send, question)
        self.sender.budget.check_time()
        return exchange

    async def _shared(
        self,
        request: Request,
        repetition: int,
        send: Callable[[], Awaitable[Exchange]],
        question: object,
    ) -> Exchange:
        while True:
            try:
                return await self.memo.get(request, repetition, send)
            except Settled as settled:
                if settled.question == question:
                    raise  # else it was somebody else's question, and this one is open

    async def learn(self, ctx: Context, lesson: Callable[[Context], Awaitable[T]]) -> T:
        """The result of ``lesson``, worked out once for each endpoint.

        What the lesson raises is raised to everybody who relies on it: an outcome, the end of the
        budget, the loss of the target.
        """
        key = (_named(lesson), ctx.contract.name if ctx.contract else "")
        task = self._lessons.get(key)
        if task is None:
            regular = Context(
                ItemAsker(self),
                self.subject,
                self.profile,
                ctx.contract,
                Mode.REGULAR,
                Phase.CALIBRATION,
            )
            task = self._lessons[key] = asyncio.ensure_future(lesson(regular))
            task.add_done_callback(lambda done: self._learned(key, done))
        return await asyncio.shield(task)

    def _learned(self, key: tuple[str, str], done: asyncio.Task[Any]) -> None:
        if done.cancelled():
            return
        error = done.exception()
        if error is None:
            value = done.result()
            text = getattr(value, "finding", None) or str(value)
        elif isinstance(error, Outcome):
            value, text = None, error.message
        else:
            return
        lesson = key[0].rpartition(".")[2]
        self.emit(Learned(self.name, key[1], lesson, text, _plain(value)))


class ItemAsker:
    """One item's access to the run; counts what was sent for it. ``item`` is its key."""

    def __init__(self, questions: Questions, item: object = None) -> None:
        self._questions, self._item = questions, item
        self.sent, self.seconds = 0, 0.0

    def _count(self, exchange: Exchange) -> None:
        self.sent += requests_of(exchange)
        self.seconds += exchange.elapsed

    async def ask(self, request: Request, repetition: int | None, phase: Phase) -> Exchange:
        """The exchange for ``request``."""
        return await self._questions.ask(request, repetition, phase, self._count, self._item)

    async def learn(self, ctx: Context, lesson: Callable[[Context], Awaitable[T]]) -> T:
        """The result of ``lesson``."""
        return await self._questions.learn(ctx, lesson)

    def corpus(self, endpoint: str, mode: Mode | None) -> Sequence[Case]:
        """The valid requests drawn for this endpoint and mode."""
        return self._questions.corpora(endpoint, mode)

    def recorded(self) -> Sequence[Exchange]:
        """Every exchange so far."""
        return self._questions.recorded()

    async def command(self, kind: str, code: str, phase: Phase) -> tuple[Any, list[Exchange]]:
        """Run a documented example."""
        outcome, exchanges = await self._questions.example(kind, code, phase)
        for exchange in exchanges:
            self._count(exchange)
        return outcome, exchanges


def _named(lesson: Callable[..., Any]) -> str:
    name = getattr(lesson, "__qualname__", type(lesson).__qualname__)
    return f"{getattr(lesson, '__module__', '')}.{name}"


def _plain(value: Any) -> Any:
    try:
        return json.loads(json.dumps(value, default=lambda v: getattr(v, "__dict__", str(v))))
    except (TypeError, ValueError):
        return str(value)
