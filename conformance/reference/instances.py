"""A valid instance of a JSON Schema, built rather than searched for.

Used for ``response_format`` and for tool arguments. Optional members are written too, but not
below a few levels, so that recursive schemas end. Covers the keywords that function schemas use;
what it cannot build is found by validating the result (:func:`instance`).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from math import ceil, floor
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

__all__ = ["SchemaProblem", "check_schema", "instance"]

_DEEP = 4
_FORMATS = {
    "date": "2024-05-17", "time": "12:30:00Z", "date-time": "2024-05-17T12:30:00Z",
    "duration": "P1D", "email": "cook@example.com", "hostname": "example.com",
    "ipv4": "192.0.2.1", "ipv6": "2001:db8::1", "uri": "https://example.com/",
    "uuid": "123e4567-e89b-42d3-a456-426614174000",
}  # fmt: skip


class SchemaProblem(Exception):
    """The schema is none, or no instance of it was found; the text says which."""


def check_schema(schema: Any) -> None:
    """Raise :class:`SchemaProblem` unless ``schema`` is a JSON Schema (2020-12)."""
    try:
        Draft202012Validator.check_schema(schema)
    except (SchemaError, RecursionError) as error:
        raise SchemaProblem(str(getattr(error, "message", "nested too deeply"))[:200]) from None


def instance(schema: Any, words: Sequence[str], dice: random.Random) -> Any:
    """An instance of ``schema``; strings come from ``words``, choices from ``dice``."""
    check_schema(schema)
    try:
        value = _Builder(schema, words, dice).build(schema, 0)
        problem = next(Draft202012Validator(schema).iter_errors(value), None)
    except Exception as error:  # a schema may be valid and still impossible, in many ways
        raise SchemaProblem(f"no instance found ({type(error).__name__})") from None
    if problem is not None:
        raise SchemaProblem(f"no instance found: {problem.message}"[:200])
    return value


class _Builder:
    def __init__(self, root: Any, words: Sequence[str], dice: random.Random) -> None:
        self.root, self.dice = root, dice
        self.words = self._endless(words or ["pasta"])

    def _endless(self, words: Sequence[str]) -> Iterator[str]:
        while True:
            yield from words

    def build(self, schema: Any, depth: int) -> Any:
        if depth > 40:
            raise RecursionError
        if schema is True or schema == {}:
            return next(self.words)
        schema = self._resolve(schema)
        if "const" in schema:
            return schema["const"]
        if "enum" in schema:
            return self.dice.choice(schema["enum"])
        kind = self._kind(schema, depth)
        return getattr(self, f"_{kind}")(schema, depth)

    def _resolve(self, schema: Any) -> dict[str, Any]:
        """``schema`` with references followed, ``allOf`` merged and one branch chosen."""
        merged = dict(schema)
        for _ in range(20):
            if "$ref" in merged:
                merged = _merge(self._find(merged.pop("$ref")), merged)
            elif "allOf" in merged:
                for part in merged.pop("allOf"):
                    merged = _merge(merged, part)
            elif "anyOf" in merged or "oneOf" in merged:
                branches = merged.pop("anyOf", None) or merged.pop("oneOf")
                merged = _merge(merged, branches[0])
            else:
                return merged
        raise RecursionError

    def _find(self, reference: str) -> Any:
        found = self.root
        for step in reference.removeprefix("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            found = found[int(name)] if isinstance(found, list) else found[name]
        return found

    def _kind(self, schema: Mapping[str, Any], depth: int) -> str:
        kind = schema.get("type")
        if isinstance(kind, list):
            kind = "null" if depth > _DEEP and "null" in kind else kind[0]
        if isinstance(kind, str):
            return kind
        if "items" in schema or "prefixItems" in schema:
            return "array"
        return "object" if "properties" in schema or "required" in schema else "string"

    def _null(self, schema: Mapping[str, Any], depth: int) -> None:
        return None

    def _boolean(self, schema: Mapping[str, Any], depth: int) -> bool:
        return self.dice.random() < 0.5

    def _string(self, schema: Mapping[str, Any], depth: int) -> str:
        if schema.get("format") in _FORMATS:
            return _FORMATS[schema["format"]]
        text = next(self.words)
        while len(text) < schema.get("minLength", 0):
            text += f" {next(self.words)}"
        return text[: schema.get("maxLength", len(text))]

    def _integer(self, schema: Mapping[str, Any], depth: int) -> int:
        step = max(1, ceil(schema.get("multipleOf", 1)))
        low, high = self._bounds(schema)
        low = ceil(low) if low is not None else None
        high = floor(high) if high is not None else None
        if low is not None and low == schema.get("exclusiveMinimum"):
            low += 1
        if high is not None and high == schema.get("exclusiveMaximum"):
            high -= 1
        start = ceil((low if low is not None else min(high if high is not None else 1, 1)) / step)
        last = floor(high / step) if high is not None else start + 20
        found: int = step * self.dice.randint(start, max(start, min(last, start + 20)))
        return found

    def _number(self, schema: Mapping[str, Any], depth: int) -> float:
        if "multipleOf" in schema:
            low, _ = self._bounds(schema)
            return float(schema["multipleOf"] * (ceil((low or 0) / schema["multipleOf"]) + 1))
        low, high = self._bounds(schema)
        low = low if low is not None else (min(high, 0) - 2 if high is not None else 0)
        high = high if high is not None else low + 20
        return float(round(low + (high - low) * 0.5, 6))

    def _bounds(self, schema: Mapping[str, Any]) -> tuple[float | None, float | None]:
        lows = [schema[name] for name in ("minimum", "exclusiveMinimum") if name in schema]
        highs = [schema[name] for name in ("maximum", "exclusiveMaximum") if name in schema]
        return max(lows, default=None), min(highs, default=None)

    def _array(self, schema: Mapping[str, Any], depth: int) -> list[Any]:
        items = [self.build(part, depth + 1) for part in schema.get("prefixItems", ())]
        wanted = max(schema.get("minItems", 0), 0 if depth > _DEEP else 1)
        wanted = min(wanted, schema.get("maxItems", wanted))
        for _ in range(100):
            if len(items) >= wanted or schema.get("items") is False:
                break
            item = self.build(schema.get("items", True), depth + 1)
            if not schema.get("uniqueItems") or item not in items:
                items.append(item)
        return items

    def _object(self, schema: Mapping[str, Any], depth: int) -> dict[str, Any]:
        properties, required = schema.get("properties", {}), schema.get("required", [])
        names = [name for name in properties if name in required or depth <= _DEEP]
        names += [name for name in required if name not in properties]
        rest = schema.get("additionalProperties", True)
        made = {name: self.build(properties.get(name, rest), depth + 1) for name in names}
        for number in range(schema.get("minProperties", 0) - len(made)):
            made[f"key{number}"] = self.build(rest, depth + 1)
        return made


def _merge(one: Any, other: Any) -> dict[str, Any]:
    """Both schemas at once, as far as their keywords simply add up."""
    merged = {**one, **other}
    for name in ("properties", "$defs"):
        if name in one and name in other:
            merged[name] = {**one[name], **other[name]}
    if "required" in one and "required" in other:
        merged["required"] = [*dict.fromkeys([*one["required"], *other["required"]])]
    return merged
