"""Rules for ``messages``, ``tools`` and ``tool_choice``."""

from __future__ import annotations

import re
from typing import Any

from conformance.reference.errors import APIError, invalid_type, shown
from conformance.reference.instances import SchemaProblem, check_schema
from conformance.reference.rules import (
    array,
    boolean,
    enum,
    invalid_value,
    mapping,
    missing,
    record,
    string,
)

__all__ = ["function", "messages", "tool_choice", "tools"]

_role = enum("system", "assistant", "user", "function", "tool", "developer")
_PARTS = {
    "system": ("text",),
    "developer": ("text",),
    "tool": ("text",),
    "function": (),
    "user": ("text",),
    "assistant": ("text", "refusal"),
}
_MEDIA = ("image_url", "input_audio", "file")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,64}")


def messages(param: str, value: Any) -> list[dict[str, Any]]:
    """At least one message; each an object with a role and what that role needs."""
    found: list[dict[str, Any]] = array(_message, 1)(param, value)
    return found


def _message(param: str, value: Any) -> dict[str, Any]:
    message = mapping(param, value)
    if "role" not in message:
        raise missing(f"{param}.role")
    role = _role(f"{param}.role", message["role"])
    _content(f"{param}.content", message.get("content"), role)
    for name in ("name", "tool_call_id", "refusal"):
        if message.get(name) is not None:
            string()(f"{param}.{name}", message[name])
    for owner, name in (("tool", "tool_call_id"), ("function", "name")):
        if role == owner and message.get(name) is None:
            raise missing(f"{param}.{name}")
    if message.get("tool_calls") is not None:
        array(_tool_call, 1)(f"{param}.tool_calls", message["tool_calls"])
    if message.get("function_call") is not None:
        call = record({"name": string(), "arguments": string()})
        call(f"{param}.function_call", message["function_call"])
    return message


def _content(param: str, value: Any, role: str) -> None:
    """Text, text parts, or nothing: real OpenAI takes null and absent content."""
    if value is None or isinstance(value, str):
        return
    if not isinstance(value, list):
        raise invalid_type(param, "one of a string or array of objects", value)
    for at, part in enumerate(value):
        _part(f"{param}[{at}]", part, role)


def _part(param: str, value: Any, role: str) -> None:
    part = mapping(param, value)
    if "type" not in part:
        raise missing(f"{param}.type")
    kind = string()(f"{param}.type", part["type"])
    if kind in _MEDIA and role == "user":
        message = f"Invalid content type. {kind} is only supported by certain models."
        raise APIError(400, message, param=f"{param}.type", code="invalid_value")
    allowed = _PARTS[role]
    if kind not in allowed:
        supported = " and ".join(f"'{name}'" for name in allowed) or "none"
        raise invalid_value(f"{param}.type", kind, supported)
    if kind not in part:
        raise missing(f"{param}.{kind}")
    string()(f"{param}.{kind}", part[kind])


def _tool_call(param: str, value: Any) -> None:
    call = mapping(param, value)
    for name in ("id", "type", "function"):
        if name not in call:
            raise missing(f"{param}.{name}")
    string()(f"{param}.id", call["id"])
    enum("function")(f"{param}.type", call["type"])
    function = mapping(f"{param}.function", call["function"])
    for name in ("name", "arguments"):
        if name not in function:
            raise missing(f"{param}.function.{name}")
        string()(f"{param}.function.{name}", function[name])


def tools(param: str, value: Any) -> list[dict[str, Any]]:
    """1 to 128 function tools, each with a name and perhaps a schema of its parameters."""
    found: list[dict[str, Any]] = array(_tool, 1, 128)(param, value)
    return found


def _tool(param: str, value: Any) -> dict[str, Any]:
    tool = mapping(param, value)
    if "type" not in tool:
        raise missing(f"{param}.type")
    enum("function")(f"{param}.type", tool["type"])
    if "function" not in tool:
        raise missing(f"{param}.function")
    function(f"{param}.function", tool["function"])
    return tool


def function(param: str, value: Any) -> dict[str, Any]:
    """A function: its name, and perhaps a description and a schema of its parameters."""
    found = mapping(param, value)
    if "name" not in found:
        raise missing(f"{param}.name")
    name = string(64, 1)(f"{param}.name", found["name"])
    if not _NAME.fullmatch(name):
        message = (
            f"Invalid '{param}.name': string does not match pattern. "
            "Expected a string that matches the pattern '^[a-zA-Z0-9_-]+$'."
        )
        raise APIError(400, message, param=f"{param}.name", code="invalid_value")
    if found.get("description") is not None:
        string()(f"{param}.description", found["description"])
    if found.get("strict") is not None:
        boolean(f"{param}.strict", found["strict"])
    if found.get("parameters") is not None:
        _parameters(f"{param}.parameters", name, found["parameters"])
    return found


def _parameters(param: str, name: str, value: Any) -> None:
    schema = mapping(param, value)
    try:
        check_schema(schema)
    except SchemaProblem as problem:
        message = f"Invalid schema for function '{name}': {problem}"
        raise APIError(400, message, param=param, code="invalid_function_parameters") from None
    if schema.get("type", "object") != "object":
        message = (
            f"Invalid schema for function '{name}': schema must be a JSON Schema of "
            f"'type: \"object\"', got 'type: {shown(schema['type'])}'."
        )
        raise APIError(400, message, param=param, code="invalid_function_parameters")


def tool_choice(param: str, value: Any) -> Any:
    """``none``, ``auto``, ``required``, or an object that names a function."""
    if isinstance(value, str):
        return enum("none", "auto", "required")(param, value)
    if not isinstance(value, dict):
        raise invalid_type(param, "one of a string or object", value)
    enum("function")(f"{param}.type", value.get("type"))
    function = mapping(f"{param}.function", value.get("function"))
    if "name" not in function:
        raise missing(f"{param}.function.name")
    string()(f"{param}.function.name", function["name"])
    return value
