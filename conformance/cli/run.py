"""``conformance run``: judge targets and write a report."""

from __future__ import annotations

import argparse
import shutil
import sys

from conformance.cli.progress import ProgressLine
from conformance.cli.selecting import matcher
from conformance.errors import ExitCode
from conformance.options import RunOptions, add_arguments
from conformance.planning import exit_code_of, plan_run, split_items
from conformance.report.closing import terminal_text
from conformance.report.results import update_latest
from conformance.report.write import write_reports
from conformance.session import Session, new_run_directory

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of a run."""
    parser.add_argument(
        "-k",
        dest="keyword",
        metavar="EXPRESSION",
        default="",
        help="only requirements whose id matches, as pytest's -k: words with and, or, not",
    )
    add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Judge, write the reports, print the summary; returns the exit code of the run."""
    options = RunOptions.from_namespace(arguments)
    plans = plan_run(options)
    wanted = matcher(arguments.keyword)
    folder = new_run_directory(options.report_dir)
    progress = ProgressLine(sys.stderr)
    session = Session(plans, folder, options=options.describe(), listen=progress.event)
    interrupted = False
    try:
        for plan in plans:
            chosen = split_items(plan, session, lambda item: wanted(item.name))
            session.start(plan, chosen)
        session.wait()
    except KeyboardInterrupt:
        interrupted = True
    progress.done()
    session.settle()
    code = exit_code_of(session.lines, session.lost, plans, options)
    if interrupted:
        code = ExitCode.INTERRUPTED
    session.close(code)
    write_reports(folder)
    if options.report_dir is None:
        update_latest(folder)
    size = shutil.get_terminal_size((100, 40))
    tty = sys.stdout.isatty()
    print(terminal_text(folder, width=size.columns, height=size.lines, colour=tty))
    for name, totals in session.totals.items():
        if totals.trouble:
            print(f"conformance: {name}: {totals.trouble}", file=sys.stderr)
    return code
