"""Laws of shrinking: what comes out still fails, is valid, is no larger, and cost little."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from conformance.generate.corpus import build_corpus
from conformance.generate.hints import request_hints, request_schema
from conformance.generate.shrink import simpler, weight
from conformance.schema.profiles import load_profile
from conformance.verdicts import Mode

CHAT = load_profile("deeptrin").endpoints["chat"]
SCHEMA = request_schema(CHAT)
HINTS = request_hints(CHAT, "m")
BODIES = [
    row.body
    for mode in CHAT.modes
    for row in build_corpus(CHAT, mode, model="m", depth="standard").rows
    if not row.open
]


class Counted:
    """A predicate that counts how often it is asked."""

    def __init__(self, fails: Any) -> None:
        self.fails, self.calls = fails, 0

    def __call__(self, body: dict[str, Any]) -> bool:
        self.calls += 1
        return bool(self.fails(body))


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(body=st.sampled_from(BODIES), data=st.data(), calls=st.integers(0, 25))
def test_the_result_still_fails_is_valid_and_no_larger(
    body: dict[str, Any], data: st.DataObject, calls: int
) -> None:
    """Whatever the fault depends on, within the calls allowed, for any row of the corpus."""
    culprit = data.draw(st.sampled_from(sorted(body)))
    fault = Counted(lambda candidate: candidate.get(culprit) == body[culprit])

    found = simpler(SCHEMA, HINTS, body, fault, calls=calls)

    assert found.get(culprit) == body[culprit]
    assert weight(found) <= weight(body)
    assert fault.calls <= calls
    Draft202012Validator(SCHEMA).validate(found)
    assert body["model"] == found["model"]
    assert body.get("stream") == found.get("stream")
    assert "max_tokens" in found


def test_only_the_culprits_remain() -> None:
    """A fault of two parameters out of eleven is reported with the two."""
    body = next(each for each in BODIES if len(each) >= 11)
    fault = Counted(lambda b: "n" in b and "stop" in b)

    found = simpler(SCHEMA, HINTS, body, fault)

    assert {"model", "messages", "max_tokens", "n", "stop"} == set(found)
    assert fault.calls <= 25


@pytest.mark.parametrize("needle", ["日", "👩", "\u2028"])
def test_a_text_is_cut_to_what_matters(needle: str) -> None:
    """The character at fault is nearly alone in what is shown."""
    text = "Say hello to everybody, " + needle + " and then some more words to cut."
    body = {"model": "m", "messages": [{"role": "user", "content": text}], "max_tokens": 2}

    found = simpler(SCHEMA, HINTS, body, lambda b: needle in b["messages"][-1]["content"], calls=60)

    assert needle == found["messages"][-1]["content"]


def test_the_same_failure_shrinks_to_the_same_request() -> None:
    """Nothing but the arguments decides."""
    body = next(each for each in BODIES if len(each) >= 11)

    first = simpler(SCHEMA, HINTS, body, lambda b: "top_p" in b)
    second = simpler(SCHEMA, HINTS, body, lambda b: "top_p" in b)

    assert first == second


def test_streams_stay_streams() -> None:
    """The switch of the mode is part of the failure."""
    body = {**CHAT.minimal_body("m"), "stream": True, "top_p": 0.5}

    found = simpler(SCHEMA, HINTS, body, lambda b: True)

    assert found["stream"] is True
    assert "top_p" not in found
    assert Mode.STREAM in CHAT.modes
