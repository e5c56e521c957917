"""``conformance report``: merge runs, compare them, build their pages again."""

from __future__ import annotations

import argparse
from pathlib import Path

from conformance.errors import ConfigurationError, ExitCode
from conformance.report.badge import render_badge
from conformance.report.diff import diff
from conformance.report.joining import join_directories
from conformance.report.results import read_run
from conformance.report.trends import history_trends
from conformance.report.write import write_reports

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the four actions."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    page = actions.add_parser("html", help="write the pages of a run again (also of a killed one)")
    page.add_argument("run_dir", nargs="?", default="reports/latest", type=Path, metavar="DIR")
    page.add_argument(
        "--history", type=Path, metavar="HISTORY", help="show trends over the nights of this folder"
    )
    badge = actions.add_parser("badge", help="print the badge of a run (shields endpoint JSON)")
    badge.add_argument("run_dir", nargs="?", default="reports/latest", type=Path, metavar="DIR")
    compare = actions.add_parser(
        "diff", help="what changed from run A to run B; exit 1: regression"
    )
    compare.add_argument("before", type=Path, metavar="A")
    compare.add_argument("after", type=Path, metavar="B")
    join = actions.add_parser("merge", help="several runs (shards, machines) as one")
    join.add_argument("runs", nargs="+", type=Path, metavar="DIR")
    join.add_argument("--into", required=True, type=Path, metavar="DIR", help="the merged run")
    join.add_argument("--partial", action="store_true", help="take interrupted and missing parts")


def run(arguments: argparse.Namespace) -> int:
    """Carry out one action."""
    match arguments.action:
        case "html":
            past = history_trends(arguments.history) if arguments.history else None
            paths = write_reports(_existing(arguments.run_dir), past)
            print("\n".join(map(str, paths)))
            return 0
        case "badge":
            print(render_badge(read_run(arguments.run_dir)))
            return 0
        case "diff":
            found = diff(read_run(arguments.before), read_run(arguments.after))
            print(found.markdown())
            return ExitCode.FAILURE if found.regression else ExitCode.CONFORMS
        case _:
            return _merge(arguments.runs, arguments.into, arguments.partial)


def _existing(folder: Path) -> Path:
    if not folder.is_dir():
        raise ConfigurationError(
            "there is no run here", where=str(folder), instead="name a run directory"
        )
    return folder


def _merge(folders: list[Path], into: Path, partial: bool) -> int:
    join_directories(folders, into, partial=partial)
    print("\n".join(map(str, write_reports(into))))
    return 0
