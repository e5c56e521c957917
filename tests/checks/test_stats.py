"""Statistics: every bound proved by enumeration, the machinery tried by simulation."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from itertools import combinations, pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.checks import stats
from conformance.checks.stats import (
    LEDGER,
    RUN_BOUND,
    Finding,
    PairDesign,
    at_least,
    at_most,
    chance_one_sided,
    coin_interval,
    draws_for_both_sides,
    draws_for_relation,
    draws_for_runs,
    draws_per_arm,
    fisher,
    interleaved,
    level,
    log_odds,
    lower_bound,
    pair_design,
    pairs_needed,
    probability,
    relation_broken,
    runs,
    same_distribution,
    same_proportion,
    samples_needed,
    separated,
    transform,
    upper_bound,
)

GRID = [each / 20 for each in range(21)]


def mass(k: int, n: int, p: float) -> float:
    """P(X = k) for X ~ Binomial(n, p), by its definition in fractions."""
    q = Fraction(p)
    return float(math.comb(n, k) * q**k * (1 - q) ** (n - k))


def chance(rejects: Callable[[int, int], bool], n: int, m: int, p: float, q: float) -> float:
    """P(rejects(X, Y)) for independent X ~ Binomial(n, p) and Y ~ Binomial(m, q).

    Outcomes of a chance below 1e-12 are left out of large enumerations.
    """
    ours = [(x, mass(x, n, p)) for x in range(n + 1)]
    theirs = [(y, mass(y, m, q)) for y in range(m + 1)]
    least = 1e-12 if n > 20 else 0.0
    return math.fsum(
        px * py for (x, px), (y, py) in product(ours, theirs) if px * py > least and rejects(x, y)
    )


# The ledger


def test_the_ledger_stays_within_the_bound_of_a_run():
    """By the union bound, alpha times the greatest number of decisions sums to at most 1e-5."""
    spent = math.fsum(entry.alpha * entry.most for entry in LEDGER.values())

    assert RUN_BOUND == 1e-5
    assert spent <= RUN_BOUND


def test_two_samples_at_the_level_keep_alpha():
    """A decision accuses only if a sample and its fresh repetition both reject."""
    for name, entry in LEDGER.items():
        assert level(name) ** 2 == pytest.approx(entry.alpha)
        assert entry.alpha == stats.alpha(name)
        assert entry.note


def test_a_decision_without_an_entry_has_no_alpha():
    """Nobody spends what the ledger does not list."""
    with pytest.raises(KeyError):
        stats.alpha("guess")


# Binomial tails and bounds


@given(st.integers(0, 60), st.data(), st.floats(0, 1))
@settings(deadline=None)
def test_tails_are_those_of_the_definition(n: int, data: st.DataObject, p: float):
    """Both tails agree with exact fractions to 1e-11, relative where they are small."""
    k = data.draw(st.integers(-1, n + 1))

    below = math.fsum(mass(each, n, p) for each in range(min(k, n) + 1))
    above = math.fsum(mass(each, n, p) for each in range(max(k, 0), n + 1))

    assert at_most(k, n, p) == pytest.approx(below, rel=1e-11, abs=1e-15)
    assert at_least(k, n, p) == pytest.approx(above, rel=1e-11, abs=1e-15)


def test_small_tails_keep_their_relative_precision():
    """A chance of 1e-30 is not rounded to nothing."""
    p = Fraction(1, 2)
    exact = sum(math.comb(1000, k) for k in range(201)) * p**1000

    assert at_most(200, 1000, 0.5) == pytest.approx(float(exact), rel=1e-11)


@pytest.mark.parametrize("alpha", [0.1, 0.01, 1e-4])
@pytest.mark.parametrize("n", [1, 2, 7, 12])
def test_a_proportion_exceeds_its_upper_bound_with_chance_alpha_at_most(n: int, alpha: float):
    """Clopper-Pearson covers for every p; enumerated over all outcomes."""
    bounds = [upper_bound(k, n, alpha) for k in range(n + 1)]

    assert bounds == sorted(bounds)
    for p in [*GRID, *(each - 1e-6 for each in bounds), *(each + 1e-6 for each in bounds)]:
        if 0 <= p <= 1:
            missed = math.fsum(mass(k, n, p) for k in range(n + 1) if bounds[k] < p)
            assert missed <= alpha * (1 + 1e-9)


@given(st.integers(1, 40), st.data(), st.sampled_from([0.1, 1e-3, 1e-5]))
@settings(deadline=None)
def test_the_estimate_lies_between_its_bounds(n: int, data: st.DataObject, alpha: float):
    """Lower bound ≤ k/n ≤ upper bound."""
    k = data.draw(st.integers(0, n))

    assert lower_bound(k, n, alpha) <= k / n <= upper_bound(k, n, alpha)


def test_no_event_in_fifty_bounds_the_rate():
    """Zero of 50: at most .129 at 99.9 %; zero of 200: at most .034."""
    assert round(upper_bound(0, 50, 1e-3), 3) == 0.129
    assert round(upper_bound(0, 200, 1e-3), 3) == 0.034


# Two samples of hits


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 3), (4, 2), (3, 5)])
def test_fisher_counts_the_ways_to_deal_the_hits(n: int, m: int):
    """The closed form equals the share of all arrangements with as many hits in b or more."""
    for a, b in product(range(n + 1), range(m + 1)):
        deals = list(combinations(range(n + m), a + b))
        extreme = sum(sum(place >= n for place in deal) >= b for deal in deals)

        assert fisher(a, n, b, m) == pytest.approx(extreme / len(deals), rel=1e-12)


@pytest.mark.parametrize(("n", "m"), [(3, 3), (4, 2), (2, 5)])
def test_the_two_sided_test_counts_the_tables_no_likelier(n: int, m: int):
    """The closed form equals an enumeration of all deals, ties included."""
    for a, b in product(range(n + 1), range(m + 1)):
        tables = Counter(
            sum(place >= n for place in deal) for deal in combinations(range(n + m), a + b)
        )
        extreme = sum(ways for ways in tables.values() if ways <= tables[b])

        expected = extreme / sum(tables.values())
        assert same_proportion(a, n, b, m) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("alpha", [0.1, 0.01])
@pytest.mark.parametrize("test", [fisher, same_proportion])
def test_an_honest_server_is_rejected_with_chance_alpha_at_most(test, alpha: float):
    """For every unknown rate; enumerated over all outcomes of 7 and 7 trials."""
    rejected = {(a, b): test(a, 7, b, 7) <= alpha for a, b in product(range(8), range(8))}

    assert any(rejected.values())
    for p in GRID:
        assert chance(lambda a, b: rejected[a, b], 7, 7, p, p) <= alpha


@pytest.mark.parametrize(
    ("controls", "treatments", "n", "p"),
    [(0, 7, 7, 2.9e-4), (0, 9, 9, 2.1e-5), (0, 12, 12, 3.7e-7), (2, 12, 12, 3.4e-5)],
)
def test_the_published_figures_of_separation(controls: int, treatments: int, n: int, p: float):
    """Full separation of 7, 9 and 12, and two stray controls of 12."""
    assert fisher(controls, n, treatments, n) == pytest.approx(p, rel=0.03)


def test_pairs_separate_only_where_the_control_repeats():
    """A server that differs from itself half of the time can be accused of nothing."""
    assert separated(0, 8, 8, 8, 1e-4)
    assert not separated(0, 7, 7, 7, 1e-4)
    assert not separated(20, 40, 40, 40, 1e-2)
    assert separated(19, 40, 40, 40, 1e-2)
    assert not separated(0, 0, 5, 5, 1.0)


# Samples of arbitrary values


@given(st.text("abc", min_size=1, max_size=4), st.text("abc", min_size=1, max_size=4))
@settings(deadline=None, max_examples=60)
def test_the_distribution_test_counts_all_splits(a: str, b: str):
    """The counted p-value equals a listing of every split, weighed by its table."""
    pool = a + b

    def tables() -> Counter[tuple[tuple[str, int], ...]]:
        splits = combinations(range(len(pool)), len(a))
        return Counter(tuple(sorted(Counter(pool[at] for at in each).items())) for each in splits)

    found = tables()
    seen = found[tuple(sorted(Counter(a).items()))]
    expected = sum(ways for ways in found.values() if ways <= seen) / sum(found.values())

    assert same_distribution(a, b) == pytest.approx(expected, rel=1e-12)


def test_constant_samples_separate_and_unrepeatable_ones_never_do():
    """N against N equal values is 2 / C(2N, N); values that never repeat tell nothing."""
    assert same_distribution("a" * 9, "b" * 9) == pytest.approx(2 / math.comb(18, 9))
    assert same_distribution("aaaa", "aaaa") == 1.0
    assert same_distribution("abcdefgh", "ijklmnop") == 1.0


# Runs


@pytest.mark.parametrize("n", range(1, 11))
def test_runs_are_counted_over_all_arrangements(n: int):
    """The closed form equals an enumeration of all arrangements with as many ones."""

    def count(bits: tuple[bool, ...]) -> int:
        return 1 + sum(x != y for x, y in pairwise(bits))

    every = list(product((False, True), repeat=n))
    by_ones: dict[int, list[int]] = {}
    for bits in every:
        by_ones.setdefault(sum(bits), []).append(count(bits))
    for bits in every:
        counts = by_ones[sum(bits)]
        few = sum(each <= count(bits) for each in counts) / len(counts)
        many = sum(each >= count(bits) for each in counts) / len(counts)
        expected = 1.0 if sum(bits) in (0, n) else min(1.0, 2 * min(few, many))

        assert runs(bits) == pytest.approx(expected, rel=1e-12)


def test_alternation_is_significant_from_the_stated_length_on():
    """The least length at which a strict pattern can be told from draws."""
    n = draws_for_runs(1e-3)

    assert runs([bool(at % 2) for at in range(n)]) <= 1e-3
    assert runs([bool(at % 2) for at in range(n - 2)]) > 1e-3


# Coins


@pytest.mark.parametrize(
    ("n", "p", "figure"),
    [(24, 0.5, 1.2e-7), (32, 0.7, 1.1e-5), (64, 0.8, 6.3e-7), (128, 0.9, 1.4e-6)],
)
def test_the_published_figures_of_one_sided_coins(n: int, p: float, figure: float):
    """P(all N equal) for a known coin."""
    assert chance_one_sided(n, p, p) == pytest.approx(figure, rel=0.05)


@given(st.integers(1, 40), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1))
def test_the_ends_of_an_interval_bound_every_coin_in_it(n: int, p: float, q: float, at: float):
    """p^n + (1-p)^n is convex."""
    low, high = min(p, q), max(p, q)
    inside = min(high, max(low, low + at * (high - low)))

    assert inside**n + (1 - inside) ** n <= chance_one_sided(n, low, high) + 1e-12


@pytest.mark.parametrize("name", ["coin-fairness", "top-p-cut", "n-independence"])
def test_the_draws_for_both_sides_are_the_least(name: str):
    """One draw fewer would not reach the level."""
    low, high = coin_interval(-1, 1)

    n = draws_for_both_sides(low, high, level(name))

    assert chance_one_sided(n, low, high) <= level(name) < chance_one_sided(n - 1, low, high)
    assert n <= 30


def test_a_coin_that_may_be_one_sided_is_undecidable():
    """No number of draws helps where P(a) may be 1."""
    with pytest.raises(ValueError, match="more than 4096 draws"):
        draws_for_both_sides(0.5, 1.0, 1e-2)


@given(st.floats(-30, 30), st.floats(0.25, 4), st.floats(-3, 3))
def test_relations_act_on_log_odds(delta: float, scale: float, shift: float):
    """Temperature scales them, bias shifts them."""
    p = probability(delta)

    assert log_odds(p) == pytest.approx(delta, abs=1e-2)
    assert transform(p, scale, shift) == pytest.approx(
        probability(scale * log_odds(p) + shift), rel=1e-9
    )
    assert transform(1.0, scale, shift) == 1.0


@pytest.mark.parametrize(("scale", "shift"), [(0.5, 0.0), (2.0, 0.0), (1.0, 2.0), (1.0, -1.0)])
def test_a_relation_that_holds_is_rejected_with_chance_alpha_at_most(scale: float, shift: float):
    """For every coin; enumerated over all outcomes of 14 and 10 draws."""
    alpha = 0.05
    broken = {
        (a, b): relation_broken(a, 14, b, 10, alpha, scale=scale, shift=shift)
        for a, b in product(range(15), range(11))
    }

    assert any(broken.values())
    for p in GRID:
        q = transform(p, scale, shift)
        assert chance(lambda a, b: broken[a, b], 14, 10, p, q) <= alpha


@pytest.mark.parametrize(("p", "scale", "shift"), [(0.27, 1.0, 2.0), (0.88, 0.25, 0.0)])
def test_a_server_that_ignores_the_parameter_is_caught_nine_times_of_ten(
    p: float, scale: float, shift: float
):
    """Power at the stated number of draws, enumerated at alpha 1e-2."""
    n = draws_for_relation(p, 1e-2, scale=scale, shift=shift)

    power = chance(
        lambda a, b: relation_broken(a, n, b, n, 1e-2, scale=scale, shift=shift), n, n, p, p
    )

    assert n <= 150
    assert power >= 0.9


@pytest.mark.parametrize(("p", "q"), [(0.5, 1.0), (0.2, 0.8), (0.5, 0.9)])
def test_two_proportions_are_told_apart_nine_times_of_ten(p: float, q: float):
    """Power at the stated number of draws, enumerated at alpha 1e-2."""
    n = draws_per_arm(p, q, 1e-2)

    assert n <= 70
    assert chance(lambda a, b: same_proportion(a, n, b, n) <= 1e-2, n, n, p, q) >= 0.9


# Pairs in stages


def stopped(design: PairDesign, order: tuple[bool, ...]) -> Finding:
    """What a design ends with on outcomes: the first half controls, the second treatments."""
    half = len(order) // 2
    return design.judge(order[:half], order[half:])


@pytest.mark.parametrize(
    "design",
    [PairDesign((4,), 0.05), PairDesign((1, 2, 4), 0.2), PairDesign((2, 3, 5), 0.1)],
    ids=str,
)
def test_the_error_of_a_design_is_that_of_all_arrangements(design: PairDesign):
    """For each number of differing pairs, every arrangement is judged; the worst share counts."""
    total = 2 * design.looks[-1]
    found: dict[int, Counter[Finding]] = {}
    for order in product((False, True), repeat=total):
        found.setdefault(sum(order), Counter())[stopped(design, order)] += 1

    worst = max(each[Finding.DIFFERENT] / each.total() for each in found.values())

    assert worst > 0
    assert design.error == pytest.approx(worst, rel=1e-12)


@pytest.mark.parametrize("alpha", [0.05, 1e-2, 1e-3, 1e-4, 1e-6])
def test_a_design_keeps_its_alpha(alpha: float):
    """And still accuses at the first look at which full separation is significant."""
    design = pair_design(alpha)

    assert design.error <= alpha
    n = pairs_needed(alpha)
    assert design.judge([False] * n, [True] * n) is Finding.DIFFERENT


def test_the_sizes_are_the_least():
    """1 / C(2N, N) for pairs, 2 / C(2N, N) for samples."""
    for alpha in (0.05, 1e-3, 1e-5):
        n, m = pairs_needed(alpha), samples_needed(alpha)

        assert fisher(0, n, n, n) <= alpha < fisher(0, n - 1, n - 1, n - 1)
        assert same_distribution("a" * m, "b" * m) <= alpha
        assert same_distribution("a" * (m - 1), "b" * (m - 1)) > alpha
    assert pairs_needed(level("greedy-pair")) == 8
    assert samples_needed(level("greedy-pair")) == 9


def run(design: PairDesign, control: Callable[[], bool], treatment: Callable[[], bool]):
    """The finding of a design on a server, and the pairs it took, the opening one included."""
    controls: list[bool] = []
    treatments: list[bool] = []
    if design.judge([], [treatment()]) is Finding.SAME:
        return Finding.SAME, 1
    while (finding := design.judge(controls, treatments)) is Finding.MORE:
        look = design.next_look(len(controls))
        assert look is not None
        controls += [control() for _ in range(look - len(controls))]
        treatments += [treatment() for _ in range(look - len(treatments))]
    return finding, 1 + len(controls) + len(treatments)


def test_a_repeatable_honest_server_costs_one_pair():
    """Most runs end after the first treatment pair, before any control."""
    design = pair_design(level("greedy-pair"))

    assert run(design, lambda: False, lambda: False) == (Finding.SAME, 1)


def test_a_broken_server_is_accused_at_the_least_size():
    """Always different against never different: 8 pairs of each kind at level 1e-4."""
    design = pair_design(level("greedy-pair"))

    assert run(design, lambda: False, lambda: True) == (Finding.DIFFERENT, 17)


def test_an_unrepeatable_server_is_never_accused():
    """Where answers never repeat, nothing can be told: not even that all is well."""
    design = pair_design(1e-2)

    assert run(design, lambda: True, lambda: True) == (Finding.UNREPEATABLE, 11)


@pytest.mark.parametrize("rate", [0.1, 0.3, 0.5])
def test_simulated_honest_servers_are_accused_within_the_bound(rate: float):
    """4,000 servers of a given rate at alpha 1e-2: more than 77 accusations have chance < 1e-7."""
    source, design = random.Random(round(rate * 10)), pair_design(1e-2)

    def differs() -> bool:
        return source.random() < rate

    accused = sum(run(design, differs, differs)[0] is Finding.DIFFERENT for _ in range(4000))

    assert at_least(78, 4000, 1e-2) < 1e-7
    assert accused <= 77


def test_simulated_broken_servers_are_caught():
    """Treatments differ always, controls one time in ten: caught nine times of ten at 1e-4."""
    source, design = random.Random(0), pair_design(1e-4)

    caught = sum(
        run(design, lambda: source.random() < 0.1, lambda: True)[0] is Finding.DIFFERENT
        for _ in range(500)
    )

    assert caught >= 450


@given(st.lists(st.booleans(), max_size=40), st.lists(st.booleans(), max_size=40))
def test_a_finding_never_changes_with_more_pairs(controls: list[bool], treatments: list[bool]):
    """Once a design has stopped at a look, later pairs do not speak."""
    design = pair_design(1e-2)
    n = min(len(controls), len(treatments))
    first = design.judge(controls[:n], treatments[:n])

    later = design.judge([*controls, True], [*treatments, True])

    if first not in (Finding.MORE, Finding.SAME):
        assert later is first


@given(st.integers(0, 20), st.integers(0, 20), st.integers())
def test_the_order_of_sending_holds_each_pair_once(controls: int, treatments: int, seed: int):
    """A shuffle, the same for the same seed."""
    order = interleaved(controls, treatments, seed)

    assert Counter({False: controls, True: treatments}) == Counter(order)
    assert interleaved(controls, treatments, seed) == order


def test_the_facade_names_what_it_exports():
    """__all__ is sorted and complete."""
    assert all(hasattr(stats, name) for name in stats.__all__)
    assert len(stats.__all__) == len(set(stats.__all__))
