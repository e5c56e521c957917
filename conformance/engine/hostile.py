"""Requests that may kill the server: small batches, a probe after each, the culprit named.

After a batch one ordinary request must be answered. If it is not, the target gets
``recovery_seconds`` to come back; then the batch is sent again one by one with a probe after each,
and the request that is followed by a dead probe is marked ``server_died``. A target that is back
before the probe comes is noticed by the requests of the batch that were cut off: they are sent
again one by one, too. What was lost with a culprit is kept in the evidence as phase ``lost``, which
no check judges.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass

from conformance.engine.sender import Aborted
from conformance.wire.exchange import Attempt, Exchange, FailureKind, Request

__all__ = ["LOST", "HostileQueue"]

BATCH = 16
#: Phase under which evidence keeps what was lost with a culprit.
LOST = "lost"
#: How a connection ends when the process at its other end does.
_CUT = frozenset({FailureKind.RESET, FailureKind.CONNECT})


@dataclass
class _Waiting:
    request: Request
    repetition: int | None
    answer: asyncio.Future[Exchange]


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
        self._worker: asyncio.Task[None] | None = None
        self.deaths: list[Exchange] = []

    async def ask(self, request: Request, repetition: int | None) -> Exchange:
        """The exchange for ``request``, once its batch has been probed."""
        waiting = _Waiting(request, repetition, asyncio.get_running_loop().create_future())
        self._queue.append(waiting)
        if self._worker is None or self._worker.done():
            self._worker = asyncio.ensure_future(self._work())
        return await waiting.answer

    async def _work(self) -> None:
        await asyncio.sleep(0)  # let the checks of this phase queue up their requests
        while self._queue:
            batch, self._queue = self._queue[: self._size], self._queue[self._size :]
            try:
                await self._run(batch)
            except BaseException as error:
                for waiting in batch:
                    if not waiting.answer.done():
                        waiting.answer.set_exception(
                            error if isinstance(error, Exception) else Aborted("interrupted")
                        )
                if not isinstance(error, Exception):
                    raise

    async def _run(self, batch: list[_Waiting]) -> None:
        sent = await asyncio.gather(
            *(self._send(w.request, w.repetition) for w in batch), return_exceptions=True
        )
        pairs = list(_answered(batch, sent))
        if not pairs:
            return
        if await self._alive():
            cut = [pair for pair in pairs if _cut(pair[1])]
            for waiting, exchange in pairs:
                if len(pairs) == 1 or not _cut(exchange):
                    _answer(waiting, exchange)
            await self._again(cut if len(pairs) > 1 else [])
        elif len(pairs) == 1:
            self._convict(*pairs[0])
            await self._recover("after a hostile request")
        elif await self._recovered():
            await self._again(pairs)
        else:
            self._blame_unanswered(pairs)

    async def _again(self, pairs: list[tuple[_Waiting, Exchange]]) -> None:
        """Send one by one what may have been lost with the culprit, or be it."""
        for _, exchange in pairs:
            self._amend(exchange.replace(phase=LOST))
        for waiting, before in pairs:
            exchange = await self._send(waiting.request, waiting.repetition)
            if await self._alive():
                _answer(waiting, exchange)
                continue
            if before.status is None:  # cut off in the batch too: seen twice
                exchange = exchange.replace(attempts=(Attempt(None, before.failure, 0.0),))
            self._convict(waiting, exchange)
            await self._recover("after the request that killed it")

    def _convict(self, waiting: _Waiting, exchange: Exchange) -> None:
        dead = exchange.replace(server_died=True)
        self.deaths.append(dead)
        self._amend(dead)
        _answer(waiting, dead)

    def _blame_unanswered(self, pairs: list[tuple[_Waiting, Exchange]]) -> None:
        """The target is gone for good: only a sole unanswered request can be named."""
        silent = [pair for pair in pairs if pair[1].status is None]
        for waiting, exchange in pairs:
            if exchange.status is not None:
                _answer(waiting, exchange)
            elif len(silent) == 1:
                self._convict(waiting, exchange)
            else:
                self._amend(exchange.replace(phase=LOST))
                waiting.answer.set_exception(
                    Aborted(f"the target died; one of {len(silent)} requests killed it")
                )
        self._lost(
            f"the target died in the hostile phase and did not come back in {self._recovery:g} s"
        )

    async def _recover(self, when: str) -> None:
        if not await self._recovered():
            self._lost(f"the target did not come back in {self._recovery:g} s {when}")

    async def _recovered(self) -> bool:
        until = time.monotonic() + self._recovery
        while time.monotonic() < until:
            await asyncio.sleep(min(1.0, self._recovery / 4))
            if await self._alive():
                return True
        return False


def _answered(
    batch: list[_Waiting], sent: list[Exchange | BaseException]
) -> Iterator[tuple[_Waiting, Exchange]]:
    """The requests that got an exchange; the others are told why not."""
    for waiting, each in zip(batch, sent, strict=True):
        if isinstance(each, Exchange):
            yield waiting, each
        elif not waiting.answer.done():
            waiting.answer.set_exception(each)


def _cut(exchange: Exchange) -> bool:
    """Whether the connection broke before there was any answer."""
    failure = exchange.failure
    return exchange.status is None and failure is not None and failure.kind in _CUT


def _answer(waiting: _Waiting, exchange: Exchange) -> None:
    if not waiting.answer.done():
        waiting.answer.set_result(exchange)
