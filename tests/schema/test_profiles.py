"""Profiles: promises with their sentences, narrowed, extended, withdrawn, and refused when wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from conformance.checks.catalogue import catalogue, items_of
from conformance.errors import ConfigurationError
from conformance.schema import loader
from conformance.schema.contract import Grade, Parameter
from conformance.schema.fields import fields, violations
from conformance.schema.profiles import available_profiles, load_profile
from conformance.schema.strategies import from_schema
from conformance.verdicts import Mode

NAMES = available_profiles()
PARAMETERS = [
    pytest.param(name, endpoint, parameter, id=f"{name}-{endpoint.name}-{parameter.name}")
    for name in NAMES
    for endpoint in load_profile(name).endpoints.values()
    for parameter in endpoint.parameters.values()
]
#: Every schema that the shipped profiles give a parameter of a contract, once: endpoint, name.
NARROWED = {
    (endpoint.name, parameter.name, json.dumps(parameter.schema, sort_keys=True)): parameter.schema
    for name in NAMES
    for endpoint in load_profile(name).endpoints.values()
    for parameter in endpoint.parameters.values()
    if parameter.name
    in loader.load_contract(endpoint.name, loader.roots())["request"]["properties"]
}
SHIPPED = Path(loader.shipped_root())


def overlay(folder: Path, **files: str) -> Path:
    """A directory of schema files; ``profiles__x`` is profiles/x.yaml."""
    for name, text in files.items():
        path = folder.joinpath(*name.split("__")).with_suffix(".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return folder


# What is shipped


def test_the_ad_hoc_default_is_shipped_with_what_it_is_told_from() -> None:
    """deeptrin, openai and openai-core are among the profiles."""
    assert {"deeptrin", "openai", "openai-core"} <= set(NAMES)


@pytest.mark.parametrize("name", sorted(set(NAMES) - {"deeptrin", "openai", "openai-core"}))
def test_a_provider_is_quoted_for_every_parameter(name: str) -> None:
    """Each promise has the provider's own words, and each firm bound is found in them."""
    for endpoint in load_profile(name).endpoints.values():
        for parameter in endpoint.parameters.values():
            firm = [bound for bound in parameter.bounds if bound.sentence]
            assert [] == [
                bound.sentence for bound in firm if bound.sentence not in parameter.source.quote
            ]
            assert parameter.source.quote or parameter.name in load_profile(name).withdrawn
            assert all(
                bound.sentence
                for bound in parameter.bounds
                if bound.grade in (Grade.HARD, Grade.DERIVABLE)
            )


def test_the_page_stands_beside_its_profile() -> None:
    """The text of the document is that of the file, to the byte."""
    page = (SHIPPED / "profiles" / "deeptrin-openai-api.txt").read_bytes()

    assert page == load_profile("deeptrin").document.encode()


def test_deeptrin_promises_thirteen_parameters_on_two_endpoints() -> None:
    """The page lists 13 parameters, one of them for chat and one for completions alone."""
    endpoints = load_profile("deeptrin").endpoints
    chat, text = (set(endpoints[name].parameters) for name in ("chat", "completions"))

    assert ["chat", "completions"] == list(endpoints)
    assert (13, {"messages"}, {"prompt"}) == (len(chat | text), chat - text, text - chat)
    assert {(Mode.REGULAR, Mode.STREAM)} == {each.modes for each in endpoints.values()}


def test_openai_promises_every_parameter_of_its_specification() -> None:
    """37 and 18 parameters, and repetition_penalty is none of them."""
    endpoints = load_profile("openai").endpoints
    expected = {"chat": 37, "completions": 18, "models": 0, "model": 0}

    assert expected == {name: len(each.parameters) for name, each in endpoints.items()}
    assert not any("repetition_penalty" in each.parameters for each in endpoints.values())


@pytest.mark.parametrize(
    "parameter",
    load_profile("deeptrin").endpoints["chat"].parameters.values(),
    ids=lambda each: each.name,
)
def test_a_deeptrin_sentence_stands_at_its_line(parameter: Parameter) -> None:
    """The quotation of each parameter is found at the line that its reference names."""
    lines = load_profile("deeptrin").document.split("\n")
    line = int(parameter.source.reference.rpartition(":")[2])

    assert parameter.source.quote in lines[line - 1]


