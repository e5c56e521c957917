"""``functions`` and ``function_call``, the older form of tools."""

from __future__ import annotations

import json
from typing import Any

import pytest

FUNCTIONS = [
    {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    }
]
QUESTION = "What is the weather in Paris and in London?"


def test_a_call_is_a_member_of_the_message(local: Any) -> None:
    """Name and arguments, no content, and a finish reason of its own."""
    choice = local.chat(QUESTION, functions=FUNCTIONS).json()["choices"][0]
    call = choice["message"]["function_call"]

    assert ("function_call", None) == (choice["finish_reason"], choice["message"]["content"])
    assert ("get_weather", {"city": "Paris"}) == (call["name"], json.loads(call["arguments"]))
    assert "tool_calls" not in choice["message"]


def test_a_streamed_call_is_the_regular_one(local: Any, chunks: Any) -> None:
    """The name comes once, the arguments piece by piece."""
    events = chunks(local.chat(QUESTION, functions=FUNCTIONS, stream=True))
    deltas = [event["choices"][0]["delta"].get("function_call", {}) for event in events]

    assert ["get_weather"] == [delta["name"] for delta in deltas if "name" in delta]
    assert {"city": "Paris"} == json.loads("".join(d.get("arguments", "") for d in deltas))
    assert "function_call" == events[-1]["choices"][0]["finish_reason"]


@pytest.mark.parametrize(("choice", "called"), [("none", False), ({"name": "get_weather"}, True)])
def test_the_choice_decides(local: Any, choice: Any, called: bool) -> None:
    """``none`` is text; a name is a call, whatever the question."""
    question = QUESTION if not called else "Hi!"
    message = local.chat(question, functions=FUNCTIONS, function_call=choice, max_tokens=20).json()[
        "choices"
    ][0]["message"]

    assert called == ("function_call" in message)


def test_after_the_result_comes_text(local: Any) -> None:
    """A message with the role ``function`` is answered in words."""
    messages = [
        {"role": "user", "content": QUESTION},
        {"role": "assistant", "content": None, "function_call": {"name": "f", "arguments": "{}"}},
        {"role": "function", "name": "f", "content": "rain"},
    ]
    choice = local.chat(messages=messages, functions=FUNCTIONS, max_tokens=20).json()["choices"][0]

    assert choice["message"]["content"]


@pytest.mark.parametrize(
    ("fault", "param"),
    [
        ({"function_call": 7}, "function_call"),
        ({"function_call": "always"}, "function_call"),
        ({"function_call": {}}, "function_call.name"),
        ({"function_call": "auto"}, "function_call"),
        ({"functions": FUNCTIONS, "function_call": {"name": "g"}}, "function_call"),
        ({"functions": []}, "functions"),
        ({"functions": [{}]}, "functions[0].name"),
        ({"functions": [{"name": "f", "parameters": 1}]}, "functions[0].parameters"),
        ({"prediction": {"type": "content"}}, "prediction.content"),
        ({"prediction": {"type": "x", "content": ""}}, "prediction.type"),
        ({"prediction": {"type": "content", "content": [1]}}, "prediction.content[0]"),
        ({"moderation": {}}, "moderation.model"),
        ({"modalities": []}, "modalities"),
        ({"modalities": ["smell"]}, "modalities[0]"),
        ({"audio": {"voice": "alloy"}}, "audio.format"),
        ({"audio": {"voice": {}, "format": "wav"}}, "audio.voice.id"),
        ({"prompt_cache_options": {"mode": "never"}}, "prompt_cache_options.mode"),
        (
            {"web_search_options": {"search_context_size": "huge"}},
            "web_search_options.search_context_size",
        ),
    ],
    ids=str,
)
def test_rare_parameters_are_checked_too(local: Any, fault: dict[str, Any], param: str) -> None:
    """400, and the error names the path."""
    answer = local.chat(**fault)

    assert (400, param) == (answer.status_code, answer.json()["error"]["param"])


@pytest.mark.parametrize(
    "given",
    [
        {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "wav"}},
        {"prediction": {"type": "content", "content": [{"type": "text", "text": "pasta"}]}},
        {"moderation": {"model": "m", "policy": None}},
        {"prompt_cache_options": {"ttl": "30m"}},
        {"web_search_options": {}},
    ],
    ids=str,
)
def test_rare_parameters_are_accepted(local: Any, given: dict[str, Any]) -> None:
    """Their documented values are no reason to refuse."""
    assert 200 == local.chat(max_tokens=1, **given).status_code
