"""Covering arrays of strength two: every two levels of every two factors in some row.

Greedy, one row at a time, the best of a few candidates, without randomness (the idea of AETG:
Cohen, Dalal, Fredman, Patton 1997). A pair that the constraint forbids is reported, not dropped
silently.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import combinations
from typing import Any, TypeAlias

__all__ = ["Pair", "covering_array", "pairs_of"]

#: (factor, level index, other factor, level index), the factors in their order.
Pair: TypeAlias = tuple[str, int, str, int]
Factors: TypeAlias = Mapping[str, Sequence[Any]]
#: Rows tried for each row taken.
CANDIDATES = 24


def pairs_of(factors: Factors) -> list[Pair]:
    """Every pair of levels of two different factors, in the order of the factors."""
    return [
        (one, i, other, j)
        for one, other in combinations(factors, 2)
        for i in range(len(factors[one]))
        for j in range(len(factors[other]))
    ]


def covering_array(
    factors: Factors, allowed: Callable[[Mapping[str, Any]], bool]
) -> tuple[list[dict[str, int]], list[Pair]]:
    """Rows (level index by factor) that cover every allowed pair, and the pairs left out.

    ``allowed`` judges a partial row of values. A factor for which no level is allowed beside the
    others is absent from that row.
    """
    search = _Search(factors, allowed)
    rows: list[dict[str, int]] = []
    while search.missing:
        starts = list(search.missing)[:: max(1, len(search.missing) // CANDIDATES)]
        best = max((search.row(start) for start in starts), key=search.gain)
        rows.append({name: best[name] for name in factors if name in best})
        for pair in search.covered(best):
            search.missing.pop(pair, None)
    return rows, search.refused


class _Search:
    def __init__(self, factors: Factors, allowed: Callable[[Mapping[str, Any]], bool]) -> None:
        self.factors, self.allowed = factors, allowed
        self.place = {name: index for index, name in enumerate(factors)}
        everything = pairs_of(factors)
        self.refused = [pair for pair in everything if not self.may(dict(_halves(pair)))]
        self.missing = dict.fromkeys(everything)  # a set that keeps its order
        for pair in self.refused:
            del self.missing[pair]

    def may(self, row: Mapping[str, int]) -> bool:
        """Whether the constraint allows the partial ``row``."""
        return self.allowed({name: self.factors[name][level] for name, level in row.items()})

    def pair(self, one: str, i: int, other: str, j: int) -> Pair:
        """The pair with its factors in their order."""
        return (one, i, other, j) if self.place[one] < self.place[other] else (other, j, one, i)

    def covered(self, row: Mapping[str, int]) -> list[Pair]:
        """The pairs in ``row``."""
        return [self.pair(one, row[one], other, row[other]) for one, other in combinations(row, 2)]

    def gain(self, row: Mapping[str, int]) -> int:
        """How many missing pairs ``row`` covers."""
        return sum(pair in self.missing for pair in self.covered(row))

    def row(self, start: Pair) -> dict[str, int]:
        """A full row that holds the pair ``start``."""
        row = dict(_halves(start))
        for name in self.factors:
            if name not in row:
                self.extend(row, name)
        return row

    def extend(self, row: dict[str, int], name: str) -> None:
        """Add the allowed level of ``name`` that covers most, now and later."""

        def worth(level: int) -> tuple[int, int]:
            now = sum(self.pair(name, level, other, row[other]) in self.missing for other in row)
            later = sum(
                self.pair(name, level, other, j) in self.missing
                for other in self.factors
                if other not in row and other != name
                for j in range(len(self.factors[other]))
            )
            return (-now, -later)

        for level in sorted(range(len(self.factors[name])), key=worth):
            if self.may({**row, name: level}):
                row[name] = level
                return


def _halves(pair: Pair) -> tuple[tuple[str, int], tuple[str, int]]:
    return (pair[0], pair[1]), (pair[2], pair[3])