def test_only_what_the_page_says_is_hard() -> None:
    """Hard bounds of deeptrin quote the page; what it leaves open is unspecified."""
    page = load_profile("deeptrin").document
    bounds = [
        (name, bound)
        for endpoint in load_profile("deeptrin").endpoints.values()
        for name, parameter in endpoint.parameters.items()
        for bound in parameter.bounds
    ]
    firm = {
        (name, each.keyword) for name, each in bounds if each.grade in (Grade.HARD, Grade.DERIVABLE)
    }

    assert all(
        each.sentence and each.sentence in page
        for _, each in bounds
        if each.grade is not Grade.UNSPECIFIED
    )
    assert firm == {
        ("temperature", "minimum"),
        ("temperature", "maximum"),
        ("top_p", "maximum"),
        ("stop", "maxItems"),
        ("n", "minimum"),
        ("messages", "enum"),
    }


def test_nothing_is_hard_in_the_ad_hoc_default() -> None:
    """About an unknown server no bound is firm enough for a MUST, and no default is promised."""
    parameters = [
        each
        for endpoint in load_profile("openai-core").endpoints.values()
        for each in endpoint.parameters.values()
    ]

    assert {Grade.SOFT, Grade.UNSPECIFIED} == {
        bound.grade for each in parameters for bound in each.bounds
    }
    assert all(each.default is ... and not each.nullable for each in parameters)


@pytest.mark.parametrize(("name", "endpoint", "parameter"), PARAMETERS)
def test_the_telling_values_of_a_parameter_are_valid(name: str, endpoint, parameter) -> None:
    """The simplest, the neutral and the default value satisfy the parameter's own schema."""
    validator = Draft202012Validator(dict(parameter.schema))
    given = [parameter.simplest, parameter.neutral, parameter.default]

    refused = [each for each in given if each is not ... and not validator.is_valid(each)]

    assert [None] * len(refused) == refused  # null may be a default without being promised
    assert parameter.nullable == validator.is_valid(None)


@pytest.mark.parametrize("key", NARROWED, ids=lambda key: f"{key[0]}-{key[1]}")
@settings(max_examples=15)
@given(data=st.data())
def test_a_profile_only_narrows_its_contract(key: tuple[str, str, str], data) -> None:
    """What a profile promises is valid under the contract of the endpoint."""
    endpoint, parameter, _ = key
    contract = loader.load_contract(endpoint, loader.roots())
    known = Draft202012Validator(contract["request"]["properties"][parameter])

    value = data.draw(from_schema(NARROWED[key]))

    assert known.is_valid(value)


@pytest.mark.parametrize(("name", "endpoint", "parameter"), PARAMETERS)
def test_bounds_are_keywords_of_the_schema(name: str, endpoint, parameter) -> None:
    """Each bound speaks of something that the schema says, with the same value."""
    text = repr(parameter.schema)

    for bound in parameter.bounds:
        if bound.keyword in ("enum", "type", "maxLength"):
            continue
        assert f"{bound.keyword!r}: {bound.value!r}" in text


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("model", [None, "gpt-4o-mini", "o3-mini", "davinci-002", "org/any"])
def test_the_minimal_body_is_a_valid_request(name: str, model: str | None) -> None:
    """The smallest body uses promised parameters only and is valid."""
    for endpoint in load_profile(name, model=model).endpoints.values():
        if endpoint.request_schema is None:
            continue
        body = endpoint.minimal_body("m")
        Draft202012Validator(endpoint.request_schema).validate(body)

        assert set(body) <= set(endpoint.parameters)


def test_examples_are_the_lines_of_the_page() -> None:
    """Four documented examples, verbatim."""
    examples = load_profile("deeptrin").examples
    expected = {"python-chat", "python-completions", "curl-chat", "curl-completions"}

    assert expected == set(examples)
    assert all(each in load_profile("deeptrin").document for each in examples.values())
    assert examples["curl-chat"].rstrip().endswith("}'")
    for kind in ("python-chat", "python-completions"):
        compile(examples[kind], kind, "exec")


# Models


