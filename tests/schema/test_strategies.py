"""Laws of from_schema: what it draws is valid, the simplest comes first, mistakes are named."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, find, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from conformance.errors import ConfigurationError
from conformance.schema.branches import branches, check_keywords, identity
from conformance.schema.plainest import NOTHING, plainest
from conformance.schema.strategies import Hints, from_schema

CHAT: dict[str, Any] = {
    "type": "object",
    "required": ["model", "messages"],
    "properties": {
        "model": {"type": "string", "description": "an annotation", "x-source": {"kind": "any"}},
        "messages": {
            "type": "array",
            "minItems": 1,
            "items": {
                "oneOf": [
                    {
                        "type": "object",
                        "required": ["role", "content"],
                        "properties": {
                            "role": {"const": "user"},
                            "content": {"$ref": "#/$defs/content"},
                        },
                    },
                    {
                        "type": "object",
                        "required": ["role"],
                        "properties": {
                            "role": {"enum": ["assistant", "system"]},
                            "content": {"anyOf": [{"$ref": "#/$defs/content"}, {"type": "null"}]},
                        },
                    },
                ]
            },
        },
        "temperature": {"type": ["number", "null"], "minimum": 0, "maximum": 2},
        "repetition_penalty": {"type": "number", "exclusiveMinimum": 0, "maximum": 2},
        "stop": {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "minItems": 1, "maxItems": 4, "items": {"type": "string"}},
            ]
        },
        "logit_bias": {
            "type": "object",
            "maxProperties": 3,
            "propertyNames": {"pattern": "^(0|[1-9][0-9]{0,5})$"},
            "additionalProperties": {"type": "integer", "minimum": -100, "maximum": 100},
        },
        "tree": {"$ref": "#/$defs/tree"},
    },
    "dependentRequired": {"repetition_penalty": ["temperature"]},
    "$defs": {
        "content": {"type": "string", "maxLength": 30},
        "tree": {
            "type": "object",
            "properties": {"kids": {"type": "array", "items": {"$ref": "#/$defs/tree"}}},
        },
    },
}

VALUES = [0, 1, -2, 2.5, 7, True, False, None, "", "a", "abc", [], [1], ["a"], {}, {"a": 1}]


def numbers(kind: str) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of numeric ranges."""
    return st.tuples(st.integers(-20, 20), st.integers(0, 20)).map(
        lambda ends: {"type": kind, "minimum": ends[0], "maximum": ends[0] + ends[1]}
    )


def texts() -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of texts with lengths."""
    return st.tuples(st.integers(0, 5), st.integers(0, 5)).map(
        lambda ends: {"type": "string", "minLength": ends[0], "maxLength": ends[0] + ends[1]}
    )


def arrays(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of arrays, with and without a prefix."""
    plain = st.builds(
        lambda items, least, more: {
            "type": "array",
            "items": items,
            "minItems": least,
            "maxItems": least + more,
        },
        inner,
        st.integers(0, 2),
        st.integers(0, 3),
    )
    headed = st.builds(
        lambda heads, rest: {"type": "array", "prefixItems": heads, "items": rest},
        st.lists(inner, min_size=1, max_size=3),
        st.booleans() | inner,
    )
    return plain | headed


