"""From a JSON Schema to a hypothesis strategy of the values it allows.

Values are constructed, not filtered, and the simplest comes first: shrinking ends with the first
alternative as written, with nothing optional, the shortest texts and the numbers nearest to zero.
:class:`Hints` are kept apart from validity: they only narrow what is drawn (a small ``max_tokens``,
a known model id) and never widen it.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import strategies as st

from conformance.errors import ConfigurationError
from conformance.schema.branches import Branch, branches, item_schema
from conformance.schema.drawing import (
    Strategy,
    fit,
    from_pattern,
    grid,
    objects,
    or_nothing,
    plain_order,
    sequences,
    valid_members,
)
from conformance.schema.keywords import Schema, check_keywords, escape, identity

__all__ = ["Hints", "from_schema"]

#: What is drawn where a schema allows everything: scalars, so that drawing ends.
ANYTHING: Schema = {"type": ["null", "boolean", "number", "string"]}


@dataclass(frozen=True)
class Hints:
    """What to draw among the valid values.

    ``narrow`` maps places in the instance (JSON pointers; ``*`` for any array element or
    additional member) to schemas that drawn values satisfy as well; ``adjust`` maps places to
    functions applied to what was drawn there, which must keep it valid; ``omit`` are optional
    members never drawn. ``words`` are the texts to draw (any text if empty), ``steps`` how many
    values of a numeric range are drawn (0: all of them), ``numbers`` the range where the schema
    has no bound; ``max_length``, ``max_items`` and ``max_members`` hold unless the schema asks for
    more.
    """

    narrow: Mapping[str, Schema] = field(default_factory=dict)
    adjust: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)
    omit: frozenset[str] = frozenset()
    words: tuple[str, ...] = ()
    steps: int = 0
    numbers: tuple[int, int] = (-1000, 1000)
    max_length: int = 20
    max_items: int = 4
    max_members: int = 3


def from_schema(
    schema: Schema, *, hints: Hints | None = None, root: Schema | None = None, where: str = ""
) -> Strategy:
    """A strategy whose every value is valid under ``schema``.

    ``root`` is the document that ``$ref`` points into (``schema`` itself by default), ``where``
    the file named in errors. Raises ``ConfigurationError`` for an unknown keyword (with its
    pointer) and for a schema that nothing satisfies.
    """
    check_keywords(schema, where=where)
    builder = _Builder(hints or Hints(), schema if root is None else root)
    strategy = builder.build(schema, "")
    if strategy is None:
        raise ConfigurationError("no value satisfies the schema", where=f"{where}#")
    return strategy


class _Builder:
    """Builds strategies for one root; ``None`` stands for "nothing satisfies this"."""

    def __init__(self, hints: Hints, root: Schema) -> None:
        self.hints, self.root = hints, root
        self.open: list[str] = []
        self.again: dict[str, Strategy] = {}

    def build(self, schema: Schema, path: str) -> Strategy | None:
        """The strategy for ``schema`` at the place ``path`` of the instance."""
        inside = _references(schema)
        if inside.intersection(self.open):
            return self._recursive(schema)
        narrow = self.hints.narrow.get(path)
        if schema is True and narrow is None:
            schema = ANYTHING
        found = branches(schema if narrow is None else {"allOf": [schema, narrow]}, self.root)
        self.open.extend(inside)
        try:
            built = [self._branch(branch, path) for branch in found]
        finally:
            del self.open[len(self.open) - len(inside) :]
        possible = [strategy for strategy in built if strategy is not None]
        if not possible:
            return None
        adjust = self.hints.adjust.get(path)
        strategy = st.one_of(possible)
        return strategy.map(adjust) if adjust else strategy

    def _recursive(self, schema: Schema) -> Strategy:
        """The same strategy for every deeper level, without hints by place."""
        key = json.dumps(schema, sort_keys=True)
        if key not in self.again:

            def deeper() -> Strategy:
                plain = _Builder(Hints(max_items=1, max_members=1), self.root)
                plain.again = self.again
                return or_nothing(plain.build(schema, ""))

            self.again[key] = st.deferred(deeper)
        return self.again[key]

    def _branch(self, branch: Branch, path: str) -> Strategy | None:
        if "enum" in branch:
            return self._enum(branch)
        build: Callable[[Branch, str], Strategy | None] = getattr(self, f"_{branch['type']}")
        return build(branch, path)

    def _enum(self, branch: Branch) -> Strategy | None:
        values = valid_members(branch, self.root)
        return st.sampled_from(values) if values else None

    def _null(self, branch: Branch, path: str) -> Strategy:
        # Fewest choices is what hypothesis calls simplest: null must not win for being short.
        return st.tuples(*[st.booleans()] * 6).map(lambda _: None)

    def _boolean(self, branch: Branch, path: str) -> Strategy:
        return st.booleans()

    def _integer(self, branch: Branch, path: str) -> Strategy | None:
        low, high = self._range(branch)
        least, most = math.ceil(low), math.floor(high)
        least += least == branch.get("exclusiveMinimum")
        most -= most == branch.get("exclusiveMaximum")
        factor = branch.get("multipleOf", 1)
        if factor != int(factor):
            raise ConfigurationError(f"multipleOf {factor} is not an integer")
        least, most = -(-least // int(factor)), most // int(factor)
        if least > most:
            return None
        steps = self.hints.steps
        if steps and most - least >= steps:
            chosen = {least + (most - least) * step // (steps - 1) for step in range(steps)}
            chosen |= {near for near in (0, 1, 2) if least <= near <= most}
            return st.sampled_from([int(factor) * each for each in sorted(chosen, key=plain_order)])
        whole = st.integers(least, most)
        return whole if factor == 1 else whole.map(lambda each: each * int(factor))

    def _number(self, branch: Branch, path: str) -> Strategy | None:
        whole = self._integer(branch, path)
        if "multipleOf" in branch:
            return whole
        low, high = self._range(branch)
        open_low = branch.get("exclusiveMinimum") == low
        open_high = branch.get("exclusiveMaximum") == high
        if low > high or (low == high and (open_low or open_high)):
            return None
        if self.hints.steps:
            return grid(low, high, self.hints.steps, open_low, open_high)
        broken = st.floats(
            low,
            high,
            allow_nan=False,
            allow_subnormal=False,
            exclude_min=open_low,
            exclude_max=open_high,
        ).map(lambda each: each + 0.0)
        return broken if whole is None else whole | broken

    def _range(self, branch: Branch) -> tuple[float, float]:
        lows = [branch[key] for key in ("minimum", "exclusiveMinimum") if key in branch]
        highs = [branch[key] for key in ("maximum", "exclusiveMaximum") if key in branch]
        usual_low, usual_high = self.hints.numbers
        low = max(lows) if lows else min(usual_low, max(highs, default=usual_low))
        high = min(highs) if highs else max(usual_high, low + usual_high - usual_low)
        return low, high

    def _string(self, branch: Branch, path: str) -> Strategy:
        least = branch.get("minLength", 0)
        most = min(branch.get("maxLength", math.inf), max(least, self.hints.max_length))
        if "pattern" in branch:
            return from_pattern(branch)
        if self.hints.words:
            words = dict.fromkeys(fit(word, least, int(most)) for word in self.hints.words)
            return st.sampled_from(list(words))
        return st.text(st.characters(codec="utf-8"), min_size=least, max_size=int(most))

    def _array(self, branch: Branch, path: str) -> Strategy | None:
        least, prefix = branch.get("minItems", 0), len(branch.get("prefixItems", ()))
        most = min(branch.get("maxItems", math.inf), max(least, prefix, self.hints.max_items))
        unique = branch.get("uniqueItems", False)
        rest = self.build(branch.get("items", True), f"{path}/*") if most > prefix else None
        if rest is None:
            most = min(most, prefix)
        if prefix == 0:
            if most == 0 or rest is None:
                return st.just([]) if least == 0 else None
            return st.lists(
                rest, min_size=least, max_size=int(most), unique_by=identity if unique else None
            )
        if unique:
            raise ConfigurationError("uniqueItems beside prefixItems", instead="leave one out")
        heads = [
            self.build(item_schema(branch, index), f"{path}/{index}") for index in range(prefix)
        ]
        usable = next((i for i, head in enumerate(heads) if head is None), None)
        most = int(most if usable is None else min(most, usable))
        if least > most:
            return None
        return sequences([*map(or_nothing, heads)], or_nothing(rest), least, most)

    def _object(self, branch: Branch, path: str) -> Strategy | None:
        properties: Mapping[str, Schema] = branch.get("properties", {})
        required = list(branch.get("required", ()))
        for names in branch.get("dependentRequired", {}).values():
            properties = {**dict.fromkeys(names, True), **properties}
        members = {
            name: self.build(schema, f"{path}/{escape(name)}")
            for name, schema in {**dict.fromkeys(required, True), **properties}.items()
            if name in required or f"{path}/{escape(name)}" not in self.hints.omit
        }
        if any(members[name] is None for name in required):
            return None
        extra = self._extra(branch, path)
        usable = {name: strategy for name, strategy in members.items() if strategy is not None}
        if extra is None and len(usable) < branch.get("minProperties", 0):
            return None
        return objects(
            usable,
            required,
            branch,
            extra,
            self.hints.max_members,
        )

    def _extra(self, branch: Branch, path: str) -> tuple[Strategy, Strategy] | None:
        """Strategies of the names and values of additional members, where there may be any."""
        if "additionalProperties" not in branch and not branch.get("minProperties"):
            return None
        values = self.build(branch.get("additionalProperties", True), f"{path}/*")
        names = self.build(
            {"allOf": [{"type": "string"}, branch.get("propertyNames", {"minLength": 1})]}, ""
        )
        taken = branch.get("properties", {})
        return (
            None
            if values is None or names is None
            else (names.filter(lambda n: n not in taken), values)
        )


def _references(schema: Any) -> set[str]:
    """The ``$ref``s that decide about the value itself (not about its members)."""
    if not isinstance(schema, Mapping):
        return set()
    found = {schema["$ref"]} if "$ref" in schema else set()
    for combiner in ("allOf", "anyOf", "oneOf"):
        for part in schema.get(combiner, ()):
            found |= _references(part)
    return found
