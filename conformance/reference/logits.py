"""Logits that remember which of them differ from a vector that is used again and again.

To draw from a thousand tokens takes a thousand exponentials, unless nearly all of them were taken
before. A language model's logits are a shared :class:`Background` and a few tokens of their own;
bias and penalties touch a few more. :class:`Mixture` draws from exactly the softmax of all of them
by rejection: from the weights of the touched tokens and *all* of the background's, again if that
gives a touched token by its background weight.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import accumulate
from math import exp
from typing import Any

__all__ = ["Background", "Logits", "Mixture"]


class Background:
    """A vector of logits that many contexts share, with the sums that drawing needs."""

    def __init__(self, logits: Sequence[float]) -> None:
        self.logits = tuple(logits)
        self.highest = max(self.logits)
        self.sums = lru_cache(maxsize=16)(self._sums)

    def _sums(self, temperature: float) -> tuple[float, ...]:
        """Running sums of the weights relative to the highest."""
        highest = self.highest
        return tuple(accumulate(exp((each - highest) / temperature) for each in self.logits))

    def covered(self, tokens: Iterable[int], temperature: float) -> float:
        """The share of the weight that ``tokens`` have."""
        logits, highest = self.logits, self.highest
        weight = sum(map(exp, ((logits[each] - highest) / temperature for each in tokens)))
        return weight / self.sums(temperature)[-1]


class Logits(list[float]):
    """A list of logits; ``touched`` are the indices that were assigned to.

    ``background`` is ``None`` after a change that is not an assignment to one index.
    """

    __slots__ = ("background", "touched")

    def __init__(self, background: Background, changed: Mapping[int, float]) -> None:
        super().__init__(background.logits)
        self.background: Background | None = background
        self.touched: set[int] = set(changed)
        put = super().__setitem__
        for number, value in changed.items():
            put(number, value)

    def __setitem__(self, index: Any, value: Any) -> None:
        super().__setitem__(index, value)
        if isinstance(index, int) and index >= 0:
            self.touched.add(index)
        else:
            self.background = None

    def mixture(self, temperature: float) -> Mixture | None:
        """What to draw from at ``temperature`` > 0.

        ``None`` if the background is lost, or too much of it covered for drawing by rejection.
        """
        if self.background is None or self.background.covered(self.touched, temperature) > 0.5:
            return None
        return Mixture(self.background, temperature, {token: self[token] for token in self.touched})


class Mixture:
    """The softmax of a background in which some logits are ``changed``."""

    __slots__ = ("_all", "_scale", "_sums", "_tokens", "_touched")

    def __init__(
        self, background: Background, temperature: float, changed: Mapping[int, float]
    ) -> None:
        highest = max(background.highest, *changed.values()) if changed else background.highest
        self._touched: Collection[int] = changed.keys()
        self._tokens = tuple(changed)
        self._sums = _running((value - highest) / temperature for value in changed.values())
        self._all = background.sums(temperature)
        self._scale = exp((background.highest - highest) / temperature)

    def draw(self, dice: random.Random) -> int:
        """One token with probability proportional to its weight."""
        own, rest = self._sums[-1] if self._sums else 0.0, self._all[-1] * self._scale
        while True:
            at = dice.random() * (own + rest)
            if at < own:
                return self._tokens[bisect_right(self._sums, at)]
            number = bisect_right(self._all, (at - own) / self._scale) if self._scale else 0
            token = min(number, len(self._all) - 1)
            if token not in self._touched:
                return token


def _running(exponents: Iterable[float]) -> tuple[float, ...]:
    return tuple(accumulate(map(exp, exponents)))
