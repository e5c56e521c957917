"""Statistics for checks: one place to import from.

=====================  ===========================================================================
module                 holds
=====================  ===========================================================================
``checks.exact``       valid p-values and bounds for counts: binomial, Fisher, Freeman-Halton, runs
``checks.coins``       two-token coins: intervals known beforehand, relations of log-odds, sizes
``checks.pairs``       interleaved control and treatment pairs, fixed or in stages
``checks.ledger``      how much of the run's error bound each kind of decision may spend
=====================  ===========================================================================

A check tests a sample at ``level(name)`` and raises ``Undecided`` where its sample is too small
for that level; the functions ``draws_…``, ``pairs_needed`` and ``samples_needed`` say how large it
has to be.
"""

from __future__ import annotations

from conformance.checks.coins import (
    chance_one_sided,
    chance_same_order,
    coin_interval,
    draws_for_both_sides,
    draws_for_relation,
    draws_for_runs,
    draws_per_arm,
    log_odds,
    probability,
    relation_broken,
    transform,
)
from conformance.checks.exact import (
    at_least,
    at_most,
    fisher,
    lower_bound,
    runs,
    same_distribution,
    same_proportion,
    upper_bound,
)
from conformance.checks.ledger import LEDGER, RUN_BOUND, Decision, alpha, level
from conformance.checks.pairs import (
    Finding,
    PairDesign,
    interleaved,
    pair_design,
    pairs_needed,
    samples_needed,
    separated,
)

__all__ = [
    "LEDGER",
    "RUN_BOUND",
    "Decision",
    "Finding",
    "PairDesign",
    "alpha",
    "at_least",
    "at_most",
    "chance_one_sided",
    "chance_same_order",
    "coin_interval",
    "draws_for_both_sides",
    "draws_for_relation",
    "draws_for_runs",
    "draws_per_arm",
    "fisher",
    "interleaved",
    "level",
    "log_odds",
    "lower_bound",
    "pair_design",
    "pairs_needed",
    "probability",
    "relation_broken",
    "runs",
    "same_distribution",
    "same_proportion",
    "samples_needed",
    "separated",
    "transform",
    "upper_bound",
]
