"""How refusals are told apart, and the requests that are written by hand."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.checks.api import Broken, Untestable
from conformance.checks.chapters.error_recorded import INTERNALS
from conformance.checks.chapters.http_json import escaped
from conformance.checks.chapters.http_recorded import DURATION
from conformance.checks.refusal import envelope_problem, expect_refusal, named_parameter
from conformance.verdicts import Level
from conformance.wire.exchange import Exchange, Failure, FailureKind, Request

REQUEST = Request("POST", "/chat/completions", b"{}")


def answered(status: int | None, body: object = None, failure: Failure | None = None) -> Exchange:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Exchange(REQUEST, status=status, body=raw, failure=failure)


@pytest.mark.parametrize("status", [400, 401, 404, 413, 422])
def test_every_4xx_is_a_refusal(status):
    """A 4xx status refuses, whichever it is."""
    expect_refusal(answered(status, {}), "a fault")


@pytest.mark.parametrize(
    ("exchange", "level"),
    [
        (answered(200, {}), Level.SHOULD),
        (answered(500, {}), Level.MUST),
        (answered(None, b"", Failure(FailureKind.RESET, "closed")), Level.MUST),
        (answered(None, b"", Failure(FailureKind.FIRST_BYTE_TIMEOUT, "silent")), Level.MUST),
    ],
)
def test_a_server_error_and_silence_break_a_must_whatever_the_fault(exchange, level):
    """Only acceptance is graded by the fault; 5xx and no answer never are."""
    with pytest.raises(Broken) as told:
        expect_refusal(exchange, "a fault", accepted=Level.SHOULD)

    assert level is told.value.level


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_overload_says_nothing_about_the_request(status):
    """A rate limit or an overloaded gateway is no judgement of the fault."""
    with pytest.raises(Untestable):
        expect_refusal(answered(status, {}), "a fault")


ENVELOPE = {"error": {"message": "m", "type": "t", "param": None, "code": None}}


def test_the_envelope_is_recognised():
    """An object with a message and a type is an envelope; extra members are welcome."""
    assert envelope_problem(answered(400, ENVELOPE)) is None
    assert envelope_problem(answered(400, {**ENVELOPE, "request_id": 7})) is None


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=4),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["error", "message", "type", "x"]), inner, max_size=3)
        ),
        max_leaves=8,
    )
)
def test_any_json_is_judged_without_an_exception(value):
    """Whatever a server sends for an error is an envelope or a sentence saying why not."""
    problem = envelope_problem(answered(400, value))

    error = value.get("error") if isinstance(value, dict) else None
    whole = isinstance(error, dict) and bool(str(error.get("message") or "").strip())
    assert problem is None or isinstance(problem, str)
    assert whole or problem is not None


@pytest.mark.parametrize(
    ("param", "named"),
    [
        ("messages", True),
        ("messages[0].role", True),
        ("messages.0.content", True),
        ("$.messages", True),
        ("message", False),
        (None, False),
        (7, False),
    ],
)
def test_a_parameter_is_named_by_itself_or_a_path_into_it(param, named):
    """`messages[2].role` names `messages`."""
    error = {"error": {"message": "m", "type": "t", "param": param, "code": None}}

    assert named is named_parameter(answered(400, error), "messages")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.text(max_size=5), JSON, max_size=4))
def test_the_escaped_spelling_means_the_same(body):
    """Escapes, white space and another order of members leave the value as it is."""
    assert body == json.loads(escaped(body))


@pytest.mark.parametrize("value", ["12ms", "0s", "1s", "6m0s", "1h2m3.5s", "17", "0.25", "1d2h"])
def test_durations_are_recognised(value):
    """Resets of rate limits as servers write them."""
    assert DURATION.fullmatch(value)


@pytest.mark.parametrize("value", ["", "-1", "tomorrow", "s", "1x", "2026-01-01T00:00:00Z"])
def test_other_texts_are_no_durations(value):
    """A reset that is neither a duration nor seconds is told."""
    assert not DURATION.fullmatch(value)


@pytest.mark.parametrize(
    "text",
    [
        "Invalid 'temperature': decimal above maximum value.",
        "You can find your API key at https://platform.example/account/api-keys.",
        "Unknown request URL: POST /v1/chat/completions.",
        "Unexpected token at line 3 (char 17)",
        "looked at app.completions (see the docs)",
    ],
)
def test_ordinary_error_texts_hold_no_internals(text):
    """Paths of URLs and positions in a body are not the server's own."""
    assert not INTERNALS.search(text)
