"""Drawing from a model's logits by the shortcut and by the plain formula."""

from __future__ import annotations

import random
from collections import Counter
from math import sqrt

import pytest

from conformance.reference.language_model import Context, LanguageModel
from conformance.reference.sampler import Sampler, SamplingParameters
from conformance.reference.tokenizer import Tokenizer

TOKENIZER = Tokenizer()
MODEL = LanguageModel(TOKENIZER, "test")
SAMPLER = Sampler()
DRAWS = 20_000


@pytest.mark.parametrize("temperature", [0.3, 1.0, 2.0])
@pytest.mark.parametrize("bias", [{}, {400: 100, 401: 99}, {400: 14, 401: -100}], ids=str)
@pytest.mark.parametrize("repeats", [False, True])
def test_tokens_are_drawn_as_often_as_the_softmax_says(
    temperature: float, bias: dict[int, float], repeats: bool
) -> None:
    """Frequencies lie within five standard errors of exact probabilities, for every token."""
    given = SamplingParameters(temperature=temperature, logit_bias=bias)
    context = Context(TOKENIZER.encode("Boil the water water" if repeats else "Boil the water"))
    logits = MODEL.logits(context)
    SAMPLER.adjust(logits, given, frozenset({500}), {501: 2})
    weights = SAMPLER.weights(list(logits), temperature)
    total = sum(weights)

    dice, distribution = random.Random(1), SAMPLER.prepare(logits, given)
    counts = Counter(SAMPLER.draw(distribution, dice) for _ in range(DRAWS))
    for token, weight in enumerate(weights):
        probability = weight / total
        error = sqrt(DRAWS * probability * (1 - probability))
        assert abs(counts[token] - DRAWS * probability) <= 5 * error + 3
