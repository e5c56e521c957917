"""The telling values of one parameter: simplest, boundaries, union branches, falsy ones, null.

Worked out from the schema and the graded bounds alone, so a parameter that this package has never
heard of gets them too. A value is *open* where the documentation leaves its fate open (a boundary
of unspecified or soft grade, null that nobody promised): sent for information, never judged.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from conformance.generate.hints import PROMISED, request_hints, request_schema
from conformance.schema.branches import Branch, Schema, branches, identity, item_schema
from conformance.schema.contract import Endpoint, Grade, Parameter
from conformance.schema.plainest import NOTHING, plainest
from conformance.schema.strategies import Hints

__all__ = ["Value", "simplest_of", "values_of"]

#: Arrays and texts beyond this size are not sent for the sake of a boundary.
LARGEST = {"maxItems": 8, "minItems": 8, "maxLength": 1024, "minLength": 1024, "maxProperties": 16}
#: Boundaries that would cost an answer's worth of tokens each.
DEAR = frozenset({"max_tokens", "max_completion_tokens"})
FALSY = ("0", '""', "[]", "{}", "false")


@dataclass(frozen=True)
class Value:
    """One value worth sending for ``parameter`` and why; ``kind`` is a stable word."""

    parameter: str
    kind: str  # simplest, boundary, inside, branch, enum, falsy, neutral, null
    label: str
    value: Any
    open: bool = False
    also: tuple[str, ...] = ()  # the other reasons to send the same value

    @property
    def falsy(self) -> bool:
        """Whether the value is empty, zero or false."""
        return self.value is not None and not self.value

    @property
    def names(self) -> tuple[str, ...]:
        """The names of what the value covers, its own reason first."""
        return tuple(
            f"{self.parameter}:{each}" for each in (f"{self.kind}:{self.label}", *self.also)
        )


def simplest_of(endpoint: Endpoint, name: str, model: str) -> Any:
    """The parameter's documented simplest value, else the plainest that its schema allows."""
    if name == "model":
        return model
    parameter = endpoint.parameters[name]
    if parameter.simplest is not ...:
        return parameter.simplest
    found = plainest(
        parameter.schema, hints=request_hints(endpoint, model), root=request_schema(endpoint), path=f"/{name}"
    )  # fmt: skip
    return None if found is NOTHING else found


def values_of(endpoint: Endpoint, name: str, model: str) -> list[Value]:
    """Every telling value of parameter ``name``, the simplest first, each value once."""
    source = _Source(endpoint, endpoint.parameters[name], model)
    found: dict[str, Value] = {}
    for value in source.all():
        key = identity(value.value)
        if key not in found:
            found[key] = value
            continue
        known, reason = found[key], f"{value.kind}:{value.label}"
        unsure = known.open and value.open
        found[key] = replace(known, open=unsure, also=(*known.also, reason))
    return list(found.values())


