"""What can be wrong with one parameter, read from its schema and graded bounds.

A fault is a value (or its absence) at a place inside the parameter. ``rank`` orders by how much a
fault tells: the unmistakable first, then ranges, then what kills servers, then coercions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.generate.conversations import carrier_of
from conformance.generate.hints import PROMISED, request_schema
from conformance.schema.branches import Branch, branches, item_schema
from conformance.schema.contract import Endpoint, Parameter
from conformance.verdicts import Level

__all__ = ["Fault", "Raw", "faults_of", "nested_faults"]

MUST, SHOULD, MAY = Level.MUST, Level.SHOULD, Level.MAY
#: Far beyond every integer type.
HUGE = 10**30
NESTING = 500
UNKNOWN = "conformance-unknown"

#: Required by the specification and given a default by it as well: absence and null are open.
DEFAULTED = frozenset({"prompt"})

#: By JSON type that is missing from the schema: values that no reader can take for another type,
#: then those that lenient readers coerce. The value chosen must suit none of the schema's types.
UNMISTAKABLE: Mapping[str, Any] = {
    "string": "many",
    "object": {"a": 1},
    "array": [[7]],
    "number": 7,
}


@dataclass(frozen=True)
class Raw:
    """JSON text that no value of Python's stands for."""

    text: str


@dataclass(frozen=True)
class Fault:
    """One fault: ``value`` (``...``: left out) at ``steps`` below the parameter."""

    operator: str
    value: Any
    level: Level
    rank: int
    steps: tuple[str | int, ...] = ()
    hostile: bool = False


def faults_of(endpoint: Endpoint, parameter: Parameter) -> Iterator[Fault]:
    """The faults of the parameter's value as a whole."""
    own = branches(parameter.schema, request_schema(endpoint))
    types = {branch["type"] for branch in own}
    yield from _absence(parameter, types)
    yield from _wrong_types(types)
    for branch in own:
        if branch["type"] in ("integer", "number"):
            yield from _numbers(parameter, branch, types, ())
        elif branch["type"] in ("array", "string"):
            yield from _sizes(parameter, branch, types)
    yield from _enums(own, types)
    if types & {"array", "object"} or endpoint_carries(endpoint, parameter):
        deep = Raw("[" * NESTING + "]" * NESTING)
        yield Fault(
            "deep nesting", deep, MUST if "array" not in types else SHOULD, 60, hostile=True
        )


def endpoint_carries(endpoint: Endpoint, parameter: Parameter) -> bool:
    """Whether the parameter carries the endpoint's text."""
    carrier = carrier_of(endpoint)
    return carrier is not None and carrier.name == parameter.name


def _absence(parameter: Parameter, types: set[str]) -> Iterator[Fault]:
    if not parameter.required:
        return
    level = MAY if parameter.name in DEFAULTED else MUST
    yield Fault("missing required", ..., level, 5, hostile=True)
    if "null" not in types:
        yield Fault("null for required", None, level, 12)


def _wrong_types(types: set[str]) -> Iterator[Fault]:
    numeric = types & {"integer", "number"}
    for kind, value in UNMISTAKABLE.items():
        if kind not in types and not (kind == "number" and numeric):
            rank = {"string": 10, "object": 19, "array": 24}.get(
                kind, 13 if "string" in types else 25
            )
            yield Fault("wrong type", value, MUST, rank)
    if numeric and "string" not in types:
        yield Fault("number as string", "8", SHOULD, 34)
    if numeric and "boolean" not in types:
        yield Fault("boolean for number", True, SHOULD, 36)
    if "boolean" in types:
        yield Fault("boolean as string", "true", SHOULD, 30)
        yield Fault("boolean as number", 1, SHOULD, 32)
    elif not numeric:
        yield Fault("wrong type", True, MUST, 26)


def _graded(parameter: Parameter, keyword: str) -> Level:
    grades = [bound.grade for bound in parameter.bounds if bound.keyword == keyword]
    return SHOULD if any(grade in PROMISED for grade in grades) else MAY


def _numbers(
    parameter: Parameter, branch: Branch, types: set[str], steps: tuple[str | int, ...]
) -> Iterator[Fault]:
    whole = branch["type"] == "integer" and "number" not in types
    for keyword, sign in (
        ("minimum", -1),
        ("exclusiveMinimum", -1),
        ("maximum", 1),
        ("exclusiveMaximum", 1),
    ):
        if keyword in branch:
            limit = branch[keyword]
            away = 0 if keyword.startswith("exclusive") else (1 if whole else 0.1)
            name = "below minimum" if sign < 0 else "above maximum"
            yield Fault(
                name, _tidy(limit + sign * away), _graded(parameter, keyword), 14 - sign, steps
            )
    if whole:
        # Readers of floats take it (a bias of 0.5): wrong, and no type confusion.
        level = SHOULD if steps else MUST
        yield Fault("fraction for integer", 2.5, level, 20, steps)
    for rank, literal in enumerate(("NaN", "Infinity", "-Infinity")):
        yield Fault(
            "not a JSON number", Raw(literal), MUST, (18, 38, 40)[rank], steps, hostile=True
        )
    beyond = {"maximum", "exclusiveMaximum"} & branch.keys()
    level = _graded(parameter, min(beyond)) if beyond else MAY
    # Whoever takes it for a limit of tokens answers without end: the deep search only.
    rank = 22 if beyond else 70
    yield Fault("huge number", HUGE if whole else Raw("1e999"), level, rank, steps, hostile=True)


