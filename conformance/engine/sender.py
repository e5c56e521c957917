"""Sending within a target's limits: concurrency, rate, budget, retries, evidence.

Rule 1: every request of a run passes :meth:`Sender.send`, whoever asks (checks, probes,
reproductions, shrinking, SDK and cURL through the proxy), so what is counted here is what the
server sees.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from email.utils import parsedate_to_datetime
from typing import Protocol

from conformance.engine.budget import Budget, BudgetSpent
from conformance.engine.slots import Slots
from conformance.wire.exchange import Attempt, Exchange, Failure, FailureKind, Request

__all__ = ["Aborted", "Sender", "WireLike"]

#: Statuses that say "not now" rather than "not this" (RFC 9110 §15.6, RFC 6585 §4).
TRANSIENT = frozenset({429, 502, 503, 504})
MAX_RETRIES = 3
MAX_RETRY_AFTER = 60.0
#: Seconds of the window in which requests are counted, and what is added because a request may
#: take longer than the one before it to reach the server.
MINUTE, SLACK = 60.0, 1.0
#: Transport failures in a row after which one probe decides whether to go on.
FAILURES_IN_A_ROW = 5


class WireLike(Protocol):
    """What the sender needs of the wire: one attempt, never an exception."""

    async def send(self, request: Request, *, id: str, repetition: int, phase: str) -> Exchange:
        """Send ``request`` once."""


class Aborted(Exception):
    """The run is over before its plan: target lost, or cancelled."""


class Sender:
    """Sends requests one attempt at a time under the target's limits."""

    def __init__(
        self,
        wire: WireLike,
        budget: Budget,
        keep: Callable[[Exchange], Exchange],
        *,
        concurrency: int = 8,
        requests_per_minute: float | None = None,
        probe: Request | None = None,
        first_number: int = 1,
        prefix: str = "x",
    ) -> None:
        self.wire, self.budget, self.keep, self.probe = wire, budget, keep, probe
        self.ended: str | None = None  # why nothing more is sent
        self.reached = False  # whether any HTTP answer ever came
        self.served = False  # whether the probe's own request was ever answered with 200
        self._slots = Slots(concurrency)
        self._per_minute = requests_per_minute
        self._recent: deque[float] = deque()
        self._rate_lock = asyncio.Lock()
        self._prefix, self._number = prefix, first_number
        self._fresh = 0
        self._failures = 0
        self._probing: asyncio.Task[bool] | None = None
        self._pause_until = 0.0

    async def send(
        self, request: Request, *, repetition: int | None = 0, phase: str = "ordinary"
    ) -> Exchange:
        """Send with retries of transient answers; the exchange is kept as evidence.

        ``repetition`` ``None`` is a sample of its own: it gets a number (-1, -2, …) that no other
        exchange has. Raises :class:`BudgetSpent` or :class:`Aborted` before anything is sent, and
        when the budget of seconds ends while the answer is on its way.
        """
        number = self._fresh_number() if repetition is None else repetition
        attempts: list[Attempt] = []
        while True:
            exchange = await self._attempt(request, number, phase)
            wait = self._retry_delay(exchange, len(attempts))
            if phase == "hostile" and exchange.status != 429:
                wait = None  # a cut connection or a 503 may be the death that is looked for
            spent = self.budget.spent() if wait is not None else None
            if wait is None or spent or _cut(exchange):
                break
            attempts.append(Attempt(exchange.status, exchange.failure, wait))
            await self._pause(exchange, wait)
        exchange = self.keep(exchange.replace(attempts=tuple(attempts)))
        self.budget.settle(exchange)
        if spent or _cut(exchange):  # "not now" is no answer to what was asked
            raise BudgetSpent(spent or self.budget.spent() or "the budget is spent")
        await self._watch(exchange, phase)
        return exchange

    def _fresh_number(self) -> int:
        self._fresh -= 1
        return self._fresh

    async def _attempt(self, request: Request, repetition: int, phase: str) -> Exchange:
        """One attempt in a slot of its own. While a probe is out, only the probe is sent."""
        probing = phase == "probe"
        urgent = probing or phase == "calibration" or repetition >= 1000
        while True:
            if self._probing is not None and not probing:
                await asyncio.wait([self._probing])
                await asyncio.sleep(0)  # whoever asked for the probe draws the conclusion first
            async with self._slots.slot(urgent=urgent):
                if self._probing is not None and not probing:
                    continue
                return await self._in_slot(request, repetition, phase)

    async def _in_slot(self, request: Request, repetition: int, phase: str) -> Exchange:
        if self.ended is None:
            await self._wait_for_rate()
        if self.ended:
            raise Aborted(self.ended)
        self.budget.take()
        id = f"{self._prefix}{self._number:05d}"
        self._number += 1
        began = time.time()
        try:
            async with asyncio.timeout(self.budget.seconds_left):
                return await self.wire.send(request, id=id, repetition=repetition, phase=phase)
        except TimeoutError:
            return Exchange(
                request,
                id,
                repetition,
                phase,
                started=began,
                elapsed=time.time() - began,
                failure=Failure(FailureKind.CANCELLED, "the budget of seconds ended"),
            )

    def _retry_delay(self, exchange: Exchange, tried: int) -> float | None:
        """Seconds to wait before the next attempt, or ``None`` if this answer stands."""
        if tried >= MAX_RETRIES:
            return None
        if exchange.status not in TRANSIENT and not self._broke_off(exchange):
            return None
        wait = retry_after(exchange.header("retry-after"))
        backoff: float = 0.5 * 2**tried
        if wait is None:
            return backoff
        return wait if wait <= MAX_RETRY_AFTER else None

    def _broke_off(self, exchange: Exchange) -> bool:
        """Whether the connection broke, or somebody who was there is not (a restart, say)."""
        kind = _kind(exchange)
        gone = kind is FailureKind.CONNECT and self.reached
        return exchange.status is None and (kind is FailureKind.RESET or gone)

    async def _pause(self, exchange: Exchange, wait: float) -> None:
        """Wait before a retry; whoever says when to come back is left alone until then."""
        if exchange.status == 429 or exchange.header("retry-after"):
            self._pause_until = max(self._pause_until, time.monotonic() + wait)
        await self._sleep(wait)

    async def _sleep(self, seconds: float) -> None:
        left = self.budget.seconds_left
        await asyncio.sleep(max(0.0, seconds if left is None else min(seconds, left)))

    async def _wait_for_rate(self) -> None:
        """Wait until the target may be asked again. Raises :class:`BudgetSpent` meanwhile."""
        async with self._rate_lock:
            while (wait := self._not_before() - time.monotonic()) > 0:
                if spent := self.budget.spent():
                    raise BudgetSpent(spent)
                await self._sleep(wait)
            self._recent.append(time.monotonic())

    def _not_before(self) -> float:
        """The monotonic time from which the next request may leave."""
        if self._per_minute is None:
            self._recent.clear()
            return self._pause_until
        gone = time.monotonic() - MINUTE - SLACK
        while self._recent and self._recent[0] <= gone:
            self._recent.popleft()
        if len(self._recent) < max(1.0, self._per_minute):
            return self._pause_until
        return max(self._pause_until, self._recent[0] + MINUTE + SLACK)

    async def _watch(self, exchange: Exchange, phase: str) -> None:
        """Give up on a target that stopped answering; hostile batches look after themselves."""
        if exchange.status is not None:
            self.reached, self._failures = True, 0
            if self.probe is not None and exchange.request.identity == self.probe.identity:
                self.served = self.served or exchange.status == 200
            return
        if phase == "hostile" or _kind(exchange) is FailureKind.CANCELLED:
            return
        self._failures += 1
        if self._failures >= FAILURES_IN_A_ROW and not self.ended and not await self.alive():
            self.ended = self.ended or f"the target stopped answering ({exchange.failure})"

    async def contact(self) -> None:
        """Make sure that somebody is there before anything is said about the target."""
        if not self.reached and not self.ended and not await self.alive():
            self.ended = self.ended or "no request got any answer"

    async def alive(self) -> bool:
        """One liveness probe: is an ordinary request answered?

        With 200, once it was; a server whose engine is dead may well go on saying 404. Where it
        never was (a wrong key, say), with anything but a server error.
        """
        if self.probe is None:
            return True
        if self._probing is None:
            self._probing = asyncio.ensure_future(self._probe())
        probing = self._probing
        try:
            return await asyncio.shield(probing)
        except asyncio.CancelledError:
            probing.add_done_callback(self._probed)
            raise
        finally:  # at once, so that nothing is sent before the caller has drawn its conclusion
            if probing.done():
                self._probed(probing)

    def _probed(self, done: asyncio.Task[bool]) -> None:
        if self._probing is done:
            self._probing = None
        if not done.cancelled():
            done.exception()  # whoever still waits hears of it; nobody has to

    async def _probe(self) -> bool:
        """Ask until there is an answer that is none of "not now"; nobody there is no answer."""
        assert self.probe is not None
        attempts: list[Attempt] = []
        number = self._fresh_number()
        while True:
            exchange = await self._attempt(self.probe, number, "probe")
            wait = self._retry_delay(exchange, len(attempts))
            if wait is None or self.budget.spent() or _kind(exchange) is FailureKind.CONNECT:
                break
            if exchange.status is None:  # a connection left over from a server that died: a new one
                wait = 0.0
            attempts.append(Attempt(exchange.status, exchange.failure, wait))
            await self._sleep(wait)
        exchange = self.keep(exchange.replace(attempts=tuple(attempts)))
        self.budget.settle(exchange)
        if exchange.status is not None:
            self.reached, self._failures = True, 0
        self.served = self.served or exchange.status == 200
        if exchange.status is None:
            return False
        return exchange.status == 200 if self.served else exchange.status < 500


def retry_after(value: str | None) -> float | None:
    """Seconds that a ``Retry-After`` header asks for (RFC 9110 §10.2.3), or ``None``."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (TypeError, ValueError, OverflowError):
        return None


def _cut(exchange: Exchange) -> bool:
    """Whether the suite itself ended the exchange, because its time was up."""
    return exchange.status is None and _kind(exchange) is FailureKind.CANCELLED


def _kind(exchange: Exchange) -> FailureKind | None:
    return exchange.failure.kind if exchange.failure else None


#: A coroutine function that sends one request, as hostile batches and proxies use it.
Send = Callable[[Request], Awaitable[Exchange]]
