"""Requests that may kill the server: small batches, a probe after each, the culprit named.

After a batch one ordinary request must be answered. If it is not, the target gets
``recovery_seconds`` to come back; then the batch is sent again one by one with a probe after each,
those without an answer first, and the request that is followed by a dead probe is marked
``server_died``. Where one was found, the others keep the answers they had. A target that is back
before the probe comes is noticed by the requests of the batch that were cut off: they are sent
again one by one, too. What was lost with a culprit is kept in the evidence as phase ``lost``, which
no check judges.

A death is dear, and one is enough: when a question (a requirement at a place) is settled by one of
its cases, the others are not sent any more.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from conformance.engine.sender import Aborted
from conformance.wire.exchange import Attempt, Exchange, FailureKind, Request

__all__ = ["LOST", "HostileQueue", "Settled"]

BATCH = 16
#: Phase under which evidence keeps what was lost with a culprit.
LOST = "lost"
#: How a connection ends when the process at its other end does.
_CUT = frozenset({FailureKind.RESET, FailureKind.CONNECT})
#: Seconds before the first look whether a dead server is back, and the most between two.
FIRST_LOOK, LOOKS = 0.25, 1.0


class Settled(Aborted):
    """Not sent: another case of the same ``question`` got no answer at all, twice."""

    def __init__(self, question: object) -> None:
        super().__init__("not sent: another case got no answer at all")
        self.question = question


@dataclass
class _Waiting:
    request: Request
    repetition: int | None
    question: object
    answer: asyncio.Future[Exchange]

    def tell(self, exchange: Exchange) -> None:
        if not self.answer.done():
            self.answer.set_result(exchange)

    def refuse(self, reason: BaseException) -> None:
        if not self.answer.done():
            self.answer.set_exception(reason)


_Pair = tuple[_Waiting, Exchange]


class HostileQueue:
    """Collects hostile requests into batches and answers each with its exchange.

    ``send`` sends one request, ``alive`` probes; ``lost`` is called with a reason when the
    target does not come back. ``amend`` takes an exchange that is already in the evidence and turned
    out to be something else: the culprit, or lost with it.
    """

    def __init__(
        self,
        send: Callable[[Request, int | None], Awaitable[Exchange]],
        alive: Callable[[], Awaitable[bool]],
        lost: Callable[[str], None],
        *,
        recovery_seconds: float = 20.0,
        batch: int = BATCH,
        amend: Callable[[Exchange], object] = lambda exchange: None,
    ) -> None:
        self._send, self._alive, self._lost, self._amend = send, alive, lost, amend
        self._recovery, self._size = recovery_seconds, batch
        self._queue: list[_Waiting] = []
        self._settled: set[object] = set()
        self._worker: asyncio.Task[None] | None = None
        self.deaths: list[Exchange] = []

    async def ask(
        self, request: Request, repetition: int | None, question: object = None
    ) -> Exchange:
        """The exchange for ``request``, once its batch has been probed.

        ``question`` tells what is asked by it: raises :class:`Settled` where another request for
        the same question has settled it.
        """
        answer: asyncio.Future[Exchange] = asyncio.get_running_loop().create_future()
        self._queue.append(_Waiting(request, repetition, question, answer))
        if self._worker is None or self._worker.done():
            self._worker = asyncio.ensure_future(self._work())
        return await answer

    async def _work(self) -> None:
        await asyncio.sleep(0)  # let the checks of this phase queue up their requests
        while batch := self._next():
            try:
                await self._run(batch)
            except BaseException as error:
                passed_on = isinstance(error, Exception)
                for waiting in batch:
                    waiting.refuse(error if passed_on else Aborted("interrupted"))
                if not passed_on:
                    raise

    def _next(self) -> list[_Waiting]:
        """The next batch, without what need not be sent any more."""
        wanted = [each for each in self._queue if not self._refused(each)]
        self._queue = wanted[self._size :]
        return wanted[: self._size]

    def _refused(self, waiting: _Waiting) -> bool:
        """Whether the question is settled; a repetition is asked for because it is."""
        if waiting.repetition or waiting.question not in self._settled:
            return False
        waiting.refuse(Settled(waiting.question))
        return True

    def _settle(self, waiting: _Waiting) -> None:
        if waiting.question is not None:
            self._settled.add(waiting.question)

    async def _run(self, batch: list[_Waiting]) -> None:
        sent = await asyncio.gather(
            *(self._send(w.request, w.repetition) for w in batch), return_exceptions=True
        )
        pairs = list(_answered(batch, sent))
        if not pairs:
            return
        if await self._alive():
            again = [pair for pair in pairs if len(pairs) > 1 and _suspect(pair)]
            for waiting, exchange in pairs:
                if (waiting, exchange) not in again:
                    waiting.tell(exchange)
            await self._again(again)
        elif len(pairs) == 1:
            self._convict(*pairs[0])
            await self._recover("after a hostile request")
        elif await self._recovered():
            await self._search(pairs)
        else:
            self._blame_unanswered(pairs)

    async def _search(self, pairs: list[_Pair]) -> None:
        """Find who killed the server: who got no answer is asked first."""
        silent = [pair for pair in pairs if pair[1].status is None or pair[1].status >= 500]
        answered = [pair for pair in pairs if pair not in silent]
        if not await self._again(silent):
            await self._again(answered)
        for waiting, exchange in answered:
            waiting.tell(exchange)

    async def _again(self, pairs: list[_Pair]) -> bool:
        """Send one by one what may have been lost with the culprit, or be it: was it there?"""
        for _, exchange in pairs:
            self._amend(exchange.replace(phase=LOST))
        deaths = len(self.deaths)
        for waiting, before in pairs:
            if self._refused(waiting):
                continue
            exchange = await self._send(waiting.request, waiting.repetition)
            if before.status is None and exchange.status is None:  # seen twice
                exchange = exchange.replace(attempts=(Attempt(None, before.failure, 0.0),))
                self._settle(waiting)
            if await self._alive():
                self._amend(exchange)
                waiting.tell(exchange)
            else:
                self._convict(waiting, exchange)
                await self._recover("after the request that killed it")
        return len(self.deaths) > deaths

    def _convict(self, waiting: _Waiting, exchange: Exchange) -> None:
        dead = exchange.replace(server_died=True)
        self.deaths.append(dead)
        self._amend(dead)
        self._settle(waiting)
        waiting.tell(dead)

    def _blame_unanswered(self, pairs: list[tuple[_Waiting, Exchange]]) -> None:
        """The target is gone for good: only a sole unanswered request can be named."""
        silent = [pair for pair in pairs if pair[1].status is None]
        for waiting, exchange in pairs:
            if exchange.status is not None:
                waiting.tell(exchange)
            elif len(silent) == 1:
                self._convict(waiting, exchange)
            else:
                self._amend(exchange.replace(phase=LOST))
                waiting.refuse(Aborted(f"the target died; one of {len(silent)} requests killed it"))
        self._lost(
            f"the target died in the hostile phase and did not come back in {self._recovery:g} s"
        )

    async def _recover(self, when: str) -> None:
        if not await self._recovered():
            self._lost(f"the target did not come back in {self._recovery:g} s {when}")

    async def _recovered(self) -> bool:
        until = time.monotonic() + self._recovery
        wait = min(FIRST_LOOK, self._recovery / 4)
        while time.monotonic() < until:
            await asyncio.sleep(wait)
            if await self._alive():
                return True
            wait = min(2 * wait, LOOKS, self._recovery / 4)
        return False


def _answered(batch: list[_Waiting], sent: list[Exchange | BaseException]) -> Iterator[_Pair]:
    """The requests that got an exchange; the others are told why not."""
    for waiting, each in zip(batch, sent, strict=True):
        if isinstance(each, Exchange):
            yield waiting, each
        else:
            waiting.refuse(each)


def _suspect(pair: _Pair) -> bool:
    """Whether the connection broke before there was any answer, for the first time."""
    waiting, exchange = pair
    failure = exchange.failure
    cut = exchange.status is None and failure is not None and failure.kind in _CUT
    return cut and not waiting.repetition
