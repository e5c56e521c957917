"""Parameters that are no business of the model's and change its answer."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.choices import set_text, text_of

Body = dict[str, Any]


@mutant("user-in-text", kills=("param.user.effect",), kind="choice", profile="openai")
def user_in_text(choice: Body, seen: Seen) -> None:
    """The user's identifier shows in the text."""
    if seen.asked("user") and text_of(choice):
        set_text(choice, f"{seen.asked('user')}: {text_of(choice)}")


@mutant(
    "metadata-shortens-answer", kills=("param.metadata.effect",), kind="request", profile="openai"
)
def metadata_shortens_answer(body: Body, seen: Seen) -> None:
    """metadata halves max_tokens."""
    if body.get("metadata") and isinstance(body.get("max_tokens"), int):
        body["max_tokens"] = max(1, body["max_tokens"] // 2)
