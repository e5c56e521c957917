"""The parameters of both endpoints: one table row each, in the order faults are looked for.

Ranges are those of the documentation's prose. Rows without an effect of their own (``metadata``,
``store`` …) are still checked for their type. A parameter that is not in the table is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.reference.errors import APIError, invalid_type, shown
from conformance.reference.messages import function, messages, tool_choice, tools
from conformance.reference.rules import (
    Rule,
    array,
    boolean,
    enum,
    integer,
    mapping,
    missing,
    number,
    record,
    string,
    strings,
)

__all__ = ["CHAT", "COMPLETIONS"]

_INT64 = 2**63


def positive(param: str, value: Any) -> float:
    """A finite number above 0: a repetition penalty, neutral at 1."""
    found: float = number()(param, value)
    if found <= 0:
        message = f"Invalid '{param}': decimal below minimum value. Expected a value > 0, but got {shown(value)} instead."
        raise APIError(400, message, param=param, code="decimal_below_min_value")
    return found


def logit_bias(param: str, value: Any) -> dict[int, float]:
    """Token id (a decimal string) → integer from −100 to 100. The vocabulary is checked later."""
    value_rule, found = integer(-100, 100), {}
    for key, bias in mapping(param, value).items():
        if not (key.isascii() and key.isdigit()) or len(key) > 18:
            message = (
                f"Invalid key in '{param}': {shown(key)}. "
                "You should only be submitting non-negative integers."
            )
            raise APIError(400, message, param=param)
        found[int(key)] = value_rule(f"{param}.{key}", bias)
    return found


def stream_options(param: str, value: Any) -> dict[str, bool]:
    """``include_usage`` and ``include_obfuscation``, both optional."""
    found = {}
    for name, member in mapping(param, value).items():
        if name not in ("include_usage", "include_obfuscation"):
            message = f"Unknown parameter: '{param}.{shown(name)}'."
            raise APIError(400, message, param=f"{param}.{name}", code="unknown_parameter")
        if member is not None:
            found[name] = boolean(f"{param}.{name}", member)
    return found


def response_format(param: str, value: Any) -> dict[str, Any]:
    """``text``, ``json_object``, or ``json_schema`` with a name and a schema."""
    found = mapping(param, value)
    if "type" not in found:
        raise missing(f"{param}.type")
    enum("text", "json_schema", "json_object")(f"{param}.type", found["type"])
    if found["type"] == "json_schema":
        _json_schema(f"{param}.json_schema", found.get("json_schema"))
    return found


def _json_schema(param: str, value: Any) -> None:
    if value is None:
        raise missing(param)
    if "name" not in mapping(param, value):
        raise missing(f"{param}.name")
    string(64, 1)(f"{param}.name", value["name"])
    if value.get("schema") is not None:
        mapping(f"{param}.schema", value["schema"])


def prompt(param: str, value: Any) -> list[str | list[int]]:
    """A string, strings, token ids or arrays of token ids; the value is a list of prompts."""
    if isinstance(value, str):
        return [value]
    if not isinstance(value, list):
        raise invalid_type(param, "one of a string or array", value)
    token = integer(0)
    if value and all(isinstance(one, str) for one in value):
        return value
    if value and all(isinstance(one, list) for one in value):
        found: list[str | list[int]] = array(array(token, 1), 1)(param, value)
        return found
    return [array(token, 1)(param, value)]


def metadata(param: str, value: Any) -> dict[str, str]:
    """Up to 16 pairs of strings, keys up to 64, values up to 512 characters."""
    found = mapping(param, value)
    if len(found) > 16:
        message = f"Invalid '{param}': too many properties. Expected an object with at most 16 properties, but got an object with {len(found)} properties instead."
        raise APIError(400, message, param=param, code="object_above_max_properties")
    for key, text in found.items():
        string(64)(f"{param} key", key)
        string(512)(f"{param}.{shown(key)}", text)
    return found


def function_call(param: str, value: Any) -> Any:
    """``none``, ``auto``, or an object that names a function: the older form of a tool choice."""
    if isinstance(value, str):
        return enum("none", "auto")(param, value)
    if not isinstance(value, dict):
        raise invalid_type(param, "one of a string or object", value)
    return record({"name": string()})(param, value)


def voice(param: str, value: Any) -> Any:
    """The name of a voice, or an object with the id of a custom one."""
    return (
        record({"id": string()})(param, value)
        if isinstance(value, dict)
        else string()(param, value)
    )


def content(param: str, value: Any) -> Any:
    """A string or an array of text parts."""
    if isinstance(value, str):
        return value
    if not isinstance(value, list):
        raise invalid_type(param, "one of a string or array of objects", value)
    return array(record({"type": enum("text"), "text": string()}), 1)(param, value)


_SHARED: dict[str, Rule] = {
    "n": integer(1, 128),
    "temperature": number(0, 2),
    "top_p": number(0, 1),
    "presence_penalty": number(-2, 2),
    "frequency_penalty": number(-2, 2),
    "repetition_penalty": positive,
    "logit_bias": logit_bias,
    "stop": strings(4),
    "stream": boolean,
    "stream_options": stream_options,
    "seed": integer(-_INT64, _INT64 - 1),
    "user": string(),
}

#: POST /chat/completions.
CHAT: Mapping[str, Rule] = {
    "messages": messages,
    "max_tokens": integer(1),
    "max_completion_tokens": integer(1),
    **_SHARED,
    "logprobs": boolean,
    "top_logprobs": integer(0, 20),
    "response_format": response_format,
    "tools": tools,
    "tool_choice": tool_choice,
    "parallel_tool_calls": boolean,
    "functions": array(function, 1, 128),
    "function_call": function_call,
    "safety_identifier": string(128),
    "prompt_cache_key": string(),
    "prompt_cache_retention": enum("in_memory", "in-memory", "24h"),
    "prompt_cache_options": record({}, {"ttl": enum("30m"), "mode": enum("implicit", "explicit")}),
    "metadata": metadata,
    "store": boolean,
    "service_tier": enum("auto", "default", "flex", "scale", "priority", "fast"),
    # The model answers in text whatever else it is offered, as ``modalities`` leaves to it.
    "modalities": array(enum("text", "audio"), 1, 2),
    "audio": record({"voice": voice, "format": enum("wav", "aac", "mp3", "flac", "opus", "pcm16")}),
    "reasoning_effort": enum("none", "minimal", "low", "medium", "high", "xhigh", "max"),
    "verbosity": enum("low", "medium", "high"),
    "prediction": record({"type": enum("content"), "content": content}),
    "web_search_options": record(
        {}, {"search_context_size": enum("low", "medium", "high"), "user_location": mapping}
    ),
    "moderation": record({"model": string()}, {"policy": mapping}),
}

#: POST /completions.
COMPLETIONS: Mapping[str, Rule] = {
    "prompt": prompt,
    "max_tokens": integer(0),
    **_SHARED,
    "logprobs": integer(0, 5),
    "echo": boolean,
    "best_of": integer(0, 20),
    "suffix": string(),
}
