"""Interleaved control and treatment pairs: is A unlike B more often than A is unlike A?

A server need not repeat itself, so "A and B differ" accuses nobody. The control pair is the same
request twice, the treatment pair two requests that must give the same answer. On a server that
keeps the promise both kinds are exchangeable, whatever its rate of repetition, and Fisher's exact
test needs no assumption about that rate. Pairs are sent in random order (:func:`interleaved`):
exchangeability then holds by the shuffle, whatever drifts or alternates on the server's side.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from functools import cached_property, lru_cache

from conformance.checks.exact import fisher

__all__ = [
    "Finding",
    "PairDesign",
    "interleaved",
    "pair_design",
    "pairs_needed",
    "samples_needed",
    "separated",
]


#: Pairs of each kind after which a server whose controls differ half of the time is given up.
PATIENCE = 4


class Finding(StrEnum):
    """What the pairs show so far."""

    MORE = "more pairs are needed"
    SAME = "the treatment differs no more often than the control"
    DIFFERENT = "the treatment differs, the control does not"
    UNREPEATABLE = "the control itself is not repeatable"
    UNDECIDED = "the difference is not beyond chance"


def interleaved(controls: int, treatments: int, seed: int) -> list[bool]:
    """The order in which to send: ``True`` is a treatment pair."""
    order = [False] * controls + [True] * treatments
    random.Random(seed).shuffle(order)  # noqa: S311 - an order, not a secret
    return order


def separated(controls_differ: int, n: int, treatments_differ: int, m: int, alpha: float) -> bool:
    """Whether ``treatments_differ`` of ``m`` is beyond ``controls_differ`` of ``n`` at ``alpha``.

    Fisher's exact one-sided test; never where half of the controls or more differ, because such a
    server is not repeatable and nothing can be told from its answers.
    """
    if not n or 2 * controls_differ >= n:
        return False
    return fisher(controls_differ, n, treatments_differ, m) <= alpha


@lru_cache(maxsize=64)
def pairs_needed(alpha: float) -> int:
    """The least number of pairs of each kind at which full separation (0 of N against N of N)
    is significant: 1 / C(2N, N) ≤ alpha."""
    return next(n for n in range(1, 200) if Fraction(1, math.comb(2 * n, n)) <= alpha)


@lru_cache(maxsize=64)
def samples_needed(alpha: float) -> int:
    """The least N at which two samples of N, each constant and unlike the other, are significant
    in :func:`conformance.checks.exact.same_distribution`: 2 / C(2N, N) ≤ alpha."""
    return next(n for n in range(1, 200) if Fraction(2, math.comb(2 * n, n)) <= alpha)


@dataclass(frozen=True)
class PairDesign:
    """A group-sequential design: pairs are sent in stages, and most runs end after the first.

    ``looks`` are the numbers of pairs of each kind after which one looks; a look says DIFFERENT
    if Fisher's p-value is ≤ ``threshold`` (and the control repeatable). Stopping early for SAME
    or UNREPEATABLE can only lower the chance of DIFFERENT. :attr:`error` is that chance exactly,
    for the worst server.
    """

    looks: tuple[int, ...]
    threshold: float

    def judge(self, controls: Sequence[bool], treatments: Sequence[bool]) -> Finding:
        """What the outcomes so far (``True``: the two answers differ) show, in order of sending.

        A first treatment pair without a difference is SAME before any control is sent. Where such
        an opening pair differs, drop it and send the first look's pairs in shuffled order.
        """
        if treatments and not any(treatments):
            return Finding.SAME
        for look in self.looks:
            if look > min(len(controls), len(treatments)):
                return Finding.MORE
            finding = self.look(look, sum(controls[:look]), sum(treatments[:look]))
            if finding is not Finding.MORE:
                return finding
        return Finding.UNDECIDED

    def look(self, n: int, controls_differ: int, treatments_differ: int) -> Finding:
        """What a look at ``n`` pairs of each kind shows."""
        last = n >= self.looks[-1]
        if 2 * controls_differ >= n:
            return Finding.UNREPEATABLE if last or n >= PATIENCE else Finding.MORE
        if treatments_differ <= controls_differ:
            return Finding.SAME
        if separated(controls_differ, n, treatments_differ, n, self.threshold):
            return Finding.DIFFERENT
        return Finding.UNDECIDED if last else Finding.MORE

    def next_look(self, sent: int) -> int | None:
        """The number of pairs of each kind to have at the next look; ``None``: it was the last."""
        return next((look for look in self.looks if look > sent), None)

    @cached_property
    def error(self) -> float:
        """The exact chance of DIFFERENT on a server whose pairs are exchangeable, at its worst.

        Exchangeable outcomes of 2N pairs are a mixture over the number M of pairs that differ; for
        given M every arrangement is equally likely. So the chance is at most the maximum over M,
        each counted by walking the looks: the ways to reach (controls, treatments) without having
        stopped, times the ways to complete the arrangement.
        """
        total = 2 * self.looks[-1]
        rejected = self._rejections()
        return max(
            float(
                Fraction(
                    sum(
                        ways * math.comb(total - 2 * n, differ - met)
                        for n, met, ways in rejected
                        if met <= differ
                    ),
                    math.comb(total, differ),
                )
            )
            for differ in range(total + 1)
        )

    def _rejections(self) -> list[tuple[int, int, int]]:
        """(pairs of each kind, pairs that differ, ways) for every path that ends DIFFERENT."""
        rejected: list[tuple[int, int, int]] = []
        paths, sent = {(0, 0): 1}, 0
        for look in self.looks:
            paths, sent = _extend(paths, look - sent), look
            going = {}
            for (controls, treatments), ways in paths.items():
                finding = self.look(look, controls, treatments)
                if finding is Finding.DIFFERENT:
                    rejected.append((look, controls + treatments, ways))
                elif finding is Finding.MORE:
                    going[controls, treatments] = ways
            paths = going
        return rejected


def _extend(paths: dict[tuple[int, int], int], more: int) -> dict[tuple[int, int], int]:
    """The ways to every state after ``more`` further pairs of each kind."""
    reached: dict[tuple[int, int], int] = {}
    for (controls, treatments), ways in paths.items():
        for c in range(more + 1):
            for t in range(more + 1):
                state = (controls + c, treatments + t)
                added = ways * math.comb(more, c) * math.comb(more, t)
                reached[state] = reached.get(state, 0) + added
    return reached


@lru_cache(maxsize=16)
def pair_design(alpha: float) -> PairDesign:
    """A design whose :attr:`PairDesign.error` is ≤ ``alpha``.

    The first look that can accuse is the least that can (N with 1 / C(2N, N) ≤ alpha); looks at
    1.5 N and 2 N follow for controls that differ now and then. The threshold is the largest of
    the attainable p-values that keeps the bound.
    """
    first = pairs_needed(alpha)
    looks = tuple(sorted({1, 2, max(2, first // 2), first, first + (first + 1) // 2, 2 * first}))
    attainable = {
        fisher(c, n, t, n) for n in looks for c in range((n + 1) // 2) for t in range(c + 1, n + 1)
    }
    for threshold in sorted((p for p in attainable if p <= alpha), reverse=True):
        design = PairDesign(looks, threshold)
        if design.error <= alpha:
            return design
    raise ValueError(f"no design of pairs reaches {alpha}")  # pragma: no cover - first look does