@pytest.mark.parametrize(
    ("model", "endpoints", "gone", "kept"),
    [
        ("gpt-4o-mini", {"chat", "models", "model"}, {"audio", "reasoning_effort", "web_search_options"}, {"max_tokens", "logit_bias", "n"}),
        ("o3-mini", {"chat", "models", "model"}, {"max_tokens", "temperature", "stop", "logit_bias", "n"}, {"max_completion_tokens", "reasoning_effort"}),
        ("gpt-4o-audio-preview", {"chat", "models", "model"}, {"web_search_options"}, {"audio"}),
        ("org/any", {"chat", "completions", "models", "model"}, set(), {"audio", "max_tokens"}),
    ],
)  # fmt: skip
def test_promises_are_withdrawn_by_model(
    model: str, endpoints: set[str], gone: set[str], kept: set[str]
) -> None:
    """What a family of models does not keep is not promised for it, the rest stays."""
    profile = load_profile("openai", model=model)
    chat = set(profile.endpoints["chat"].parameters)

    assert endpoints == set(profile.endpoints)
    assert (set(), kept) == (gone & chat, kept & chat)


def test_what_is_supported_by_no_model_is_withdrawn_in_the_words_of_the_page() -> None:
    """A parameter that the page calls unsupported is not promised, and its sentence is kept."""
    profile = load_profile("ollama")

    assert "n" not in profile.endpoints["chat"].parameters
    assert not profile.promises("n", profile.endpoints["chat"])
    assert "- [ ] `n`" == profile.withdrawn["n"].quote


def test_a_required_parameter_that_is_withdrawn_is_sent_and_not_judged() -> None:
    """A server that does not look at the model still gets one."""
    profile = load_profile("tgi")
    chat = profile.endpoints["chat"]

    assert "m" == chat.minimal_body("m")["model"]
    assert not profile.promises("model", chat)
    promised = [each for each in items_of(profile, catalogue(profile).values()) if each.promised]
    assert [] == [each.name for each in promised if each.requirement.parameter == "model"]


def test_a_model_narrows_a_parameter() -> None:
    """A family of models may have bounds of its own."""
    parameter = load_profile("openai", model="gpt-5.6-terra").endpoints["chat"].parameters["n"]

    assert 8 in [each.value for each in parameter.bounds]
    assert not Draft202012Validator(dict(parameter.schema)).is_valid(9)


# Overlays

EMBEDDINGS = """
endpoint: embeddings
method: POST
path: /embeddings
modes: [regular]
minimal: {input: hello}
request:
  type: object
  required: [model, input]
  properties:
    model: {type: string, x-source: &doc {kind: documentation, reference: "page:1", quote: Embeds texts.}}
    input: {type: string, minLength: 1, examples: [hello], x-source: *doc}
    dimensions: {type: integer, minimum: 1, examples: [8], x-source: *doc}
response:
  type: object
  required: [object, data, model]
  x-source: *doc
  properties:
    object: {const: list}
    model: {type: string}
    usage: {$ref: "shared.yaml#/$defs/usage"}
    data:
      type: array
      items:
        type: object
        required: [object, index, embedding]
        properties:
          object: {const: embedding}
          index: {type: integer}
          embedding: {type: array, items: {type: number}}
"""
PROVIDER = """
profile: provider
title: A provider
extends: openai-core
endpoints:
  embeddings: {parameters: [model, input, dimensions]}
  model: null
parameters:
  temperature: {bounds: [{keyword: maximum, value: 2, grade: hard}]}
"""


def test_an_unheard_of_endpoint_is_only_data(tmp_path: Path) -> None:
    """A contract and a profile in a directory bring fields and parameters, without Python."""
    folder = overlay(tmp_path, contracts__embeddings=EMBEDDINGS, profiles__provider=PROVIDER)

    profile = load_profile("provider", overlays=[folder])

    endpoint = profile.endpoints["embeddings"]
    among = {each.name: each for each in fields(endpoint.response_schema or {})}
    assert {"chat", "completions", "models", "embeddings"} == set(profile.endpoints)
    assert {"model": "m", "input": "hello"} == endpoint.minimal_body("m")
    assert (8, Grade.SOFT) == (
        endpoint.parameters["dimensions"].simplest,
        endpoint.parameters["dimensions"].bounds[0].grade,
    )
    assert {"data.embedding", "usage.prompt-tokens"} <= set(among)
    assert [("/data/0/embedding/1", "'x' is not number")] == violations(
        among["data.embedding"], {"data": [{"embedding": [1, "x"]}]}
    )
    assert endpoint.error_schema == profile.endpoints["chat"].error_schema


