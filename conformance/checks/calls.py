"""Tool calls as they come, raw: whole in a message, or in the deltas of a stream.

:class:`conformance.checks.answer.Answer` assembles what it can; here nothing is mended, because
what a client would stumble over is what is judged.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from conformance.checks.answer import Answer
from conformance.checks.streams import choices_of

__all__ = ["Call", "Calls", "calls_of"]


@dataclass
class Call:
    """One call of choice 0. ``event`` is where it began (-1: a regular body)."""

    id: Any = None
    type: Any = None
    name: Any = None
    arguments: Any = None
    event: int = -1


@dataclass
class Calls:
    """The calls of choice 0 and what is wrong with how they came: ``(event, sentence, must)``."""

    calls: list[Call] = field(default_factory=list)
    problems: list[tuple[int, str, bool]] = field(default_factory=list)

    def note(self, event: int, sentence: str, *, must: bool = True) -> None:
        """Add a problem."""
        self.problems.append((event, sentence, must))


def calls_of(found: Answer) -> Calls:
    """The calls of choice 0 in the order of their indexes."""
    calls = Calls()
    if found.exchange.request.wants_stream:
        _from_deltas(calls, found)
    else:
        for raw in _messages(found):
            _from_message(calls, raw.get("tool_calls"))
    return calls


def _messages(found: Answer) -> Iterator[dict[str, Any]]:
    for document in found.documents:
        choices = document.get("choices")
        for choice in (choices if isinstance(choices, list) else [])[:1]:
            message = choice.get("message") if isinstance(choice, dict) else None
            if isinstance(message, dict):
                yield message


def _from_message(calls: Calls, given: Any) -> None:
    if given is None:
        return
    if not isinstance(given, list):
        calls.note(-1, f"tool_calls is {str(given)[:60]}, not an array")
        return
    for raw in given:
        function = raw.get("function") if isinstance(raw, dict) else None
        if not isinstance(function, dict):
            calls.note(-1, f"a tool call is {str(raw)[:60]}")
            continue
        calls.calls.append(
            Call(raw.get("id"), raw.get("type"), function.get("name"), function.get("arguments"))
        )


def _from_deltas(calls: Calls, found: Answer) -> None:
    by_index: dict[int, Call] = {}
    for event, number, choice in choices_of(found.exchange):
        delta = choice.get("delta")
        given = delta.get("tool_calls") if number == 0 and isinstance(delta, dict) else None
        if given is None:
            continue
        if not isinstance(given, list):
            calls.note(event, f"delta.tool_calls is a {type(given).__name__}, not an array")
            continue
        for raw in given:
            if isinstance(raw, dict):
                _add_delta(calls, by_index, raw, event)
            else:
                calls.note(event, f"a tool call delta is {str(raw)[:40]}")
    calls.calls = [by_index[index] for index in sorted(by_index)]
    if sorted(by_index) != list(range(len(by_index))):
        first = min(call.event for call in by_index.values())
        calls.note(first, f"the indexes of the tool calls are {sorted(by_index)[:8]}, not 0 and up")


def _add_delta(calls: Calls, by_index: dict[int, Call], raw: dict[str, Any], event: int) -> None:
    index = raw.get("index")
    if not isinstance(index, int) or isinstance(index, bool):
        calls.note(event, f"a tool call delta has index {index!r}, not an integer")
        index = max(by_index, default=0)
    given = raw.get("function")
    function: dict[str, Any] = given if isinstance(given, dict) else {}
    fragment = function.get("arguments")
    if fragment is not None and not isinstance(fragment, str):
        calls.note(event, f"a fragment of arguments is a {type(fragment).__name__}, not a string")
    piece = fragment if isinstance(fragment, str) else ""
    if index not in by_index:
        by_index[index] = Call(raw.get("id"), raw.get("type"), function.get("name"), piece, event)
        return
    call = by_index[index]
    call.arguments += piece
    for name, value, before in (
        ("id", raw.get("id"), call.id),
        ("function.name", function.get("name"), call.name),
    ):
        if value not in (None, "") and value != before and before not in (None, ""):
            calls.note(event, f"call {index} had {name} {before!r} and now has {value!r}")
        elif value is not None and before not in (None, ""):
            calls.note(event, f"{name} of call {index} is sent again ({value!r})", must=False)
    call.id = call.id or raw.get("id")
    call.name = call.name or function.get("name")
    call.type = call.type or raw.get("type")
