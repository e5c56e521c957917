"""What carries text in a request, and the conversations and prompts worth sending.

The carrier is found in the schema: the required parameter that is an array of messages with roles,
or that may be a string. Roles are those that the schema documents.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.generate.hints import request_schema
from conformance.generate.text import KINDS, OPEN_KINDS, long_text
from conformance.schema.branches import Branch, branches, item_schema
from conformance.schema.contract import Endpoint

__all__ = ["Carrier", "Speech", "carrier_of", "speeches"]

#: Sequences of roles that chat templates stumble over; all documented roles in a documented array.
ORDERS: tuple[tuple[str, ...], ...] = (
    ("system", "user", "assistant", "user", "assistant", "user"),
    ("developer", "user"),
    ("system", "system", "user", "user"),
    ("assistant", "user", "system", "user"),
)
#: What a server may refuse with reason: nobody has asked anything. Information only.
OPEN_ORDERS: tuple[tuple[str, ...], ...] = (("user", "assistant"),)
LONG, MANY = 2400, 24
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "add", "arguments": '{"a":2,"b":2}'},
}
TOOL_TURN = (
    {"role": "user", "content": "What is 2 + 2?"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "call_1", "content": "4"},
)
FUNCTION_TURN = (
    {"role": "user", "content": "What is 2 + 2?"},
    {"role": "function", "name": "add", "content": "4"},
)


@dataclass(frozen=True)
class Carrier:
    """The parameter that carries the text; ``chat`` tells messages from a plain prompt."""

    name: str
    chat: bool
    roles: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()  # roles whose content may be an array of text parts
    tools: bool = False

    def say(self, text: str) -> Any:
        """The carrier's value for one text of the user."""
        return [{"role": "user", "content": text}] if self.chat else text


@dataclass(frozen=True)
class Speech:
    """One value of the carrier, the names of what it covers, and how to see that in a body."""

    label: str
    covers: Mapping[str, Callable[[Any], bool]]
    value: Any
    open: bool = False


def carrier_of(endpoint: Endpoint) -> Carrier | None:
    """What carries text to ``endpoint``; ``None`` if nothing does."""
    root = request_schema(endpoint)
    plain = None
    for name, parameter in endpoint.parameters.items():
        if name == "model" or not parameter.required:
            continue
        for branch in branches(parameter.schema, root):
            if branch["type"] == "array" and (chat := _chat(name, branch, root)):
                return chat
            if branch["type"] == "string" and plain is None:
                plain = Carrier(name, chat=False)
    return plain


def _chat(name: str, branch: Branch, root: dict[str, Any]) -> Carrier | None:
    roles: dict[str, Branch] = {}
    for message in branches(item_schema(branch, 0), root):
        members = message.get("properties", {})
        for role in branches(members.get("role", False), root):
            roles |= dict.fromkeys(role.get("enum", ()), message)
    if not roles:
        return None
    with_parts = [role for role, message in roles.items() if _takes_parts(message, root)]
    calls = "tool_calls" in roles.get("assistant", {}).get("properties", {})
    return Carrier(name, True, tuple(roles), tuple(with_parts), calls and "tool" in roles)


def _takes_parts(message: Branch, root: dict[str, Any]) -> bool:
    content = branches(message.get("properties", {}).get("content", False), root)
    return any(each["type"] == "array" and "items" in each for each in content)


def speeches(carrier: Carrier, depth: str, streamed: bool) -> Iterator[Speech]:
    """The carrier's values worth sending at ``depth``, in one mode."""
    for group in _text_groups(depth, streamed):
        yield _texts(carrier, group)
    if depth != "quick":
        text = long_text(LONG)
        yield Speech(f"{LONG} characters", {"text:long": _contains(text)}, carrier.say(text))
    if carrier.chat:
        yield from _orders(carrier, depth, streamed)
        yield from _parts(carrier, depth, streamed)


