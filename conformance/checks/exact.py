"""Exact tests of counts, in pure Python.

Every p-value here is *valid*: on a server for which the null hypothesis holds, the chance of a
p-value ≤ α is at most α, for every α, every sample size and every unknown rate. Nothing rests on
a normal approximation. Sums over integers are exact until the last conversion to ``float``
(relative error ≤ 2⁻⁵²); tails of the binomial below one half have a relative error under 1e-11 for
n ≤ 4,096 (a logarithm of size ≤ 4096·|log p| and as many products, of 2⁻⁵³ each).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Hashable, Sequence
from fractions import Fraction
from functools import lru_cache
from itertools import pairwise

__all__ = [
    "at_least",
    "at_most",
    "fisher",
    "lower_bound",
    "runs",
    "same_distribution",
    "same_proportion",
    "upper_bound",
]

#: Added to a bound found by bisection, so that rounding errs outwards.
_SLACK = 1e-9


def at_most(k: int, n: int, p: float) -> float:
    """P(X ≤ k) for X ~ Binomial(n, p)."""
    return _tail(k, n, p, 1.0 - p)


def at_least(k: int, n: int, p: float) -> float:
    """P(X ≥ k) for X ~ Binomial(n, p): at most n - k misses."""
    return _tail(n - k, n, 1.0 - p, p)


def _tail(k: int, n: int, p: float, q: float) -> float:
    """P(X ≤ k) for hits of chance ``p`` and misses of chance ``q``, neither rounded away."""
    if k < 0:
        return 0.0
    if k >= n:
        return 1.0
    if p <= 0.0 or q <= 0.0:
        return float(p <= 0.0)
    return _falling(k, n, p, q) if k < n * p else 1.0 - _falling(n - k - 1, n, q, p)


def _falling(k: int, n: int, p: float, q: float) -> float:
    """P(X ≤ k) for k < n·p, where the terms fall from k down to 0.

    Each term follows from the one before by the ratio j / (n - j + 1) · q / p < 1; what is left
    out when a term no longer counts is below n · 2⁻⁶⁰ of the sum.
    """
    if k < 0:
        return 0.0
    first = math.log(math.comb(n, k)) + k * _log(p, q) + (n - k) * _log(q, p)
    term = 1.0
    terms = [term]
    for j in range(k, 0, -1):
        term *= j / (n - j + 1) * (q / p)
        if term < 2.0**-60:
            break
        terms.append(term)
    return min(1.0, math.exp(first) * math.fsum(terms))


def _log(p: float, q: float) -> float:
    """log(p), from its complement where that is the more precise of the two."""
    return math.log(p) if p < 0.5 else math.log1p(-q)


@lru_cache(maxsize=4096)
def upper_bound(k: int, n: int, alpha: float) -> float:
    """The Clopper-Pearson upper bound of a proportion after ``k`` hits in ``n``.

    The true proportion p exceeds it with chance ≤ ``alpha``: it does so only if k is so small
    that P(X ≤ k | p) < alpha, and the k for which that holds have that total probability.
    """
    if k >= n:
        return 1.0
    low, high = k / n, 1.0
    while high - low > _SLACK / 4:
        middle = (low + high) / 2
        low, high = (low, middle) if at_most(k, n, middle) < alpha else (middle, high)
    return min(1.0, high + _SLACK)


def lower_bound(k: int, n: int, alpha: float) -> float:
    """The Clopper-Pearson lower bound, by symmetry of hits and misses."""
    return 1.0 - upper_bound(n - k, n, alpha)


def _hypergeometric(hits_a: int, n_a: int, hits_b: int, n_b: int) -> Fraction:
    """P(the ``hits_a + hits_b`` hits fall so), for hits dealt at random to both samples."""
    ways = math.comb(n_a, hits_a) * math.comb(n_b, hits_b)
    return Fraction(ways, math.comb(n_a + n_b, hits_a + hits_b))


def fisher(hits_a: int, n_a: int, hits_b: int, n_b: int) -> float:
    """Fisher's exact one-sided test: the chance that sample b has ``hits_b`` hits or more.

    Given the total number of hits, and if all n_a + n_b trials are exchangeable, the hits are
    dealt like cards. Valid conditionally on the total, hence unconditionally, for every unknown
    rate (R. A. Fisher, *The Design of Experiments*, 1935, §11).
    """
    total = hits_a + hits_b
    most = min(total, n_b)
    tail = (_hypergeometric(total - b, n_a, b, n_b) for b in range(hits_b, most + 1))
    return float(sum(tail, Fraction(0)))


def same_proportion(hits_a: int, n_a: int, hits_b: int, n_b: int) -> float:
    """Fisher's exact two-sided test of equal proportions.

    Sums all tables with the same margins that are no likelier than the one seen; likelihoods are
    compared as fractions, so that ties are ties.
    """
    total = hits_a + hits_b
    seen = _hypergeometric(hits_a, n_a, hits_b, n_b)
    tables = (
        _hypergeometric(total - b, n_a, b, n_b)
        for b in range(max(0, total - n_a), min(total, n_b) + 1)
    )
    return float(sum((each for each in tables if each <= seen), Fraction(0)))


def same_distribution(a: Sequence[Hashable], b: Sequence[Hashable]) -> float:
    """The Freeman-Halton exact test that two samples of arbitrary values have one distribution.

    Given the pooled values, and if all are exchangeable, each split into samples of these sizes
    is equally likely. The p-value sums the splits whose table is no likelier than the one seen.
    Full separation of n against n equal values gives 2 / C(2n, n); all values distinct gives 1.

    The splits are not listed but counted: value by value, over how many of it went to ``a`` and
    the number of ways so far.
    """
    in_a, pooled = Counter(a), Counter(a) + Counter(b)
    seen = math.prod(math.comb(count, in_a[value]) for value, count in pooled.items())
    ways: dict[tuple[int, int], int] = {(0, 1): 1}  # (taken, weight) -> number of tables
    for count in pooled.values():
        following: Counter[tuple[int, int]] = Counter()
        for (taken, weight), tables in ways.items():
            for more in range(min(count, len(a) - taken) + 1):
                following[taken + more, weight * math.comb(count, more)] += tables
        ways = dict(following)
    extreme = sum(
        weight * tables
        for (taken, weight), tables in ways.items()
        if taken == len(a) and weight <= seen
    )
    return float(Fraction(extreme, math.comb(len(a) + len(b), len(a))))


def runs(sequence: Sequence[bool]) -> float:
    """The exact two-sided runs test that the order of a binary sequence carries no pattern.

    Given the numbers of both values, each arrangement is equally likely for independent draws.
    Twice the smaller tail of the number of runs (A. Wald and J. Wolfowitz, *Ann. Math. Statist.*
    11, 1940); 1 for a constant sequence, which has no order to speak of.
    """
    ones = sum(map(bool, sequence))
    zeros = len(sequence) - ones
    if not ones or not zeros:
        return 1.0
    seen = 1 + sum(bool(x) != bool(y) for x, y in pairwise(sequence))
    ways = {count: _arrangements(count, ones, zeros) for count in range(2, len(sequence) + 1)}
    few = sum(number for count, number in ways.items() if count <= seen)
    many = sum(number for count, number in ways.items() if count >= seen)
    return min(1.0, float(Fraction(2 * min(few, many), math.comb(len(sequence), ones))))


def _arrangements(count: int, ones: int, zeros: int) -> int:
    """How many arrangements have ``count`` runs: both values are cut into runs alternately."""
    half, odd = divmod(count, 2)

    def cut(items: int, pieces: int) -> int:
        return math.comb(items - 1, pieces - 1) if pieces else 0

    if not odd:
        return 2 * cut(ones, half) * cut(zeros, half)
    return cut(ones, half + 1) * cut(zeros, half) + cut(ones, half) * cut(zeros, half + 1)
