"""Parts of a catalogue that cost about the same, the same on every machine."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from conformance.checks.catalogue import Item

__all__ = ["share"]


def share(items: Iterable[Item], index: int, count: int) -> frozenset[str]:
    """Ids of the requirements of ``items`` that part ``index`` of ``count`` judges (from 1).

    Each requirement goes to the part that has least to do so far, the dearest first. What is tried
    at several endpoints and modes stays together, because it shares its calibration.
    """
    costs: defaultdict[str, float] = defaultdict(float)
    for item in items:
        costs[item.requirement.id] += 1 + item.requirement.cost
    load = [0.0] * count
    chosen = set()
    for name in sorted(costs, key=lambda each: (-costs[each], each)):
        least = load.index(min(load))
        load[least] += costs[name]
        if least == index - 1:
            chosen.add(name)
    return frozenset(chosen)
