"""Sending within a target's limits."""

import asyncio
import time
from email.utils import formatdate

import pytest

from conformance.engine.budget import Budget, BudgetSpent
from conformance.engine.sender import Aborted, Sender, retry_after
from conformance.wire.exchange import Exchange, Failure, FailureKind, Request

PROBE = Request("POST", "/probe", b"{}")
RESET = Failure(FailureKind.RESET, "reset by peer")


class Script:
    """A wire that answers from a list, then with 200; it counts what is in flight."""

    def __init__(self, *answers, seconds=0.0):
        self.answers, self.seconds = list(answers), seconds
        self.sent, self.flying, self.most = [], 0, 0

    async def send(self, request, *, id, repetition, phase):
        self.sent.append(request)
        self.flying += 1
        self.most = max(self.most, self.flying)
        await asyncio.sleep(self.seconds)
        self.flying -= 1
        answer = self.answers.pop(0) if self.answers else 200
        if isinstance(answer, Failure):
            return Exchange(request, id=id, failure=answer)
        status, headers = answer if isinstance(answer, tuple) else (answer, ())
        return Exchange(request, id=id, status=status, headers=headers)


def sender(wire, budget=None, **options):
    return Sender(wire, budget or Budget(), lambda exchange: exchange, probe=PROBE, **options)


def send(wire, count=1, budget=None, **options):
    async def run():
        made = sender(wire, budget, **options)
        requests = [Request("POST", f"/{number}") for number in range(count)]
        found = await asyncio.gather(*map(made.send, requests), return_exceptions=True)
        return made, found

    return asyncio.run(run())


NOW = (("Retry-After", "0"),)


def test_a_transient_status_is_retried_and_its_fate_recorded():
    """429 and 503 are asked again; the exchange keeps what came before."""
    wire = Script((429, NOW), (503, NOW), 200)

    _, [exchange] = send(wire)

    assert [200, [429, 503]] == [exchange.status, [a.status for a in exchange.attempts]]


def test_at_most_three_retries_are_made():
    """A status that stays becomes the answer after three retries."""
    wire = Script(*[(429, NOW)] * 9)

    _, [exchange] = send(wire)

    assert [429, 4] == [exchange.status, len(wire.sent)]


def test_a_500_is_an_answer():
    """Only 429, 502, 503, 504 and resets are transient."""
    wire = Script(500)

    _, [exchange] = send(wire)

    assert [500, 1] == [exchange.status, len(wire.sent)]


def test_a_connection_that_breaks_before_any_answer_is_retried():
    """A reset without a response head is retried."""
    wire = Script(RESET, 200)

    _, [exchange] = send(wire)

    assert [200, 2] == [exchange.status, len(wire.sent)]


def test_never_more_requests_are_in_flight_than_configured():
    """The concurrency limit holds for everything that is sent."""
    wire = Script(seconds=0.005)

    send(wire, 20, concurrency=3)

    assert 3 == wire.most


def test_the_budget_of_requests_is_never_exceeded():
    """Retries count, and what would exceed the budget is not sent."""
    wire = Script()

    _, found = send(wire, 9, Budget(max_requests=4))

    assert 4 == len(wire.sent)
    assert 5 == sum(isinstance(each, BudgetSpent) for each in found)


def test_a_target_that_stops_answering_ends_the_run():
    """Five transport failures in a row and a dead probe end it; nothing more is sent."""
    refused = Failure(FailureKind.CONNECT, "refused")
    wire = Script(*[refused] * 50)

    made, found = send(wire, 20, concurrency=1)

    assert made.ended is not None
    assert any(isinstance(each, Aborted) for each in found)
    assert 6 == len(wire.sent)


def test_a_live_probe_lets_the_run_go_on():
    """Failures of single requests do not end the run while probes are answered."""
    refused = Failure(FailureKind.CONNECT, "refused")
    wire = Script(*[refused] * 5, 200)

    made, _ = send(wire, 8, concurrency=1)

    assert made.ended is None


@pytest.mark.parametrize(
    ("value", "expected"), [("7", 7.0), ("0", 0.0), (None, None), ("soon", None), ("-1", None)]
)
def test_retry_after_takes_seconds(value, expected):
    """A delay in seconds is read; what is none is ignored."""
    assert expected == retry_after(value)


def test_retry_after_takes_a_date():
    """An HTTP date is a delay from now."""
    found = retry_after(formatdate(time.time() + 30, usegmt=True))

    assert found is not None
    assert 25 < found <= 30
