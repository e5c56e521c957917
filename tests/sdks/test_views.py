"""A client's view held against the wire: what is told, and what is nobody's fault."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.checks.clients import Observed, Probe
from conformance.checks.clientviews import (
    answers_alike,
    errors_alike,
    heads_alike,
    told_by,
    usage_alike,
)
from conformance.verdicts import Level
from conformance.wire.exchange import Exchange, Request

USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}


def answer(text: str = "hello", **members: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": text, **members}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    return {"id": "c1", "choices": [choice], "usage": USAGE}


def probe(document: Any, status: int = 200, headers: tuple[tuple[str, str], ...] = ()) -> Probe:
    exchange = Exchange(
        Request("POST", "/chat/completions", b"{}"),
        id="x1",
        status=status,
        headers=headers,
        body=json.dumps(document).encode(),
    )
    return Probe("chat", "chat", False, {}, exchange)


def saw(way: str = "call", **view: Any) -> Observed:
    return Observed({"chat": {way: view}})


def choices(text: str | None = "hello", finish: str | None = "stop") -> dict[str, Any]:
    return {"0": {"text": text, "finish": finish, "tools": []}}


def raised(name: str, message: str, **attributes: Any) -> dict[str, Any]:
    return {"class": name, "message": message, **attributes}


def test_a_client_that_reads_the_same_differs_in_nothing():
    """Equal text, end and calls are no problem."""
    found = list(answers_alike(probe(answer()), saw(choices=choices())))

    assert [] == found


@pytest.mark.parametrize(
    ("view", "mark"),
    [
        ({"choices": choices("hell")}, "other text"),
        ({"choices": choices(finish=None)}, "end lost"),
        ({"choices": {}, "chunks": 0}, "silent, empty"),
        ({"choices": {}}, "no choice"),
        ({"choices": {"1": {}}}, "choice lost"),
        ({"choices": choices(), "error": raised("TypeError", "oops")}, "TypeError"),
    ],
)
def test_each_difference_has_its_mark(view, mark):
    """What users lose has a name."""
    found = list(answers_alike(probe(answer()), saw(**view)))

    assert [mark] == [each.mark for each in found]


def test_calls_in_other_pieces_are_mixed_up():
    """Tool calls are compared whole: id, name and arguments."""
    function = {"name": "f", "arguments": "{}"}
    document = answer(tool_calls=[{"id": "a", "type": "function", "function": function}])
    tools = [{"id": "a", "name": "f", "arguments": "{}{}"}]
    view = {"0": {"text": "hello", "finish": "stop", "tools": tools}}

    found = list(answers_alike(probe(document), saw(choices=view)))

    assert ["calls mixed up"] == [each.mark for each in found]


def test_the_streaming_helper_weighs_less():
    """No document promises the helper: SHOULD."""
    found = list(answers_alike(probe(answer()), saw("helper", choices={})))

    assert [Level.SHOULD] == [each.level for each in found]


def test_what_a_version_does_not_have_is_no_problem():
    """An old client without the helper accuses nobody."""
    found = list(answers_alike(probe(answer()), saw("helper", absent=True, choices={})))

    assert [] == found


def test_counts_as_texts_are_no_numbers():
    """A count must be a whole number and the wire's."""
    strings = {name: str(value) for name, value in USAGE.items()}
    document = {**answer(), "usage": strings}

    found = list(usage_alike(probe(document), saw(choices=choices(), usage=strings)))

    assert ["no number"] == [each.mark for each in found]


def test_nothing_is_said_of_usage_that_the_wire_does_not_have():
    """Whether usage is there is judged elsewhere."""
    document = {**answer(), "usage": None}

    assert [] == list(usage_alike(probe(document), saw(choices=choices())))


ENVELOPE = {"error": {"message": "no such model", "type": "t", "param": None, "code": "c"}}


@pytest.mark.parametrize(
    ("error", "marks"),
    [
        (raised("NotFoundError", "404 no such model"), []),
        (raised("NotFoundError", "Error code: 404 - {'message': 'no such model'}", type="t"), []),
        (raised("NotFoundError", "Error code: 404"), ["message lost"]),
        (raised("BadRequestError", "no such model"), ["BadRequestError"]),
        (raised("NotFoundError", "no such model", code="d"), ["other code"]),
        (None, ["nothing raised"]),
    ],
)
def test_a_refusal_is_raised_as_its_class_with_its_words(error, marks):
    """Class by status, message within, attributes where they are filled."""
    found = list(errors_alike("python", probe(ENVELOPE, 404), saw(error=error, choices={})))

    assert marks == [each.mark for each in found]


@pytest.mark.parametrize(("language", "name"), [("python", "APIStatusError"), ("node", "APIError")])
def test_other_statuses_have_the_base_class(language, name):
    """418 has no class of its own in either language."""
    error = raised(name, "no such model")

    assert [] == list(errors_alike(language, probe(ENVELOPE, 418), saw(error=error)))


def test_the_sentence_of_a_body_without_envelope_is_its_longest_text():
    """`{"detail": …}` says something, too."""
    exchange = probe({"detail": [{"loc": ["body"], "msg": "field required"}]}, 422).exchange

    assert exchange is not None
    assert "field required" == told_by(exchange)


def test_a_field_that_the_client_lacks_is_lost():
    """Every field of the wire is to be had, connection fields aside."""
    shown = probe(answer(), headers=(("X-Request-Id", "r1"), ("Connection", "close")))

    found = list(heads_alike(shown, saw("raw", status=200, headers=[["date", "now"]])))

    assert ["field lost"] == [each.mark for each in found]


def test_joined_fields_and_bytes_beyond_ascii_are_nobodys_fault():
    """Clients join equal names, and disagree on other bytes than ASCII."""
    shown = probe(answer(), headers=(("x-a", "1"), ("x-a", "2"), ("x-b", "é")))

    assert [] == list(heads_alike(shown, saw("raw", status=200, headers=[["X-A", "1, 2"]])))


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=8,
)


@given(
    view=st.fixed_dictionaries(
        {},
        optional={
            "choices": ANYTHING | st.just({"0": {}}),
            "error": ANYTHING,
            "usage": ANYTHING,
            "status": ANYTHING,
            "headers": ANYTHING,
            "chunks": ANYTHING,
        },
    ),
    document=ANYTHING,
    status=st.sampled_from([200, 404]),
)
def test_nothing_that_a_client_or_a_target_says_breaks_the_comparison(view, document, status):
    """Both are hostile."""
    shown, observed = probe(document, status), Observed({"chat": {"call": view, "raw": view}})

    for compare in (answers_alike, usage_alike, heads_alike):
        assert all(each.text for each in compare(shown, observed))
    assert all(each.text for each in errors_alike("node", shown, observed))
