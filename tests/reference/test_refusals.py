"""Which requests are refused, how, and what is accepted."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx2
import pytest

from conformance.reference.app import create_app
from conformance.reference.service import Service

KEY = "sk-test-0123456789abcdefghij"
TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object"}}}

FAULTS: list[tuple[dict[str, Any], str | None, str | None]] = [
    ({"temperature": 2.1}, "temperature", "decimal_above_max_value"),
    ({"temperature": -0.1}, "temperature", "decimal_below_min_value"),
    ({"temperature": "1"}, "temperature", "invalid_type"),
    ({"temperature": True}, "temperature", "invalid_type"),
    ({"temperature": 10**400}, "temperature", "decimal_above_max_value"),
    ({"top_p": 1.01}, "top_p", "decimal_above_max_value"),
    ({"n": 0}, "n", "integer_below_min_value"),
    ({"n": 129}, "n", "integer_above_max_value"),
    ({"n": 1.5}, "n", "invalid_type"),
    ({"max_tokens": 0}, "max_tokens", "integer_below_min_value"),
    ({"max_tokens": -1}, "max_tokens", "integer_below_min_value"),
    ({"max_tokens": 10**30}, "messages", "context_length_exceeded"),
    ({"presence_penalty": 2.1}, "presence_penalty", "decimal_above_max_value"),
    ({"frequency_penalty": -2.1}, "frequency_penalty", "decimal_below_min_value"),
    ({"repetition_penalty": 0}, "repetition_penalty", "decimal_below_min_value"),
    ({"stop": ["a"] * 5}, "stop", "array_above_max_length"),
    ({"stop": []}, "stop", "empty_array"),
    ({"stop": [1]}, "stop[0]", "invalid_type"),
    ({"stream": "true"}, "stream", "invalid_type"),
    ({"logit_bias": {"AI": 1}}, "logit_bias", None),
    ({"logit_bias": {"-1": 1}}, "logit_bias", None),
    ({"logit_bias": {"999999": 1}}, "logit_bias", None),
    ({"logit_bias": {"300": 101}}, "logit_bias.300", "integer_above_max_value"),
    ({"logit_bias": {"300": 0.5}}, "logit_bias.300", "invalid_type"),
    ({"logit_bias": []}, "logit_bias", "invalid_type"),
    ({"top_logprobs": 2}, "top_logprobs", None),
    ({"logprobs": True, "top_logprobs": 21}, "top_logprobs", "integer_above_max_value"),
    ({"stream_options": {"include_usage": True}}, "stream_options", None),
    ({"seed": 2**63}, "seed", "integer_above_max_value"),
    ({"messages": []}, "messages", "empty_array"),
    ({"messages": "hi"}, "messages", "invalid_type"),
    ({"messages": [{"content": "x"}]}, "messages[0].role", "missing_required_parameter"),
    ({"messages": [{"role": "tooool", "content": "x"}]}, "messages[0].role", "invalid_value"),
    ({"messages": [{"role": "user", "content": 3}]}, "messages[0].content", "invalid_type"),
    ({"messages": None}, "messages", "missing_required_parameter"),
    ({"tools": []}, "tools", "empty_array"),
    ({"tool_choice": "required"}, "tool_choice", None),
    ({"tools": [TOOL], "tool_choice": "any"}, "tool_choice", "invalid_value"),
    ({"response_format": {"type": "xml"}}, "response_format.type", "invalid_value"),
    ({"zzz": 1}, None, None),
    ({"best_of": 2}, None, None),
    ({"model": ""}, "model", None),
]


@pytest.mark.parametrize(("fault", "param", "code"), FAULTS, ids=lambda value: str(value)[:50])
def test_a_fault_is_named(local: Any, fault: dict[str, Any], param: str, code: str) -> None:
    """400 with the envelope's four members; param and code as real answers have them."""
    response = local.chat(**fault)
    error = response.json()["error"]

    assert (400, param, code) == (response.status_code, error["param"], error["code"])
    assert {"message", "type", "param", "code"} == error.keys()
    assert error["message"]


@pytest.mark.parametrize(
    "fault",
    [
        {"max_tokens": -1}, {"logprobs": 6}, {"best_of": 21}, {"n": 3, "best_of": 2},
        {"best_of": 2, "stream": True}, {"prompt": []}, {"prompt": [[]]}, {"prompt": [1, "a"]},
        {"prompt": [10**6]}, {"prompt": {}}, {"messages": []},
    ],
    ids=str,
)  # fmt: skip
def test_completions_refuse_their_own_faults(local: Any, fault: dict[str, Any]) -> None:
    """The other endpoint's table has its own ranges."""
    assert 400 == local.complete(**fault).status_code


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b"3", b"null", b'{"model": NaN}', b'{"n": Infinity}', b"\xff\xfe",
        b'{"a":' * 100_000, b"[" * 100_000, b'\xef\xbb\xbf{"model": "x"}', b"1" * 10_000,
    ],
    ids=lambda body: repr(body[:16]),
)  # fmt: skip
def test_what_is_no_json_object_is_400(local: Any, body: bytes) -> None:
    """Malformed, deep, non-finite, not UTF-8, not an object: an envelope, never a 500."""
    response = local.request("POST", "/chat/completions", content=body)

    assert 400 == response.status_code
    assert response.json()["error"]["message"]


