"""``conformance run``: judge targets and write a report."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence

from conformance.cli.selecting import Match, matcher
from conformance.engine.assembly import TargetPlan
from conformance.errors import ExitCode
from conformance.options import RunOptions, add_arguments
from conformance.planning import exit_code_of, open_session, plan_run, reason_of, split_items
from conformance.progress import ProgressLine
from conformance.report.closing import terminal_text
from conformance.report.results import update_latest
from conformance.report.write import write_reports
from conformance.resuming import join_parts, resumed_options, selection_of
from conformance.rundir import new_run_directory
from conformance.session import Session

__all__ = ["configure", "run"]


EPILOG = """\
examples:
  conformance run                                       the embedded reference server
  conformance run --target local --depth quick          a target of ./targets.yaml
  conformance run --base-url http://localhost:8000/v1 --model MODEL -k "stop or stream"
  conformance run --resume reports/latest               go on from an interrupted run

exit codes:
  0    the target conforms
  1    a promise is broken, or a declared deviation is stale or expired
  2    a mistake in the configuration
  3    the target was not reached, or the suite itself failed
  4    nothing was decided, or a MUST stayed undecided that is not listed under `undecided:`
  130  interrupted
"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of a run."""
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = EPILOG
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
    keyword = arguments.keyword
    if options.resume is not None:
        keyword = keyword or selection_of(options.resume)
        options = resumed_options(options)
    wanted = matcher(keyword)
    plans = plan_run(options)
    folder = new_run_directory(options.report_dir)
    progress = ProgressLine(sys.stderr)
    session = open_session(
        plans, options, folder, describe={"keyword": keyword}, listen=progress.event
    )
    interrupted = _judge(session, plans, wanted)
    progress.done()
    code = exit_code_of(session.lines, session.lost, plans, options)
    if interrupted:
        code = ExitCode.INTERRUPTED
    session.close(code)
    if options.resume is not None:
        join_parts(folder, code)
    write_reports(folder)
    if options.report_dir is None:
        update_latest(folder)
    size = shutil.get_terminal_size((100, 40))
    tty = sys.stdout.isatty()
    print(terminal_text(folder, width=size.columns, height=size.lines, colour=tty))
    for sentence in (*session.troubles, reason_of(code, session.lines, plans)):
        if sentence:
            print(f"conformance: {sentence}", file=sys.stderr)
    return code


def _judge(session: Session, plans: Sequence[TargetPlan], wanted: Match) -> bool:
    """Judge everything; whether Ctrl-C ended it early."""
    try:
        for plan in plans:
            session.start(plan, split_items(plan, session, lambda item: wanted(item.name)))
        session.wait()
        session.settle()
    except KeyboardInterrupt:
        session.cancel()
        session.settle()
        return True
    return False
