"""The calibrated coin: the edge is found, biases stay in their range, texts are read back."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.checks.api import Undecided
from conformance.checks.coin import WIDEST, Coin, biased, edge_of, tokens_of
from conformance.checks.functions import a_schema
from conformance.checks.oracle import Piece

A, B = Piece(1, " am"), Piece(2, " not")


@given(st.integers(-WIDEST + 3, WIDEST - 3))
def test_the_edge_is_the_least_difference_that_wins(threshold):
    """Doubling and bisection find any threshold, in a number of steps that is logarithmic."""
    asked = []

    async def wins(difference):
        asked.append(difference)
        return difference >= threshold

    found = asyncio.run(edge_of(wins))

    assert threshold == found
    assert len(asked) <= 13


@pytest.mark.parametrize("outcome", [True, False])
def test_a_token_that_always_wins_has_no_edge(outcome):
    """Where no bias within reach changes the winner there is no coin."""

    async def wins(difference):
        return outcome

    assert asyncio.run(edge_of(wins)) is None


@given(st.integers(-60, 60))
def test_biases_differ_by_what_was_asked_and_never_exceed_a_hundred(difference):
    """The greater bias is 100 and the other one less by the difference."""
    bias = biased(A, B, difference)

    assert difference == bias["1"] - bias["2"]
    assert max(bias.values()) == 100


@given(st.integers(-30, 30))
def test_a_flipped_coin_is_the_same_coin(edge):
    """Exchanging the names twice changes nothing; once, the edge is that of the other side."""
    known = Coin("", A, B, edge, {}, 1)

    assert known == known.flipped().flipped()
    assert known.flipped().bias(0) == biased(B, A, 1 - edge)


def test_tokens_are_read_back_from_text():
    """A leading space that a server stripped counts as present."""
    assert [A, B, A] == tokens_of("am not am", A, B)


def test_a_third_token_is_undecided():
    """What is none of the forced tokens says nothing about them."""
    with pytest.raises(Undecided, match="forced together"):
        tokens_of("am perhaps", A, B)


@given(st.integers(0, 500))
def test_drawn_schemas_are_closed(seed):
    """Strict mode asks for schemas whose members are all required, and no others."""
    schema = a_schema(seed)

    assert set(schema["properties"]) == set(schema["required"])
    assert schema["additionalProperties"] is False
