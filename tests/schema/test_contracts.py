"""The contracts: what honest servers answer conforms, and each defect breaks exactly its field."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

from conformance.schema import loader
from conformance.schema.fields import Field, Survey, fields
from conformance.verdicts import Level

ANSWERS = yaml.safe_load((Path(__file__).parent / "answers.yaml").read_text(encoding="utf-8"))
ENDPOINTS = loader.contract_names(loader.roots())
PARTS = ("request", "response", "chunk", "error")
KINDS = {
    *("documentation", "specification text", "specification schema", "observed behaviour"),
    *("SDK requirement", "standard", "convention", "arithmetic"),
}


def schema_of(endpoint: str, part: str) -> Mapping[str, Any]:
    roots = loader.roots()
    return (
        loader.load_error(roots) if part == "error" else loader.load_contract(endpoint, roots)[part]
    )


def existing(*parts: str) -> list[tuple[str, str]]:
    return [
        (endpoint, part)
        for endpoint in ENDPOINTS
        for part in parts
        if part == "error" or part in loader.load_contract(endpoint, loader.roots())
    ]


def every_field() -> list[Any]:
    return [
        pytest.param(each, id=f"{endpoint}-{part}-{each.name}")
        for endpoint, part in existing("response", "chunk", "error")
        for each in fields(schema_of(endpoint, part))
    ]


def found(case: Mapping[str, Any], body: Any) -> dict[str, set[Level]]:
    among = {each.path: each for each in fields(schema_of(case["endpoint"], case["part"]))}
    broken = Survey(among.values())(body)
    return {among[path].name: {one.level for one in told} for path, told in broken.items()}


def spoiled(case: Mapping[str, Any]) -> Any:
    """The first honest answer of the same endpoint and part with the case's defect."""
    honest = next(
        each
        for each in ANSWERS["honest"]
        if (each["endpoint"], each["part"]) == (case["endpoint"], case["part"])
    )
    body = copy.deepcopy(honest["body"])
    for pointer in case.get("drop", ()):
        *way, last = pointer.split("/")[1:]
        del walk(body, way)[last]
    for pointer, value in case.get("edit", {}).items():
        *way, last = pointer.split("/")[1:]
        if pointer not in case.get("drop", ()):
            parent = walk(body, way)
            parent[int(last) if isinstance(parent, list) else last] = value
    return body


def walk(value: Any, way: list[str]) -> Any:
    for step in way:
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


def test_the_endpoints_are_the_four_of_the_commission() -> None:
    """Chat completions, completions, the list of models and one model have contracts."""
    assert ["chat", "completions", "model", "models"] == ENDPOINTS


@pytest.mark.parametrize(("endpoint", "part"), existing(*PARTS))
def test_schemas_are_valid_json_schema_2020_12(endpoint: str, part: str) -> None:
    """Every schema of every contract is valid JSON Schema 2020-12."""
    Draft202012Validator.check_schema(dict(schema_of(endpoint, part)))


@pytest.mark.parametrize("endpoint", ["chat", "completions"])
def test_every_parameter_says_where_it_is_from(endpoint: str) -> None:
    """Every request parameter carries a complete source of its own."""
    parameters = schema_of(endpoint, "request")["properties"]

    incomplete = [
        name
        for name, each in parameters.items()
        if each.get("x-source", {}).get("kind") not in KINDS or not each["x-source"]["reference"]
    ]

    assert [] == incomplete


def test_the_parameters_are_those_of_the_sdk() -> None:
    """The contract has the 37 and 18 parameters of the SDK's types, and repetition_penalty."""
    chat = pytest.importorskip("openai.types.chat.completion_create_params")
    text = pytest.importorskip("openai.types.completion_create_params")
    expected = [
        {*each.CompletionCreateParamsStreaming.__annotations__, "repetition_penalty"}
        | set(each.CompletionCreateParamsBase.__annotations__)
        for each in (chat, text)
    ]

    actual = [set(schema_of(each, "request")["properties"]) for each in ("chat", "completions")]

    assert expected == actual


@pytest.mark.parametrize("endpoint", ["chat", "completions"])
def test_the_simplest_value_of_each_parameter_is_valid(endpoint: str) -> None:
    """The first example of each parameter, and its neutral value, are valid."""
    for each in schema_of(endpoint, "request")["properties"].values():
        validator = Draft202012Validator(each)
        assert [] == [value for value in each.get("examples", ()) if not validator.is_valid(value)]
        assert validator.is_valid(each.get("x-neutral", each.get("examples", ["m"])[0]))


@pytest.mark.parametrize("field", every_field())
def test_every_field_says_where_it_is_from(field: Field) -> None:
    """Every member of every answer has a source of a known kind, with a reference."""
    assert field.source.kind in KINDS
    assert field.source.reference not in ("", "contract")


@pytest.mark.parametrize(("endpoint", "part"), existing("response", "chunk", "error"))
def test_fields_have_distinct_names(endpoint: str, part: str) -> None:
    """Each member of an answer gives one requirement id."""
    names = [each.name for each in fields(schema_of(endpoint, part))]

    assert sorted(set(names)) == sorted(names)


@pytest.mark.parametrize("case", ANSWERS["honest"], ids=lambda case: case["name"])
def test_what_honest_servers_answer_breaks_no_must(case: Mapping[str, Any]) -> None:
    """Recorded shapes break no MUST, and no SHOULD but those listed."""
    broken = found(case, case["body"])

    assert {name: {Level.SHOULD} for name in case.get("warns", ())} == broken


@pytest.mark.parametrize(
    "case",
    # The type of `code` is a SHOULD, which plain JSON Schema cannot say.
    [each for each in ANSWERS["honest"] if "error.code" not in each.get("warns", ())],
    ids=lambda case: case["name"],
)
def test_honest_answers_are_valid_under_the_schema(case: Mapping[str, Any]) -> None:
    """What breaks no MUST is valid under the plain JSON Schema, too."""
    schema = schema_of(case["endpoint"], case["part"])

    assert [] == list(Draft202012Validator(schema).iter_errors(case["body"]))


@pytest.mark.parametrize("case", ANSWERS["broken"], ids=lambda case: case["name"])
def test_a_defect_breaks_exactly_its_field(case: Mapping[str, Any]) -> None:
    """Each planted defect is told of the field it stands in and of no other."""
    broken = found(case, spoiled(case))

    assert {case["breaks"]: {Level(case["level"])}} == broken


def test_the_first_answers_are_free_of_warnings() -> None:
    """The answers that defects are planted in are themselves clean."""
    firsts: dict[tuple[str, str], Any] = {}
    for each in ANSWERS["honest"]:
        firsts.setdefault((each["endpoint"], each["part"]), each)
    bases = {(each["endpoint"], each["part"]) for each in ANSWERS["broken"]}

    unclean = [key for key in bases if firsts[key].get("warns")]

    assert [] == unclean
