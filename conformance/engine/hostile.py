"""Requests that may kill the server: small batches, a probe after each, the culprit named.

After a batch one ordinary request must be answered. If it is not, the target gets
``recovery_seconds`` to come back; then the batch is sent again one by one with a probe after each,
and the request that is followed by a dead probe is marked ``server_died``.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from conformance.engine.sender import Aborted
from conformance.wire.exchange import Exchange, Request

__all__ = ["HostileQueue"]

BATCH = 8


@dataclass
class _Waiting:
    request: Request
    repetition: int
    answer: asyncio.Future[Exchange]


class HostileQueue:
    """Collects hostile requests into batches and answers each with its exchange.

    ``send`` sends one request, ``alive`` probes; ``lost`` is called with a reason when the
    target does not come back.
    """

    def __init__(
        self,
        send: Callable[[Request, int], Awaitable[Exchange]],
        alive: Callable[[], Awaitable[bool]],
        lost: Callable[[str], None],
        *,
        recovery_seconds: float = 20.0,
        batch: int = BATCH,
    ) -> None:
        self._send, self._alive, self._lost = send, alive, lost
        self._recovery, self._size = recovery_seconds, batch
        self._queue: list[_Waiting] = []
        self._worker: asyncio.Task[None] | None = None
        self.deaths: list[Exchange] = []

    async def ask(self, request: Request, repetition: int) -> Exchange:
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
            except Exception as error:
                for waiting in batch:
                    if not waiting.answer.done():
                        waiting.answer.set_exception(error)

    async def _run(self, batch: list[_Waiting]) -> None:
        exchanges = await asyncio.gather(*(self._send(w.request, w.repetition) for w in batch))
        if await self._alive():
            for waiting, exchange in zip(batch, exchanges, strict=True):
                _answer(waiting, exchange)
            return
        if len(batch) == 1:
            self._convict(batch[0], exchanges[0])
            await self._recover("after a hostile request")
            return
        if not await self._recovered():
            self._blame_unanswered(batch, exchanges)
            return
        for waiting in batch:
            await self._one(waiting)

    async def _one(self, waiting: _Waiting) -> None:
        exchange = await self._send(waiting.request, waiting.repetition)
        if await self._alive():
            _answer(waiting, exchange)
            return
        self._convict(waiting, exchange)
        await self._recover("after the request that killed it")

    def _convict(self, waiting: _Waiting, exchange: Exchange) -> None:
        dead = exchange.replace(server_died=True)
        self.deaths.append(dead)
        _answer(waiting, dead)

    def _blame_unanswered(self, batch: list[_Waiting], exchanges: list[Exchange]) -> None:
        """The target is gone for good: only a sole unanswered request can be named."""
        silent = [i for i, exchange in enumerate(exchanges) if exchange.status is None]
        for number, (waiting, exchange) in enumerate(zip(batch, exchanges, strict=True)):
            if exchange.status is not None:
                _answer(waiting, exchange)
            elif len(silent) == 1 and number == silent[0]:
                self._convict(waiting, exchange)
            else:
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


def _answer(waiting: _Waiting, exchange: Exchange) -> None:
    if not waiting.answer.done():
        waiting.answer.set_result(exchange)
