"""JSON Schema as a list of branches: one plain object of keywords for each way to be valid.

A *branch* has exactly one ``type``, only the keywords that matter to it, and neither references
nor combiners. ``allOf`` and ``$ref`` meet (intersect) branches, ``anyOf`` and ``oneOf`` list them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from conformance.errors import ConfigurationError
from conformance.schema.keywords import (
    KEYWORDS,
    TYPES,
    Schema,
    check_keywords,
    identity,
    is_type,
    resolve,
    type_of,
)

__all__ = ["Branch", "Schema", "branches", "check_keywords", "identity", "item_schema"]

Branch: TypeAlias = dict[str, Any]

LARGER = frozenset({"minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"})
SMALLER = frozenset({"maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"})
LIMITS = (
    ("minimum", "maximum"),
    ("minLength", "maxLength"),
    ("minItems", "maxItems"),
    ("minProperties", "maxProperties"),
)


def branches(schema: Schema, root: Schema = True) -> list[Branch]:
    """The ways to satisfy ``schema``, in the order written; empty if there is none."""
    if isinstance(schema, bool):
        return _split({}) if schema else []
    found = _split(schema)
    together = list(schema.get("allOf", ()))
    if "$ref" in schema:
        together.append(resolve(schema["$ref"], root))
    for part in together:
        others = branches(part, root)
        found = [both for one in found for other in others if (both := _meet(one, other))]
    for combiner in ("anyOf", "oneOf"):
        if combiner in schema:
            apart = [branches(part, root) for part in schema[combiner]]
            if combiner == "oneOf":
                _insist_disjoint(apart, root)
            found = [
                both
                for part in apart
                for other in part
                for one in found
                if (both := _meet(one, other))
            ]
    return found


def _split(schema: Mapping[str, Any]) -> list[Branch]:
    values = [schema["const"]] if "const" in schema else schema.get("enum")
    types = schema.get("type")
    if types is None:
        types = TYPES if values is None else dict.fromkeys(map(type_of, values))
    types = [types] if isinstance(types, str) else list(types)
    if "number" in types:
        types = [each for each in types if each != "integer"]
    found = []
    for name in types:
        branch: Branch = {"type": name}
        branch |= {key: schema[key] for key in KEYWORDS[name] if key in schema}
        if values is not None:
            branch["enum"] = [value for value in values if is_type(value, name)]
        if _possible(branch):
            found.append(branch)
    return found


def _possible(branch: Branch) -> bool:
    if branch.get("enum") == []:
        return False
    return all(
        branch.get(low, -math.inf) <= branch.get(high, math.inf) for low, high in LIMITS
    ) and all(
        branch.get("properties", {}).get(name) is not False for name in branch.get("required", ())
    )


def _meet(one: Branch, other: Branch) -> Branch | None:
    """The branch of values in both, or ``None`` where there is none."""
    kinds = {one["type"], other["type"]}
    if len(kinds) == 2 and kinds != {"integer", "number"}:
        return None
    both: Branch = {"type": "integer" if "integer" in kinds else one["type"]}
    for keyword in {**one, **other}:
        if keyword == "type" or keyword in both:
            continue
        if keyword in one and keyword in other:
            both[keyword] = _meet_keyword(keyword, one, other)
        else:
            both[keyword] = one.get(keyword, other.get(keyword))
    if both["type"] == "object":
        both |= _meet_members(one, other)
    if both["type"] == "array":
        both |= _meet_items(one, other)
    if "enum" in both:
        both["enum"] = [value for value in both["enum"] if is_type(value, both["type"])]
    return both if _possible(both) else None


def _meet_keyword(keyword: str, one: Branch, other: Branch) -> Any:
    mine, theirs = one[keyword], other[keyword]
    if keyword in LARGER:
        return max(mine, theirs)
    if keyword in SMALLER:
        return min(mine, theirs)
    if keyword == "enum":
        allowed = {identity(value) for value in theirs}
        return [value for value in mine if identity(value) in allowed]
    if keyword == "required":
        return list(dict.fromkeys([*mine, *theirs]))
    if keyword == "uniqueItems":
        return mine or theirs
    if keyword == "multipleOf" and isinstance(mine, int) and isinstance(theirs, int):
        return math.lcm(mine, theirs)
    if keyword == "propertyNames":
        return {"allOf": [mine, theirs]}
    if keyword == "dependentRequired":
        return {name: [*mine.get(name, ()), *theirs.get(name, ())] for name in {**mine, **theirs}}
    if keyword in ("pattern", "multipleOf") and mine != theirs:
        raise ConfigurationError(
            f"two values of {keyword!r} meet: {mine!r} and {theirs!r}", instead="write one of them"
        )
    return mine


def _meet_members(one: Branch, other: Branch) -> Branch:
    names = {**one.get("properties", {}), **other.get("properties", {})}
    met: Branch = {}
    if names:
        met["properties"] = {
            name: _both(*(_member(b, name) for b in (one, other))) for name in names
        }
    if "additionalProperties" in one or "additionalProperties" in other:
        met["additionalProperties"] = _both(
            one.get("additionalProperties", True), other.get("additionalProperties", True)
        )
    return met


def _member(branch: Branch, name: str) -> Schema:
    found: Schema = branch.get("properties", {}).get(name, branch.get("additionalProperties", True))
    return found


def _meet_items(one: Branch, other: Branch) -> Branch:
    length = max(len(one.get("prefixItems", ())), len(other.get("prefixItems", ())))
    met: Branch = {}
    if length:
        met["prefixItems"] = [
            _both(item_schema(one, index), item_schema(other, index)) for index in range(length)
        ]
    if "items" in one or "items" in other:
        met["items"] = _both(one.get("items", True), other.get("items", True))
    return met


def item_schema(branch: Branch, index: int) -> Schema:
    """The schema of the element at ``index`` of an array branch."""
    prefix: Sequence[Schema] = branch.get("prefixItems", ())
    found: Schema = prefix[index] if index < len(prefix) else branch.get("items", True)
    return found


def _both(one: Schema, other: Schema) -> Schema:
    if one is False or other is False:
        return False
    if one is True or one == other:
        return other
    return one if other is True else {"allOf": [one, other]}


def _insist_disjoint(apart: Sequence[Sequence[Branch]], root: Schema) -> None:
    for index, left in enumerate(apart):
        for right in apart[index + 1 :]:
            for one in left:
                for other in right:
                    if not _disjoint(one, other, root):
                        raise ConfigurationError(
                            f"oneOf alternatives may both hold for a value of type {one['type']}",
                            instead="write anyOf, or give them a telling member or type",
                        )


def _disjoint(one: Branch, other: Branch, root: Schema, depth: int = 4) -> bool:
    """Whether provably no value is in both branches."""
    both = _meet(one, other)
    if both is None:
        return True
    if depth == 0:
        return False
    if both["type"] == "array" and both.get("minItems", 0) >= 1:
        return _apart(item_schema(one, 0), item_schema(other, 0), root, depth - 1)
    if both["type"] == "object":
        return any(
            _apart(_member(one, name), _member(other, name), root, depth - 1)
            for name in both.get("required", ())
        )
    return False


def _apart(one: Schema, other: Schema, root: Schema, depth: int) -> bool:
    return all(
        _disjoint(left, right, root, depth)
        for left in branches(one, root)
        for right in branches(other, root)
    )