def _text_groups(depth: str, streamed: bool) -> list[tuple[str, ...]]:
    """Kinds of text that share a request: fewer requests where the other mode has them apart."""
    if depth == "deep":
        return [(kind,) for kind in KINDS]
    calm = tuple(kind for kind in KINDS if kind not in ("control", "nul"))
    if depth == "quick":
        return [calm]
    if streamed:
        return [calm, ("control",)]
    return [
        ("escapes", "cjk", "combining", "right-to-left"),
        ("emoji", "astral"),
        ("separators", "invisible"),
        ("control",),
        ("nul",),
    ]


def _texts(carrier: Carrier, kinds: tuple[str, ...]) -> Speech:
    text = "Repeat: " + " | ".join(KINDS[kind] for kind in kinds)
    covers = {f"text:{kind}": _contains(KINDS[kind]) for kind in kinds}
    return Speech(", ".join(kinds), covers, carrier.say(text), bool(OPEN_KINDS.intersection(kinds)))


def _contains(text: str) -> Callable[[Any], bool]:
    needle = json.dumps(text)[1:-1]
    return lambda value: needle in json.dumps(value)


def _orders(carrier: Carrier, depth: str, streamed: bool) -> Iterator[Speech]:
    known = [order for order in ORDERS if set(order) <= set(carrier.roles)]
    if depth == "quick":
        known = [] if streamed else [order for order in known if len(order) == 6]
    elif streamed and depth == "standard":
        known = [order for order in known if len(order) == 6 or "developer" in order]
    for order in known:
        yield _order(order)
    if depth == "quick":
        return
    if {"user", "assistant"} <= set(carrier.roles) and not (streamed and depth == "standard"):
        turns = ("user", "assistant") * (MANY // 2) + ("user",)
        yield Speech(f"{len(turns)} messages", {"count:many": _spoken_by(turns)}, _turns(turns))
        yield from (_order(o, True) for o in OPEN_ORDERS if set(o) <= set(carrier.roles))
    if carrier.tools:
        yield Speech(
            "tool turn", {"role:tool": _spoken_by(("user", "assistant", "tool"))}, list(TOOL_TURN)
        )
    if "function" in carrier.roles and depth == "deep":
        yield Speech(
            "function turn",
            {"role:function": _spoken_by(("user", "function"))},
            list(FUNCTION_TURN),
        )


def _order(order: tuple[str, ...], open_: bool = False) -> Speech:
    covers = {"order:" + " ".join(order): _spoken_by(order)}
    if not open_:
        covers |= {f"role:{role}": _has_role(role) for role in order}
    return Speech("roles " + ", ".join(order), covers, _turns(order), open_)


def _turns(order: tuple[str, ...]) -> list[dict[str, Any]]:
    said = {
        "system": "Be brief.",
        "developer": "Be brief.",
        "assistant": "Yes.",
        "user": "And now?",
    }
    return [{"role": role, "content": said[role]} for role in order]


def _spoken_by(order: tuple[str, ...]) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, list) and tuple(each.get("role") for each in value) == order
    )


def _has_role(role: str) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and any(each.get("role") == role for each in value)


def _parts(carrier: Carrier, depth: str, streamed: bool) -> Iterator[Speech]:
    if "user" not in carrier.parts or depth == "quick":
        return
    for size in (1,) if streamed else (1, 2):
        texts = ["Say hello.", "Twice."][:size]
        content = [{"type": "text", "text": text} for text in texts]
        name = f"content:{size} text part{'s' * (size > 1)}"
        yield Speech(name, {name: _has_content(content)}, [{"role": "user", "content": content}])
    others = [role for role in ("system", "developer", "assistant") if role in carrier.parts]
    if others and not streamed:
        part = [{"type": "text", "text": "Be brief."}]
        value = [
            *({"role": role, "content": part} for role in others),
            {"role": "user", "content": "Go on."},
        ]
        covers = {f"content:parts of {role}": _has_part(role) for role in others}
        yield Speech("text parts of " + ", ".join(others), covers, value)


def _has_content(content: Any) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, list) and any(each.get("content") == content for each in value)
    )


def _has_part(role: str) -> Callable[[Any], bool]:
    return lambda value: (
        isinstance(value, list)
        and any(
            each.get("role") == role and isinstance(each.get("content"), list) for each in value
        )
    )
