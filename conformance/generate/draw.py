"""The one place where hypothesis draws: requests are collected here and sent elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

__all__ = ["draw_distinct"]


def draw_distinct(
    strategy: st.SearchStrategy[Any], *, count: int, seed_: int, key: Callable[[Any], str]
) -> list[Any]:
    """``count`` values of ``strategy``, different under ``key``; fewer if it has no more.

    The same for the same ``seed_``: nothing is read from or written to an example database, and
    the test body does no input or output.
    """
    found: dict[str, Any] = {}

    @seed(seed_)
    @settings(
        max_examples=count * 6 + 6,
        phases=[Phase.generate],
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(value: Any) -> None:
        found.setdefault(key(value), value)

    if count > 0:
        collect()
    values = list(found.values())[1:]  # the first is the plainest: a covering row has it
    # Neighbours in a run are variations of each other: take values that lie apart.
    step = max(1, len(values) // count) if count else 1
    return values[::-1][::step][:count]
