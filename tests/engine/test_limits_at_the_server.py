"""Limits as the server sees them: real HTTP over a real socket."""

import asyncio
import contextlib
import time

import pytest

from conformance.engine import sender as sending
from conformance.engine.budget import Budget, BudgetSpent
from conformance.engine.sender import Sender
from conformance.wire.client import Wire
from conformance.wire.exchange import Request

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
LATER = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 2\r\n\r\n{}"


class Server:
    """Answers after ``seconds``; notes when each request came and how many were open at once."""

    def __init__(self, seconds=0.0, answers=()):
        self.seconds, self.answers = seconds, list(answers)
        self.arrivals, self.open, self.most = [], 0, 0

    @contextlib.asynccontextmanager
    async def wire(self):
        """The server on a port, and a wire to it; both are gone in the end."""
        handlers = []

        async def accept(reader, writer):
            handlers.append(asyncio.current_task())
            try:
                await self.handle(reader, writer)
            finally:
                writer.transport.abort()

        listening = await asyncio.start_server(accept, "127.0.0.1", 0)
        wire = Wire(f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}/v1", {})
        try:
            yield wire
        finally:
            await wire.aclose()
            listening.close()
            for handler in handlers:
                handler.cancel()
            await asyncio.gather(*handlers, return_exceptions=True)
            await asyncio.sleep(0)

    async def handle(self, reader, writer):
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                await reader.readuntil(b"\r\n\r\n")
                await reader.readexactly(2)
                self.arrivals.append(time.monotonic())
                self.open += 1
                self.most = max(self.most, self.open)
                answer = self.answers.pop(0) if self.answers else OK
                await asyncio.sleep(self.seconds)
                self.open -= 1
                writer.write(answer)
                await writer.drain()


def run(server, count, budget=None, **options):
    """Send ``count`` requests side by side; what became of each, and the evidence."""

    async def main():
        kept = []

        def keep(exchange):
            kept.append(exchange)
            return exchange

        async with server.wire() as wire:
            sender = Sender(wire, budget or Budget(), keep, **options)
            requests = [Request("POST", f"/{number}", b"{}") for number in range(count)]
            found = await asyncio.gather(*map(sender.send, requests), return_exceptions=True)
        return kept, found

    return asyncio.run(main())


@pytest.mark.parametrize("limit", [1, 3, 8])
def test_never_more_is_in_flight_than_configured(limit):
    """The server never has more requests open than ``concurrency`` says, and as many as that."""
    server = Server(seconds=0.02)

    run(server, 24, concurrency=limit)

    assert limit == server.most


def test_never_more_requests_a_minute_than_configured(monkeypatch):
    """In no window of a minute (shortened here) do more requests arrive than allowed."""
    monkeypatch.setattr(sending, "MINUTE", 0.5)
    monkeypatch.setattr(sending, "SLACK", 0.1)
    server = Server()

    run(server, 14, requests_per_minute=5)

    windows = [sum(at <= other < at + 0.5 for other in server.arrivals) for at in server.arrivals]
    assert 14 == len(server.arrivals)
    assert 5 == max(windows)


def test_nobody_asks_before_the_time_that_retry_after_names():
    """One 429 keeps every request back, not only its own."""
    server = Server(answers=[LATER])

    kept, found = run(server, 6, concurrency=1)

    first, second = server.arrivals[:2]
    assert second - first >= 0.95
    assert [200] * 6 == [exchange.status for exchange in found]
    assert [[429]] == [[a.status for a in each.attempts] for each in kept if each.attempts]


def test_the_budget_of_requests_counts_what_the_server_sees():
    """Retries included, never one more than allowed."""
    server = Server(answers=[LATER])

    run(server, 9, Budget(max_requests=4))

    assert 4 == len(server.arrivals)


def test_the_budget_of_seconds_cuts_what_is_on_its_way():
    """A server that does not answer cannot make a run longer; what was cut is on record."""
    server = Server(seconds=30)

    began = time.monotonic()
    kept, found = run(server, 4, Budget(max_seconds=0.4), concurrency=2)

    assert time.monotonic() - began < 10
    assert all(isinstance(each, BudgetSpent) for each in found)
    assert ["cancelled", "cancelled"] == [each.failure.kind for each in kept]


def test_an_answer_that_only_says_not_now_is_none_when_the_budget_ends():
    """A 429 that could not be retried any more is no verdict about what was asked."""
    server = Server(answers=[LATER] * 9)

    _, found = run(server, 1, Budget(max_requests=1))

    assert isinstance(found[0], BudgetSpent)


def test_a_fresh_sample_has_a_number_of_its_own():
    """Samples sent anew can be told apart in the evidence."""

    async def main():
        async with Server().wire() as wire:
            sender = Sender(wire, Budget(), lambda exchange: exchange)
            request = Request("POST", "/x", b"{}")
            found = [await sender.send(request, repetition=n) for n in (0, None, None, 1)]
        return [exchange.repetition for exchange in found]

    assert [0, -1, -2, 1] == asyncio.run(main())
