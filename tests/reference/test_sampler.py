"""The sampling formulas."""

from __future__ import annotations

import random
from math import exp, isclose, log

from hypothesis import given
from hypothesis import strategies as st

from conformance.reference.sampler import Sampler, SamplingParameters, log_partition

SAMPLER = Sampler()
LOGITS = st.lists(st.floats(-30, 30), min_size=2, max_size=60)


def adjusted(
    logits: list[float], prompt: set[int] = frozenset(), counts: dict[int, int] | None = None, **given: object
) -> list[float]:  # fmt: skip
    changed = list(logits)
    SAMPLER.adjust(changed, SamplingParameters(**given), prompt, counts or {})
    return changed


def drawn(logits: list[float], times: int = 200, **given: object) -> set[int]:
    distribution = SAMPLER.prepare(logits, SamplingParameters(**given))
    dice = random.Random(7)
    return {SAMPLER.draw(distribution, dice) for _ in range(times)}


@given(LOGITS)
def test_neutral_values_change_nothing(logits: list[float]) -> None:
    """Defaults, a bias of 0 and a repetition penalty of 1 leave logits as they are."""
    neutral = adjusted(logits, {0}, {1: 3}, logit_bias={0: 0}, repetition_penalty=1.0)

    assert logits == neutral


def test_bias_is_added() -> None:
    """A bias moves its own token and no other."""
    assert [1.0, 7.0, 3.0] == adjusted([1.0, 2.0, 3.0], logit_bias={1: 5})


def test_repetition_divides_positive_and_multiplies_negative_logits_once() -> None:
    """Each distinct token of prompt and output counts once, however often it occurs."""
    changed = adjusted([4.0, -4.0, 4.0, 4.0], {0, 1}, {0: 5, 2: 1}, repetition_penalty=2.0)

    assert [2.0, -8.0, 2.0, 4.0] == changed


def test_presence_is_flat_and_frequency_grows_with_the_count() -> None:
    """Both look at generated tokens only: the prompt's token 0 keeps its logit."""
    changed = adjusted([0.0, 0.0, 0.0], {0}, {1: 1, 2: 3}, presence_penalty=1, frequency_penalty=2)

    assert [0.0, -3.0, -7.0] == changed


def test_bias_comes_before_the_repetition_penalty() -> None:
    """A biased token of the prompt is divided with its bias."""
    assert [51.0] == adjusted([2.0], {0}, logit_bias={0: 100}, repetition_penalty=2.0)


@given(LOGITS)
def test_temperature_zero_takes_the_most_likely(logits: list[float]) -> None:
    """The first of the greatest logits, at every draw."""
    assert {logits.index(max(logits))} == drawn(logits, 3, temperature=0)


@given(LOGITS, st.floats(1e-300, 2))
def test_weights_have_the_odds_that_the_temperature_gives(
    logits: list[float], temperature: float
) -> None:
    """The odds of two tokens are the exponential of their difference over the temperature."""
    weights = SAMPLER.weights(logits, temperature)
    top = max(weights)

    expected = [exp(max((each - max(logits)) / temperature, -700.0)) for each in logits]
    assert all(isclose(a, b / top, rel_tol=1e-9, abs_tol=1e-300) for a, b in zip(expected, weights, strict=True))  # fmt: skip


@given(LOGITS, st.floats(0, 1))
def test_the_nucleus_is_the_smallest_head_of_that_mass(logits: list[float], top_p: float) -> None:
    """It reaches the mass, one token fewer does not, and nothing outside is likelier."""
    weights = SAMPLER.weights(logits, 1.0)
    total = sum(weights)

    head = SAMPLER.nucleus(weights, top_p, None)
    kept = [weights[token] for token in head]
    rest = [weights[token] for token in range(len(weights)) if token not in head]
    assert kept
    assert sum(kept) >= top_p * total * (1 - 1e-12)
    assert len(kept) == 1 or sum(kept[:-1]) < top_p * total * (1 + 1e-12)
    assert min(kept) >= max(rest, default=0)


def test_top_k_leaves_so_many_and_the_nucleus_is_of_their_mass() -> None:
    """With two of three equal tokens left, half of the mass is one of them."""
    weights = [1.0, 1.0, 1.0]

    assert 2 == len(SAMPLER.nucleus(weights, 1.0, 2))
    assert 1 == len(SAMPLER.nucleus(weights, 0.5, 2))


@given(LOGITS)
def test_a_forced_token_is_always_drawn(logits: list[float]) -> None:
    """+100 beats every natural logit at any temperature."""
    forced = adjusted([each / 2 for each in logits], logit_bias={1: 100})

    assert {1} == drawn(forced, 50, temperature=2.0)


def test_two_tokens_are_drawn_as_often_as_their_odds_say() -> None:
    """A difference of two logits at temperature 1 makes 88 % of one side."""
    distribution = SAMPLER.prepare([2.0, 0.0], SamplingParameters())
    dice = random.Random(1)
    ones = sum(SAMPLER.draw(distribution, dice) for _ in range(20_000))

    assert isclose(ones / 20_000, 1 / (1 + exp(2)), abs_tol=0.012)


@given(LOGITS)
def test_log_probabilities_sum_to_one(logits: list[float]) -> None:
    """Subtracting the log partition from every logit makes probabilities."""
    total = log_partition(logits)

    assert isclose(1.0, sum(exp(each - total) for each in logits), rel_tol=1e-9)
    assert isclose(total, log(sum(map(exp, logits))), rel_tol=1e-9, abs_tol=1e-9)
