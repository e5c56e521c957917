"""Laws of the corpus: valid, complete, reproducible, within its budget."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from conformance.generate.corpus import Corpus, build_corpus
from conformance.generate.coverage import coverage
from conformance.generate.hints import conflict, request_schema
from conformance.generate.text import KINDS, long_text
from conformance.schema.contract import (
    Bound,
    Endpoint,
    Grade,
    Parameter,
    Source,
)
from conformance.schema.profiles import load_profile
from conformance.verdicts import Mode

SOURCE = Source("documentation", "here")
DEPTHS = ("quick", "standard", "deep")
#: The profiles that stand for themselves, and the one that adds most to what it extends.
PROFILES = ("deeptrin", "openai", "openai-core", "vllm")
COMBINATIONS = [
    (profile, endpoint, mode)
    for profile in PROFILES
    for endpoint, contract in load_profile(profile).endpoints.items()
    for mode in contract.modes
]


@cache
def corpus_of(profile: str, endpoint: str, mode: Mode, depth: str, seed: int = 0) -> Corpus:
    """The corpus of a shipped profile."""
    contract = load_profile(profile).endpoints[endpoint]
    return build_corpus(contract, mode, model="some/model", seed=seed, depth=depth)


def embeddings() -> Endpoint:
    """An endpoint that the package has never heard of."""
    parameters = [
        Parameter("model", {"type": "string"}, SOURCE, required=True),
        Parameter(
            "input",
            {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
            SOURCE,
            required=True,
        ),
        Parameter(
            "dimensions",
            {"type": "integer", "minimum": 1, "maximum": 64},
            SOURCE,
            bounds=(
                Bound("minimum", 1, Grade.HARD),
                Bound("maximum", 64, Grade.UNSPECIFIED),
            ),
        ),
        Parameter("encoding_format", {"enum": ["float", "base64"]}, SOURCE, simplest="float"),
    ]
    return Endpoint(
        "embeddings",
        "POST",
        "/embeddings",
        (Mode.REGULAR,),
        {each.name: each for each in parameters},
        minimal={"input": "Hello"},
    )


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(("profile", "endpoint", "mode"), COMBINATIONS)
def test_every_row_is_valid_and_settled(
    profile: str, endpoint: str, mode: Mode, depth: str
) -> None:
    """Rows validate against the promised schema and ask for nothing that is left open."""
    contract = load_profile(profile).endpoints[endpoint]
    validator = Draft202012Validator(request_schema(contract))

    rows = corpus_of(profile, endpoint, mode, depth).rows

    for row in rows if contract.method == "POST" else ():
        validator.validate(row.body)
        assert conflict(row.body) is None, row.label
        assert (row.body.get("stream") is True) == (mode is Mode.STREAM), row.label


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize(("profile", "endpoint", "mode"), COMBINATIONS)
def test_the_coverage_table_has_no_hole(
    profile: str, endpoint: str, mode: Mode, depth: str
) -> None:
    """Every obligation is discharged by a body that shows it."""
    corpus = corpus_of(profile, endpoint, mode, depth)

    table = coverage(corpus, load_profile(profile).endpoints[endpoint])

    assert [] == table["open"]
    assert table["pairs"]["covered"] == table["pairs"]["of"]
    assert table == json.loads(json.dumps(table))


@pytest.mark.parametrize(("profile", "endpoint", "mode"), COMBINATIONS)
def test_every_parameter_has_a_row_of_its_own(profile: str, endpoint: str, mode: Mode) -> None:
    """A refused simplest value names its parameter: nothing else differs from the minimal body."""
    contract = load_profile(profile).endpoints[endpoint]
    corpus = corpus_of(profile, endpoint, mode, "quick")
    minimal = contract.minimal_body("some/model")
    left_out = {name for name, _ in corpus.left_out}

    pure = {
        name
        for row in corpus.rows
        for name in contract.parameters
        if any(tag.startswith(f"{name}:simplest") for tag in row.tags)
    }

    switch = {contract.stream_switch} if contract.stream_switch else set()
    assert set(contract.parameters) - left_out - switch <= pure | set(minimal)
    if contract.method == "POST" and mode is Mode.STREAM:
        assert switch <= pure


def test_a_hole_in_the_corpus_shows_in_the_table() -> None:
    """The table is read from the bodies: a row taken away leaves its obligations open."""
    corpus = corpus_of("deeptrin", "chat", Mode.REGULAR, "standard")
    kept = tuple(row for row in corpus.rows if "logit_bias" not in row.body)
    poorer = Corpus(
        corpus.endpoint,
        corpus.mode,
        corpus.model,
        corpus.seed,
        corpus.depth,
        kept,
        corpus.obligations,
    )

    table = coverage(poorer, load_profile("deeptrin").endpoints["chat"])

    assert "logit_bias:simplest:simplest" in table["open"]


@pytest.mark.parametrize("depth", DEPTHS)
def test_the_same_arguments_give_the_same_corpus(depth: str) -> None:
    """Nothing but profile, endpoint, mode, seed and depth decides."""
    chat = load_profile("deeptrin").endpoints["chat"]

    first = build_corpus(chat, Mode.REGULAR, model="m", seed=7, depth=depth)
    second = build_corpus(chat, Mode.REGULAR, model="m", seed=7, depth=depth)

    assert first.rows == second.rows


def test_another_process_draws_the_same_corpus() -> None:
    """Modules loaded elsewhere (hypothesis collects their constants) change nothing."""
    program = (
        "import json, {extra}\n"
        "from conformance.generate.corpus import build_corpus\n"
        "from conformance.schema.profiles import load_profile\n"
        "from conformance.verdicts import Mode\n"
        "chat = load_profile('deeptrin').endpoints['chat']\n"
        "rows = build_corpus(chat, Mode.REGULAR, model='m', seed=3, depth='deep').rows\n"
        "print(json.dumps([row.body for row in rows]))\n"
    )

    printed = [
        subprocess.run(
            [sys.executable, "-c", program.format(extra=extra)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        for extra in ("sys", "conformance.wire.exchange, conformance.checks.context")
    ]

    assert printed[0] == printed[1]


def test_another_seed_draws_other_rows() -> None:
    """The seed reaches what is drawn, and only that."""
    first = corpus_of("deeptrin", "chat", Mode.REGULAR, "deep", seed=1)
    second = corpus_of("deeptrin", "chat", Mode.REGULAR, "deep", seed=2)

    drawn = [[r.body for r in each.rows if r.origin == "drawn"] for each in (first, second)]
    covering = [[r.body for r in each.rows if r.origin == "covering"] for each in (first, second)]

    assert drawn[0] != drawn[1]
    assert covering[0] == covering[1]


@pytest.mark.parametrize(("depth", "most"), [("quick", 15), ("standard", 45), ("deep", 200)])
def test_the_corpus_of_thirteen_parameters_is_affordable(depth: str, most: int) -> None:
    """At standard depth: at most 170 requests and 2,000 tokens over all four combinations."""
    contracts = load_profile("deeptrin").endpoints.values()
    corpora = [
        build_corpus(each, mode, model="m", depth=depth)
        for each in contracts
        for mode in each.modes
    ]

    sizes = [len(each.rows) for each in corpora]
    tokens = sum(
        (row.body.get("max_tokens") or 16) * (row.body.get("n") or 1)
        for each in corpora
        for row in each.rows
    )

    assert max(sizes) <= most
    if depth != "deep":
        assert sum(sizes) <= 170
        assert tokens <= 2000


def test_what_the_documentation_leaves_open_is_marked() -> None:
    """Boundaries of unspecified grade are information; those of hard grade are not."""
    corpus = corpus_of("deeptrin", "chat", Mode.REGULAR, "deep")

    opened = {tag for row in corpus.rows if row.open for tag in row.tags}
    firm = {tag for row in corpus.rows if not row.open for tag in row.tags}

    assert "temperature:boundary:maximum" in firm
    assert "presence_penalty:boundary:maximum" in opened - firm
    assert "messages:text:nul" in opened - firm


def test_every_kind_of_text_is_sent() -> None:
    """Each kind of Unicode is in a request of each mode, bar those that only one mode sends."""
    table = coverage(
        corpus_of("deeptrin", "chat", Mode.REGULAR, "standard"),
        load_profile("deeptrin").endpoints["chat"],
    )

    kinds = {name.split(":")[-1] for name in table["obligations"] if ":text:" in name}

    assert {*KINDS, "long"} == kinds


def test_an_endpoint_never_heard_of_is_covered_too() -> None:
    """Values, texts and pairs come from the schema alone."""
    endpoint = embeddings()
    corpus = build_corpus(endpoint, Mode.REGULAR, model="m", depth="standard")

    table = coverage(corpus, endpoint)
    bodies: list[dict[str, Any]] = [row.body for row in corpus.rows]

    assert [] == table["open"]
    assert {"model": "m", "input": "Hello", "dimensions": 1} in bodies
    assert any(isinstance(body["input"], list) for body in bodies)
    assert any(body.get("encoding_format") == "base64" for body in bodies)
    assert all(conflict(body) is None for body in bodies)


@pytest.mark.parametrize("length", [0, 1, 69, 2400])
def test_long_text_has_the_length_asked_for(length: int) -> None:
    """Plain English of an exact length."""
    assert length == len(long_text(length))
