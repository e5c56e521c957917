"""JSON from a hostile source: a value or a named problem, in bounded time and memory."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.wire.jsonbody import MAX_DEPTH, JSONProblem, parse_json

#: A slow machine is not a failure of the law.
steady = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

PROBLEMS = [
    (b"", "empty"),
    (b" \n", "empty"),
    (b"{", "not-json"),
    (b"{} {}", "not-json"),
    (b"{'a': 1}", "not-json"),
    (b'"\x01"', "not-json"),
    (b"\xef\xbb\xbf{}", "not-json"),
    (b'"\xff"', "not-utf-8"),
    ("{}".encode("utf-16"), "not-utf-8"),
    (b"NaN", "not-a-number"),
    (b'{"a": -Infinity}', "not-a-number"),
    (b'{"a": 1, "a": 1}', "duplicate-member"),
    (b"1" * 5000, "not-json"),
    (b"[" + b"[]," * 300_000 + b"1]", "too-many-values"),
    (b"[" * 100_000, "too-deep"),
    (b'{"a":' * 300 + b"1" + b"}" * 300, "too-deep"),
    (b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1), "too-deep"),
]


@pytest.mark.parametrize(("data", "kind"), PROBLEMS, ids=range(len(PROBLEMS)))
def test_every_problem_has_its_name(data: bytes, kind: str) -> None:
    """What RFC 8259 does not allow is a problem under one stable word."""
    problem = parse_json(data)

    assert isinstance(problem, JSONProblem)
    assert kind == problem.kind


@pytest.mark.parametrize(
    "value",
    [
        [[]] * 1000,
        ["[" * 1000, '"[' * 1000, "\\[" * 1000],
        {"[" * 500: "{" * 500},
        json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH),
        {"é": "😀", "\x00": [1.5, -1, True, None]},
    ],
    ids=["wide", "in strings", "in names", "deepest", "plain"],
)
def test_brackets_that_do_not_nest_are_no_depth(value: Any) -> None:
    """Many brackets side by side or within strings are an ordinary value."""
    assert value == parse_json(json.dumps(value).encode())


@steady
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
        | st.text(st.characters(exclude_categories=["Cs"])),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=5), inner),
        max_leaves=10,
    ),
    st.booleans(),
)  # fmt: skip
def test_every_json_value_is_read_back(value: Any, ascii_only: bool) -> None:
    """Whatever a conforming writer makes of a value is that value again."""
    try:
        data = json.dumps(value, ensure_ascii=ascii_only).encode()
    except UnicodeEncodeError:
        return

    assert value == parse_json(data)


@steady
@given(st.binary(max_size=50) | st.text('[]{}",:\\a1 ', max_size=500).map(str.encode))
def test_arbitrary_bytes_never_raise(data: bytes) -> None:
    """A value that the strict standard parser reads as well, or a problem."""
    value = parse_json(data)

    if not isinstance(value, JSONProblem):
        assert value == json.loads(data)
