"""Small prompts that differ in one known thing, for chat and completions alike."""

from __future__ import annotations

import copy
from typing import Any

from conformance.checks.api import NotApplicable
from conformance.checks.context import Context
from conformance.generate.text import long_text

__all__ = ["conversation", "long_prompts", "longer_prompt", "message", "words"]

#: Characters of a long text, and turns that follow it in a conversation.
LONG, TURNS = 1600, 10
#: What makes a text longer where it stands: eight ordinary words.
INSERTED = "The river runs past the old stone house. "


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


def long_prompts(ctx: Context) -> tuple[dict[str, Any], dict[str, Any]]:
    """A long prompt twice, as parameters: as it is, and with a sentence more inside of it.

    In a conversation the long text is the first of many messages.
    """
    text = long_text(LONG)
    longer = text[: LONG // 2] + INSERTED + text[LONG // 2 :]
    return _long(ctx, text), _long(ctx, longer)


def _long(ctx: Context, text: str) -> dict[str, Any]:
    if not ctx.promises("messages"):
        return {"prompt": text}
    turns = conversation(("assistant", "Yes."), ("user", "And now?")) * TURNS
    return {"messages": [message("user", text), *turns]}


def words(ctx: Context, count: int) -> dict[str, Any]:
    """A prompt of ``count`` short words, as parameters of a request."""
    text = "word " * count
    if ctx.promises("messages"):
        return {"messages": [message("user", text)]}
    return {"prompt": text}
