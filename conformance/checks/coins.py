"""Two-token coins: what one-token draws between two biased tokens tell about sampling.

Two tokens with logit bias +100 each leave no chance to any third. Integer steps of bias move the
log-odds δ by known amounts, and the step at which greedy output flips from one token to the other
brackets δ = 0: with the flip inside a step of width w, |δ| ≤ w on either side of it. So a coin's
probability is *known to lie in an interval* before anything random was drawn, and no unknown rate
has to be assumed.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from conformance.checks.exact import at_least, lower_bound, same_proportion, upper_bound

__all__ = [
    "chance_one_sided",
    "chance_same_order",
    "coin_interval",
    "draws_for_both_sides",
    "draws_for_relation",
    "draws_for_runs",
    "draws_per_arm",
    "log_odds",
    "probability",
    "relation_broken",
    "transform",
]

#: No sample size beyond this is considered: no budget would pay for it.
MOST = 4096


def probability(delta: float) -> float:
    """The probability whose log-odds are ``delta``."""
    return 1 / (1 + math.exp(-delta)) if delta >= 0 else 1 - 1 / (1 + math.exp(delta))


def log_odds(p: float) -> float:
    """log(p / (1 - p)); infinite at the ends."""
    if p <= 0 or p >= 1:
        return math.copysign(math.inf, p - 0.5)
    return math.log(p) - math.log1p(-p)


def coin_interval(low: float, high: float, temperature: float = 1.0) -> tuple[float, float]:
    """The interval of P(a) for log-odds between ``low`` and ``high`` at temperature 1."""
    return probability(low / temperature), probability(high / temperature)


def chance_one_sided(n: int, low: float, high: float) -> float:
    """The greatest chance that ``n`` draws of a coin with P(a) in [low, high] are all equal.

    p^n + (1-p)^n is convex in p, so its maximum lies at an end of the interval.
    """
    return max(p**n + (1 - p) ** n for p in (low, high)) if n else 1.0


def chance_same_order(n: int, low: float, high: float) -> float:
    """The greatest chance that two series of ``n`` draws of a coin with P(a) in [low, high] are
    equal, draw for draw.

    (p² + (1-p)²)^n is convex in p, so its maximum lies at an end of the interval.
    """
    return max((p * p + (1 - p) * (1 - p)) ** n for p in (low, high))


def draws_for_both_sides(low: float, high: float, alpha: float) -> int:
    """The least n for which an honest coin in [low, high] shows one side only with chance ≤ alpha.

    Raises ``ValueError`` where more than 4,096 draws would be needed.
    """
    return _least(lambda n: chance_one_sided(n, low, high) <= alpha)


def transform(p: float, scale: float, shift: float) -> float:
    """The probability whose log-odds are ``scale`` · log-odds(p) + ``shift`` (``scale`` > 0).

    Temperature T against 1 is scale 1/T; a bias of β more is shift β/T.
    """
    delta = log_odds(p)
    return p if math.isinf(delta) else probability(scale * delta + shift)


def relation_broken(
    hits_a: int,
    n_a: int,
    hits_b: int,
    n_b: int,
    alpha: float,
    *,
    scale: float = 1.0,
    shift: float = 0.0,
) -> bool:
    """Whether two coins contradict log-odds(p_b) = scale · log-odds(p_a) + shift.

    Each of four Clopper-Pearson bounds fails with chance ≤ alpha/4. Where none fails and the
    relation holds, the interval of a, transformed, and the interval of b share the true p_b. So
    disjoint intervals have chance ≤ alpha, whatever p_a is.
    """
    part = alpha / 4
    low = transform(lower_bound(hits_a, n_a, part), scale, shift)
    high = transform(upper_bound(hits_a, n_a, part), scale, shift)
    return upper_bound(hits_b, n_b, part) < low or lower_bound(hits_b, n_b, part) > high


def draws_for_relation(
    p: float, alpha: float, *, scale: float = 1.0, shift: float = 0.0, power: float = 0.9
) -> int:
    """A number of draws (each of a and b) at which a server that ignores the parameter is caught.

    Such a server has p_b = p_a = ``p``; it is caught with chance ≥ ``power`` (two independent
    halves of the miss probability, at the quantiles of both counts).
    """
    miss = (1 - power) / 2

    def caught(n: int) -> bool:
        low_b, high_b = _central(n, p, miss / 2)
        return all(
            relation_broken(a, n, b, n, alpha, scale=scale, shift=shift)
            for a in (low_b, high_b)
            for b in (low_b, high_b)
        )

    return _least(caught)


def draws_per_arm(p_a: float, p_b: float, alpha: float, power: float = 0.9) -> int:
    """A number of draws per sample at which :func:`same_proportion` tells ``p_a`` from ``p_b``
    with chance ≥ ``power``, by the quantiles of both counts."""
    low, high = min(p_a, p_b), max(p_a, p_b)
    miss = (1 - power) / 2

    def told(n: int) -> bool:
        most, least = _central(n, low, miss)[1], _central(n, high, miss)[0]
        return most < least and same_proportion(most, n, least, n) <= alpha

    return _least(told)


def draws_for_runs(alpha: float) -> int:
    """The least even length at which perfect alternation is significant at ``alpha``: the two
    alternating arrangements of n are 2 of C(n, n/2), and the test is two-sided."""
    return 2 * _least(lambda half: 4 / math.comb(2 * half, half) <= alpha)


def _central(n: int, p: float, miss: float) -> tuple[int, int]:
    """Counts (low, high) outside of which X ~ Binomial(n, p) falls with chance ≤ miss a side."""
    high = next(k for k in range(int(n * p), n + 1) if at_least(k + 1, n, p) <= miss)
    low = n - next(k for k in range(int(n * (1 - p)), n + 1) if at_least(k + 1, n, 1 - p) <= miss)
    return low, high


def _least(enough: Callable[[int], bool]) -> int:
    """The least n ≤ 4,096 that is enough, by doubling and bisection.

    Exact power is a saw-tooth in n: where ``enough`` is not monotone, the n found is enough and
    n - 1 is not, but a smaller one may exist.
    """
    high = 1
    while not enough(high):
        high *= 2
        if high > MOST:
            raise ValueError(f"more than {MOST} draws would be needed")
    low = high // 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