def objects(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Schemas of objects with required, optional and additional members."""
    return st.builds(
        lambda members, needed, extra, least: {
            "type": "object",
            "properties": members,
            "required": sorted(needed & members.keys()),
            **({} if extra is None else {"additionalProperties": extra}),
            **({} if extra in (None, False) else {"minProperties": least}),
        },
        st.dictionaries(st.sampled_from("abcd"), inner, max_size=3),
        st.sets(st.sampled_from("abcd")),
        st.none() | st.booleans() | inner,
        st.integers(0, 3),
    )


SCHEMAS = st.recursive(
    st.one_of(
        st.just({"type": "null"}),
        st.just({"type": "boolean"}),
        numbers("integer"),
        numbers("number"),
        texts(),
        st.lists(st.sampled_from(VALUES), min_size=1, max_size=4).map(lambda each: {"enum": each}),
        st.sampled_from(VALUES).map(lambda value: {"const": value}),
        st.sampled_from(["^[a-c]+$", "^x?[0-9]{1,3}$", "b"]).map(
            lambda pattern: {"type": "string", "pattern": pattern}
        ),
    ),
    lambda inner: st.one_of(
        arrays(inner),
        objects(inner),
        st.lists(inner, min_size=1, max_size=3).map(lambda each: {"anyOf": each}),
        st.tuples(inner, st.sampled_from([{"type": ["integer", "string"]}, {}, True])).map(
            lambda pair: {"allOf": [*pair]}
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(schema=SCHEMAS, data=st.data())
def test_everything_drawn_is_valid(schema: dict[str, Any], data: st.DataObject) -> None:
    """A value drawn from any schema of the closed set validates against that schema."""
    if plainest(schema) is NOTHING:
        with pytest.raises(ConfigurationError, match="no value satisfies"):
            from_schema(schema)
        return

    value = data.draw(from_schema(schema))

    Draft202012Validator(schema).validate(value)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(schema=SCHEMAS)
def test_the_plainest_value_is_valid(schema: dict[str, Any]) -> None:
    """The plainest value exists exactly where a strategy does, and is valid."""
    value = plainest(schema)

    if value is NOTHING:
        with pytest.raises(ConfigurationError):
            from_schema(schema)
    else:
        Draft202012Validator(schema).validate(value)


@settings(max_examples=60, deadline=None)
@given(value=from_schema(CHAT))
def test_a_whole_request_is_valid(value: Any) -> None:
    """References, disjoint alternatives, patterns and recursion hold together in one schema."""
    Draft202012Validator(CHAT).validate(value)


@pytest.mark.parametrize(
    ("schema", "simplest"),
    [
        ({"type": ["number", "null"], "minimum": 0.5, "maximum": 2}, 1),
        ({"type": "integer", "minimum": 3}, 3),
        ({"type": "integer", "maximum": -4}, -4),
        ({"enum": ["b", "a"]}, "b"),
        (CHAT["properties"]["stop"], ""),
        ({"type": "array", "items": {"type": "boolean"}, "minItems": 2}, [False, False]),
        (CHAT, {"model": "", "messages": [{"role": "user", "content": ""}]}),
    ],
)
def test_shrinking_ends_with_the_simplest(schema: dict[str, Any], simplest: Any) -> None:
    """The first alternative as written, nothing optional, shortest, nearest to zero."""
    found = find(from_schema(schema), lambda _: True)

    assert simplest == found
    assert simplest == plainest(schema, root=schema)


def test_shrinking_drops_the_members_that_do_not_matter() -> None:
    """A failure that needs one optional member is reported with that member alone."""
    found = find(from_schema(CHAT), lambda value: bool(value.get("logit_bias")))

    assert {"model", "messages", "logit_bias"} == set(found)
    assert {"0": 0} == found["logit_bias"]


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"type": "object", "properties": {"a/b": {"not": {}}}}, "f.yaml#/properties/a~1b/not"),
        ({"anyOf": [{}, {"if": True}]}, "f.yaml#/anyOf/1/if"),
        ({"items": {"contains": {}}}, "f.yaml#/items/contains"),
        ({"$defs": {"x": {"nullable": True}}}, "f.yaml#/$defs/x/nullable"),
        ({"items": 7}, "f.yaml#/items"),
    ],
)
def test_an_unknown_keyword_is_named_with_its_pointer(schema: Any, pointer: str) -> None:
    """A keyword outside the closed set is a configuration error, even where nothing is drawn."""
    with pytest.raises(ConfigurationError) as caught:
        check_keywords(schema, where="f.yaml")

    assert pointer == caught.value.where


def test_one_of_that_may_overlap_is_refused() -> None:
    """oneOf is drawn only where at most one alternative can hold."""
    schema = {"oneOf": [{"type": "string"}, {"type": "string", "maxLength": 3}]}

    with pytest.raises(ConfigurationError, match="both hold"):
        from_schema(schema)


@pytest.mark.parametrize("reference", ["#/$defs/none", "other.yaml#/a"])
def test_a_reference_that_leads_nowhere_is_refused(reference: str) -> None:
    """Only local references that exist are followed."""
    with pytest.raises(ConfigurationError, match=r"\$ref"):
        from_schema({"$ref": reference})


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_hints_narrow_and_never_widen(data: st.DataObject) -> None:
    """Hinted values satisfy the schema and the hints; omitted members never appear."""
    hints = Hints(
        narrow={
            "/model": {"const": "m"},
            "/messages": {"maxItems": 2},
            "/logit_bias/*": {"minimum": 0},
        },
        adjust={"/stop": lambda stop: stop},
        omit=frozenset({"/tree"}),
        words=("Hi", "hello"),
        steps=8,
    )

    value = data.draw(from_schema(CHAT, hints=hints))

    Draft202012Validator(CHAT).validate(value)
    assert "m" == value["model"]
    assert len(value["messages"]) <= 2
    assert "tree" not in value
    assert all(each >= 0 for each in value.get("logit_bias", {}).values())
    assert {message.get("content") for message in value["messages"]} <= {"Hi", "hello", None}


@given(left=st.sampled_from([*VALUES, 1.0, 0.0]), right=st.sampled_from([*VALUES, 1.0, 0.0]))
def test_identity_is_equality_as_json_schema_has_it(left: Any, right: Any) -> None:
    """1 equals 1.0, and neither equals true."""
    same = Draft202012Validator({"const": left}).is_valid(right)

    assert same == (identity(left) == identity(right))


def test_branches_keep_the_order_written() -> None:
    """What is written first is drawn first."""
    types = [each["type"] for each in branches({"type": ["string", "null", "array"]})]

    assert ["string", "null", "array"] == types
