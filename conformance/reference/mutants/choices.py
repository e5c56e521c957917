"""Small tools for functions that change choices of either endpoint in either mode."""

from __future__ import annotations

from typing import Any

__all__ = [
    "calls_of",
    "choices_of_stream",
    "finish",
    "finishing",
    "set_text",
    "spoken",
    "stops_of",
    "text_of",
    "texts_of_stream",
    "usage_of",
]


def text_of(choice: dict[str, Any]) -> str:
    """The text of a regular choice or of one chunk's choice; "" where there is none."""
    for holder in ("message", "delta"):
        if isinstance(choice.get(holder), dict):
            return choice[holder].get("content") or ""
    return choice.get("text") or ""


def set_text(choice: dict[str, Any], text: str) -> None:
    """Replace the text of a choice."""
    for holder in ("message", "delta"):
        if isinstance(choice.get(holder), dict):
            choice[holder]["content"] = text
            return
    choice["text"] = text


def finish(choice: dict[str, Any]) -> str | None:
    """The finish reason, if this choice has one."""
    reason = choice.get("finish_reason")
    return reason if isinstance(reason, str) else None


def stops_of(asked: Any) -> list[str]:
    """The ``stop`` parameter as a list."""
    if isinstance(asked, str):
        return [asked]
    return [each for each in asked if isinstance(each, str)] if isinstance(asked, list) else []


def texts_of_stream(chunks: list[dict[str, Any]]) -> dict[int, str]:
    """The whole text of each index of a stream."""
    texts: dict[int, str] = {}
    for chunk in chunks:
        for choice in chunk.get("choices") or []:
            index = choice.get("index", 0)
            texts[index] = texts.get(index, "") + text_of(choice)
    return texts


def calls_of(choice: dict[str, Any]) -> list[dict[str, Any]]:
    """The tool calls of a message or delta."""
    for holder in ("message", "delta"):
        if isinstance(choice.get(holder), dict):
            return choice[holder].get("tool_calls") or []
    return []


def usage_of(document: dict[str, Any]) -> dict[str, int]:
    """The counts of an answer; empty where there are none."""
    usage: dict[str, int] = document.get("usage") or {}
    return usage


def spoken(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The chunks that carry choices."""
    return [chunk for chunk in chunks if chunk.get("choices")]


def choices_of_stream(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The choices of all chunks in their order."""
    return [choice for chunk in chunks for choice in chunk.get("choices") or []]


def finishing(chunks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The chunks that carry a finish reason."""
    return [chunk for chunk in spoken(chunks) if any(map(finish, chunk["choices"]))]
