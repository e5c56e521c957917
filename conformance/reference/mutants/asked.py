"""Small tools for functions that look at what was asked for, and change it."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants.model import Seen

__all__ = ["SAMPLING", "number_in", "put", "wants_usage"]

#: The parameters that the narrow profile promises beside prompt, model, limit and mode.
SAMPLING = (
    "temperature",
    "top_p",
    "stop",
    "n",
    "presence_penalty",
    "frequency_penalty",
    "repetition_penalty",
    "logit_bias",
)


def number_in(body: dict[str, Any], name: str) -> float | None:
    """The parameter's value if it is a number."""
    value = body.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def put(body: dict[str, Any], name: str, value: float | None) -> None:
    """Give the parameter ``value``; ``None`` leaves it as it is."""
    if value is not None:
        body[name] = value


def wants_usage(seen: Seen) -> bool:
    """Whether a stream was asked to end with its usage."""
    return bool((seen.asked("stream_options") or {}).get("include_usage"))
