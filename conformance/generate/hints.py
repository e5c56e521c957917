"""What to draw among the valid requests: cheap, sane, and without arguments among parameters.

Kept apart from validity. A schema says what a server must take; the tables here say what is worth
sending. Names are those of the OpenAI API; a parameter that is in no table is drawn as its schema
allows, near zero.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from conformance.generate.text import WORDS
from conformance.schema.branches import Schema
from conformance.schema.contract import Endpoint, Grade, Parameter
from conformance.schema.strategies import Hints

__all__ = [
    "ABSENT",
    "CHEAP",
    "INERT",
    "PROMISED",
    "SOLITARY",
    "companions",
    "conflict",
    "request_hints",
    "request_schema",
]

#: Grades that make a MUST (and a valid value that a server may not refuse).
PROMISED = (Grade.HARD, Grade.DERIVABLE)

#: A member that is to be left out of a body.
ABSENT: Any = ...

#: Replaces the minimal body's value where a row is about something else.
CHEAP: Mapping[str, Any] = {"max_tokens": 2, "max_completion_tokens": 2}

#: Places in a request and the schema that drawn values satisfy as well.
NARROW: Mapping[str, Schema] = {
    "/max_tokens": {"minimum": 1, "maximum": 8},
    "/max_completion_tokens": {"minimum": 1, "maximum": 8},
    "/n": {"minimum": 1, "maximum": 3},
    "/best_of": {"minimum": 1, "maximum": 3},
    "/temperature": {"minimum": 0, "maximum": 2},
    "/top_p": {"minimum": 0.05, "maximum": 1},
    "/presence_penalty": {"minimum": -2, "maximum": 2},
    "/frequency_penalty": {"minimum": -2, "maximum": 2},
    "/repetition_penalty": {"minimum": 0.5, "maximum": 2},
    "/seed": {"minimum": 0, "maximum": 999},
    "/logprobs": {"minimum": 0, "maximum": 5},
    "/top_logprobs": {"minimum": 0, "maximum": 5},
    "/stop": {"minLength": 1, "maxLength": 8},
    "/stop/*": {"minLength": 1, "maxLength": 8},
    "/messages": {"minItems": 1, "maxItems": 4},
    "/modalities": {"maxItems": 1},
    "/prompt": {"minLength": 1, "minItems": 1, "maxItems": 3},
    "/prompt/*": {"minLength": 1, "minimum": 300, "maximum": 900, "minItems": 1, "maxItems": 3},
    "/prompt/*/*": {"minimum": 300, "maximum": 900},
    # Ordinary word pieces in every usual vocabulary: bytes lie below, specials far above.
    "/logit_bias": {
        "maxProperties": 3,
        "propertyNames": {"enum": [str(n) for n in range(300, 900, 25)]},
    },
    "/logit_bias/*": {"minimum": -100, "maximum": 100},
}

#: What a parameter needs beside it to make sense.
COMPANIONS: Mapping[str, Mapping[str, Any]] = {
    "top_logprobs": {"logprobs": True},
    "tool_choice": {"tools": ...},
    "parallel_tool_calls": {"tools": ...},
    "function_call": {"functions": ...},
    "audio": {"modalities": ["text", "audio"]},
}

#: Parameters that change what an answer is: never combined with others in one row.
SOLITARY = frozenset(
    [
        "tools",
        "tool_choice",
        "parallel_tool_calls",
        "functions",
        "function_call",
        "response_format",
        "modalities",
        "audio",
        "prediction",
        "web_search_options",
        "moderation",
        "suffix",
        "echo",
    ]
)


#: Parameters that label a request and have no say in the answer: no pairs with them.
INERT = frozenset(
    [
        "user",
        "safety_identifier",
        "prompt_cache_key",
        "prompt_cache_retention",
        "metadata",
        "store",
        "prompt_cache_options",
        "service_tier",
        "reasoning_effort",
        "verbosity",
    ]
)


def _several(body: Mapping[str, Any]) -> bool:
    return isinstance(body.get("n"), int) and body["n"] > 1


#: Combinations that no documentation settles, by the reason why they are left out.
CONFLICTS: Mapping[str, Callable[[Mapping[str, Any]], bool]] = {
    "n > 1 with greedy sampling is left open": lambda body: (
        _several(body)
        and any(
            body.get(name) in (0, 0.0) and body.get(name) is not False
            for name in ("temperature", "top_p")
        )
    ),
    "best_of below n is refused by arithmetic": lambda body: (
        isinstance(body.get("best_of"), int) and body["best_of"] < (body.get("n") or 1)
    ),
    "best_of is not streamed": lambda body: "best_of" in body and body.get("stream") is True,
    "two names of one limit": lambda body: {"max_tokens", "max_completion_tokens"} <= body.keys(),
    "echo with logprobs is left open": lambda body: (
        bool(body.get("echo")) and body.get("logprobs") is not None
    ),
    "stream_options without stream": lambda body: (
        body.get("stream_options") is not None and body.get("stream") is not True
    ),
    "top_logprobs without logprobs": lambda body: (
        body.get("top_logprobs") is not None and body.get("logprobs") is not True
    ),
}


def conflict(body: Mapping[str, Any]) -> str | None:
    """Why ``body`` asks for something that no documentation settles, or ``None``."""
    return next((why for why, holds in CONFLICTS.items() if holds(body)), None)


def companions(endpoint: Endpoint, name: str, value: Any = ...) -> dict[str, Any]:
    """The members to send beside parameter ``name`` for ``value`` to make sense.

    One given as :data:`ABSENT` is to be left out of the body.
    """
    found: dict[str, Any] = {}
    if value is None:
        return found
    for other, needed in COMPANIONS.get(name, {}).items():
        if other in endpoint.parameters:
            found[other] = endpoint.parameters[other].simplest if needed is ... else needed
    found = {other: needed for other, needed in found.items() if needed is not ...}
    if name == "max_completion_tokens" and "max_tokens" in endpoint.minimal:
        found["max_tokens"] = ABSENT
    if isinstance(value, Mapping) and value.get("type") == "json_object":
        # "you must also instruct the model to produce JSON yourself via a system or user message"
        found["messages"] = [{"role": "user", "content": "Answer with a JSON object."}]
    return found


def request_schema(endpoint: Endpoint) -> dict[str, Any]:
    """The schema of a whole request: every parameter that the endpoint promises."""
    shared = dict((endpoint.request_schema or {}).get("$defs", {}))
    return {
        "type": "object",
        "required": [name for name, each in endpoint.parameters.items() if each.required],
        "properties": {name: each.schema for name, each in endpoint.parameters.items()},
        **({"$defs": shared} if shared else {}),
    }


def request_hints(endpoint: Endpoint, model: str, *, firm: bool = False) -> Hints:
    """Hints for requests to ``endpoint``; the stream switch is never drawn (the mode sets it).

    ``firm`` hints keep off the boundaries that the documentation does not state.
    """
    narrow = {
        place: schema
        for place, schema in NARROW.items()
        if place.split("/")[1] in endpoint.parameters
    }
    for parameter in endpoint.parameters.values() if firm else ():
        for place, inside in _silent(parameter):
            narrow[place] = {"allOf": [narrow[place], inside]} if place in narrow else inside
    for place, tools in (
        ("/tool_choice/function/name", "tools"),
        ("/function_call/name", "functions"),
    ):
        if names := _tool_names(endpoint, tools):
            narrow[place] = {"enum": names}
    if "model" in endpoint.parameters:
        narrow["/model"] = {"const": model}
    return Hints(
        narrow=narrow,
        adjust={"/messages": plain_conversation} if "messages" in endpoint.parameters else {},
        omit=frozenset(f"/{name}" for name in (endpoint.stream_switch, *SOLITARY) if name),
        words=WORDS,
        steps=64,
        numbers=(0, 8),
    )


def _tool_names(endpoint: Endpoint, name: str) -> list[str]:
    """The functions that the simplest tools offer: a choice must name one of them."""
    parameter = endpoint.parameters.get(name)
    if parameter is None or not isinstance(parameter.simplest, list):
        return []
    return [each.get("function", each).get("name", "") for each in parameter.simplest]


def _silent(parameter: Parameter) -> Iterator[tuple[str, Schema]]:
    """The open ends of ``parameter``'s range where the documentation states no boundary."""
    members = "properties" in parameter.schema or "additionalProperties" in parameter.schema
    place = f"/{parameter.name}" + ("/*" if members else "")
    for bound in parameter.bounds:
        if bound.keyword in ("minimum", "maximum") and bound.grade not in PROMISED:
            yield place, {f"exclusive{bound.keyword.capitalize()}": bound.value}


def plain_conversation(messages: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """``messages`` without tool turns and media, the last one the user's."""
    spoken = [
        {"role": each["role"], "content": _spoken(each.get("content"))}
        for each in messages
        if each.get("role") in ("system", "developer", "user", "assistant")
    ]
    while spoken and spoken[-1]["role"] != "user":
        spoken.pop()
    return spoken or [{"role": "user", "content": WORDS[0]}]


def _spoken(content: Any) -> Any:
    if isinstance(content, list) and content and all(p.get("type") == "text" for p in content):
        return content
    return content if isinstance(content, str) and content else WORDS[0]
