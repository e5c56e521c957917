"""The strategies that :mod:`conformance.schema.strategies` puts together, one shape of value each."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from conformance.errors import ConfigurationError
from conformance.schema.branches import Branch
from conformance.schema.keywords import Schema

__all__ = [
    "Strategy",
    "fit",
    "from_pattern",
    "grid",
    "objects",
    "or_nothing",
    "plain_order",
    "sequences",
    "valid_members",
]

Strategy: TypeAlias = st.SearchStrategy[Any]


def valid_members(branch: Branch, root: Schema) -> list[Any]:
    """The values of a branch's ``enum`` that its other keywords allow too."""
    rest = {key: value for key, value in branch.items() if key != "enum"}
    if rest.keys() == {"type"}:
        return list(branch["enum"])
    if isinstance(root, Mapping) and "$defs" in root:
        rest["$defs"] = root["$defs"]
    validator = Draft202012Validator(rest)
    return [value for value in branch["enum"] if validator.is_valid(value)]


def or_nothing(strategy: Strategy | None) -> Strategy:
    """``strategy``, or the strategy of no value."""
    return st.nothing() if strategy is None else strategy


@st.composite
def objects(
    draw: st.DrawFn,
    members: Mapping[str, Strategy],
    required: Sequence[str],
    branch: Branch,
    extra: tuple[Strategy, Strategy] | None,
    usual: int,
) -> dict[str, Any]:
    """Objects of ``members``; each optional one is drawn right after the choice to have it."""
    least, most = branch.get("minProperties", 0), branch.get("maxProperties", math.inf)
    together: Mapping[str, Sequence[str]] = branch.get("dependentRequired", {})
    chosen, found = set(required), {}
    for name, strategy in members.items():
        if name not in chosen:
            group = {name, *together.get(name, ())} - chosen
            fits = len(chosen) + len(group) <= most and group <= members.keys()
            if not fits or not draw(st.booleans()):
                continue
            chosen |= group
        found[name] = draw(strategy)
    if extra is None:
        spare = [name for name in members if name not in chosen]
        chosen |= set(spare[: max(0, least - len(chosen))])
    found |= {name: draw(members[name]) for name in members if name in chosen - found.keys()}
    found = {name: found[name] for name in members if name in found}
    room = most - len(found)
    if extra is not None and room > 0:
        need = max(0, least - len(found))
        found |= draw(
            st.dictionaries(*extra, min_size=need, max_size=int(min(room, max(need, usual))))
        )
    return found


@st.composite
def sequences(
    draw: st.DrawFn, heads: Sequence[Strategy], rest: Strategy, least: int, most: int
) -> list[Any]:
    """Arrays of ``least`` to ``most`` elements that begin with ``heads``."""
    size = draw(st.integers(least, most))
    return [draw(heads[index] if index < len(heads) else rest) for index in range(size)]


def plain_order(number: float) -> tuple[bool, float, bool]:
    """Sorts integers before fractions, small before large, positive before negative."""
    return (not float(number).is_integer(), abs(number), number < 0)


def grid(low: float, high: float, steps: int, open_low: bool, open_high: bool) -> Strategy | None:
    """About ``steps`` values spread over a range, the plainest first; ``None`` if it is empty."""
    values = {round(low + (high - low) * step / (steps - 1), 4) for step in range(steps)}
    values |= {low, high, (low + high) / 2}.union(n for n in (0.0, 0.5, 1.0) if low <= n <= high)
    inside = [
        int(each) if float(each).is_integer() else each
        for each in sorted(values, key=plain_order)
        if (low < each if open_low else low <= each)
        and (each < high if open_high else each <= high)
    ]
    return st.sampled_from(inside) if inside else None


def fit(word: str, least: int, most: int) -> str:
    """``word`` cut or repeated to a length from ``least`` to ``most``."""
    while len(word) < least:
        word += word or "a"
    return word[:most]


def from_pattern(branch: Branch) -> Strategy:
    """Texts that match the branch's ``pattern`` (searched for, as JSON Schema does)."""
    if "minLength" in branch or "maxLength" in branch:
        raise ConfigurationError(
            "pattern beside minLength or maxLength",
            instead="put the length into the pattern, as in ^[0-9]{1,6}$",
        )
    pattern: str = branch["pattern"]
    if pattern.startswith("^") and pattern.endswith("$") and "|" not in pattern:
        return st.from_regex(re.compile(pattern[1:-1], re.ASCII), fullmatch=True)
    return st.from_regex(re.compile(pattern, re.ASCII), alphabet=st.characters(codec="utf-8"))
