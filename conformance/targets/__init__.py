"""Targets: the endpoints under test, and what their owners declared about them."""

from conformance.targets.declared import apply, declared, excuse, undecided
from conformance.targets.load import (
    REFERENCE,
    adhoc_target,
    check_requirement_ids,
    expired_entries,
    load_targets,
    mutant_target,
)
from conformance.targets.model import (
    Declaration,
    Deviation,
    Kind,
    Limits,
    Prices,
    Target,
    Timeouts,
    Undecided,
)
from conformance.targets.select import override, select_targets

__all__ = [
    "REFERENCE",
    "Declaration",
    "Deviation",
    "Kind",
    "Limits",
    "Prices",
    "Target",
    "Timeouts",
    "Undecided",
    "adhoc_target",
    "apply",
    "check_requirement_ids",
    "declared",
    "excuse",
    "expired_entries",
    "load_targets",
    "mutant_target",
    "override",
    "select_targets",
    "undecided",
]
