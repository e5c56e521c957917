"""Tool calls whose members are of other types."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Seen, mutant

Document = dict[str, Any]


def _call(spoilt: bool) -> Document:
    if spoilt:
        return {"index": "0", "id": 7, "type": 7, "function": {"name": 7, "arguments": {}}}
    return {"index": 0, "id": "call_1", "type": "function", "function": "get_time"}


def _speech(choice: Document) -> Document:
    """The message or delta of a choice."""
    found: Document = choice.get("message") or choice.setdefault("delta", {})
    return found


_CALLS = ("id", "type", "function.name", "function.arguments")


@mutant(
    "tool-calls-spoilt",
    kills=(
        *(f"shape.choices.message.tool-calls.{name}" for name in _CALLS),
        *(f"chunk.choices.delta.tool-calls.{name}" for name in ("index", *_CALLS)),
    ),
    kind="choice",
    endpoint="chat",
)
def tool_calls_spoilt(choice: Document, seen: Seen) -> None:
    """The members of tool calls are of other types; arguments are an object."""
    _speech(choice)["tool_calls"] = [_call(spoilt=True)]


@mutant(
    "tool-function-spoilt",
    kills=(
        "shape.choices.message.tool-calls.function",
        "chunk.choices.delta.tool-calls.function",
    ),
    kind="choice",
    endpoint="chat",
)
def tool_function_spoilt(choice: Document, seen: Seen) -> None:
    """The function of a tool call is its name alone."""
    _speech(choice)["tool_calls"] = [_call(spoilt=False)]


@mutant(
    "tool-calls-object",
    kills=("shape.choices.message.tool-calls", "chunk.choices.delta.tool-calls"),
    kind="choice",
    endpoint="chat",
)
def tool_calls_object(choice: Document, seen: Seen) -> None:
    """Tool calls are an object by index."""
    _speech(choice)["tool_calls"] = {"0": {}}
