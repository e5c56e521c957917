"""Collect once, judge many."""

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.engine.memo import Memo
from conformance.wire.exchange import Delivery, Exchange, Request


def ask(memo, request, repetition, log):
    async def send():
        log.append((request.identity, repetition))
        await asyncio.sleep(0)
        return Exchange(request, id=f"x{len(log)}")

    return memo.get(request, repetition, send)


def test_identical_requests_are_sent_once():
    """Two checks that ask at the same time read the same exchange."""
    log = []

    async def run():
        memo = Memo()
        request = Request("POST", "/x", b"{}")
        return await asyncio.gather(*(ask(memo, request, 0, log) for _ in range(5)))

    found = asyncio.run(run())

    assert 1 == len(log)
    assert 1 == len({exchange.id for exchange in found})


def test_a_repetition_is_always_sent_anew():
    """The repetition number is part of what makes two requests identical."""
    log = []

    async def run():
        memo = Memo()
        request = Request("POST", "/x", b"{}")
        return [await ask(memo, request, number, log) for number in (0, 1, 0, 1)]

    asyncio.run(run())

    assert 2 == len(log)


def test_a_failure_to_send_is_not_remembered():
    """An exchange that could not be had is asked for again."""
    tries = []

    async def run():
        memo = Memo()

        async def send():
            tries.append(1)
            raise RuntimeError("no budget")

        for _ in range(2):
            with pytest.raises(RuntimeError, match="no budget"):
                await memo.get(Request("GET", "/"), 0, send)

    asyncio.run(run())

    assert 2 == len(tries)


REQUESTS = st.builds(
    Request,
    st.sampled_from(["GET", "POST"]),
    st.sampled_from(["/a", "/b"]),
    st.sampled_from([b"", b"{}", b"{ }"]),
    st.sampled_from([(), (("x", "1"),), (("x", None),)]),
    st.sampled_from(["key", "none", "wrong"]),
    st.sampled_from([Delivery(), Delivery(1), Delivery(group="g")]),
)


@given(REQUESTS, REQUESTS)
def test_identity_is_equality_of_everything_that_is_sent(one, other):
    """Same identity means same method, path, body bytes, headers, credential and delivery."""
    assert (one == other) == (one.identity == other.identity)
