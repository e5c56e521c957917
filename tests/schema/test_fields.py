"""Fields: one for each member, judged where its container is right, and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from conformance.schema.fields import Field, Survey, fields, violations
from conformance.verdicts import Level

SOURCE = {"kind": "documentation", "reference": "page:1", "quote": "It is so."}
SCHEMA: Mapping[str, Any] = {
    "type": "object",
    "required": ["id", "items"],
    "x-should": ["note"],
    "x-source": SOURCE,
    "properties": {
        "id": {"type": "string"},
        "note": {"type": ["string", "null"], "x-level": "SHOULD"},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["at_index"],
                "properties": {
                    "at_index": {"type": "integer"},
                    "maybe": {
                        "anyOf": [
                            {"type": "null"},
                            {
                                "type": "object",
                                "required": ["deep"],
                                "properties": {"deep": {"enum": ["a", "b"]}},
                            },
                        ]
                    },
                },
            },
        },
        "map": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "required": ["n"],
                "properties": {"n": {"type": "number"}},
            },
        },
    },
}
FIELDS = {each.name: each for each in fields(SCHEMA)}

SCALARS = (
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats(-2, 2) | st.sampled_from(["a", "é"])
)
NAMES = st.sampled_from(["id", "note", "items", "at_index", "maybe", "deep", "map", "n", "a/b~"])
DOCUMENTS = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=12,
)


def test_each_member_gives_one_field() -> None:
    """The document and every member at every depth are fields, outermost first."""
    expected = ["body", "id", "note", "items", "items.at-index", "items.maybe", "items.maybe.deep"]

    assert [*expected, "map", "map.n"] == list(FIELDS)


@pytest.mark.parametrize(
    ("name", "presence", "value"),
    [
        ("body", None, Level.MUST),
        ("id", Level.MUST, Level.MUST),
        ("note", Level.SHOULD, Level.SHOULD),
        ("items.maybe", None, Level.MUST),
        ("items.maybe.deep", Level.MUST, Level.MUST),
    ],
)
def test_levels_come_from_required_should_and_level(
    name: str, presence: Level | None, value: Level
) -> None:
    """`required` makes a MUST, `x-should` a SHOULD; the value has its own level."""
    assert (presence, value) == (FIELDS[name].presence, FIELDS[name].value)


def test_a_source_is_inherited_by_what_is_below() -> None:
    """A member without a source of its own has that of its container."""
    assert FIELDS["body"].source == FIELDS["map.n"].source
    assert "page:1" == FIELDS["map.n"].source.reference


@pytest.mark.parametrize(
    ("name", "document", "expected"),
    [
        ("body", [], [""]),
        ("id", {}, ["/id"]),
        ("id", {"id": 1}, ["/id"]),
        ("id", [], []),
        ("note", {"note": None}, []),
        ("items", {"items": [{}, 1]}, ["/items/1"]),
        ("items.at-index", {"items": [{}, {"at_index": 1}, {"at_index": "1"}]}, ["/items/0/at_index", "/items/2/at_index"]),
        ("items.at-index", {"items": "none"}, []),
        ("items.maybe", {"items": [{"maybe": None}, {"maybe": []}]}, ["/items/1/maybe"]),
        ("items.maybe.deep", {"items": [{"maybe": None}, {"maybe": {}}, {"maybe": {"deep": "c"}}]}, ["/items/1/maybe/deep", "/items/2/maybe/deep"]),
        ("map.n", {"map": {"a/b": {}, "c~": {"n": 1}}}, ["/map/a~1b/n"]),
    ],
)  # fmt: skip
def test_violations_are_told_with_their_pointer(
    name: str, document: Any, expected: list[str]
) -> None:
    """Exactly the places where that member is missing or wrong are told."""
    assert expected == [pointer for pointer, _ in violations(FIELDS[name], document)]


def test_a_violation_says_what_is_wrong_in_few_words() -> None:
    """Long values are cut, containers named by kind, and the level is that of the breach."""
    (wrong,) = violations(FIELDS["id"], {"id": {"x": "y" * 10_000}})
    (missing,) = violations(FIELDS["note"], {})

    assert ("/id", "an object is not string") == wrong
    assert ("/note", "'note' is missing") == missing
    assert (Level.MUST, Level.SHOULD) == (wrong.level, missing.level)


def test_the_number_of_violations_is_bounded() -> None:
    """A hostile document does not flood the report."""
    told = violations(FIELDS["items.at-index"], {"items": [{}] * 10_000})

    assert 20 == len(told)


@given(DOCUMENTS)
def test_a_survey_says_what_each_field_says(document: Any) -> None:
    """Judging all members in one pass finds what judging them one by one finds."""
    expected = {each.path: violations(each, document) for each in FIELDS.values()}

    actual = Survey(FIELDS.values())(document)

    assert {path: told for path, told in expected.items() if told} == actual


@given(DOCUMENTS)
def test_a_document_without_breach_of_a_must_is_valid(document: Any) -> None:
    """Fields together say what the schema says, levels apart."""
    strict = {**SCHEMA, "properties": {**SCHEMA["properties"], "note": {}}}
    told = Survey(fields(strict))(document)

    musts = [one for each in told.values() for one in each if one.level is Level.MUST]

    assert Draft202012Validator(strict).is_valid(document) == (not musts)


@given(DOCUMENTS)
def test_pointers_lead_into_the_document(document: Any) -> None:
    """What is wrong is found at its pointer; what is missing, at its parent's."""
    for told in Survey(FIELDS.values())(document).values():
        for pointer, message in told:
            *way, last = pointer.split("/")
            steps = way[1:] if message.endswith("is missing") else pointer.split("/")[1:]
            value = document
            for step in steps:
                key = step.replace("~1", "/").replace("~0", "~")
                value = value[int(key)] if isinstance(value, list) else value[key]
            assert not message.endswith("is missing") or last not in value


def test_alternatives_of_a_container_are_merged_and_never_stricter() -> None:
    """A member is asked for only if every alternative asks for it; its values are united."""
    schema = {
        "type": "object",
        "properties": {
            "call": {
                "oneOf": [
                    {"type": "object", "required": ["type", "f"], "properties": {"type": {"const": "f"}, "f": {"type": "string"}}},
                    {"type": "object", "required": ["type", "g"], "properties": {"type": {"const": "g"}, "g": {"type": "string"}}},
                ]
            }
        },
    }  # fmt: skip
    among = {each.name: each for each in fields(schema)}

    assert Level.MUST is among["call.type"].presence
    assert None is among["call.f"].presence
    assert [] == violations(among["call.type"], {"call": {"type": "g"}})
    assert ["/call/type"] == [
        at for at, _ in violations(among["call.type"], {"call": {"type": "h"}})
    ]


@given(st.integers() | st.text() | st.lists(st.integers()))
def test_the_message_never_repeats_a_long_value(value: Any) -> None:
    """A message stays short whatever the server sent."""
    field = Field(("x",), "x", {"type": "boolean"}, None, Level.MUST, FIELDS["id"].source)

    for _, message in violations(field, {"x": value}):
        assert len(message) < 120
