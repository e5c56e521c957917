"""The honest server that mutants are made of."""

from __future__ import annotations

from conformance.reference.app import create_app
from conformance.reference.mutants.model import Built
from conformance.reference.service import MODELS, Service
from conformance.reference.variants import VARIANTS

__all__ = ["KEY", "honest"]

#: The key that mutants ask for unless another (or none) is given.
KEY = "sk-mutant-0123456789abcdef"


def honest(
    *, service: type[Service] = Service, variant: str = "plain", key: str | None = KEY
) -> Built:
    """The reference server with ``service`` for its behaviour, in the lawful ``variant``."""
    return Built(create_app(service(VARIANTS[variant]), key), MODELS[0], key)
