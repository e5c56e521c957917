"""The alpha ledger: how the run's chance of a false alarm is divided.

The chance that a run accuses an honest target by luck in even one place is at most 1e-5. By the
union bound it is enough that the decisions' chances, each times the greatest number of such
decisions in a run on one target, sum to no more. Exact requirements (forced output, arithmetic,
schemas) need no entry: an honest server cannot fail them.

A decision accuses only after *two* independent samples: the first, and the fresh one with which
the engine reproduces a failure. Given whatever happened in the first, the second rejects with
chance ≤ its level, so both do with chance ≤ the product. Each sample is therefore tested at
:func:`level` = √alpha, and the decision as a whole keeps :func:`alpha`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["LEDGER", "RUN_BOUND", "Decision", "alpha", "level"]

#: The whole run's chance of one accusation by luck, per target.
RUN_BOUND = 1e-5


@dataclass(frozen=True, slots=True)
class Decision:
    """One kind of decision: its alpha, the most a run takes on one target, what it decides.

    A requirement judged on several cases takes one decision per case; the number counts
    endpoints × modes × requirements × cases.
    """

    alpha: float
    most: int
    note: str


#: Endpoint and mode combinations of a run: chat and completions, regular and stream.
_PLACES = 4

LEDGER: dict[str, Decision] = {
    "greedy-pair": Decision(
        1e-8,
        60 * _PLACES,
        "two requests that must agree, on output that need not repeat: pairs.pair_design",
    ),
    "coin-fairness": Decision(
        1e-8, 10 * _PLACES, "a coin at temperature 1 shows both sides: coins.chance_one_sided"
    ),
    "temperature-odds": Decision(
        1e-7, 2 * _PLACES, "temperature T divides the log-odds: coins.relation_broken(scale=1/T)"
    ),
    "temperature-fraction": Decision(
        1e-8,
        _PLACES,
        "a temperature between 0 and 1 leaves both sides: coins.chance_one_sided",
    ),
    "top-p-cut": Decision(
        1e-7, 2 * _PLACES, "a wide nucleus keeps the rarer side: coins.chance_one_sided"
    ),
    "bias-shift": Decision(
        1e-7, 2 * _PLACES, "a bias adds to the log-odds: coins.relation_broken(shift=bias)"
    ),
    "n-independence": Decision(
        1e-7,
        2 * _PLACES,
        "the n choices of one request are separate draws: coins.chance_one_sided, exact.runs",
    ),
    "n-vs-single": Decision(
        1e-7, _PLACES, "n choices are distributed as n requests: exact.same_proportion"
    ),
    "stream-vs-regular-coin": Decision(
        1e-7, _PLACES, "both modes sample alike: exact.same_proportion"
    ),
    "penalty-shift": Decision(
        1e-7, 2 * _PLACES, "a penalty takes its value off: coins.relation_broken(shift=-penalty)"
    ),
    "fresh-draws": Decision(
        1e-8, _PLACES, "two requests do not draw the same order: coins.chance_same_order"
    ),
    "default-temperature": Decision(
        1e-7, 2 * _PLACES, "left out is the documented default: exact.same_proportion"
    ),
    "default-top-p": Decision(
        1e-8, _PLACES, "left out is the documented default: exact.same_proportion"
    ),
    "seed-repeat": Decision(
        1e-7, 2 * _PLACES, "one seed repeats more often than two: exact.fisher (never a fail)"
    ),
}


def alpha(name: str) -> float:
    """The chance of a wrong accusation that one decision of this name may have, reproduction
    included. Raises ``KeyError`` for a decision without an entry."""
    return LEDGER[name].alpha


def level(name: str) -> float:
    """The level at which each of the two samples of a decision is tested: √alpha.

    Only for requirements registered with ``exact=False``, whose failure the engine believes after
    one fresh sample fails as well.
    """
    return math.sqrt(LEDGER[name].alpha)
