"""Tool calls and response formats."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

WEATHER = {
    "type": "object",
    "properties": {
        "city": {"type": "string"},
        "unit": {"enum": ["celsius", "fahrenheit"]},
        "days": {"type": "integer", "minimum": 1, "maximum": 7},
    },
    "required": ["city"],
    "additionalProperties": False,
}


def tool(name: str, parameters: dict[str, Any]) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TOOLS = [tool("get_weather", WEATHER), tool("send_letter", {"type": "object"})]
ASKED = "What is the weather in Paris and in Tokyo?"


def calls_of(response: Any) -> list[dict[str, Any]]:
    return response.json()["choices"][0]["message"].get("tool_calls") or []


def test_arguments_follow_the_schema(local: Any) -> None:
    """A JSON string, valid against the function's parameters; finish reason ``tool_calls``."""
    response = local.chat(ASKED, tools=TOOLS)
    choice = response.json()["choices"][0]
    calls = calls_of(response)

    assert ("tool_calls", None) == (choice["finish_reason"], choice["message"]["content"])
    for call in calls:
        assert Draft202012Validator(WEATHER).is_valid(json.loads(call["function"]["arguments"]))
    assert ["Paris", "Tokyo"] == [
        json.loads(each["function"]["arguments"])["city"] for each in calls
    ]
    assert 2 == len({call["id"] for call in calls})


@pytest.mark.parametrize(
    ("choice", "text", "names"),
    [
        ("auto", ASKED, ["get_weather", "get_weather"]),
        ("auto", "Hello", []),
        ("none", ASKED, []),
        ("required", "Hello", ["get_weather"]),
        ({"type": "function", "function": {"name": "send_letter"}}, "Hello", ["send_letter"]),
        ("auto", "Tell the weather in a letter", ["get_weather", "send_letter"]),
    ],
)
def test_the_choice_decides(local: Any, choice: Any, text: str, names: list[str]) -> None:
    """none, auto, required and a named function."""
    response = local.chat(text, tools=TOOLS, tool_choice=choice, max_tokens=200)

    assert names == [each["function"]["name"] for each in calls_of(response)]


def test_without_parallel_calls_there_is_one(local: Any) -> None:
    """``parallel_tool_calls: false``."""
    assert 1 == len(calls_of(local.chat(ASKED, tools=TOOLS, parallel_tool_calls=False)))


def test_after_the_result_comes_text(local: Any) -> None:
    """A round trip ends with an answer in words."""
    (call, *_) = calls_of(local.chat(ASKED, tools=TOOLS, parallel_tool_calls=False))
    turns = [
        {"role": "user", "content": ASKED},
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": call["id"], "content": "22 degrees"},
    ]
    response = local.chat(messages=turns, tools=TOOLS, max_tokens=20).json()["choices"][0]

    assert response["message"]["content"]
    assert "tool_calls" not in response["message"]


def test_a_streamed_call_has_the_same_name_and_arguments(local: Any, chunks: Any) -> None:
    """Keyed by index; id, type and name come once; arguments join to JSON."""
    regular = calls_of(local.chat(ASKED, tools=TOOLS, temperature=0))
    stream = chunks(local.chat(ASKED, tools=TOOLS, temperature=0, stream=True))
    found: dict[int, dict[str, Any]] = {}
    for chunk in stream:
        for delta in chunk["choices"][0]["delta"].get("tool_calls", []):
            if "id" in delta:
                assert delta["index"] not in found
                found[delta["index"]] = {**delta["function"]}
            else:
                found[delta["index"]]["arguments"] += delta["function"]["arguments"]

    assert [call["function"] for call in regular] == [found[index] for index in sorted(found)]
    assert "tool_calls" == stream[-1]["choices"][0]["finish_reason"]


def test_a_call_cut_off_is_not_called_complete(local: Any) -> None:
    """The limit inside the arguments: finish reason ``length``."""
    response = local.chat(ASKED, tools=TOOLS, max_tokens=3).json()

    assert ("length", 3) == (
        response["choices"][0]["finish_reason"],
        response["usage"]["completion_tokens"],
    )


@pytest.mark.parametrize("stream", [False, True])
def test_a_json_schema_is_followed(local: Any, chunks: Any, stream: bool) -> None:
    """The content is an instance of the schema."""
    wanted = {"type": "json_schema", "json_schema": {"name": "weather", "schema": WEATHER}}
    response = local.chat(response_format=wanted, stream=stream)
    if stream:
        deltas = [chunk["choices"][0]["delta"] for chunk in chunks(response)]
        content = "".join(each.get("content") or "" for each in deltas)
    else:
        content = response.json()["choices"][0]["message"]["content"]

    assert Draft202012Validator(WEATHER).is_valid(json.loads(content))


def test_a_json_object_is_written(local: Any) -> None:
    """``json_object`` without a schema."""
    response = local.chat("Answer in JSON", response_format={"type": "json_object"})

    assert isinstance(json.loads(response.json()["choices"][0]["message"]["content"]), dict)


def test_temperature_zero_repeats_tools_and_documents(local: Any) -> None:
    """Nothing is left to luck at temperature 0."""
    wanted = {"type": "json_schema", "json_schema": {"name": "weather", "schema": WEATHER}}
    documents = {
        local.chat(response_format=wanted, temperature=0).json()["choices"][0]["message"]["content"]
        for _ in range(5)
    }

    assert 1 == len(documents)
