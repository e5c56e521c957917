"""Where variants are registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from conformance.reference.mutants.model import Mutant

__all__ = ["WIRE_VARIANTS", "variant"]

#: Name → the variant, in the form of a mutant without killers.
WIRE_VARIANTS: dict[str, Mutant] = {}


def variant(name: str, kind: str, **limits: Any) -> Callable[[Any], Any]:
    """Register the decorated function as the variant ``name``; ``kind`` and limits as mutants'."""

    def register(function: Any) -> Any:
        told = " ".join((function.__doc__ or name.replace("-", " ")).split())
        WIRE_VARIANTS[name] = Mutant(name, kind, function, (), told, **limits)
        return function

    return register
