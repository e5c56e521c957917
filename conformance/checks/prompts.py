"""Small prompts that differ in one known thing, for chat and completions alike."""

from __future__ import annotations

import copy
from typing import Any

from conformance.checks.api import NotApplicable
from conformance.checks.context import Context

__all__ = ["conversation", "longer_prompt", "message", "words"]


def message(role: str, content: Any, /, **members: Any) -> dict[str, Any]:
    """One message of a conversation."""
    return {"role": role, "content": content, **members}


def conversation(*turns: tuple[str, Any]) -> list[dict[str, Any]]:
    """Messages from ``(role, content)`` pairs."""
    return [message(role, content) for role, content in turns]


def longer_prompt(ctx: Context) -> dict[str, Any]:
    """The plainest prompt with more text behind it, as parameters of a request.

    Raises ``NotApplicable`` for an endpoint that takes neither messages nor a prompt.
    """
    body = ctx.body()
    if isinstance(body.get("messages"), list):
        more = conversation(("assistant", "Hello."), ("user", "Now say it in French, please."))
        return {"messages": [*copy.deepcopy(body["messages"]), *more]}
    if isinstance(body.get("prompt"), str):
        return {"prompt": body["prompt"] + " Now say it in French, please, and then in Greek."}
    raise NotApplicable("the endpoint takes neither messages nor a prompt")


def words(ctx: Context, count: int) -> dict[str, Any]:
    """A prompt of ``count`` short words, as parameters of a request."""
    text = "word " * count
    if ctx.promises("messages"):
        return {"messages": [message("user", text)]}
    return {"prompt": text}
