"""How many requests are in flight, and whose turn is next.

A chain of questions, each of which depends on the answer to the one before (calibration, the
reproduction of a failure), decides how long a run takes. It must not queue behind hundreds of
questions that depend on nothing.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["Slots"]


class Slots:
    """At most ``count`` holders at a time; those in a hurry first, else first come, first served."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._urgent: deque[asyncio.Future[None]] = deque()
        self._patient: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def slot(self, *, urgent: bool = False) -> AsyncIterator[None]:
        """A slot for as long as the block lasts."""
        await self._take(self._urgent if urgent else self._patient)
        try:
            yield
        finally:
            self._give()

    async def _take(self, queue: deque[asyncio.Future[None]]) -> None:
        if self._free > 0:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        queue.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it was handed over all the same
                self._give()
            raise

    def _give(self) -> None:
        """Hand the slot over to the next who still waits."""
        for queue in (self._urgent, self._patient):
            while queue:
                turn = queue.popleft()
                if not turn.done():
                    turn.set_result(None)
                    return
        self._free += 1
