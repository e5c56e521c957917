"""Acceptance, validation, shape and keys for an endpoint that the package has never heard of."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

import pytest

from conformance.reference.mutants import Built
from conformance.schema.profiles import load_profile
from conformance.verdicts import Verdict

KEY = "sk-embeddings-0123456789"
MODEL = "tiny-embedding"

CONTRACT = """
endpoint: embeddings
method: POST
path: /embeddings
modes: [regular]
minimal: {input: hello}
request:
  type: object
  required: [model, input]
  properties:
    model: {type: string, x-source: {kind: specification schema, reference: "here"}}
    input:
      x-source: {kind: specification schema, reference: "here"}
      anyOf:
        - {type: string, minLength: 1}
        - {type: array, minItems: 1, maxItems: 4, items: {type: string}}
    dimensions:
      type: integer
      minimum: 1
      maximum: 8
      examples: [4]
      x-source: {kind: specification schema, reference: "here"}
response:
  type: object
  required: [object, data]
  x-source: {kind: specification schema, reference: "here"}
  properties:
    object: {const: list}
    data:
      type: array
      items:
        type: object
        required: [index, embedding]
        properties:
          index: {type: integer}
          embedding: {type: array, items: {type: number}}
"""
PROFILE = """
profile: vectors
title: Vectors
roles: [user]
features: [auth]
grade: hard
endpoints:
  embeddings: {parameters: [model, input, dimensions]}
parameters: {}
"""


@pytest.fixture
def vectors(tmp_path: Path):
    """The profile of an overlay that adds one endpoint."""
    for folder, name, text in (
        ("contracts", "embeddings", CONTRACT),
        ("profiles", "vectors", PROFILE),
    ):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / f"{name}.yaml").write_text(dedent(text), encoding="utf-8")
    return load_profile("vectors", overlays=(tmp_path,))


def server(*, lax: bool = False, name: str = "index") -> Built:
    """A server of vectors; ``lax`` takes any dimensions, ``name`` is that of the index member."""

    def fault(body: object) -> str | None:
        if not isinstance(body, dict):
            return "body"
        if body.get("model") != MODEL:
            return "model"
        given = body.get("input")
        texts = given if isinstance(given, list) else [given]
        if not texts or len(texts) > 4 or any(not isinstance(t, str) or not t for t in texts):
            return "input"
        size = body.get("dimensions")
        whole = size is None or (isinstance(size, int) and size is not True and 1 <= size <= 8)
        return None if lax or whole else "dimensions"

    async def app(scope, receive, send):
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        status, document = answer(scope, body)
        fields = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": fields})
        await send({"type": "http.response.body", "body": json.dumps(document).encode()})

    def answer(scope, body):
        fields = dict(scope["headers"])
        scheme, _, key = fields.get(b"authorization", b"").decode().partition(" ")
        if (scheme.lower(), key) != ("bearer", KEY):
            return error(401, None)
        if scope["method"] != "POST" or scope["path"] != "/v1/embeddings":
            return error(404, None)
        try:
            value = json.loads(body.decode(), parse_constant=lambda name: 1 / 0)
        except (ValueError, ZeroDivisionError, RecursionError):
            return error(400, None)
        if wrong := fault(value):
            return error(400, wrong)
        count = len(value["input"]) if isinstance(value["input"], list) else 1
        data = [{name: at, "embedding": [0.5, -0.5]} for at in range(count)]
        return 200, {"object": "list", "data": data, "model": MODEL}

    def error(status, param):
        told = {"message": f"wrong {param}", "type": "invalid", "param": param, "code": None}
        return status, {"error": told}

    return Built(app, MODEL, KEY)


CHAPTERS = ("accepts.*", "param.*", "shape.*", "auth.*", "error.*", "robust.*", "http.*")


def _verdicts(results, verdict):
    return [f"{each.item.name}: {each.message}" for each in results if each.verdict is verdict]


def test_an_unknown_endpoint_is_judged_from_schema_files_alone(bench, vectors):
    """Adding schema files is enough: parameters, shape, keys and errors get their verdicts."""
    results = bench(*CHAPTERS, server=server(), profile=vectors)

    passed = {each.requirement.id for each in results if each.verdict is Verdict.PASS}
    assert [] == _verdicts(results, Verdict.FAIL) + _verdicts(results, Verdict.REJECTED)
    assert {
        "accepts.minimal",
        "param.dimensions.accepts",
        "param.dimensions.validates",
        "param.input.accepts",
        "shape.data.embedding",
        "auth.no-key",
        "error.envelope",
    } <= passed


def test_defects_of_an_unknown_endpoint_are_found(bench, vectors):
    """What is wrong with it is accused by the derived requirements."""
    results = bench(*CHAPTERS, server=server(lax=True, name="position"), profile=vectors)

    failed = {each.requirement.id for each in results if each.verdict is Verdict.FAIL}
    assert {"shape.data.index", "param.dimensions.validates"} <= failed
