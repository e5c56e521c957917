"""Laws of mutations: one fault each, at the place it names, and a budget."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from conformance.generate.faults import Raw
from conformance.generate.hints import request_schema
from conformance.generate.malformed import malformed_bodies
from conformance.generate.mutations import Mutation, encode, is_primary, mutations
from conformance.schema.contract import Endpoint
from conformance.schema.profiles import available_profiles, load_profile
from conformance.verdicts import Level, Mode
from conformance.wire.jsonbody import JSONProblem, parse_json

#: Every parameter of every endpoint; where several profiles say the same of it, the first of them.
CASES = list(
    {
        (endpoint, name, repr(parameter.schema), repr(parameter.bounds)): (profile, endpoint, name)
        for profile in reversed(available_profiles())
        for endpoint, contract in load_profile(profile).endpoints.items()
        if contract.method == "POST"
        for name, parameter in contract.parameters.items()
    }.values()
)
COERCED = {"number as string", "boolean as string", "boolean as number", "boolean for number"}


def all_of(endpoint: Endpoint, parameter: str, mode: Mode = Mode.REGULAR) -> list[Mutation]:
    """Every mutation of a parameter."""
    return mutations(endpoint, parameter, model="m", depth="deep", mode=mode)


def places(body: Any, schema: Any) -> set[str]:
    """Where ``body`` breaks ``schema``, as far up as its alternatives begin."""
    errors = Draft202012Validator(schema).iter_errors(body)
    return {"".join(f"/{step}" for step in error.absolute_path) for error in errors}


@pytest.mark.parametrize(("profile", "endpoint", "parameter"), CASES)
def test_a_mutation_has_one_fault_at_its_pointer(
    profile: str, endpoint: str, parameter: str
) -> None:
    """The body breaks the schema at or above the pointer and nowhere else.

    A number beyond all limits breaks nothing where no limit is documented: information.
    """
    contract = load_profile(profile).endpoints[endpoint]

    for mutation in all_of(contract, parameter):
        body = parse_json(mutation.body)
        if isinstance(body, JSONProblem):
            assert isinstance(mutation.new, Raw), mutation.label
            continue
        broken = places(body, request_schema(contract))
        if mutation.operator == "huge number" and not broken:
            assert mutation.level is Level.MAY, mutation.label
            continue
        assert 1 == len(broken), mutation.label
        assert all(mutation.pointer.startswith(place) for place in broken), mutation.label


@pytest.mark.parametrize(("profile", "endpoint", "parameter"), CASES)
def test_undoing_the_mutation_makes_the_body_valid(
    profile: str, endpoint: str, parameter: str
) -> None:
    """With the old value back in its place nothing is wrong any more: a single fault."""
    contract = load_profile(profile).endpoints[endpoint]

    for mutation in all_of(contract, parameter):
        body = parse_json(mutation.body)
        if isinstance(body, JSONProblem):
            continue
        inside: Any = body
        *above, last = [
            int(step)
            if step.isdigit() and isinstance(mutation.body, bytes) and step == "0"
            else step
            for step in mutation.pointer.split("/")[1:]
        ]
        for step in above:
            inside = inside[step]
        if mutation.old is ...:
            del inside[last]
        else:
            inside[last] = mutation.old
        assert set() == places(body, request_schema(contract)), mutation.label


@pytest.mark.parametrize(("profile", "endpoint", "parameter"), CASES)
def test_levels_follow_the_grades(profile: str, endpoint: str, parameter: str) -> None:
    """Coercible values and ranges are never a MUST; missing and mistyped members never a MAY."""
    found = all_of(load_profile(profile).endpoints[endpoint], parameter)

    for each in found:
        if each.operator in COERCED or each.operator.startswith(("above", "below", "too ")):
            assert each.level is not Level.MUST, each.label
        if each.operator == "wrong type":
            assert each.level is Level.MUST, each.label


def test_a_range_is_a_should_only_where_it_is_documented() -> None:
    """The page states 0-2 for temperature and says nothing of the penalties."""
    chat = load_profile("deeptrin").endpoints["chat"]

    levels = {
        (each.parameter, each.operator): each.level
        for name in ("temperature", "presence_penalty")
        for each in all_of(chat, name)
    }

    assert Level.SHOULD is levels["temperature", "above maximum"]
    assert Level.MAY is levels["presence_penalty", "above maximum"]


def test_known_killers_are_marked_hostile() -> None:
    """What has killed servers is sent last, with a probe after it."""
    chat = load_profile("deeptrin").endpoints["chat"]
    found = [each for name in chat.parameters for each in all_of(chat, name)]

    hostile = {each.operator for each in found if each.hostile}

    assert {
        "missing required",
        "not a JSON number",
        "huge number",
        "deep nesting",
        "wrong name",
        "name beyond vocabulary",
    } <= hostile


@pytest.mark.parametrize(("depth", "most"), [("quick", 26), ("standard", 220)])
def test_the_mutations_of_thirteen_parameters_are_affordable(depth: str, most: int) -> None:
    """Within the budget over all endpoints and modes, and in full in one of them."""
    profile = load_profile("deeptrin")

    found = [
        mutation
        for endpoint in profile.endpoints.values()
        for mode in endpoint.modes
        for name in endpoint.parameters
        for mutation in mutations(
            endpoint,
            name,
            model="m",
            depth=depth,
            mode=mode,
            primary=is_primary(profile, endpoint, mode),
        )
    ]

    assert 0 < len(found) <= most


@pytest.mark.parametrize("mode", list(Mode))
def test_mutations_are_sent_in_the_mode_they_are_for(mode: Mode) -> None:
    """A streamed mutation asks for a stream, unless the fault is in the switch itself."""
    chat = load_profile("deeptrin").endpoints["chat"]

    bodies = [parse_json(each.body) for each in all_of(chat, "n", mode)]

    asked = {body.get("stream", False) for body in bodies if isinstance(body, dict)}
    assert {mode is Mode.STREAM} == asked


@pytest.mark.parametrize("value", [{"a": Raw("NaN")}, [Raw("1e999"), "\ue0000"], "x"])
def test_encode_writes_raw_text_as_it_stands(value: Any) -> None:
    """Raw text replaces exactly its own place."""
    text = encode(value).decode()

    expected = json.dumps(
        value, ensure_ascii=False, separators=(",", ":"), default=lambda raw: f"<{raw.text}>"
    )
    assert expected.replace('"<', "").replace('>"', "") == text


@pytest.mark.parametrize("endpoint", ["chat", "completions"])
def test_malformed_bodies_are_malformed(endpoint: str) -> None:
    """A MUST body is no JSON object; only what the standard leaves open may be one."""
    contract = load_profile("deeptrin").endpoints[endpoint]

    found = malformed_bodies(contract, model="m", depth="standard")

    assert len(found) == len({each.body for each in found})
    for each in found:
        if each.level is not Level.MAY:
            assert not isinstance(parse_json(each.body), dict), each.operator
    assert {"truncated JSON", "empty body", "invalid UTF-8", "byte order mark", "UTF-16"} <= {
        each.operator for each in found
    }


def test_a_label_says_where_what_and_how() -> None:
    """The label of a long value is cut, and says how long it was."""
    chat = load_profile("deeptrin").endpoints["chat"]

    labels = {each.operator: each.label for each in all_of(chat, "messages")}

    assert "/messages: missing required" == labels["missing required"] or (
        "/messages/0/role: missing required" == labels["missing required"]
    )
    assert labels["deep nesting"].endswith("(1000 characters)")
