"""Collect once, judge many: identical requests are sent once and shared by all checks."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from conformance.wire.exchange import Exchange, Request

__all__ = ["Memo"]


class Memo:
    """Exchanges by request identity and repetition number.

    Two checks that ask at the same time wait for the same exchange. An exchange that could not be
    had (budget, abort) is forgotten, so that a later question is answered for itself. With ``load``
    only the id of an exchange is remembered: the evidence has the rest.
    """

    def __init__(self, load: Callable[[str], Exchange] | None = None) -> None:
        self._load = load
        self._found: dict[tuple[str, int], asyncio.Task[Exchange]] = {}
        self._ids: dict[tuple[str, int], str] = {}

    async def get(
        self, request: Request, repetition: int, send: Callable[[], Awaitable[Exchange]]
    ) -> Exchange:
        """The exchange for ``request``; ``send`` is called if there is none yet."""
        key = (request.identity, repetition)
        if self._load is not None and key in self._ids:
            return self._load(self._ids[key])
        task = self._found.get(key)
        if task is None:
            task = self._found[key] = asyncio.ensure_future(send())
            task.add_done_callback(lambda done: self._settle(key, done))
        return await asyncio.shield(task)

    def _settle(self, key: tuple[str, int], done: asyncio.Task[Exchange]) -> None:
        if done.cancelled() or done.exception() is not None:
            self._found.pop(key, None)
        elif self._load is not None:
            self._ids[key] = done.result().id
            self._found.pop(key, None)
