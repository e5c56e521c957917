"""``conformance mutants``: list the mutants."""

from __future__ import annotations

import argparse
import json

from conformance.cli.tables import table

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("--json", action="store_true", help="as JSON instead of a table")
    parser.add_argument(
        "--bugs",
        action="store_true",
        help="the known bugs of real servers instead: what detects each, and the mutants behind it",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print name, killers and the defect of every mutant; or the known bugs."""
    if arguments.bugs:
        from conformance.cli.bugs import bugs_json, bugs_table

        print(bugs_json() if arguments.json else bugs_table())
        return 0
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
