"""``conformance mutants``: list the mutants."""

from __future__ import annotations

import argparse
import json

from conformance.cli.tables import table

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--json", action="store_true", help="as JSON instead of a table")


def run(arguments: argparse.Namespace) -> int:
    """Print name, killers and the defect of every mutant."""
    from conformance.reference.mutants import every

    found = sorted(every(), key=lambda mutant: mutant.name)
    if arguments.json:
        rows = [
            {
                "name": each.name,
                "defect": each.defect,
                "killed_by": list(each.kills),
                "thread": each.thread,
            }
            for each in found
        ]
        print(json.dumps(rows, ensure_ascii=False, indent=1))
    else:
        print(table([(each.name, ", ".join(each.kills), each.defect) for each in found]))
    return 0