def test_extending_replaces_keys_and_keeps_the_rest(tmp_path: Path) -> None:
    """A parameter keeps what the extending profile does not mention."""
    folder = overlay(tmp_path, contracts__embeddings=EMBEDDINGS, profiles__provider=PROVIDER)
    base = load_profile("openai-core").endpoints["chat"].parameters

    extended = load_profile("provider", overlays=[folder]).endpoints["chat"].parameters

    assert base["stop"] == extended["stop"]
    assert base["temperature"].schema == extended["temperature"].schema
    assert [Grade.HARD] == [each.grade for each in extended["temperature"].bounds]


def test_a_required_member_may_be_optional_at_a_provider(tmp_path: Path) -> None:
    """``required: false`` takes back what the contract requires; nothing faulty is left to miss."""
    entry = "  model: {source: {kind: documentation, reference: x, quote: y}, required: false}\n"
    text = f"profile: mine\nextends: openai-core\nparameters:\n{entry}"

    mine = load_profile("mine", overlays=[overlay(tmp_path, profiles__mine=text)])

    found = {name: each.required for name, each in mine.endpoints["chat"].parameters.items()}
    assert not found["model"]
    assert found["messages"]


def test_an_overlay_may_amend_a_shipped_profile(tmp_path: Path) -> None:
    """A profile that extends its own name extends the one below it."""
    folder = overlay(
        tmp_path,
        profiles__deeptrin="profile: deeptrin\nextends: deeptrin\nendpoints: {completions: null}\n",
    )

    amended = load_profile("deeptrin", overlays=[folder])

    assert ["chat"] == list(amended.endpoints)
    assert load_profile("deeptrin").document == amended.document


def test_the_last_overlay_is_on_top(tmp_path: Path) -> None:
    """Of two overlays with the same file the later one counts."""
    text = "profile: mine\nextends: openai-core\ntitle: "
    folders = [
        overlay(tmp_path / each, profiles__mine=f"{text}{each}\n") for each in ("one", "two")
    ]

    assert "two" == load_profile("mine", overlays=folders).title


def test_a_parameter_may_be_described_by_the_profile_alone(tmp_path: Path) -> None:
    """A provider's own parameter needs no contract: schema and source are enough."""
    folder = overlay(
        tmp_path,
        profiles__mine="""
profile: mine
endpoints: {chat: {parameters: [model, messages, top_k]}}
parameters:
  top_k:
    source: {kind: documentation, reference: "page:9", quote: Keeps the k likeliest tokens.}
    schema: {type: integer, minimum: 1}
    nullable: true
    simplest: 5
""",
    )

    parameter = load_profile("mine", overlays=[folder]).endpoints["chat"].parameters["top_k"]

    assert {"type": ["integer", "null"], "minimum": 1} == parameter.schema
    assert (5, "page:9") == (parameter.simplest, parameter.source.reference)


# Mistakes