@pytest.mark.parametrize(
    "valid",
    [
        {"temperature": 0}, {"temperature": 2}, {"top_p": 0}, {"n": 2.0}, {"stop": ""},
        {"stop": [""]}, {"logit_bias": {}}, {"seed": -(2**63)}, {"user": "u"}, {"store": False},
        {"metadata": {"a": "b"}}, {"tool_choice": "none"}, {"service_tier": "auto"},
        {"parallel_tool_calls": True}, {"verbosity": "low"}, {"max_completion_tokens": 3},
        {"response_format": {"type": "text"}}, {"modalities": ["text"]}, {"reasoning_effort": None},
        {"messages": [{"role": "user", "content": None}]}, {"messages": [{"role": "user"}]},
        {"messages": [{"role": "user", "content": []}]},
        {"messages": [{"role": "developer", "content": "x"}]},
        {"messages": [{"role": "user", "content": "\ud800"}], "stop": "\udfff"},
    ],
    ids=lambda value: ascii(value)[:50],
)  # fmt: skip
def test_documented_values_are_accepted(local: Any, valid: dict[str, Any]) -> None:
    """Falsy values, bounds, and parameters without an effect of their own."""
    body = {
        "model": "meta-llama/Meta-Llama-3.1-8B-Instruct",
        "messages": [{"role": "user", "content": "x"}],
        "max_tokens": 3,
        **valid,
    }
    response = local.request("POST", "/chat/completions", content=json.dumps(body).encode())

    assert 200 == response.status_code


@pytest.mark.parametrize(
    "name",
    [
        "max_tokens", "temperature", "top_p", "n", "stream", "stop", "presence_penalty",
        "frequency_penalty", "repetition_penalty", "logit_bias", "seed", "tools", "tool_choice",
        "response_format", "user",
    ],
)  # fmt: skip
def test_null_is_the_same_as_leaving_out(local: Any, name: str) -> None:
    """Null for an optional parameter changes nothing."""
    common = {"temperature": 0} if name == "seed" else {"seed": 3}
    without, with_null = (local.chat(**each).json() for each in (common, {**common, name: None}))

    assert without["choices"] == with_null["choices"]
    assert without["usage"] == with_null["usage"]


def test_unknown_models_are_404(local: Any) -> None:
    """On both endpoints and in the list."""
    answers = [
        local.chat(model="nobody/nothing"),
        local.complete(model="nobody/nothing"),
        local.request("GET", "/models/nobody/nothing"),
    ]

    assert [(404, "model_not_found")] * 3 == [
        (each.status_code, each.json()["error"]["code"]) for each in answers
    ]


def test_a_prompt_that_cannot_fit_is_refused_at_once(local: Any) -> None:
    """Megabytes of text are not tokenised to find out."""
    response = local.chat("a" * 3_000_000)

    assert (400, "context_length_exceeded") == (
        response.status_code,
        response.json()["error"]["code"],
    )


def test_an_impossible_schema_is_400(local: Any) -> None:
    """A schema that nothing can follow is the request's fault."""
    schema = {"type": "integer", "minimum": 3, "maximum": 2}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}

    assert 400 == local.chat(response_format=wanted).status_code


@pytest.mark.parametrize("path", ["/models", "/models/x/y", "/nothing"])
@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", "Basic abc", f"Basic {KEY}"])
def test_every_route_asks_for_the_key(path: str, header: str | None) -> None:
    """Without a bearer token: 401."""
    assert 401 == _keyed("GET", path, header).status_code


def test_a_wrong_key_is_401_and_masked() -> None:
    """The key that was sent is not repeated in full."""
    wrong = "sk-wrong-0123456789abcdefghij"
    response = _keyed("GET", "/models", f"Bearer {wrong}")

    assert (401, "invalid_api_key") == (response.status_code, response.json()["error"]["code"])
    assert wrong not in response.text


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_case_insensitive(scheme: str) -> None:
    """RFC 9110 §11.1."""
    assert 200 == _keyed("GET", "/models", f"{scheme} {KEY}").status_code


def _keyed(method: str, path: str, header: str | None) -> Any:
    app = create_app(Service(), KEY)

    async def send() -> Any:
        transport = httpx2.ASGITransport(app=app)
        async with httpx2.AsyncClient(transport=transport, base_url="http://local") as client:
            headers = {} if header is None else {"Authorization": header}
            return await client.request(method, f"/v1{path}", headers=headers)

    return asyncio.run(send())


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/chat/completions", 405),
        ("DELETE", "/models", 405),
        ("POST", "/models", 405),
        ("GET", "/nowhere", 404),
        ("POST", "/chat/completions/", 404),
        ("OPTIONS", "/chat/completions", 204),
        ("HEAD", "/models", 200),
        ("GET", "/models/meta-llama/Meta-Llama-3.1-8B-Instruct", 200),
        ("GET", "/models/meta-llama%2FMeta-Llama-3.1-8B-Instruct", 200),
    ],
)
def test_routes_and_methods(local: Any, method: str, path: str, status: int) -> None:
    """405 says what is allowed; unknown paths are 404; both forms of a model id work."""
    response = local.request(method, path)

    assert status == response.status_code
    assert (status == 405) <= ("allow" in response.headers)
    assert status < 400 or response.json()["error"]["message"]
