"""Rules for one value: take ``(param, value)``, return the value, or raise what real OpenAI says.

``param`` is the path that the error names (``messages[2].role``). Null never reaches a rule of an
optional parameter: it is the same as leaving the parameter out.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any, TypeAlias

from conformance.reference.errors import APIError, invalid_type, shown

__all__ = [
    "Rule",
    "array",
    "boolean",
    "enum",
    "integer",
    "invalid_value",
    "mapping",
    "missing",
    "number",
    "record",
    "string",
    "strings",
]

Rule: TypeAlias = Callable[[str, Any], Any]


def missing(param: str) -> APIError:
    """400: a required member is absent."""
    message = f"Missing required parameter: '{param}'."
    return APIError(400, message, param=param, code="missing_required_parameter")


def invalid_value(param: str, value: Any, supported: str) -> APIError:
    """400: a value of the right type that is none of those supported."""
    message = f"Invalid value: '{shown(value)}'. Supported values are: {supported}."
    return APIError(400, message, param=param, code="invalid_value")


def _range(param: str, value: float, word: str, least: float | None, most: float | None) -> None:
    for bound, beyond, side, sign in (
        (least, least is not None and value < least, "below minimum", ">="),
        (most, most is not None and value > most, "above maximum", "<="),
    ):
        if beyond:
            message = (
                f"Invalid '{param}': {word} {side} value. "
                f"Expected a value {sign} {bound}, but got {shown(value)} instead."
            )
            code = f"{word}_{side[:5]}_{side[6:9]}_value"
            raise APIError(400, message, param=param, code=code)


def integer(least: int | None = None, most: int | None = None) -> Rule:
    """An integer; ``2.0`` is one, as in JSON Schema; ``true`` is none."""

    def rule(param: str, value: Any) -> int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise invalid_type(param, "an integer", value)
        _range(param, value, "integer", least, most)
        return value

    return rule


def number(least: float | None = None, most: float | None = None) -> Rule:
    """A finite number."""

    def rule(param: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise invalid_type(param, "a decimal", value)
        _range(param, value, "decimal", least, most)
        if not isfinite(value):
            message = (
                f"Invalid '{param}': expected a finite number, but got {shown(value)} instead."
            )
            raise APIError(400, message, param=param, code="invalid_value")
        return float(value)

    return rule


def boolean(param: str, value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise invalid_type(param, "a boolean", value)
    return value


def string(most: int | None = None, least: int = 0) -> Rule:
    """A string of ``least`` to ``most`` characters."""

    def rule(param: str, value: Any) -> str:
        if not isinstance(value, str):
            raise invalid_type(param, "a string", value)
        _length(param, value, "string", least, most)
        return value

    return rule


def _length(param: str, value: Any, word: str, least: int, most: int | None) -> None:
    if not value and least:
        message = (
            f"Invalid '{param}': empty {word}. Expected {'an' if word == 'array' else 'a'} {word} "
            f"with minimum length {least}, but got an empty {word} instead."
        )
        raise APIError(400, message, param=param, code=f"empty_{word}")
    if most is not None and len(value) > most:
        message = (
            f"Invalid '{param}': {word} too long. Expected {'an' if word == 'array' else 'a'} {word} "
            f"with maximum length {most}, but got {'an' if word == 'array' else 'a'} {word} "
            f"with length {len(value)} instead."
        )
        raise APIError(400, message, param=param, code=f"{word}_above_max_length")


def enum(*values: str) -> Rule:
    """One of ``values``."""

    def rule(param: str, value: Any) -> str:
        if not isinstance(value, str):
            raise invalid_type(param, f"one of {_listed(values, 'or')}", value)
        if value not in values:
            raise invalid_value(param, value, _listed(values, "and"))
        return value

    return rule


def _listed(values: tuple[str, ...], last: str) -> str:
    *most, final = (f"'{value}'" for value in values)
    return f"{', '.join(most)}, {last} {final}" if most else final


def array(item: Rule, least: int = 0, most: int | None = None) -> Rule:
    """An array of ``least`` to ``most`` items that each follow ``item``."""

    def rule(param: str, value: Any) -> list[Any]:
        if not isinstance(value, list):
            raise invalid_type(param, "an array", value)
        _length(param, value, "array", least, most)
        return [item(f"{param}[{at}]", one) for at, one in enumerate(value)]

    return rule


def strings(most: int) -> Rule:
    """A string, or an array of 1 to ``most`` strings; the value is always a list."""
    several = array(string(), 1, most)

    def rule(param: str, value: Any) -> list[str]:
        if isinstance(value, str):
            return [value]
        if not isinstance(value, list):
            raise invalid_type(param, "one of a string or array of strings", value)
        found: list[str] = several(param, value)
        return found

    return rule


def mapping(param: str, value: Any) -> dict[str, Any]:
    """An object of any members."""
    if not isinstance(value, dict):
        raise invalid_type(param, "an object", value)
    return value


def record(required: Mapping[str, Rule], optional: Mapping[str, Rule] | None = None) -> Rule:
    """An object whose members follow rules; members without one are left alone.

    Null is no value for a required member, and the same as absence for an optional one.
    """

    def rule(param: str, value: Any) -> dict[str, Any]:
        found = mapping(param, value)
        for name, member in required.items():
            if name not in found:
                raise missing(f"{param}.{name}")
            member(f"{param}.{name}", found[name])
        for name, member in (optional or {}).items():
            if found.get(name) is not None:
                member(f"{param}.{name}", found[name])
        return found

    return rule
