"""Parts of the catalogue."""

from hypothesis import given
from hypothesis import strategies as st

from conformance.checks.api import MUST, Requirement, Source
from conformance.checks.catalogue import Item
from conformance.engine.sharding import share


async def judge(ctx, case):
    """It holds."""


def items(costs):
    return [
        Item(
            Requirement(f"a.r{n}", MUST, "It holds.", Source("convention", "x"), judge, cost=cost),
            None,
            None,
        )
        for n, cost in enumerate(costs)
    ]


COSTS = st.lists(st.floats(0, 50), max_size=30)


@given(COSTS, st.integers(1, 6))
def test_the_parts_make_up_the_whole(costs, count):
    """Every requirement is judged by exactly one part."""
    parts = [share(items(costs), index, count) for index in range(1, count + 1)]

    assert sorted(f"a.r{n}" for n in range(len(costs))) == sorted(id for p in parts for id in p)


@given(COSTS.filter(bool), st.integers(1, 6), st.randoms())
def test_the_order_of_items_makes_no_difference(costs, count, random):
    """Every machine comes to the same parts."""
    listed = items(costs)
    shuffled = random.sample(listed, len(listed))

    assert share(listed, 1, count) == share(shuffled, 1, count)


@given(COSTS.filter(bool), st.integers(1, 6))
def test_parts_cost_about_the_same(costs, count):
    """No part costs more than the mean and one requirement."""
    loads = [
        sum(1 + costs[int(id[3:])] for id in share(items(costs), index, count))
        for index in range(1, count + 1)
    ]

    assert max(loads) <= sum(loads) / count + max(costs) + 1 + 1e-6
