"""The chat template: messages to prompt tokens.

The layout is Llama 3.1's: each message is a header (role, optional name), a blank line, its text
and an end-of-turn token; the prompt ends with an open assistant header. Text of a message is
encoded as plain text, so writing ``<|eot_id|>`` into it ends nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.reference.tokenizer import SPECIALS, Tokenizer

__all__ = ["message_text", "render_chat"]

_BEGIN, _TURN = SPECIALS["<|begin_of_text|>"], SPECIALS["<|eot_id|>"]
_HEAD, _HEAD_END = SPECIALS["<|start_header_id|>"], SPECIALS["<|end_header_id|>"]
_CALL = SPECIALS["<|tool_call|>"]


def message_text(message: Mapping[str, Any]) -> str:
    """The text of a message: its content, or its text parts joined; null is no text."""
    content = message.get("content")
    if isinstance(content, str):
        return content
    parts = content or []
    return "".join(part.get("text") or part.get("refusal") or "" for part in parts)


def render_chat(
    tokenizer: Tokenizer,
    messages: Sequence[Mapping[str, Any]],
    tools: Sequence[Mapping[str, Any]] = (),
) -> tuple[int, ...]:
    """The prompt tokens of a conversation."""
    ids = [_BEGIN]
    if tools:
        ids += _turn(tokenizer, "system", json.dumps(tools, ensure_ascii=False, sort_keys=True))
    for message in messages:
        role = "system" if message["role"] == "developer" else message["role"]
        name = message.get("name") or message.get("tool_call_id")
        ids += _turn(tokenizer, f"{role} {name}" if name else role, message_text(message))
        for call in message.get("tool_calls") or ():
            ids += _called(tokenizer, call)
        if message.get("function_call"):
            ids += _called(tokenizer, message["function_call"])
    ids += [_HEAD, *tokenizer.encode("assistant"), _HEAD_END, *tokenizer.encode("\n\n")]
    return tuple(ids)


def _turn(tokenizer: Tokenizer, head: str, text: str) -> list[int]:
    header = [_HEAD, *tokenizer.encode(head), _HEAD_END, *tokenizer.encode("\n\n")]
    return [*header, *tokenizer.encode(text), _TURN]


def _called(tokenizer: Tokenizer, call: Mapping[str, Any]) -> list[int]:
    return [_CALL, *tokenizer.encode(json.dumps(call, ensure_ascii=False, sort_keys=True)), _TURN]
