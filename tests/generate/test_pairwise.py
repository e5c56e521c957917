"""Laws of covering arrays."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.generate.pairwise import covering_array, pairs_of

FACTORS = st.dictionaries(
    st.sampled_from("abcdefg"), st.lists(st.integers(0, 3), min_size=1, max_size=3, unique=True)
)


@settings(max_examples=80, deadline=None)
@given(factors=FACTORS, banned=st.sets(st.tuples(st.sampled_from("abcdefg"), st.integers(0, 3))))
def test_every_allowed_pair_is_in_some_row(
    factors: dict[str, list[int]], banned: set[tuple[str, int]]
) -> None:
    """Covered and refused pairs together are all pairs, and no row breaks the constraint."""

    def allowed(row: Any) -> bool:
        return sum((name, value) in banned for name, value in row.items()) < 2

    rows, refused = covering_array(factors, allowed)

    seen = {
        pair
        for row in rows
        for pair in pairs_of({name: factors[name] for name in row})
        if row[pair[0]] == pair[1] and row[pair[2]] == pair[3]
    }
    values = [{name: factors[name][level] for name, level in row.items()} for row in rows]
    assert set(pairs_of(factors)) == seen | set(refused)
    assert not seen & set(refused)
    assert all(allowed(row) for row in values)


def test_ten_factors_of_two_levels_take_few_rows() -> None:
    """The best known array has six rows; eight are good enough."""
    rows, refused = covering_array({f"p{n}": [0, 1] for n in range(10)}, lambda row: True)

    assert [] == refused
    assert len(rows) <= 8
