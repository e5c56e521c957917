"""``conformance nightly``: every target side by side, each in a process of its own, and a history.

One target that fails, hangs or cannot be reached never spoils the others.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from conformance.cli.processes import Outcome, side_by_side
from conformance.cli.tables import table
from conformance.errors import ConfigurationError, ConformanceError
from conformance.options import OPTIONS, RunOptions, add_arguments
from conformance.planning import plan_run
from conformance.report.atomic import replace_text
from conformance.report.history import night_of, retain, write_night
from conformance.report.joining import join_directories
from conformance.report.merge import combine_exit_codes
from conformance.report.results import update_latest
from conformance.report.text import plural
from conformance.report.trends import Trends, history_trends
from conformance.report.write import write_reports
from conformance.rundir import new_run_directory
from conformance.targets import Target, load_targets
from conformance.targets.model import Kind
from conformance.targets.urls import is_loopback

__all__ = ["chosen_targets", "configure", "run"]

#: Options of a run that a night decides itself, target by target.
_OWN = frozenset(
    {"targets", "report_dir", "base_url", "model", "api_key_env", "profile", "resume", "shard"}
)


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of a run and those of a history."""
    parser.add_argument(
        "--history", type=Path, default=Path("reports/history"), metavar="DIR",
        help="where the nights are kept (default: reports/history)",
    )  # fmt: skip
    parser.add_argument(
        "--keep", type=int, default=30, metavar="N",
        help="nights kept with their evidence; of older ones only what trends need (default: 30)",
    )  # fmt: skip
    parser.add_argument(
        "--keep-trends", type=int, default=400, metavar="N",
        help="nights that trends look back on (default: 400)",
    )  # fmt: skip
    parser.add_argument(
        "--jobs", type=int, default=4, metavar="N", help="targets at the same time (default: 4)"
    )
    parser.add_argument(
        "-k", dest="keyword", metavar="EXPRESSION", default="", help="as `conformance run -k`"
    )
    add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Judge every target, add the night to the history, build its page; the worst exit code."""
    options = RunOptions.from_namespace(arguments)
    for name in ("keep", "keep_trends", "jobs"):
        if getattr(arguments, name) < 1:
            where = "--" + name.replace("_", "-")
            raise ConfigurationError("less than one", where=where, instead="write a number from 1")
    targets = chosen_targets(options)
    folder = new_run_directory(None, arguments.history)
    folder.mkdir(parents=True)
    passed = [*_passed_on(options), "-k", arguments.keyword]
    outcomes = side_by_side(targets, passed, folder / "runs", arguments.jobs)
    kept = [each for each in outcomes if (each.folder / "results.jsonl").exists()]
    if kept:
        _finish(kept, folder, arguments)
    print(table([("target", "exit", ""), *((o.target, str(o.code), o.word) for o in outcomes)]))
    if not kept:
        shutil.rmtree(folder)
        raise ConformanceError("no target left a result; nothing was added to the history")
    print(f"Report: {folder / 'matrix.html'}")
    return combine_exit_codes(each.code for each in outcomes)


# Which targets


def chosen_targets(options: RunOptions) -> list[Target]:
    """Those named, or every one that is there to be judged. Raises ``ConfigurationError``."""
    if options.base_url is not None or options.resume is not None or options.shard is not None:
        raise ConfigurationError(
            "a night looks at targets of the targets file",
            where="nightly",
            instead="describe the endpoint in targets.yaml",
        )
    known = load_targets(options.targets_file)
    names = options.targets
    if not names:
        absent = {name: why for name, each in known.items() if (why := _absent(each))}
        for name, why in absent.items():
            print(f"{name}: left out, {why}", file=sys.stderr)
        names = tuple(name for name in known if name not in absent)
    # A mistake is told once and at once, not by every process.
    return [plan.target for plan in plan_run(replace(options, targets=names))]


def _absent(target: Target) -> str:
    """Why nobody can mean this target tonight: its key is not set; or it is a server of this
    machine that needs none, and is not started. "" for one that is to be judged.
    """
    if target.kind is not Kind.HTTP or target.key(os.environ) is not None:
        return ""
    if target.api_key_env is None and is_loopback(target.base_url):
        return "" if _listening(target.base_url) else f"nothing listens at {target.base_url}"
    return f"${target.key_variable} is not set" if target.key_variable else ""


def _listening(base_url: str) -> bool:
    parts = urlsplit(base_url)
    port = parts.port or (443 if parts.scheme == "https" else 80)
    try:
        with socket.create_connection((parts.hostname or "localhost", port), timeout=5):
            return True
    except OSError:
        return False


def _passed_on(options: RunOptions) -> Iterator[str]:
    """The options of the command line as each process gets them."""
    given = options.describe()
    for option in OPTIONS:
        value = given[option.field]
        if option.field in _OWN or value is None or value is False:
            continue
        for each in value if isinstance(value, list) else [value]:
            yield option.long_name if option.switch else f"{option.long_name}={each}"


# The history


def _finish(kept: Sequence[Outcome], folder: Path, arguments: argparse.Namespace) -> None:
    """Merge the night, add it to the history, write its page and the page of the history."""
    history: Path = arguments.history
    merged = join_directories([each.folder for each in kept], folder, partial=True, close=True)
    for each in kept:  # what is merged is not kept twice; the logs stay
        (folder / f"{each.folder.name}.log").write_bytes((each.folder / "log.txt").read_bytes())
    shutil.rmtree(folder / "runs")
    write_night(folder, night_of(merged))
    retain(history, whole=arguments.keep, summaries=arguments.keep_trends)
    past: Trends = history_trends(history)
    write_reports(folder, past)
    replace_text(history / "index.html", (folder / "matrix.html").read_text(encoding="utf-8"))
    update_latest(folder)
    for sentence in _news(past):
        print(sentence)


def _news(past: Trends) -> Iterator[str]:
    """What is new since the run before."""
    yield f"{datetime.now(UTC):%Y-%m-%d}: {plural(len(past.nights), 'run')} in the history"
    for word, cells in (("regressed", past.regressed), ("fixed", past.fixed)):
        for cell in cells[:20]:
            yield f"{word}: {cell.key} ({cell.verdict})"
        if len(cells) > 20:
            yield f"{word}: {len(cells) - 20} more"
    yield from past.notes
