"""From raw logits to one token: the sampling formulas, each in its own function.

The order is the one the documentation of open inference engines gives:

1. ``logit_bias`` is added to the logits ("added to the logits … prior to sampling");
2. repetition penalty (CTRL, arXiv:1909.05858 §4.1, in the form of Hugging Face's
   ``RepetitionPenaltyLogitsProcessor``): for each distinct token of prompt and output, a positive
   logit is divided, a negative one multiplied;
3. presence and frequency penalties: ``mu[j] - c[j] * frequency - (c[j] > 0) * presence`` where
   ``c[j]`` counts *generated* tokens only;
4. temperature divides; 0 means the most likely token;
5. nucleus (arXiv:1904.09751): the smallest head whose mass reaches ``top_p``; always one token.

Log probabilities are those of the raw logits: no parameter changes them.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from heapq import nlargest
from itertools import accumulate, repeat
from math import exp, inf, log
from operator import sub, truediv
from typing import NamedTuple

from conformance.reference.logits import Logits, Mixture

__all__ = ["Distribution", "Sampler", "SamplingParameters", "log_partition"]


_EXPONENT = 600.0  # e^±600 is a float with room to spare for sums


@dataclass(frozen=True, slots=True)
class SamplingParameters:
    """How to choose. Defaults are neutral; temperature and top_p default to 1."""

    temperature: float = 1.0
    top_p: float = 1.0
    top_k: int | None = None  # no documented parameter: some engines have a hidden one
    min_p: float = 0.0  # likewise
    presence_penalty: float = 0.0
    frequency_penalty: float = 0.0
    repetition_penalty: float = 1.0
    logit_bias: Mapping[int, float] = field(default_factory=dict)


class Distribution(NamedTuple):
    """Tokens (``None``: all of them) and the running sums of their weights."""

    tokens: tuple[int, ...] | None
    sums: Sequence[float]


def log_partition(logits: list[float]) -> float:
    """The log of the partition sum: subtract it from a logit to get its log probability."""
    highest = max(logits)
    return highest + log(sum(map(exp, map(sub, logits, repeat(highest)))))


class Sampler:
    """Chooses tokens. Stateless: what was generated is handed in."""

    def adjust(
        self,
        logits: list[float],
        parameters: SamplingParameters,
        prompt: Collection[int],
        counts: Mapping[int, int],
    ) -> None:
        """Apply bias and penalties to ``logits`` in place.

        ``prompt`` are the distinct prompt tokens; ``counts`` how often each token was generated.
        """
        if parameters.logit_bias:
            self.add_bias(logits, parameters.logit_bias)
        if parameters.repetition_penalty != 1.0:
            self.penalise_repetition(logits, parameters.repetition_penalty, prompt, counts)
        if parameters.presence_penalty or parameters.frequency_penalty:
            self.penalise_generated(
                logits, parameters.presence_penalty, parameters.frequency_penalty, counts
            )

    def add_bias(self, logits: list[float], bias: Mapping[int, float]) -> None:
        """Add each bias to its token's logit."""
        for token, value in bias.items():
            logits[token] += value

    def penalise_repetition(
        self,
        logits: list[float],
        penalty: float,
        prompt: Collection[int],
        counts: Mapping[int, int],
    ) -> None:
        """Once for each distinct token of prompt and output: divide if positive, else multiply."""
        for token in {*prompt, *counts}:
            value = logits[token]
            logits[token] = value / penalty if value > 0 else value * penalty

    def penalise_generated(
        self, logits: list[float], presence: float, frequency: float, counts: Mapping[int, int]
    ) -> None:
        """Subtract ``presence`` once, ``frequency`` for every time a token was generated."""
        for token, count in counts.items():
            logits[token] -= presence + frequency * count

    def prepare(
        self, logits: list[float], parameters: SamplingParameters
    ) -> Distribution | Mixture:
        """What to draw from, given adjusted ``logits``."""
        if parameters.temperature == 0:
            return Distribution((self.most_likely(logits),), (1.0,))
        if parameters.min_p:
            logits = self.without_unlikely(logits, parameters.min_p)
        if isinstance(logits, Logits) and parameters.top_p >= 1 and not parameters.top_k:
            mixture = logits.mixture(parameters.temperature)
            if mixture is not None:
                return mixture
        weights = self.weights(logits, parameters.temperature)
        if parameters.top_p >= 1 and not parameters.top_k:
            return Distribution(None, list(accumulate(weights)))
        head = self.nucleus(weights, parameters.top_p, parameters.top_k)
        return Distribution(head, tuple(accumulate(weights[token] for token in head)))

    def without_unlikely(self, logits: list[float], share: float) -> list[float]:
        """``logits`` in which what is below ``share`` of the likeliest token can never come."""
        least = max(logits) + log(share)
        return [logit if logit >= least else -inf for logit in logits]

    def most_likely(self, logits: list[float]) -> int:
        """The first token with the highest logit."""
        return logits.index(max(logits))

    def weights(self, logits: list[float], temperature: float) -> list[float]:
        """Unnormalised probabilities at ``temperature`` > 0."""
        highest = max(logits)
        if temperature == 1 and -_EXPONENT < highest < _EXPONENT:
            return list(map(exp, logits))
        return list(map(exp, map(truediv, map(sub, logits, repeat(highest)), repeat(temperature))))

    def nucleus(self, weights: list[float], top_p: float, top_k: int | None) -> tuple[int, ...]:
        """The most likely tokens, fewest first: at most ``top_k``, then of mass ``top_p``.

        Tokens below ``(1 - top_p) / len(weights)`` of the mass have at most ``1 - top_p`` of it
        together, so the nucleus is found among the others.
        """
        if top_k and top_k < len(weights):
            ranked = nlargest(top_k, range(len(weights)), key=weights.__getitem__)
        else:
            least = (1 - top_p) * sum(weights) / len(weights)
            ranked = [token for token, weight in enumerate(weights) if weight >= least]
            ranked.sort(key=weights.__getitem__, reverse=True)
            ranked = ranked or [weights.index(max(weights))]
        total = sum(weights) if len(ranked) != top_k else sum(weights[token] for token in ranked)
        masses = list(accumulate(weights[token] for token in ranked))
        return tuple(ranked[: bisect_left(masses, top_p * total) + 1])

    def draw(self, distribution: Distribution | Mixture, dice: random.Random) -> int:
        """One token with probability proportional to its weight."""
        if isinstance(distribution, Mixture):
            return distribution.draw(dice)
        tokens, sums = distribution
        if len(sums) == 1:
            number = 0
        else:
            number = min(bisect_right(sums, dice.random() * sums[-1]), len(sums) - 1)
        return number if tokens is None else tokens[number]
