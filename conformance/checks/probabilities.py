"""Log probabilities as they come: two layouts, whole or in the chunks of a stream, read as one list."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from conformance.checks.answer import Answer

__all__ = ["Entry", "entries_of", "joined", "layout_problem"]


@dataclass(frozen=True)
class Entry:
    """One generated token: its text, its log probability, and the likeliest alternatives."""

    token: str
    logprob: Any
    data: bytes | None = None
    top: tuple[tuple[str, Any], ...] | None = None

    @property
    def finite(self) -> bool:
        """Whether the log probability is a number."""
        return _number(self.logprob)


def entries_of(found: Answer, endpoint: str, index: int = 0) -> list[Entry]:
    """The entries of one choice, in the layout of ``endpoint``; whatever else came is left out."""
    choice = found.choices.get(index)
    read = _chat if endpoint == "chat" else _legacy
    return [entry for given in (choice.logprobs if choice else []) for entry in read(given)]


def layout_problem(found: Answer, endpoint: str) -> str | None:
    """What is wrong with the form of the log probabilities, or ``None``."""
    for choice in found.choices.values():
        for given in choice.logprobs:
            if not isinstance(given, dict):
                return f"logprobs is {str(given)[:60]}, not an object"
            if endpoint == "chat" and "tokens" in given and "content" not in given:
                return "logprobs has the layout of the completions endpoint (tokens, …)"
            if endpoint != "chat" and "content" in given and "tokens" not in given:
                return "logprobs has the layout of the chat endpoint (content)"
            lengths = {
                len(given[name])
                for name in ("tokens", "token_logprobs", "text_offset")
                if isinstance(given.get(name), list)
            }
            if endpoint != "chat" and len(lengths) > 1:
                return "tokens, token_logprobs and text_offset differ in length"
    return None


def joined(entries: list[Entry]) -> str | None:
    """The text that the tokens make; ``None`` where a token cannot be shown as text."""
    if entries and all(entry.data is not None for entry in entries):
        try:
            return b"".join(entry.data or b"" for entry in entries).decode("utf-8")
        except UnicodeDecodeError:
            return None
    texts = [entry.token for entry in entries]
    broken = any("\ufffd" in text or text.startswith("bytes:") for text in texts)
    return None if broken else "".join(texts)


def _chat(given: Any) -> list[Entry]:
    content = given.get("content") if isinstance(given, dict) else None
    found = []
    for item in content if isinstance(content, list) else []:
        if isinstance(item, dict) and isinstance(item.get("token"), str):
            top = item.get("top_logprobs")
            pairs = tuple(
                (str(each.get("token")), each.get("logprob"))
                for each in (top if isinstance(top, list) else [])
                if isinstance(each, dict)
            )
            known = pairs if isinstance(top, list) else None
            found.append(
                Entry(item["token"], item.get("logprob"), _bytes(item.get("bytes")), known)
            )
    return found


def _legacy(given: Any) -> list[Entry]:
    if not isinstance(given, dict):
        return []
    lists = [
        given[name] if isinstance(given.get(name), list) else []
        for name in ("tokens", "token_logprobs", "top_logprobs")
    ]
    found = []
    for position, token in enumerate(lists[0]):
        if isinstance(token, str):
            logprob, top = (each[position] if position < len(each) else None for each in lists[1:])
            pairs = tuple(top.items()) if isinstance(top, dict) else None
            found.append(Entry(token, logprob, None, pairs))
    return found


def _bytes(given: Any) -> bytes | None:
    if isinstance(given, list) and all(type(each) is int and 0 <= each < 256 for each in given):
        return bytes(given)
    return None


def _number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
