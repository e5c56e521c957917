"""Functions and documents to ask for: small JSON Schemas of every shape that clients use.

Drawn from a seed, so that a run can be repeated; every schema is closed (all members required, no
others), as strict mode demands.
"""

from __future__ import annotations

import random
from typing import Any

__all__ = ["NAMES", "a_schema", "a_tool"]

#: Names of functions; each can be spoken of in a sentence.
NAMES = ("get_weather", "book_table", "convert_currency", "set_alarm")
_MEMBERS = ("city", "count", "unit", "urgent", "tags", "place", "amount", "note")


def a_schema(seed: int, members: int = 3) -> dict[str, Any]:
    """An object schema with ``members`` members of various types."""
    dice = random.Random(f"schema {seed}")  # noqa: S311 - a test case, not a secret
    names = dice.sample(_MEMBERS, members)
    kinds = [_KINDS[(seed + number) % len(_KINDS)] for number in range(members)]
    return _closed({name: _value(kind, dice) for name, kind in zip(names, kinds, strict=True)})


_KINDS = ("string", "integer", "boolean", "enum", "array", "object", "number")


def _value(kind: str, dice: random.Random) -> dict[str, Any]:
    if kind == "enum":
        return {"type": "string", "enum": dice.sample(["celsius", "kelvin", "metres", "miles"], 2)}
    if kind == "array":
        return {"type": "array", "items": {"type": dice.choice(["string", "integer"])}}
    if kind == "object":
        return _closed({"name": {"type": "string"}, "sure": {"type": "boolean"}})
    return {"type": kind}


def _closed(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def a_tool(seed: int, name: str | None = None, *, strict: bool = False) -> dict[str, Any]:
    """A function tool with a drawn schema of its parameters."""
    name = name or NAMES[seed % len(NAMES)]
    function: dict[str, Any] = {
        "name": name,
        "description": f"{name.replace('_', ' ').capitalize()} for the user.",
        "parameters": a_schema(seed),
    }
    if strict:
        function["strict"] = True
    return {"type": "function", "function": function}
