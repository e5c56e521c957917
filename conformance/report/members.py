"""Readers of one member of a JSON object: a value, or ``Malformed`` with what was expected instead."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

__all__ = [
    "Malformed",
    "an_object",
    "as_integer",
    "as_natural",
    "as_seconds",
    "as_text",
    "as_word",
    "items",
    "member",
    "optional",
    "or_null",
    "values",
]

T = TypeVar("T")


class Malformed(ValueError):
    """A line that is not what its type says; the message names the member."""


def member(line: Mapping[str, Any], name: str, read: Callable[[Any], T]) -> T:
    """The member ``name`` as ``read`` reads it; raises ``Malformed`` where it is missing or wrong."""
    if name not in line:
        raise Malformed(f'the member "{name}" is missing')
    try:
        return read(line[name])
    except Malformed as error:
        raise Malformed(f'the member "{name}" is {error}') from None


def optional(line: Mapping[str, Any], name: str, read: Callable[[Any], T]) -> T | None:
    """The same for a member that may be missing, or null."""
    return member(line, name, or_null(read)) if name in line else None


def or_null(read: Callable[[Any], T]) -> Callable[[Any], T | None]:
    """A reader that lets null pass."""
    return lambda value: None if value is None else read(value)


def as_text(value: Any) -> str:
    """A string."""
    if not isinstance(value, str):
        raise Malformed(f"{_shown(value)}, not a string")
    return value


def as_integer(value: Any) -> int:
    """A whole number as JSON Schema means it: 1.0 is one, true is not."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise Malformed(f"{_shown(value)}, not an integer")


def as_natural(value: Any) -> int:
    """A whole number that is not negative."""
    if (number := as_integer(value)) < 0:
        raise Malformed(f"{number}, less than zero")
    return number


def as_seconds(value: Any) -> float:
    """A finite number that is not negative."""
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < 0:
        raise Malformed(f"{_shown(value)}, not a number of seconds")
    return float(value)


def an_object(value: Any) -> Mapping[str, Any]:
    """An object."""
    if not isinstance(value, dict):
        raise Malformed(f"{_shown(value)}, not an object")
    return value


def as_word(kind: Callable[[str], T]) -> Callable[[Any], T]:
    """A reader of one word of the enumeration ``kind``."""

    def read(value: Any) -> T:
        try:
            return kind(as_text(value))
        except Malformed:
            raise
        except ValueError:
            raise Malformed(f"{_shown(value)}, an unknown word") from None

    return read


def items(read: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    """A reader of arrays."""

    def each(value: Any) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise Malformed(f"{_shown(value)}, not an array")
        return tuple(map(read, value))

    return each


def values(read: Callable[[Any], T]) -> Callable[[Any], dict[str, T]]:
    """A reader of objects whose values are all alike."""
    return lambda value: {name: read(each) for name, each in an_object(value).items()}


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"
