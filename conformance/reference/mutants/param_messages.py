"""Messages that do not reach the model, or reach it changed."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Seen, mutant

Body = dict[str, Any]


def _messages(body: Body) -> list[Any]:
    found = body.get("messages")
    return found if isinstance(found, list) else []


@mutant("messages-last-only", kills=("param.messages.effect",), kind="request", endpoint="chat")
def messages_last_only(body: Body, seen: Seen) -> None:
    """Only the last message reaches the model."""
    if _messages(body):
        body["messages"] = _messages(body)[-1:]


@mutant(
    "messages-last-only-in-stream",
    kills=("param.messages.effect",),
    kind="request",
    endpoint="chat",
    only="stream",
)
def messages_last_only_in_stream(body: Body, seen: Seen) -> None:
    """Every streamed conversation is the same to the model."""
    for message in _messages(body):
        if isinstance(message, dict) and isinstance(message.get("content"), str):
            message["content"] = "Hello."


@mutant("system-message-dropped", kills=("param.messages.effect",), kind="request", endpoint="chat")
def system_message_dropped(body: Body, seen: Seen) -> None:
    """System messages do not reach the model."""
    kept = [m for m in _messages(body) if not (isinstance(m, dict) and m.get("role") == "system")]
    if kept:
        body["messages"] = kept


@mutant(
    "assistant-message-dropped", kills=("param.messages.effect",), kind="request", endpoint="chat"
)
def assistant_message_dropped(body: Body, seen: Seen) -> None:
    """Earlier answers do not reach the model."""
    kept = [
        m for m in _messages(body) if not (isinstance(m, dict) and m.get("role") == "assistant")
    ]
    if kept:
        body["messages"] = kept


@mutant("messages-truncated", kills=("param.messages.effect",), kind="request", endpoint="chat")
def messages_truncated(body: Body, seen: Seen) -> None:
    """Only the first 20 characters of a message reach the model."""
    for message in _messages(body):
        if isinstance(message, dict) and isinstance(message.get("content"), str):
            message["content"] = message["content"][:20]


@mutant("assistant-role-refused", kills=("param.messages.roles",), kind="request", endpoint="chat")
def assistant_role_refused(body: Body, seen: Seen) -> None:
    """A conversation with an earlier answer is refused."""
    for message in _messages(body):
        if isinstance(message, dict) and message.get("role") == "assistant":
            message["role"] = "unheard-of"


@mutant(
    "second-system-message-refused",
    kills=("param.messages.system-anywhere",),
    kind="request",
    endpoint="chat",
    thread="https://github.com/BerriAI/litellm/issues/26879",
)
def second_system_message_refused(body: Body, seen: Seen) -> None:
    """A system message is only taken at the beginning, once."""
    for message in _messages(body)[1:]:
        if isinstance(message, dict) and message.get("role") == "system":
            message["role"] = "unheard-of"


@mutant(
    "assistant-parts-blanked",
    kills=("param.messages.parts",),
    kind="request",
    endpoint="chat",
    thread="https://github.com/CommandCodeAI/command-code/issues/820",
)
def assistant_parts_blanked(body: Body, seen: Seen) -> None:
    """An assistant message given as parts is empty for the model."""
    for message in _messages(body):
        if not isinstance(message, dict) or message.get("role") != "assistant":
            continue
        if isinstance(message.get("content"), list):
            message["content"] = "-"


@mutant("messages-ignored", kills=("param.messages.effect",), kind="request", endpoint="chat")
def messages_ignored(body: Body, seen: Seen) -> None:
    """Every conversation is the same to the model."""
    for message in _messages(body):
        if isinstance(message, dict) and isinstance(message.get("content"), str):
            message["content"] = "Hello."


@mutant("messages-last-dropped", kills=("param.messages.effect",), kind="request", endpoint="chat")
def messages_last_dropped(body: Body, seen: Seen) -> None:
    """The last of several messages does not reach the model."""
    if len(_messages(body)) > 1:
        body["messages"] = _messages(body)[:-1]