def test_an_unknown_profile_names_the_nearest() -> None:
    """The names and the nearest match are told."""
    with pytest.raises(ConfigurationError) as caught:
        load_profile("deptrin")

    expected = f"unknown profile 'deptrin'; did you mean 'deeptrin'? known: {', '.join(NAMES)}"
    assert expected == str(caught.value)


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("profile: mine\nendpoint: {}\n", "#", "unknown key 'endpoint'; did you mean 'endpoints'?"),
        ("profile: mine\n", "", "no endpoints"),
        ("profile: other\n", "#/profile", "the file is named 'mine' and describes profile 'other'"),
        ("profile: mine\nextends: opnai\n", "#/extends", "extends unknown profile 'opnai'; did you mean 'openai'?"),
        ("profile: mine\nextends: mine\n", "#/extends", "extends unknown profile 'mine'"),
        ("profile: mine\nendpoints: {chats: {}}\n", "#/endpoints/chats", "no contract for endpoint 'chats'; did you mean 'chat'?"),
        ("profile: mine\nendpoints: {chat: {parameters: [temprature]}}\n", "#/endpoints/chat/parameters", "no contract describes parameter 'temprature'"),
        ("profile: mine\nendpoints: {models: {modes: [stream]}}\n", "#/endpoints/models/modes", "the contract has no mode 'stream'"),
        ("profile: mine\nendpoints: {chat: {parameters: [n]}}\nparameters: {n: {schema: {minimun: 1}}}\n", "#/parameters/n/schema/minimun", "unknown keyword 'minimun'"),
        ("profile: mine\nendpoints: {chat: {}}\nparameters: {n: {bounds: [{keyword: minimum, value: 1, grade: firm}]}}\n", "#/parameters/n/bounds/0/grade", "'firm' is not possible"),
        ("profile: mine\ndocument: gone.txt\nendpoints: {chat: {}}\n", "#/document", "no such document 'gone.txt'"),
        ("profile: mine\ndocument: deeptrin-openai-api.txt\nendpoints: {chat: {}}\nsentences: [{line: 2, text: Overview, excluded: heading}]\n", "#/sentences/0", "line 2 of the document does not say 'Overview'"),
        ("profile: mine\ndocument: deeptrin-openai-api.txt\nendpoints: {chat: {}}\nexamples: {curl-chat: {lines: [180, 190]}}\n", "#/examples/curl-chat/lines", "the document has no lines 180 to 190"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_profile_is_told_with_its_place(
    tmp_path: Path, text: str, where: str, what: str
) -> None:
    """File, JSON pointer, what is wrong."""
    folder = overlay(tmp_path, profiles__mine=text)

    with pytest.raises(ConfigurationError) as caught:
        load_profile("mine", overlays=[folder])

    assert str(caught.value).startswith(f"{folder / 'profiles' / 'mine.yaml'}{where}: {what}")


def test_profiles_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    """A circle is told, not followed."""
    folder = overlay(
        tmp_path, profiles__a="profile: a\nextends: b\n", profiles__b="profile: b\nextends: a\n"
    )

    with pytest.raises(ConfigurationError, match="extending 'a' goes in a circle"):
        load_profile("a", overlays=[folder])


HEAD = "endpoint: x\nmethod: GET\npath: /x\nmodes: [regular]\n"


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        (HEAD, "#", "'response' is missing"),
        (HEAD.replace("GET", "FETCH") + "response: {}\n", "#/method", "'FETCH' is not possible"),
        (HEAD + "response: {typ: object}\n", "#/response/typ", "unknown keyword 'typ'"),
        (HEAD + "response: {type: text}\n", "#/response/type", "'text' is not"),
        (HEAD + "response: {properties: {a: {$ref: '#/$defs/b'}}}\n", "#/response/properties/a", "$ref '#/$defs/b' points nowhere"),
        (HEAD + "response: {$ref: 'gone.yaml#/x'}\n", "#/response", "$ref to 'gone.yaml': no such file"),
        (HEAD + "response: {properties: {a: {$ref: '#/response'}}}\n", "#/response/properties/a", "$ref '#/response' goes in a circle"),
        (HEAD.replace("endpoint: x", "endpoint: y") + "response: {}\n", "#/endpoint", "the file is named 'x' and describes endpoint 'y'"),
        (HEAD + "response: {x-source: {kind: rumour, reference: x}}\n", "#/response/x-source/kind", "'rumour' is not possible"),
    ],
)  # fmt: skip
def test_a_mistake_in_a_contract_is_told_with_its_place(
    tmp_path: Path, text: str, where: str, what: str
) -> None:
    """File, JSON pointer, what is wrong."""
    folder = overlay(tmp_path, contracts__x=text)

    with pytest.raises(ConfigurationError) as caught:
        loader.load_contract("x", loader.roots([folder]))

    assert str(caught.value).startswith(f"{folder / 'contracts' / 'x.yaml'}{where}: {what}")


def test_an_overlay_must_be_a_directory(tmp_path: Path) -> None:
    """A path that is no directory is named."""
    with pytest.raises(ConfigurationError, match="no such directory"):
        load_profile("openai", overlays=[tmp_path / "gone"])


@pytest.mark.parametrize("place", ["site-packages/conformance/_schemas", "site-packages/schemas"])
def test_schema_files_are_found_in_a_wheel_and_in_a_checkout(tmp_path: Path, place: str) -> None:
    """Inside the package as package data, or beside it."""
    (tmp_path / place / "contracts").mkdir(parents=True)

    found = loader.find_shipped(tmp_path / "site-packages" / "conformance")

    assert tmp_path / place == found


def test_missing_schema_files_are_told(tmp_path: Path) -> None:
    """A broken installation says so."""
    with pytest.raises(ConfigurationError, match="install again"):
        loader.find_shipped(tmp_path)
