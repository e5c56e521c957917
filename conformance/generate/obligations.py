"""What a corpus has to cover, and the rows that cover it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from conformance.generate.pairwise import Pair
from conformance.generate.values import Value
from conformance.schema.keywords import identity
from conformance.verdicts import Mode

__all__ = ["Body", "Corpus", "Obligation", "Row", "of_pair", "of_part", "of_value", "pair_name"]

Body: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Obligation:
    """One thing to be covered; ``holds`` sees in a body whether it is."""

    name: str
    parameter: str
    holds: Callable[[Body], bool]
    open: bool = False


@dataclass(frozen=True)
class Row:
    """One valid request body. ``tags`` name what it covers (``open`` among them: information)."""

    label: str
    body: dict[str, Any]
    tags: tuple[str, ...] = ()
    origin: str = "covering"  # or "drawn"

    @property
    def open(self) -> bool:
        """Whether the documentation leaves the fate of this request open."""
        return "open" in self.tags


@dataclass(frozen=True)
class Corpus:
    """The rows for one endpoint and mode, what they had to cover, and what was left out why."""

    endpoint: str
    mode: Mode | None
    model: str
    seed: int
    depth: str
    rows: tuple[Row, ...]
    obligations: tuple[Obligation, ...] = ()
    left_out: tuple[tuple[str, str], ...] = ()


def of_value(value: Value) -> list[Obligation]:
    """The obligations that a body with exactly ``value`` discharges."""
    wanted = identity(value.value)

    def holds(body: Body) -> bool:
        return value.parameter in body and identity(body[value.parameter]) == wanted

    return [Obligation(name, value.parameter, holds, value.open) for name in value.names]


def of_part(name: str, what: str, seen: Callable[[Any], bool], *, open_: bool) -> Obligation:
    """The obligation to have in member ``name`` what ``seen`` recognises."""
    return Obligation(f"{name}:{what}", name, lambda b: name in b and seen(b[name]), open_)


def pair_name(pair: Pair, factors: Mapping[str, Sequence[Any]]) -> str:
    """The name of the obligation to send a pair of values together."""
    one, i, other, j = pair
    return f"pair:{one}={identity(factors[one][i])} {other}={identity(factors[other][j])}"


def of_pair(pair: Pair, factors: Mapping[str, Sequence[Any]]) -> Obligation:
    """The obligation to send a pair of values together."""
    one, i, other, j = pair
    wanted = {one: identity(factors[one][i]), other: identity(factors[other][j])}

    def holds(body: Body) -> bool:
        return all(name in body and identity(body[name]) == key for name, key in wanted.items())

    return Obligation(pair_name(pair, factors), "", holds)
