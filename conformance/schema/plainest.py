"""The one plainest value a schema allows, without a search.

What :func:`~conformance.schema.strategies.from_schema` shrinks to, but worked out directly: the
first alternative as written, nothing optional, the shortest array, the number nearest to zero, the
first of the hints' words.
"""

from __future__ import annotations

import math
import re
from typing import Any

from hypothesis import find
from hypothesis import strategies as st

from conformance.schema.branches import Branch, branches, item_schema
from conformance.schema.drawing import fit, valid_members
from conformance.schema.keywords import Schema
from conformance.schema.strategies import Hints

__all__ = ["NOTHING", "plainest"]

#: Stands for "no value satisfies the schema".
NOTHING: Any = type("Nothing", (), {"__repr__": lambda self: "NOTHING"})()


def plainest(
    schema: Schema,
    *,
    hints: Hints | None = None,
    root: Schema = True,
    path: str = "",
    turn: int = 0,
) -> Any:
    """The plainest value of ``schema`` at ``path``, or :data:`NOTHING`.

    ``turn`` numbers the elements of an array, so that texts side by side differ.
    """
    hints = hints or Hints()
    narrow = hints.narrow.get(path)
    for branch in branches(schema if narrow is None else {"allOf": [schema, narrow]}, root):
        value = _of_branch(branch, hints, root, path, turn)
        if value is not NOTHING:
            return value
    return NOTHING


def _of_branch(branch: Branch, hints: Hints, root: Schema, path: str, turn: int) -> Any:
    kind = branch["type"]
    if "enum" in branch:
        return next(iter(valid_members(branch, root)), NOTHING)
    if kind in ("integer", "number"):
        return _number(branch, kind == "integer")
    if kind == "string":
        return _string(branch, hints, turn)
    if kind == "array":
        return _array(branch, hints, root, path)
    if kind == "object":
        return _object(branch, hints, root, path)
    return None if kind == "null" else False


def _number(branch: Branch, whole: bool) -> Any:
    low = max(branch.get("minimum", -math.inf), branch.get("exclusiveMinimum", -math.inf))
    high = min(branch.get("maximum", math.inf), branch.get("exclusiveMaximum", math.inf))
    step = branch.get("multipleOf", 1)
    near = (0, math.ceil(low) if low > 0 else math.floor(high) if high < 0 else 0)
    tried: list[float] = [
        each + away * step for each in (near[1] // step * step, near[0]) for away in (0, 1, -1)
    ]
    if not whole and "multipleOf" not in branch:
        tried += [each for each in (low, high, (low + high) / 2) if math.isfinite(each)]
    for each in tried:
        beyond_low = each < low or each == branch.get("exclusiveMinimum")
        if not beyond_low and each <= high and each != branch.get("exclusiveMaximum"):
            return int(each) if float(each).is_integer() else each
    return NOTHING


def _string(branch: Branch, hints: Hints, turn: int) -> Any:
    if "pattern" in branch:
        return _matching(branch["pattern"], turn)
    words = hints.words or ("",)
    least = branch.get("minLength", 0)
    return fit(words[turn % len(words)], least, branch.get("maxLength", max(least, 1000)))


def _matching(pattern: str, turn: int) -> Any:
    """A text for the few patterns that names of members have; else what hypothesis finds."""
    for each in (str(turn), "0", "a", "A", "a0", ""):
        if re.search(pattern, each):
            return each
    return find(st.from_regex(pattern), lambda _: True)


def _array(branch: Branch, hints: Hints, root: Schema, path: str) -> Any:
    if branch.get("minItems", 0) > branch.get("maxItems", math.inf):
        return NOTHING
    found: list[Any] = []
    for index in range(branch.get("minItems", 0)):
        place = f"{path}/{index}" if index < len(branch.get("prefixItems", ())) else f"{path}/*"
        found.append(
            plainest(item_schema(branch, index), hints=hints, root=root, path=place, turn=index)
        )
    return NOTHING if NOTHING in found else found


def _object(branch: Branch, hints: Hints, root: Schema, path: str) -> Any:
    properties = branch.get("properties", {})
    required = branch.get("required", ())
    found: dict[str, Any] = {}
    for name in [*required, *(name for name in properties if name not in required)]:
        if name not in required and len(found) >= branch.get("minProperties", 0):
            break
        schema = properties.get(name, branch.get("additionalProperties", True))
        value = plainest(schema, hints=hints, root=root, path=f"{path}/{name}")
        if value is not NOTHING or name in required:
            found[name] = value
    for turn in range(branch.get("minProperties", 0) - len(found)):
        names = {"allOf": [{"type": "string"}, branch.get("propertyNames", {"minLength": 1})]}
        name = plainest(names, hints=hints, root=root, path=f"{path}/*name", turn=turn)
        if name is NOTHING:
            return NOTHING
        while name in found:
            name = f"{turn}{name}"[: len(name)] if len(name) > 1 else f"{name}{turn}"
        found[name] = plainest(branch.get("additionalProperties", True), hints=hints, root=root, path=f"{path}/*")  # fmt: skip
    return NOTHING if NOTHING in found.values() else found
