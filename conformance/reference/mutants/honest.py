"""The honest server that mutants are made of."""

from __future__ import annotations

from conformance.reference.app import create_app
from conformance.reference.mutants.model import Built
from conformance.reference.service import MODELS, Service
from conformance.reference.variants import PLAIN, VARIANTS, Variant

__all__ = ["KEY", "honest"]

#: The key that mutants ask for unless another (or none) is given.
KEY = "sk-mutant-0123456789abcdef"


def honest(
    *,
    service: type[Service] = Service,
    variant: str | Variant = PLAIN,
    key: str | None = KEY,
) -> Built:
    """The reference server with ``service`` for its behaviour, in a lawful ``variant``."""
    chosen = VARIANTS[variant] if isinstance(variant, str) else variant
    return Built(create_app(service(chosen), key), MODELS[0], key)