def _tidy(number: float) -> float:
    rounded = round(number, 6)
    return int(rounded) if float(rounded).is_integer() else rounded


def _sizes(parameter: Parameter, branch: Branch, types: set[str]) -> Iterator[Fault]:
    array = branch["type"] == "array"
    most, least = ("maxItems", "minItems") if array else ("maxLength", "minLength")
    if branch.get(least, 0) > 0:
        value: Any = [] if array else ""
        level = _graded(parameter, least)
        yield Fault("too few items" if array else "empty string", value, level, 16 if array else 28)
    if not 0 < branch.get(most, 0) <= 1024:
        return
    size = branch[most] + 1
    value = [_element(branch, number) for number in range(size)] if array else "a" * size
    if not array or None not in value:
        yield Fault("too many items" if array else "too long", value, _graded(parameter, most), 15)


def _element(branch: Branch, number: int) -> Any:
    """A valid element of a plain array; ``None`` where that takes more than a text or number."""
    for each in branches(item_schema(branch, 0)):
        if each["type"] == "string" and "enum" not in each:
            return f"item {number}"
        if each["type"] in ("integer", "number"):
            return max(each.get("minimum", 0), 0) + number
    return None


def _enums(own: Sequence[Branch], types: set[str]) -> Iterator[Fault]:
    texts = [branch for branch in own if branch["type"] == "string"]
    if texts and all("enum" in branch for branch in texts):
        yield Fault("unknown enum value", UNKNOWN, SHOULD, 14)


def nested_faults(endpoint: Endpoint, parameter: Parameter, value: Any) -> Iterator[Fault]:
    """The faults of elements and members inside the valid ``value``."""
    root = request_schema(endpoint)
    own = branches(parameter.schema, root)
    for branch in own:
        if branch["type"] == "array" and isinstance(value, list) and value:
            yield from _element_faults(branch, value, root)
        if branch["type"] == "object" and isinstance(value, dict) and value:
            yield from _member_faults(parameter, branch, value, root)


def _element_faults(branch: Branch, value: list[Any], root: dict[str, Any]) -> Iterator[Fault]:
    elements = branches(item_schema(branch, 0), root)
    types = {each["type"] for each in elements}
    if types and "object" not in types and "number" not in types and "integer" not in types:
        yield Fault("wrong item type", 7, MUST, 17, (0,))
        yield Fault("null item", None, MUST, 42, (0,))
    if types == {"object"} and isinstance(value[0], dict):
        yield Fault("wrong item type", "Say hello.", MUST, 21, (0,))
        if "role" in value[0]:
            yield from _message_faults(elements, root)


def _message_faults(elements: Sequence[Branch], root: dict[str, Any]) -> Iterator[Fault]:
    """Faults of the first message, which is the user's."""
    yield Fault("unknown enum value", "narrator", SHOULD, 14, (0, "role"))
    yield Fault("missing required", ..., MUST, 19, (0, "role"))
    yield Fault("wrong type", 7, MUST, 13, (0, "content"))
    yield Fault("wrong type", {"text": "Say hello."}, MUST, 24, (0, "content"))
    yield Fault("wrong type", 7, MUST, 44, (0, "role"))
    # Accepted by the reference implementation of this API, whatever its schema says.
    yield Fault("null content", None, MAY, 46, (0, "content"))
    yield Fault("missing content", ..., MAY, 48, (0, "content"))


def _member_faults(
    parameter: Parameter, branch: Branch, value: dict[str, Any], root: dict[str, Any]
) -> Iterator[Fault]:
    first = next(iter(value))
    if isinstance(branch.get("additionalProperties"), Mapping):
        members = branches(branch["additionalProperties"], root)
        if {each["type"] for each in members} <= {"integer", "number"}:
            yield Fault("wrong item type", "many", MUST, 14, (first,))
            for each in members:
                yield from _numbers(parameter, each, {each["type"]}, (first,))
        if "propertyNames" in branch:
            yield from _name_faults(branch, root, value[first])
        return
    for name in branch.get("required", ()):
        if name in value:
            yield Fault("missing required", ..., MUST, 19, (name,))
    for name, schema in branch.get("properties", {}).items():
        texts = [each for each in branches(schema, root) if each["type"] == "string"]
        if name in value and texts and all("enum" in each for each in texts):
            yield Fault("unknown enum value", UNKNOWN, SHOULD, 18, (name,))


def _name_faults(branch: Branch, root: dict[str, Any], value: Any) -> Iterator[Fault]:
    """Names that are no token ids: a known way to kill an engine."""
    names = branches({"allOf": [{"type": "string"}, branch["propertyNames"]]}, root)
    if any("pattern" in each and each["pattern"].startswith("^") for each in names):
        yield Fault("wrong name", value, SHOULD, 16, ("AI",), hostile=True)
        yield Fault("negative name", value, SHOULD, 50, ("-1",), hostile=True)
        yield Fault("name beyond vocabulary", value, MAY, 18, ("999999999",), hostile=True)
