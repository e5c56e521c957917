"""``conformance targets``: what is configured, and which keys are set."""

from __future__ import annotations

import argparse
import os
from datetime import UTC, datetime

from conformance.cli.tables import table
from conformance.options import RunOptions, add_arguments
from conformance.targets import Target, expired_entries, load_targets
from conformance.targets.model import Kind

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of a run (only ``--targets-file`` matters here)."""
    add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print every target: profile, model, address, key."""
    options = RunOptions.from_namespace(arguments)
    targets = load_targets(options.targets_file)
    rows = [("target", "profile", "model", "key", "base URL")]
    rows += [
        (
            each.name,
            each.profile,
            each.model or "-",
            _key(each),
            each.base_url or "started by the run",
        )
        for each in targets.values()
    ]
    print(table(rows))
    for target in targets.values():
        for sentence in expired_entries(target, datetime.now(UTC).date()):
            print(f"note: {sentence}")
    return 0


def _key(target: Target) -> str:
    if target.kind is not Kind.HTTP:
        return "-"
    variable = target.key_variable
    if variable is None:
        return "none"
    return f"${variable}" if target.key(os.environ) else f"${variable} (not set)"
