"""How faults are graded, and what an ordinary request after them must get."""

from __future__ import annotations

import json

import pytest

from conformance.checks.api import Depth
from conformance.reference.mutants import Built
from conformance.reference.mutants.answering import Reply, error_reply, intercept
from conformance.reference.mutants.honest import honest
from conformance.verdicts import Verdict


def changed(change) -> Built:
    """The reference with ``change(request, honest reply)`` applied."""
    built = honest()
    return Built(intercept(change)(built.app), built.model, built.key)


def verdicts(results) -> dict[str, Verdict]:
    return {each.item.name: each.verdict for each in results}


def accepting(matches):
    """A server that answers whatever request ``matches``."""
    answer = {
        "id": "x",
        "object": "text_completion",
        "created": 1,
        "model": "m",
        "choices": [{"index": 0, "text": "hello", "finish_reason": "stop"}],
    }
    return changed(lambda request, _: Reply.json(200, answer) if matches(request) else None)


def test_forms_of_the_api_that_a_profile_does_not_name_are_no_faults(bench):
    """Arrays of prompts are not promised by the profile and valid in the API: taking them is fine."""
    server = accepting(lambda request: isinstance(request.asked("prompt"), list))

    results = bench("param.prompt.validates", server=server)

    assert {Verdict.PASS} == {each.verdict for each in results}


def test_a_wrong_json_type_that_is_accepted_breaks_a_must(bench):
    """A temperature of text is a fault under every documentation."""
    server = accepting(lambda request: isinstance(request.asked("temperature"), str))

    results = bench("param.temperature.validates", server=server)

    assert Verdict.FAIL in {each.verdict for each in results}


def test_a_value_out_of_range_that_is_accepted_is_a_warning(bench):
    """Clamping is forbidden by nobody's text."""
    server = accepting(lambda request: request.asked("temperature") in (2.1, -0.1))

    results = bench("param.temperature.validates", server=server)

    assert Verdict.WARN in {each.verdict for each in results}
    assert Verdict.FAIL not in {each.verdict for each in results}


@pytest.mark.parametrize("status", [500, 501])
def test_a_server_error_is_a_failure_even_where_the_fault_is_left_open(status, bench):
    """An empty array of stop sequences may be taken or refused, never answered with 5xx."""
    refuse = error_reply(status, "IndexError")
    server = changed(lambda request, _: refuse if request.asked("stop") == [] else None)

    results = bench("param.stop.validates", server=server)

    assert Verdict.FAIL in {each.verdict for each in results}


def test_422_is_as_good_as_400(bench):
    """Both say that the request is at fault."""

    def change(request, reply):
        return Reply(422, reply.headers, reply.body) if reply.status == 400 else None

    results = bench("param.*.validates", "error.malformed", server=changed(change))

    assert {Verdict.PASS} == {each.verdict for each in results}


def test_a_server_that_dies_of_a_fault_is_convicted(bench):
    """After the request that kills it nothing answers: the culprit is named."""
    dead = [0]
    built = honest()

    async def app(scope, receive, send):
        if dead[0]:
            dead[0] -= 1
            raise ConnectionResetError("nobody listens")
        seen = await receive()
        if b"NaN" in seen.get("body", b""):
            dead[0] = 2
            raise ConnectionResetError("crashed")

        async def replay():
            return seen

        await built.app(scope, replay, send)

    results = bench("robust.temperature.survives", server=Built(app, built.model, built.key))

    assert [Verdict.FAIL] == [each.verdict for each in results]
    assert "died" in results[0].message or "no answer" in results[0].message


def test_the_next_ordinary_request_is_part_of_the_verdict(bench):
    """A server that refuses the faults and is sick afterwards fails."""
    sick = [False]

    def change(request, reply):
        sick[0] = sick[0] or isinstance(request.asked("top_p"), (str, dict))
        plain = set(request.members) == {"model", "messages", "max_tokens"}
        return error_reply(500, "engine dead") if sick[0] and plain else None

    results = bench("accepts.minimal", "param.top_p.validates", server=changed(change))

    assert Verdict.FAIL is verdicts(results)["param.top_p.validates[chat-regular]"]


def test_every_place_sees_a_fault_at_the_quickest_depth(bench):
    """No item of the gate is empty: each endpoint and mode refuses at least one fault."""
    results = bench("param.*.validates", "param.*.accepts", depth=Depth.QUICK)

    assert {Verdict.PASS} == {each.verdict for each in results}


def test_a_row_shared_by_parameters_blames_only_the_culprit(bench):
    """`n: null` refused: the row with null for everything accuses `n` alone."""
    refuse = error_reply(400, "n must not be null")

    def change(request, reply):
        return refuse if "n" in request.members and request.asked("n") is None else None

    results = bench("param.*.accepts", server=changed(change))

    accused = {each.requirement.id for each in results if each.verdict is not Verdict.PASS}
    assert {"param.n.accepts"} == accused


def test_a_refused_plain_request_accuses_no_optional_parameter(bench):
    """Where nothing is answered, parameters cannot be judged."""
    server = changed(lambda request, _: error_reply(400, json.dumps("no")))

    results = bench("param.temperature.accepts", "accepts.minimal", server=server)

    assert Verdict.UNTESTABLE is verdicts(results)["param.temperature.accepts[chat-regular]"]
    assert Verdict.REJECTED is verdicts(results)["accepts.minimal[chat-regular]"]
