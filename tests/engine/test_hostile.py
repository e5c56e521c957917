"""Requests that may kill the server: the culprit is named, bystanders are not accused."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.engine.hostile import HostileQueue, Settled
from conformance.engine.sender import Aborted
from conformance.wire.exchange import Exchange, Failure, FailureKind, Request

GONE = Failure(FailureKind.CONNECT, "refused")


class Server:
    """Dies of the requests in ``deadly``; comes back when probed often enough."""

    def __init__(self, deadly, probes_until_back=2):
        self.deadly, self.patience = set(deadly), probes_until_back
        self.down = 0
        self.sent = []

    async def send(self, request, repetition):
        self.sent.append(request.path)
        await asyncio.sleep(0)
        if self.down:
            return Exchange(request, failure=GONE)
        if request.path in self.deadly:
            self.down = self.patience
            return Exchange(request, failure=GONE)
        return Exchange(request, status=400)

    async def alive(self):
        if self.down:
            self.down -= 1
            return False
        return True


def run(server, paths, recovery=0.2, questions=(), repetitions=()):
    lost = []
    asked = list(
        zip(
            [Request("POST", path) for path in paths],
            repetitions or [0] * len(paths),
            questions or [None] * len(paths),
            strict=True,
        )
    )

    async def main():
        queue = HostileQueue(
            server.send, server.alive, lost.append, recovery_seconds=recovery, batch=4
        )
        return await asyncio.gather(*(queue.ask(*each) for each in asked), return_exceptions=True)

    return asyncio.run(main()), lost


@settings(max_examples=20, deadline=None)
@given(st.sets(st.integers(0, 8), max_size=2))
def test_exactly_the_deadly_requests_are_convicted(deadly):
    """Whatever the batches, a request is marked if and only if the server dies of it."""
    paths = [f"/{number}" for number in range(9)]

    found, lost = run(Server({f"/{number}" for number in deadly}), paths)

    assert sorted(deadly) == [n for n, exchange in enumerate(found) if exchange.server_died]
    assert not lost


def test_bystanders_get_their_own_answer():
    """What was lost with the culprit is sent again, one by one."""
    found, _ = run(Server({"/1"}), ["/0", "/1", "/2"])

    assert [400, None, 400] == [exchange.status for exchange in found]


def test_a_harmless_batch_costs_one_probe():
    """No request is sent twice while the server lives."""
    server = Server(set())

    run(server, ["/0", "/1", "/2"])

    assert ["/0", "/1", "/2"] == server.sent


def test_a_server_that_stays_dead_ends_the_run():
    """Without recovery nobody is accused by guess, and the run is told."""
    server = Server({"/0", "/1"}, probes_until_back=10**9)

    found, lost = run(server, ["/0", "/1", "/2"], recovery=0.05)

    assert lost
    assert any(isinstance(each, Aborted) for each in found)


def test_the_only_unanswered_request_of_a_dead_batch_is_the_culprit():
    """When the server does not come back, a sole silent request is still named."""

    class Last(Server):
        async def send(self, request, repetition):
            if request.path != "/2":
                return Exchange(request, status=400)
            self.down = 10**9
            return Exchange(request, failure=GONE)

    found, lost = run(Last(set()), ["/0", "/1", "/2"], recovery=0.05)

    assert found[2].server_died
    assert lost


@pytest.mark.parametrize("count", [1, 4, 5, 11])
def test_every_request_is_answered(count):
    """Batching loses nobody."""
    found, _ = run(Server(set()), [f"/{number}" for number in range(count)])

    assert count == len(found)


def test_one_death_settles_a_question():
    """A server that dies of every case of a requirement is killed once for it, not for each."""
    server = Server({"/0", "/1", "/2", "/3"})

    found, lost = run(server, ["/0", "/1", "/2", "/3"], questions=["a", "a", "a", "b"])

    dead = [each.request.path for each in found if isinstance(each, Exchange) and each.server_died]
    assert ["/0", "/3"] == dead
    assert [Settled, Settled] == [type(each) for each in found[1:3]]
    assert not lost


def test_who_had_an_answer_keeps_it_when_the_culprit_is_found():
    """Nobody is sent again who was answered before the server died of another."""
    server = Server({"/2"})

    found, _ = run(server, ["/0", "/1", "/2", "/3"])

    assert [400, 400, None, 400] == [exchange.status for exchange in found]
    assert 1 == server.sent.count("/0") == server.sent.count("/1")
    assert 2 == server.sent.count("/2")


def test_a_repetition_is_sent_although_its_question_is_settled():
    """What reproduces a failure is asked for because the first one failed."""
    server = Server({"/0"})

    found, _ = run(server, ["/0", "/1", "/0"], questions=["a", "a", "a"], repetitions=[0, 0, 1])

    assert found[2].server_died
