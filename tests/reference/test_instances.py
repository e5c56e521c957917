"""Instances of JSON Schemas."""

from __future__ import annotations

import random
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from conformance.reference.instances import SchemaProblem, instance

TREE = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"value": {"type": "integer"}, "next": {"$ref": "#/$defs/node"}},
            "required": ["value"],
        }
    },
    "$ref": "#/$defs/node",
}
SCHEMAS: list[dict[str, Any]] = [
    {},
    {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    {"type": "object", "properties": {"a": {"enum": ["x", "y"]}, "b": {"const": 3}}},
    {"type": "array", "items": {"type": "integer", "minimum": 3}, "minItems": 2, "maxItems": 3},
    {"type": "array", "items": {"type": "boolean"}, "uniqueItems": True, "minItems": 2},
    {"type": "integer", "exclusiveMinimum": 7, "exclusiveMaximum": 9},
    {"type": "integer", "multipleOf": 5, "minimum": 12, "maximum": 22},
    {"type": "number", "minimum": -1, "maximum": 1},
    {"type": "string", "minLength": 30, "maxLength": 40},
    {"type": "string", "format": "date-time"},
    {"type": ["string", "null"]},
    {"anyOf": [{"type": "integer"}, {"type": "string"}]},
    {"allOf": [{"type": "object", "required": ["a"]}, {"properties": {"a": {"type": "null"}}}]},
    {"prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False, "minItems": 2},
    {"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 2},
    TREE,
]


@pytest.mark.parametrize("schema", SCHEMAS, ids=str)
def test_an_instance_follows_its_schema(schema: dict[str, Any]) -> None:
    """What is built is valid, with whatever luck."""
    for seed in range(10):
        value = instance(schema, ["Paris", "tomorrow"], random.Random(seed))

        assert Draft202012Validator(schema).is_valid(value)


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "nothing"},
        {"type": "object", "properties": 3},
        {"type": "string", "pattern": "("},
        {"type": "integer", "minimum": 3, "maximum": 2},
        {"$ref": "#/nowhere"},
        {"$ref": "#"},
        {"not": {}},
    ],
    ids=str,
)
def test_a_schema_without_instances_is_a_problem_not_a_crash(schema: dict[str, Any]) -> None:
    """Invalid, impossible and endless schemas are told apart from no error of ours."""
    with pytest.raises(SchemaProblem):
        instance(schema, [], random.Random(0))
