"""Predicates agree with jsonschema on every schema and every JSON value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from conformance.schema.predicates import predicate_for

KINDS = ["null", "boolean", "object", "array", "number", "string", "integer"]
SMALL = st.integers(-3, 3)
SCALARS = (
    st.none()
    | st.booleans()
    | SMALL
    | st.sampled_from([0.0, 1.0, 1.5, -0.5, 1e300])
    | st.text(max_size=3)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner, max_size=3)
    ),
    max_leaves=6,
)
LEAF = st.fixed_dictionaries(
    {},
    optional={
        "type": st.sampled_from(KINDS)
        | st.lists(st.sampled_from(KINDS), min_size=1, max_size=3, unique=True),
        "minimum": SMALL,
        "maximum": SMALL,
        "minLength": st.integers(0, 3),
        "maxLength": st.integers(0, 3),
        "minItems": st.integers(0, 3),
        "maxItems": st.integers(0, 3),
        "enum": st.lists(SCALARS, min_size=1, max_size=3),
        "const": SCALARS,
        "multipleOf": st.just(2),
        "description": st.just("told, not judged"),
    },
)
SCHEMAS: st.SearchStrategy[dict[str, Any]] = st.recursive(
    LEAF,
    lambda inner: st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(KINDS),
            "items": inner,
            "additionalProperties": inner | st.booleans(),
            "anyOf": st.lists(inner, min_size=1, max_size=3),
        },
    ),
    max_leaves=4,
)


@given(SCHEMAS, VALUES)
def test_a_predicate_says_what_jsonschema_says(schema: dict[str, Any], value: Any) -> None:
    """Compiled or not, the verdict is that of JSON Schema 2020-12."""
    expected = Draft202012Validator(schema).is_valid(value)

    actual = predicate_for(schema)(value)

    assert expected == actual


@pytest.mark.parametrize(
    ("value", "integer"),
    [
        (1, True),
        (1.0, True),
        (1.5, False),
        (True, False),
        ("1", False),
        (None, False),
        (1e400, False),
    ],
)
def test_integers_are_those_of_json_schema(value: Any, integer: bool) -> None:
    """A zero fraction makes an integer; booleans, texts and infinity are none."""
    assert integer == predicate_for({"type": "integer"})(value)
