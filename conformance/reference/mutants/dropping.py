"""Mutants that accept a parameter and ignore it."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Seen, mutant

__all__ = ["dropped"]


def dropped(
    name: str,
    parameter: str,
    kills: tuple[str, ...],
    *,
    only: str | None = None,
    thread: str | None = None,
) -> None:
    """The mutant ``name`` accepts ``parameter`` and ignores it."""

    def function(body: dict[str, Any], seen: Seen) -> None:
        body.pop(parameter, None)
        if parameter == "logprobs":
            body.pop("top_logprobs", None)

    where = f" in a {only} answer" if only else ""
    function.__doc__ = f"{parameter} is accepted and ignored{where}."
    mutant(name, kills=kills, kind="request", only=only, thread=thread, profile="openai")(function)
