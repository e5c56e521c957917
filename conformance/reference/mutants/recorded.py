"""Honest answers kept and given again, so that hundreds of mutants sample only once.

A request is known by all that was sent; the n-th time it is sent it gets the n-th answer, which
differs from the others as repeated answers do, and is dated when it is given. Every mutant counts
anew.
"""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import MutableMapping
from typing import Any

from conformance.reference.mutants.streaming import read_request, replayed
from conformance.reference.mutants.transform import ASGIApp, Message, Receive, Send

__all__ = ["Recording"]

#: A time of creation as the honest server writes it.
CREATED = re.compile(rb'"created":\d{10}(?!\d)')

#: Answers kept; what goes beyond is made anew each time.
MOST = 6000
_Key = tuple[Any, ...]


class Recording:
    """The answers of ``app``, kept as they are asked for."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._kept: dict[_Key, list[Message]] = {}

    def app_of_run(self) -> ASGIApp:
        """An application that counts from the start and shares the answers."""
        asked: Counter[_Key] = Counter()

        async def answer(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
            if scope["type"] != "http":
                await self.app(scope, receive, send)
                return
            data, _ = await read_request(scope, receive, 0)
            key: _Key = (scope["method"], scope["raw_path"], tuple(scope["headers"]), data)
            asked[key] += 1
            now = b'"created":%d' % time.time()
            for message in await self._answer((*key, asked[key]), scope, replayed(data, receive)):
                await send(_dated(message, now))

        return answer

    async def _answer(
        self, key: _Key, scope: MutableMapping[str, Any], receive: Receive
    ) -> list[Message]:
        if key in self._kept:
            return self._kept[key]
        sent: list[Message] = []

        async def collect(message: Message) -> None:
            sent.append(message)

        await self.app(scope, receive, collect)
        if len(self._kept) < MOST:
            self._kept[key] = sent
        return sent


def _dated(message: Message, now: bytes) -> Message:
    """A copy of ``message``; if it is a piece of an answer, it was created ``now``."""
    body = bytes(message.get("body", b""))
    return {**message, "body": CREATED.sub(now, body)} if b'"choices"' in body else dict(message)
