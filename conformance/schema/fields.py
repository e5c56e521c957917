"""The members of an answer, one by one: who must be there, and what values they may have.

``fields`` walks a response, chunk or error schema and yields one :class:`Field` for each member,
so that each becomes a requirement of its own; ``violations`` judges exactly that member wherever
it occurs in a document, and :class:`Survey` all members in one pass.

Alternatives (``anyOf``, ``oneOf``) of a container are merged, never stricter than the original: a
member must be there only if every alternative for an object asks for it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from conformance.schema.contract import Source
from conformance.schema.predicates import Predicate, predicate_for
from conformance.schema.survey import EACH, MEMBER, Survey, Violation, violations
from conformance.verdicts import Level

__all__ = ["BODY", "EACH", "MEMBER", "Field", "Survey", "Violation", "fields", "violations"]

#: The name of the field that is the document itself.
BODY = "body"

#: Keywords that speak of members; a field's own schema has none of them.
_CHILDREN = frozenset({"properties", "required", "x-should"})
_UNKNOWN = Source("specification schema", "contract")


@dataclass(frozen=True)
class Field:
    """One member of an answer.

    ``path`` leads to it through member names, ``[]`` (each element) and ``{}`` (each member of a
    map); ``name`` is the dotted suffix of its requirement id. ``schema`` speaks of the value alone,
    elements included, members not. ``presence`` is the level at which the member must be there
    (``None``: it may be absent), ``value`` the level of its schema.
    """

    path: tuple[str, ...]
    name: str
    schema: Mapping[str, Any]
    presence: Level | None
    value: Level
    source: Source

    @property
    def level(self) -> Level:
        """The stronger of the two levels."""
        return self.value if self.presence is None else min(self.presence, self.value, key=_rank)

    @cached_property
    def accepts(self) -> Predicate:
        """Whether a value is valid under ``schema``."""
        return predicate_for(self.schema)

    @cached_property
    def survey(self) -> Survey:
        """The survey of this field alone."""
        return Survey([self])


def fields(schema: Mapping[str, Any]) -> Iterator[Field]:
    """Every member that ``schema`` describes, outermost first; the document itself is ``body``."""
    source = _source(schema, _UNKNOWN)
    yield Field((), BODY, _shallow(schema), None, _level(schema), source)
    yield from _members(schema, (), source)


def _rank(level: Level) -> int:
    return list(Level).index(level)


# Walking the schema


def _members(schema: Mapping[str, Any], path: tuple[str, ...], source: Source) -> Iterator[Field]:
    """The fields below ``schema``, which describes the value at ``path``."""
    container = _container(schema)
    for name, child in container.get("properties", {}).items():
        own = _source(child, source)
        here = (*path, name)
        yield Field(
            here, _suffix(here), _shallow(child), _presence(name, container), _level(child), own
        )
        yield from _members(child, here, own)
    for step, keyword in ((EACH, "items"), (MEMBER, "additionalProperties")):
        if isinstance(inner := container.get(keyword), Mapping):
            yield from _members(inner, (*path, step), source)


def _container(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """``schema`` with its alternatives merged into one description of members and elements."""
    alternatives = [
        each
        for each in map(_container, (*schema.get("anyOf", ()), *schema.get("oneOf", ())))
        if {"properties", "items", "additionalProperties", "required"} & each.keys()
    ]
    if not alternatives:
        return schema
    return _merge([*alternatives, schema]) if "properties" in schema else _merge(alternatives)


def _merge(alternatives: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    if len(alternatives) == 1:
        return alternatives[0]
    merged: dict[str, Any] = {}
    names = dict.fromkeys(name for each in alternatives for name in each.get("properties", {}))
    if names:
        merged["properties"] = {
            name: _any(
                [
                    each["properties"][name]
                    for each in alternatives
                    if name in each.get("properties", {})
                ]
            )
            for name in names
        }
        objects = [each for each in alternatives if "properties" in each or "required" in each]
        for keyword in ("required", "x-should"):
            merged[keyword] = _common(each.get(keyword, ()) for each in objects)
    for keyword in ("items", "additionalProperties"):
        inner = [each[keyword] for each in alternatives if isinstance(each.get(keyword), Mapping)]
        if inner:
            merged[keyword] = _any(inner)
    return merged


def _any(schemas: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    if all(each == schemas[0] for each in schemas):
        return schemas[0]
    kept = {key: schemas[0][key] for key in ("x-level", "x-source") if key in schemas[0]}
    return {"anyOf": list(schemas), **kept}


def _common(lists: Iterable[Iterable[str]]) -> list[str]:
    groups = [list(each) for each in lists]
    return [name for name in groups[0] if all(name in each for each in groups[1:])]


def _shallow(schema: Mapping[str, Any]) -> dict[str, Any]:
    """What ``schema`` says of a value without looking into named members."""
    result: dict[str, Any] = {}
    alternatives: list[dict[str, Any]] = []
    for keyword, value in schema.items():
        if keyword in _CHILDREN or keyword.startswith("x-"):
            continue
        if keyword in ("items", "additionalProperties", "propertyNames"):
            result[keyword] = _shallow(value) if isinstance(value, Mapping) else value
        elif keyword in (
            "anyOf",
            "oneOf",
        ):  # without members, one alternative may look like another
            alternatives = [_shallow(each) for each in value]
        else:
            result[keyword] = value
    if alternatives:
        result["anyOf"] = alternatives
    if result.get("additionalProperties") is False:  # extra members are always legal
        del result["additionalProperties"]
    return result


def _source(schema: Mapping[str, Any], inherited: Source) -> Source:
    given = schema.get("x-source")
    if given is None:
        return inherited
    return Source(given["kind"], given["reference"], given.get("quote", ""))


def _level(schema: Mapping[str, Any]) -> Level:
    return Level(schema.get("x-level", "MUST"))


def _presence(name: str, container: Mapping[str, Any]) -> Level | None:
    if name in container.get("required", ()):
        return Level.MUST
    return Level.SHOULD if name in container.get("x-should", ()) else None


def _suffix(path: Sequence[str]) -> str:
    names = (step for step in path if step not in (EACH, MEMBER))
    return ".".join(name.replace("_", "-").lower() for name in names)
