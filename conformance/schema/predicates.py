"""Schemas of plain values as fast predicates.

Every member of every event of every stream is judged, so that the common keywords are compiled to
closures; :mod:`jsonschema` is asked only about schemas with other keywords, and to explain a breach.
Both agree (property-tested): a number with a zero fraction is an integer, a boolean is no number.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from jsonschema import Draft202012Validator

__all__ = ["Predicate", "predicate_for"]

Predicate = Callable[[Any], bool]

_SIMPLE = frozenset(
    {
        *("type", "const", "enum", "minimum", "maximum", "minLength", "maxLength"),
        *("minItems", "maxItems", "items", "additionalProperties", "anyOf"),
    }
)
_IGNORED = frozenset({"title", "description", "default", "examples", "deprecated", "$comment"})


def predicate_for(schema: Mapping[str, Any]) -> Predicate:
    """Whether a JSON value is valid under ``schema``, as a function. It never raises."""
    tests = _compile(schema)
    if tests is None:
        validator = Draft202012Validator(schema)

        def slow(value: Any) -> bool:
            return bool(validator.is_valid(value))

        return slow
    return _all(tests)


def _compile(schema: Mapping[str, Any]) -> list[Predicate] | None:
    """One test for each keyword, or ``None`` if one of them is not simple."""
    tests = []
    for keyword, wanted in schema.items():
        if keyword in _IGNORED:
            continue
        test = _test(keyword, wanted) if keyword in _SIMPLE else None
        if test is None:
            return None
        tests.append(test)
    return tests


def _test(keyword: str, wanted: Any) -> Predicate | None:
    if keyword == "type":
        return _type(wanted)
    if keyword in ("const", "enum"):
        return _enum([wanted] if keyword == "const" else wanted)
    if keyword in ("items", "additionalProperties"):
        return _inner(keyword, wanted)
    if keyword == "anyOf":
        return _any_of(wanted)
    return _LIMITS[keyword](wanted)


def _all(tests: list[Predicate]) -> Predicate:
    if len(tests) == 1:
        return tests[0]
    return lambda value: all(test(value) for test in tests)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


_TYPES: Mapping[str, Predicate] = {
    "null": lambda value: value is None,
    "boolean": lambda value: isinstance(value, bool),
    "string": lambda value: isinstance(value, str),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "number": _is_number,
    "integer": lambda value: (
        (isinstance(value, int) and not isinstance(value, bool))
        or (isinstance(value, float) and value.is_integer())
    ),
}

_LIMITS: Mapping[str, Callable[[Any], Predicate]] = {
    "minimum": lambda limit: lambda value: not _is_number(value) or not value < limit,
    "maximum": lambda limit: lambda value: not _is_number(value) or not value > limit,
    "minLength": lambda limit: lambda value: not isinstance(value, str) or len(value) >= limit,
    "maxLength": lambda limit: lambda value: not isinstance(value, str) or len(value) <= limit,
    "minItems": lambda limit: lambda value: not isinstance(value, list) or len(value) >= limit,
    "maxItems": lambda limit: lambda value: not isinstance(value, list) or len(value) <= limit,
}


def _type(wanted: Any) -> Predicate:
    tests = [_TYPES[kind] for kind in ([wanted] if isinstance(wanted, str) else wanted)]
    if len(tests) == 1:
        return tests[0]
    return lambda value: any(test(value) for test in tests)


def _enum(allowed: list[Any]) -> Predicate | None:
    """Texts and null only: equality of JSON numbers and containers is left to jsonschema."""
    if not all(each is None or isinstance(each, str) for each in allowed):
        return None
    texts = frozenset(each for each in allowed if each is not None)
    null = None in allowed
    return lambda value: value in texts if isinstance(value, str) else null and value is None


def _any_of(alternatives: list[Mapping[str, Any]]) -> Predicate | None:
    compiled = [_compile(each) for each in alternatives]
    tests = [_all(each) for each in compiled if each is not None]
    if len(tests) < len(alternatives):
        return None
    return lambda value: any(test(value) for test in tests)


def _inner(keyword: str, schema: Any) -> Predicate | None:
    if isinstance(schema, bool):
        return None
    tests = _compile(schema)
    if tests is None:
        return None
    test = _all(tests)
    if keyword == "items":
        return lambda value: not isinstance(value, list) or all(map(test, value))
    return lambda value: not isinstance(value, dict) or all(map(test, value.values()))
