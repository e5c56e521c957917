"""Prompts of which a part does not reach the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.reference.mutants import Seen, mutant

Document = dict[str, Any]


@mutant("old-messages-dropped", kills=("usage.prompt-whole",), kind="request", endpoint="chat")
def old_messages_dropped(body: Document, seen: Seen) -> None:
    """Of a long conversation only the last eight messages reach the model."""
    if isinstance(body.get("messages"), list):
        body["messages"] = body["messages"][-8:]


@mutant("long-prompt-cut", kills=("usage.prompt-whole",), kind="request", endpoint="completions")
def long_prompt_cut(body: Document, seen: Seen) -> None:
    """Of a prompt the first 512 characters reach the model."""
    if isinstance(body.get("prompt"), str):
        body["prompt"] = body["prompt"][:512]


def _every_text(body: Document, change: Callable[[str], str]) -> None:
    for message in body.get("messages") or []:
        if isinstance(message, dict) and isinstance(message.get("content"), str):
            message["content"] = change(message["content"])


@mutant(
    "characters-become-question-marks",
    kills=("usage.prompt-characters",),
    kind="request",
    endpoint="chat",
)
def question_marks(body: Document, seen: Seen) -> None:
    """A code page stands between the request and the model."""
    _every_text(body, lambda text: text.encode("cp1252", "replace").decode("cp1252"))


@mutant("prompt-ends-at-nul", kills=("usage.prompt-characters",), kind="request", endpoint="chat")
def ends_at_nul(body: Document, seen: Seen) -> None:
    """A text ends where a C string does."""
    _every_text(body, lambda text: text.partition("\0")[0])


@mutant(
    "system-message-lost-in-streams",
    kills=("param.messages.effect",),
    kind="request",
    only="stream",
)
def system_lost_in_streams(body: Document, seen: Seen) -> None:
    """The path of streams forgets the system message."""
    messages = body.get("messages")
    if isinstance(messages, list) and len(messages) > 1:
        body["messages"] = [each for each in messages if each.get("role") != "system"]
