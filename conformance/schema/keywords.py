"""The closed set of JSON Schema keywords that this package knows.

Any other keyword is a mistake, reported with file and JSON pointer: a keyword that is silently
skipped makes every generated value a lie. Source: JSON Schema 2020-12, Core §10, Validation §6.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from conformance.errors import ConfigurationError

__all__ = [
    "KEYWORDS",
    "TYPES",
    "Schema",
    "check_keywords",
    "escape",
    "identity",
    "is_type",
    "resolve",
    "type_of",
]

Schema: TypeAlias = Mapping[str, Any] | bool

TYPES = ("null", "boolean", "number", "string", "array", "object")
NUMERIC = ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")
#: Assertions by the type they speak about; on a value of another type they hold.
KEYWORDS: Mapping[str, tuple[str, ...]] = {
    "null": (),
    "boolean": (),
    "integer": NUMERIC,
    "number": NUMERIC,
    "string": ("minLength", "maxLength", "pattern"),
    "array": ("items", "prefixItems", "minItems", "maxItems", "uniqueItems"),
    "object": (
        "properties",
        "required",
        "additionalProperties",
        "propertyNames",
        "minProperties",
        "maxProperties",
        "dependentRequired",
    ),
}
COMBINERS = ("allOf", "anyOf", "oneOf")
ANNOTATIONS = frozenset(
    [
        "title",
        "description",
        "default",
        "examples",
        "deprecated",
        "readOnly",
        "writeOnly",
        "format",
        "$comment",
        "$schema",
        "$id",
    ]
)
KNOWN = frozenset({"type", "enum", "const", "$ref", "$defs", *COMBINERS}.union(*KEYWORDS.values()))


def check_keywords(schema: Any, *, where: str = "", pointer: str = "") -> None:
    """Raise ``ConfigurationError`` at the first keyword that is not known, naming its pointer."""
    if isinstance(schema, bool):
        return
    place = f"{where}#{pointer}"
    if not isinstance(schema, Mapping):
        raise ConfigurationError(
            f"{schema!r} is not a schema", where=place, instead="write an object, true or false"
        )
    for keyword, value in schema.items():
        if keyword in ANNOTATIONS or keyword.startswith("x-"):
            continue
        if keyword not in KNOWN:
            raise ConfigurationError(
                f"unknown keyword {keyword!r}",
                where=f"{place}/{escape(keyword)}",
                instead=f"use one of {', '.join(sorted(KNOWN))}",
            )
        for step, each in _subschemas(keyword, value):
            check_keywords(each, where=where, pointer=f"{pointer}/{escape(keyword)}{step}")


def _subschemas(keyword: str, value: Any) -> Iterable[tuple[str, Any]]:
    if keyword in ("items", "additionalProperties", "propertyNames"):
        yield "", value
    elif keyword in (*COMBINERS, "prefixItems"):
        yield from ((f"/{index}", each) for index, each in enumerate(value))
    elif keyword in ("properties", "$defs"):
        yield from ((f"/{escape(name)}", each) for name, each in value.items())


def escape(name: str) -> str:
    """``name`` as one step of a JSON pointer (RFC 6901 §3)."""
    return name.replace("~", "~0").replace("/", "~1")


def resolve(reference: str, root: Schema) -> Schema:
    """The schema that a local ``$ref`` points to; ``ConfigurationError`` if there is none."""
    found: Any = root
    if reference != "#" and not reference.startswith("#/"):
        raise ConfigurationError(f"$ref {reference!r} is not local", instead="write #/$defs/…")
    for step in reference.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(found, Mapping) or name not in found:
            raise ConfigurationError(f"$ref {reference!r} points nowhere")
        found = found[name]
    return found  # type: ignore[no-any-return]


def identity(value: Any) -> str:
    """A key under which two values are equal exactly if JSON Schema calls them equal (§4.2.2)."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, Mapping):
        return "{" + ",".join(sorted(json.dumps(k) + identity(v) for k, v in value.items())) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(identity, value)) + "]"
    return json.dumps(value)


def type_of(value: Any) -> str:
    """The JSON type of ``value``; every number is a ``number``."""
    return next(name for name in TYPES if is_type(value, name))


def is_type(value: Any, name: str) -> bool:
    """Whether ``value`` is of JSON Schema type ``name`` (2.0 is an integer, true no number)."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return {
        "null": value is None,
        "boolean": isinstance(value, bool),
        "number": number,
        "integer": number and float(value).is_integer(),
        "string": isinstance(value, str),
        "array": isinstance(value, list | tuple),
        "object": isinstance(value, Mapping),
    }[name]
