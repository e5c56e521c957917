"""One documented parameter: what the contract says, narrowed by what the profile says."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from typing import Any

from conformance.errors import ConfigurationError
from conformance.schema.contract import Bound, Grade, Parameter, Source

__all__ = ["bare", "build_parameter", "request_schema", "source_of"]

#: Keywords that set a bound a faulty request can break.
BOUNDS = (
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "minLength",
    "maxLength",
    "minItems",
    "maxItems",
    "maxProperties",
    "pattern",
    "enum",
)
ANNOTATIONS = frozenset({"title", "description", "default", "examples", "deprecated", "$comment"})
_NAMED = frozenset({"properties", "$defs"})
_DATA = frozenset({"enum", "const"})


def build_parameter(
    name: str,
    contract: Mapping[str, Any] | None,
    entry: Mapping[str, Any],
    *,
    required: bool,
    nullable: bool,
    defaults: bool,
    grade: Grade,
    where: str,
) -> Parameter:
    """The parameter ``name`` from the contract's schema and the profile's ``entry``.

    The entry's ``schema`` takes the place of the contract's; it allows null exactly where null is
    promised. Neutral values are taken from the contract only where the promise itself is (the entry
    has no source of its own), defaults only if ``defaults`` says that they are promised, too.
    ``where`` is the place of the entry, for errors.
    """
    known = contract or {}
    raw = entry.get("schema", contract)
    if raw is None:
        raise ConfigurationError(
            f"no contract describes parameter {name!r}",
            where=where,
            instead="give it a schema and a source here, or correct the name",
        )
    inherited = {} if "source" in entry else known
    null = entry.get("nullable", nullable and allows_null(raw))
    return Parameter(
        name=name,
        schema=bare(with_null(raw) if null else without_null(raw)),
        source=source_of(entry.get("source", known.get("x-source")), where),
        required=required,
        nullable=null,
        bounds=_bounds(entry, raw, grade),
        simplest=entry.get("simplest", known.get("examples", [...])[0]),
        neutral=entry.get("neutral", inherited.get("x-neutral", ...)),
        default=entry.get("default", inherited.get("default", ...) if defaults else ...),
    )


def source_of(value: Mapping[str, Any] | None, where: str) -> Source:
    """A ``Source``; ``ConfigurationError`` if there is none."""
    if value is None:
        raise ConfigurationError(
            "a promise without a source", where=where, instead="add source: {kind, reference}"
        )
    return Source(value["kind"], value["reference"], value.get("quote", ""))


def request_schema(parameters: Mapping[str, Parameter]) -> dict[str, Any]:
    """The schema of a request with these parameters."""
    return {
        "type": "object",
        "required": [each.name for each in parameters.values() if each.required],
        "properties": {each.name: each.schema for each in parameters.values()},
    }


def _bounds(entry: Mapping[str, Any], raw: Mapping[str, Any], grade: Grade) -> tuple[Bound, ...]:
    if "bounds" in entry:
        return tuple(
            Bound(each["keyword"], each["value"], Grade(each["grade"]), each.get("sentence", ""))
            for each in entry["bounds"]
        )
    found: dict[str, Bound] = {}
    for keyword, value in _limits(raw):
        found.setdefault(keyword, Bound(keyword, value, grade))
    return tuple(found.values())


def _limits(schema: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    """Bounds of a value: its own, those of its branches, then those of its items and members.

    One for each keyword: the outermost. Members of an object with fixed names are left out; their
    bounds are not the parameter's.
    """
    for keyword in BOUNDS:
        if keyword in schema:
            value = schema[keyword]
            yield (
                keyword,
                [each for each in value if each is not None] if keyword == "enum" else value,
            )
    for branch in schema.get("anyOf", ()):
        yield from _limits(branch)
    for keyword in ("items", "additionalProperties"):
        inner = schema.get(keyword)
        if isinstance(inner, Mapping) and "properties" not in inner and "anyOf" not in inner:
            yield from _limits(inner)


def allows_null(schema: Mapping[str, Any]) -> bool:
    """Whether null is valid, as far as ``type``, ``enum`` and ``anyOf`` say so."""
    if "anyOf" in schema:
        return any(allows_null(branch) for branch in schema["anyOf"])
    if "enum" in schema:
        return None in schema["enum"]
    kinds = schema.get("type")
    return kinds == "null" or (isinstance(kinds, list) and "null" in kinds)


def with_null(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of what ``schema`` allows, and of null."""
    if allows_null(schema):
        return schema
    kinds = schema.get("type")
    if isinstance(kinds, str) and "enum" not in schema and "const" not in schema:
        return {**schema, "type": [kinds, "null"]}
    return {"anyOf": [schema, {"type": "null"}]}


def without_null(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of everything that is valid but null (at the top, not inside)."""
    result = dict(schema)
    if isinstance(result.get("type"), list):
        kinds = [kind for kind in result["type"] if kind != "null"]
        result["type"] = kinds[0] if len(kinds) == 1 else kinds
    if "enum" in result:
        result["enum"] = [each for each in result["enum"] if each is not None]
    if "anyOf" in result:
        branches = [without_null(each) for each in result["anyOf"] if each.get("type") != "null"]
        if len(branches) == 1:
            del result["anyOf"]
            return {**branches[0], **result}
        result["anyOf"] = branches
    return result


def bare(schema: Any) -> Any:
    """A copy of ``schema`` without annotations: nothing but what decides validity."""
    if isinstance(schema, list):
        return [bare(each) for each in schema]
    if not isinstance(schema, Mapping):
        return schema
    result: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword in ANNOTATIONS or keyword.startswith("x-"):
            continue
        if keyword in _NAMED:
            result[keyword] = {name: bare(each) for name, each in value.items()}
        elif keyword in _DATA:
            result[keyword] = copy.deepcopy(value)
        else:
            result[keyword] = bare(value)
    return result
