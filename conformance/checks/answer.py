"""One view of an answer for both endpoints and both modes.

A regular body and a stream of chunks say the same thing in different pieces; checks of meaning
(parameters, usage, differences) read either through :class:`Answer` and stay short.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from conformance.checks.api import Untestable
from conformance.checks.context import Context
from conformance.wire.exchange import Exchange, Request
from conformance.wire.jsonbody import JSONProblem

__all__ = [
    "Answer",
    "Choice",
    "answer",
    "error_event",
    "error_message",
    "read_answer",
    "why_unreadable",
]


@dataclass
class Choice:
    """One choice: its text as a reader would see it, and how it came.

    ``pieces`` are ``(event index, text)`` of every delta that carried text (one entry with event
    ``-1`` for a regular body). ``tool_calls`` are assembled: arguments concatenated by index.
    """

    index: int
    text: str = ""
    reasoning: str = ""
    finish_reason: str | None = None
    pieces: list[tuple[int, str]] = field(default_factory=list)
    tool_calls: list[dict[str, Any]] = field(default_factory=list)
    logprobs: list[Any] = field(default_factory=list)


@dataclass
class Answer:
    """All choices by index, the usage object, and the JSON documents they came in."""

    exchange: Exchange
    choices: dict[int, Choice] = field(default_factory=dict)
    usage: dict[str, Any] | None = None
    documents: list[dict[str, Any]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The text of choice 0 ("" if there is none)."""
        return self.choices[0].text if 0 in self.choices else ""

    @property
    def finish_reason(self) -> str | None:
        """The finish reason of choice 0."""
        return self.choices[0].finish_reason if 0 in self.choices else None

    @property
    def texts(self) -> list[str]:
        """The texts of all choices in index order."""
        return [self.choices[index].text for index in sorted(self.choices)]

    def tokens(self, kind: str) -> int | None:
        """``usage.<kind>_tokens`` if it is a whole number, else ``None``."""
        value = (self.usage or {}).get(f"{kind}_tokens")
        return value if isinstance(value, int) and not isinstance(value, bool) else None


def why_unreadable(exchange: Exchange) -> str | None:
    """One sentence why no answer can be read from ``exchange``, or ``None`` if one can."""
    if exchange.failure is not None:
        return f"the answer is incomplete ({exchange.failure})"
    if exchange.status != 200:
        return f"refused with status {exchange.status}: {error_message(exchange)}"
    if exchange.request.wants_stream:
        readable = any(isinstance(event.json, dict) for event in exchange.stream.events)
        return None if readable else "the stream holds no JSON event"
    return (
        None
        if isinstance(exchange.json, dict)
        else f"the body is not a JSON object ({_kind(exchange.json)})"
    )


def read_answer(exchange: Exchange) -> Answer | None:
    """The answer in ``exchange``, as far as it can be read; ``None`` if there is none."""
    if why_unreadable(exchange) is not None:
        return None
    found = Answer(exchange)
    if exchange.request.wants_stream:
        for number, event in enumerate(exchange.stream.events):
            if isinstance(event.json, dict):
                _add(found, event.json, number)
    else:
        _add(found, exchange.json, -1)
    return found


async def answer(ctx: Context, request: Request, *, repeat: int = 0, fresh: bool = False) -> Answer:
    """Ask and read. Raises ``Untestable`` when there is no readable answer.

    Whether a valid request is refused, badly shaped or ends in an error is for the accepts, shape
    and stream requirements; a check of meaning cannot say anything then.
    """
    exchange = await ctx.ask(request, repeat=repeat, fresh=fresh)
    found = read_answer(exchange)
    if found is None:
        raise Untestable(f"no answer to judge: {why_unreadable(exchange)}", exchange)
    if (error := error_event(exchange)) is not None:
        raise Untestable(f"the stream turns into an error: {error[1]}", exchange)
    return found


def error_event(exchange: Exchange) -> tuple[int, str] | None:
    """The number of the first event of a stream that is an error object, and what it says."""
    if not exchange.request.wants_stream:
        return None
    for number, event in enumerate(exchange.stream.events):
        document = event.json
        if isinstance(document, dict):
            error = document.get("error")
            if error or document.get("object") == "error":
                return number, str(error or document.get("message"))[:160]
    return None


def error_message(exchange: Exchange) -> str:
    """The error message of a refused request, shortened; never raises."""
    body = exchange.json
    if isinstance(body, dict):
        error = body.get("error", body)
        text = error.get("message", error) if isinstance(error, dict) else error
    else:
        text = exchange.body[:200].decode("utf-8", "replace")
    return str(text)[:200]


def _kind(value: Any) -> str:
    return value.detail if isinstance(value, JSONProblem) else type(value).__name__


def _add(found: Answer, document: dict[str, Any], event: int) -> None:
    found.documents.append(document)
    if isinstance(document.get("usage"), dict):
        found.usage = document["usage"]
    choices = document.get("choices")
    for position, raw in enumerate(choices if isinstance(choices, list) else []):
        if isinstance(raw, dict):
            _add_choice(found, raw, position, event)


def _add_choice(found: Answer, raw: dict[str, Any], position: int, event: int) -> None:
    index = raw.get("index")
    if not isinstance(index, int) or isinstance(index, bool):
        index = position
    choice = found.choices.setdefault(index, Choice(index))
    if isinstance(raw.get("finish_reason"), str) and raw["finish_reason"]:
        choice.finish_reason = raw["finish_reason"]
    holders = ("message", "delta") if event < 0 else ("delta", "message")
    holder = next((raw[key] for key in holders if isinstance(raw.get(key), dict)), raw)
    text = holder.get("text") if holder is raw else holder.get("content")
    if isinstance(text, str):
        choice.text += text
        if text:
            choice.pieces.append((event, text))
    for key in ("reasoning_content", "reasoning"):
        if isinstance(holder.get(key), str):
            choice.reasoning += holder[key]
            break
    _add_tool_calls(choice, holder.get("tool_calls"))
    if raw.get("logprobs") is not None:
        choice.logprobs.append(raw["logprobs"])


def _add_tool_calls(choice: Choice, calls: Any) -> None:
    for position, call in enumerate(calls if isinstance(calls, list) else []):
        if not isinstance(call, dict):
            continue
        index = call["index"] if isinstance(call.get("index"), int) else position
        while len(choice.tool_calls) <= min(index, 64):
            choice.tool_calls.append({"id": None, "type": None, "name": "", "arguments": ""})
        slot = choice.tool_calls[min(index, 64)]
        given = call.get("function")
        function: dict[str, Any] = given if isinstance(given, dict) else {}
        slot["id"] = slot["id"] or call.get("id")
        slot["type"] = slot["type"] or call.get("type")
        slot["name"] += function.get("name") if isinstance(function.get("name"), str) else ""
        slot["arguments"] += (
            function.get("arguments") if isinstance(function.get("arguments"), str) else ""
        )
