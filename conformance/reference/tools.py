"""A simple deterministic tool caller: whether to call, which functions, with which arguments.

``auto`` calls the functions that the last user message speaks of (their name, or a word of it);
after a tool result, or when none is spoken of, it answers in text. ``required`` calls at least
one, a named choice calls that one, ``none`` calls nothing. Without ``parallel_tool_calls: false``
every function spoken of is called, or one function once for each capitalised word of the message.
Arguments are an instance of the function's schema (:mod:`.instances`) with words of the message.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from conformance.reference.chat import message_text
from conformance.reference.instances import instance

__all__ = ["PlannedCall", "offered", "plan_calls", "wanted"]

_MOST_CALLS = 4


def offered(values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The tools of a request; ``functions`` are the older form of them."""
    if tools := values.get("tools"):
        return cast("Sequence[Mapping[str, Any]]", tools)
    return [{"type": "function", "function": one} for one in values.get("functions", ())]


def wanted(values: Mapping[str, Any]) -> Any:
    """The tool choice of a request; ``function_call`` is its older form."""
    if values.get("tools"):
        return values.get("tool_choice", "auto")
    choice = values.get("function_call", "auto")
    return {"type": "function", "function": choice} if isinstance(choice, dict) else choice


@dataclass(frozen=True, slots=True)
class PlannedCall:
    """One function call: its name and the JSON text of its arguments."""

    name: str
    arguments: str


def plan_calls(
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]],
    choice: Any,
    parallel: bool,
    dice: random.Random,
) -> list[PlannedCall]:
    """The calls to make; none means: answer in text."""
    functions = [tool["function"] for tool in tools if tool["type"] == "function"]
    text = _last_user_text(messages)
    chosen = _chosen(functions, choice, text, answered=messages[-1]["role"] in ("tool", "function"))
    if not chosen:
        return []
    subjects = _subjects(text)
    pairs = [(function, subjects) for function in chosen]
    if len(chosen) == 1 and len(subjects) > 1:
        pairs = [(chosen[0], [subject]) for subject in subjects]
    pairs = pairs[: _MOST_CALLS if parallel else 1]
    return [PlannedCall(one["name"], _arguments(one, words, dice)) for one, words in pairs]


def _chosen(
    functions: list[dict[str, Any]], choice: Any, text: str, *, answered: bool
) -> list[dict[str, Any]]:
    if isinstance(choice, dict):
        return [one for one in functions if one["name"] == choice["function"]["name"]]
    if choice == "none" or (answered and choice != "required"):
        return []
    spoken = [one for one in functions if _speaks_of(text, one["name"])]
    return spoken or (functions[:1] if choice == "required" else [])


def _speaks_of(text: str, name: str) -> bool:
    words = {word.lower().rstrip("s") for word in re.findall(r"\w+", text)}
    parts = [part for part in re.split(r"[_\-]", name.lower()) if len(part) > 3]
    return name.lower() in words or any(part.rstrip("s") in words for part in parts)


def _last_user_text(messages: Sequence[Mapping[str, Any]]) -> str:
    texts = [message_text(message) for message in messages if message["role"] == "user"]
    return texts[-1] if texts else ""


def _subjects(text: str) -> list[str]:
    """Capitalised words that do not begin a sentence."""
    return list(dict.fromkeys(re.findall(r"(?<=[a-z,;] )[A-Z][^\W\d_]+", text)))


def _arguments(function: Mapping[str, Any], words: Sequence[str], dice: random.Random) -> str:
    schema = function.get("parameters") or {"type": "object", "properties": {}}
    return json.dumps(instance({"type": "object", **schema}, words, dice), ensure_ascii=False)
