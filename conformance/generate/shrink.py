"""Smaller requests that still fail: what a person wants to see first.

First by structure (leave out optional members, take plainest values, cut arrays and texts), then,
if calls are left, by what hypothesis finds below. Deterministic; every candidate is valid.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from hypothesis import HealthCheck, Phase, find, settings
from hypothesis.errors import NoSuchExample
from jsonschema import Draft202012Validator

from conformance.generate.hints import CHEAP, conflict
from conformance.schema.branches import Schema, identity
from conformance.schema.plainest import NOTHING, plainest
from conformance.schema.strategies import Hints, from_schema

__all__ = ["simpler", "weight"]

CALLS = 25
Body = dict[str, Any]


def weight(value: Any) -> tuple[int, str]:
    """What "smaller" means: the length as JSON, then the text itself."""
    text = identity(value)
    return len(text), text


def simpler(
    schema: Schema,
    hints: Hints,
    body: Mapping[str, Any],
    still_fails: Callable[[Body], bool],
    *,
    calls: int = CALLS,
    keep: Sequence[str] = ("model", "stream"),
) -> Body:
    """The smallest body found with at most ``calls`` calls of ``still_fails``.

    ``body`` is known to fail. Members named in ``keep`` stay as they are, limits of tokens stay
    present (an answer without end is no simplification), and nothing that the documentation leaves
    open is combined.
    """
    search = _Search(schema, hints, dict(body), still_fails, calls, frozenset(keep))
    search.structurally()
    search.by_drawing()
    return search.best


class _Search:
    def __init__(
        self,
        schema: Schema,
        hints: Hints,
        body: Body,
        still_fails: Callable[[Body], bool],
        calls: int,
        keep: frozenset[str],
    ) -> None:
        self.schema, self.hints, self.best, self.calls = schema, hints, body, calls
        self.still_fails, self.keep = still_fails, keep
        self.valid = Draft202012Validator(schema).is_valid
        self.known: dict[str, bool] = {identity(body): True}
        self.unsettled = conflict(body) is not None

    def fails(self, candidate: Body) -> bool:
        """Whether ``candidate`` is smaller, sound, and still fails; then it is the best."""
        key = identity(candidate)
        if weight(candidate) >= weight(self.best) or not self._sound(candidate):
            return False
        if key not in self.known:
            if self.calls <= 0:
                return False
            self.calls -= 1
            self.known[key] = bool(self.still_fails(copy.deepcopy(candidate)))
        if self.known[key]:
            self.best = candidate
        return self.known[key]

    def _sound(self, candidate: Body) -> bool:
        kept = all(candidate.get(name, ...) == self.best.get(name, ...) for name in self.keep)
        limited = all(name in candidate for name in CHEAP if name in self.best)
        settled = self.unsettled or conflict(candidate) is None
        return kept and limited and settled and self.valid(candidate)

    def structurally(self) -> None:
        """Repeat all passes until none of them helps or no call is left."""
        self._leave_out()
        before: Body | None = None
        while self.calls > 0 and before != self.best:
            before = self.best
            for name in list(self.best):
                if name not in self.keep:
                    self._plainer(name)
                    self._cut(name)

    def _leave_out(self) -> None:
        """All optional members at once, then halves, then one at a time."""
        spare = [
            n for n in self.best if n not in self.keep and n not in CHEAP and self._optional(n)
        ]
        size = len(spare)
        while size >= 1:
            for start in range(0, len(spare), size):
                out = spare[start : start + size]
                self.fails({n: v for n, v in self.best.items() if n not in out})
            spare = [n for n in spare if n in self.best]
            size = min(size // 2, len(spare)) if size > 1 else 0

    def _optional(self, name: str) -> bool:
        return self.valid({n: v for n, v in self.best.items() if n != name})

    def _plainer(self, name: str) -> None:
        properties = self.schema.get("properties", {}) if isinstance(self.schema, Mapping) else {}
        if name in properties:
            value = plainest(properties[name], hints=self.hints, root=self.schema, path=f"/{name}")
            if value is not NOTHING:
                self.fails({**self.best, name: value})

    def _cut(self, name: str) -> None:
        """Take the first cut that still fails, then cut again."""
        again = True
        while again and self.calls > 0:
            again = any(self.fails({**self.best, name: each}) for each in _cuts(self.best[name]))

    def by_drawing(self) -> None:
        """Spend what is left on hypothesis; memory keeps its repetitions free."""
        if self.calls <= 0:
            return
        quiet = settings(
            max_examples=self.calls * 4,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )
        fixed = {name: self.best[name] for name in self.keep if name in self.best}
        fixed |= {name: self.best[name] for name in CHEAP if name in self.best}
        drawn = from_schema(self.schema, hints=self.hints).map(lambda each: {**each, **fixed})
        try:
            find(drawn, self._ever_failed, settings=quiet)
        except NoSuchExample:
            return

    def _ever_failed(self, candidate: Body) -> bool:
        # hypothesis asks again for what it has seen; the answer must not change.
        return self.fails(candidate) or self.known.get(identity(candidate), False)


def _cuts(value: Any) -> Iterator[Any]:
    """Smaller values of the same kind, the boldest first."""
    if isinstance(value, str) and value:
        half = len(value) // 2
        yield from dict.fromkeys((value[:half], value[half:], value[:-1], value[1:]))
    elif isinstance(value, list):
        if len(value) > 1:
            half = len(value) // 2
            yield value[half:]
            yield value[:half]
        for index in range(len(value) - 1, -1, -1):
            yield [*value[:index], *value[index + 1 :]]
        for index, each in enumerate(value):
            yield from ([*value[:index], cut, *value[index + 1 :]] for cut in _cuts(each))
    elif isinstance(value, dict):
        for name in value:
            yield {n: v for n, v in value.items() if n != name}
        for name, each in value.items():
            yield from ({**value, name: cut} for cut in _cuts(each))