class _Source:
    def __init__(self, endpoint: Endpoint, parameter: Parameter, model: str) -> None:
        self.endpoint, self.parameter, self.model = endpoint, parameter, model
        self.name, self.path = parameter.name, f"/{parameter.name}"
        self.root = request_schema(endpoint)
        self.hints = request_hints(endpoint, model)
        self.free = Hints(words=self.hints.words, numbers=self.hints.numbers)
        self.branches = branches(parameter.schema, self.root)

    def all(self) -> Iterator[Value]:
        yield Value(
            self.name, "simplest", "simplest", simplest_of(self.endpoint, self.name, self.model)
        )
        for label, value in (
            ("neutral", self.parameter.neutral),
            ("default", self.parameter.default),
        ):
            if value is not ... and value is not None:
                yield Value(self.name, "neutral", label, value)
        yield from self._by_branch()
        for bound in ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"):
            yield from self._numeric(bound)
        for bound in ("minItems", "maxItems", "minLength", "maxLength", "maxProperties"):
            yield from self._sized(bound)
        yield from self._falsy()
        if self._promises(None):
            yield Value(self.name, "null", "null", None, open=not self.parameter.nullable)

    def _graded(self, keyword: str) -> Grade:
        grades = [bound.grade for bound in self.parameter.bounds if bound.keyword == keyword]
        return grades[0] if grades else Grade.UNSPECIFIED

    def _promises(self, value: Any) -> bool:
        return self._fits(self.parameter.schema, value)

    def _plainest(self, narrow: Schema, hints: Hints | None = None) -> Any:
        schema = {"allOf": [self.parameter.schema, narrow]}
        return plainest(schema, hints=hints or self.hints, root=self.root, path=self.path)

    def _by_branch(self) -> Iterator[Value]:
        """One value for each alternative type, each member of an enum, each kind of element."""
        apart = sum(branch["type"] != "null" for branch in self.branches) > 1
        for branch in self.branches:
            unsure = self._unsure_type(branch["type"])
            if "enum" in branch:
                for each in branch["enum"]:
                    if each is not None:
                        yield Value(self.name, "enum", repr(each), each, open=unsure)
            elif branch["type"] == "boolean":
                yield Value(self.name, "branch", "true", True)
                yield Value(self.name, "falsy", "false", False)
            elif branch["type"] == "array":
                yield from self._arrays(branch, unsure)
            elif branch["type"] != "null" and apart:
                value = self._of_branch(branch)
                if value is not NOTHING:
                    yield Value(
                        self.name, "branch", _branch_label(branch, value), value, open=unsure
                    )

    def _unsure_type(self, kind: str) -> bool:
        """Whether the documentation leaves open that values of this type are taken at all."""
        return any(
            bound.keyword == "type" and bound.value == kind and bound.grade not in PROMISED
            for bound in self.parameter.bounds
        )

    def _arrays(self, branch: Branch, unsure: bool) -> Iterator[Value]:
        most = branch.get("maxItems", 0)
        if 0 < most <= LARGEST["maxItems"]:
            sizes = range(max(1, branch.get("minItems", 0)), min(most, 4) + 1)
            several = [(f"array of {n}", {**branch, "minItems": n, "maxItems": n}) for n in sizes]
        else:
            least = {"minItems": max(1, branch.get("minItems", 0))}
            several = [
                (f"array of {element['type']}", {**branch, **least, "items": dict(element)})
                for element in branches(item_schema(branch, 0), self.root)
            ]
        for label, narrowed in several:
            value = self._of_branch(narrowed)
            if value is not NOTHING:
                yield Value(self.name, "branch", label, value, open=unsure)

    def _of_branch(self, branch: Branch) -> Any:
        """The parameter's simplest value if it is of this branch, else the branch's plainest."""
        simplest = self.parameter.simplest
        if self._fits(dict(branch), simplest):
            return simplest
        return plainest(dict(branch), hints=self.hints, root=self.root, path=self.path)

    def _fits(self, schema: Schema, value: Any) -> bool:
        exactly = {"allOf": [schema, {"const": value}]}
        return value is not ... and plainest(exactly, root=self.root) is not NOTHING

    def _numeric(self, keyword: str) -> Iterator[Value]:
        for place, branch in self._numbers(keyword):
            limit, whole = branch[keyword], branch["type"] == "integer"
            grade, inwards = self._graded(keyword), 1 if "inimum" in keyword else -1
            unsure = grade not in PROMISED
            if self.name in DEAR and inwards < 0:
                continue
            near = limit + inwards * (1 if whole else 0.01)
            if not keyword.startswith("exclusive"):
                yield from self._placed(place, limit, "boundary", keyword, unsure)
            yield from self._placed(
                place, round(near, 4), "inside", f"just inside {keyword}", unsure
            )

    def _numbers(self, keyword: str) -> Iterator[tuple[str, Branch]]:
        """Numeric branches with ``keyword``: of the value itself or of its members."""
        for branch in self.branches:
            if branch["type"] in ("integer", "number") and keyword in branch:
                yield "", branch
            if branch["type"] == "object" and isinstance(
                branch.get("additionalProperties"), Mapping
            ):
                for member in branches(branch["additionalProperties"], self.root):
                    if member["type"] in ("integer", "number") and keyword in member:
                        yield "*", member

    def _placed(
        self, place: str, number: float, kind: str, label: str, unsure: bool
    ) -> Iterator[Value]:
        narrow: dict[str, Any] = {"const": number}
        if place:
            narrow = {
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {"const": number},
            }
        value = self._plainest(narrow, self.hints if place else self.free)
        if value is not NOTHING:
            yield Value(self.name, kind, label, value, open=unsure)

    def _sized(self, keyword: str) -> Iterator[Value]:
        kind = {"Items": "array", "Length": "string", "Properties": "object"}[keyword[3:]]
        for branch in self.branches:
            limit = branch.get(keyword)
            if branch["type"] != kind or limit is None or not 0 < limit <= LARGEST[keyword]:
                continue
            sized = {"type": kind, "min" + keyword[3:]: limit, "max" + keyword[3:]: limit}
            simplest = self.parameter.simplest
            value = simplest if self._fits(sized, simplest) else self._plainest(sized)
            if value is not NOTHING:
                unsure = self._graded(keyword) not in PROMISED
                yield Value(self.name, "boundary", keyword, value, open=unsure)

    def _falsy(self) -> Iterator[Value]:
        for label, value in zip(FALSY, (0, "", [], {}, False), strict=True):
            if not self._promises(value):
                continue
            firm = value is False or (value == 0 and self._well_inside(0))
            firm = firm or any(
                each is not ... and identity(each) == identity(value)
                for each in (self.parameter.neutral, self.parameter.default)
            )
            yield Value(self.name, "falsy", label, value, open=not firm)

    def _well_inside(self, number: float) -> bool:
        """Whether a number has valid neighbours on both sides, however the ends are graded."""
        bounded = [b for b in self.branches if b["type"] in ("integer", "number")]
        return all({"minimum", "maximum"} <= b.keys() for b in bounded) and all(
            self._fits(self.parameter.schema, near) for near in (number - 1, number + 1)
        )


def _branch_label(branch: Branch, value: Any) -> str:
    if isinstance(value, dict) and isinstance(value.get("type"), str):
        return f"object of type {value['type']}"
    return str(branch["type"])
