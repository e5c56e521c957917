"""``conformance nightly``: every target side by side, each in a process of its own, and a history.

One target that fails, hangs or cannot be reached never spoils the others: its process is given a
time, then it is interrupted, then killed, and what it wrote until then is kept.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from conformance.cli.tables import table
from conformance.errors import ConfigurationError, ConformanceError, ExitCode
from conformance.options import OPTIONS, RunOptions, add_arguments
from conformance.planning import plan_run
from conformance.report.atomic import replace_text
from conformance.report.history import night_of, retain, write_night
from conformance.report.joining import join_directories
from conformance.report.merge import combine_exit_codes
from conformance.report.results import update_latest
from conformance.report.trends import Trends, history_trends
from conformance.report.write import write_reports
from conformance.rundir import new_run_directory
from conformance.targets import Target, load_targets
from conformance.targets.model import Kind

__all__ = ["configure", "run"]

#: Seconds beyond a target's own limit: to start, to shrink, to write the report.
MARGIN = 120.0
#: Seconds between the interrupt and the kill.
GRACE = 20.0
#: Options of a run that a night decides itself, target by target.
_OWN = frozenset(
    {"targets", "report_dir", "base_url", "model", "api_key_env", "profile", "resume", "shard"}
)


@dataclass(frozen=True)
class Outcome:
    """How one target's process ended."""

    target: str
    folder: Path
    code: int
    word: str


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
    targets = _targets(options)
    folder = new_run_directory(None, arguments.history)
    folder.mkdir(parents=True)
    passed = [*_passed_on(options), "-k", arguments.keyword]
    outcomes = _side_by_side(targets, passed, folder / "runs", arguments.jobs)
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


def _targets(options: RunOptions) -> list[Target]:
    """Those named, or every one whose key is there. Raises ``ConfigurationError``."""
    if options.base_url is not None or options.resume is not None or options.shard is not None:
        raise ConfigurationError(
            "a night looks at targets of the targets file",
            where="nightly",
            instead="describe the endpoint in targets.yaml",
        )
    known = load_targets(options.targets_file)
    names = options.targets
    if not names:
        absent = {name: each for name, each in known.items() if not _key_present(each)}
        for name, each in absent.items():
            print(f"{name}: left out, ${each.key_variable} is not set", file=sys.stderr)
        names = tuple(name for name in known if name not in absent)
    # A mistake is told once and at once, not by every process.
    return [plan.target for plan in plan_run(replace(options, targets=names))]


def _key_present(target: Target) -> bool:
    if target.kind is not Kind.HTTP or target.key_variable is None:
        return True
    return target.key(os.environ) is not None


# Side by side


def _side_by_side(
    targets: Sequence[Target], options: Sequence[str], folder: Path, jobs: int
) -> list[Outcome]:
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        runs = [pool.submit(_one, target, options, folder) for target in targets]
        return [each.result() for each in runs]


def _one(target: Target, options: Sequence[str], folder: Path) -> Outcome:
    mine = folder / "".join(c if c.isalnum() or c in "-_." else "_" for c in target.name)
    mine.mkdir(parents=True)
    command = [sys.executable, "-m", "conformance", "run", "--target", target.name]
    command += ["--report-dir", str(mine), *options]
    seconds = target.limits.max_seconds + MARGIN
    with (mine / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        word = _wait(process, seconds)
    code = process.returncode
    if word:
        code = ExitCode.UNREACHABLE
    elif not (mine / "results.jsonl").exists():
        word = _last_line(mine / "log.txt")
    return Outcome(target.name, mine, code if code >= 0 else int(ExitCode.UNREACHABLE), word)


def _wait(process: subprocess.Popen[bytes], seconds: float) -> str:
    """Wait for the end; empty, or how it had to be brought about."""
    try:
        process.wait(seconds)
        return "" if process.returncode >= 0 else f"killed by signal {-process.returncode}"
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
    with suppress(subprocess.TimeoutExpired):
        process.wait(GRACE)
        return f"interrupted after {seconds:.0f} s"
    process.kill()
    process.wait()
    return f"killed after {seconds + GRACE:.0f} s"


def _passed_on(options: RunOptions) -> Iterator[str]:
    """The options of the command line as each process gets them."""
    given = options.describe()
    for option in OPTIONS:
        value = given[option.field]
        if option.field in _OWN or value is None or value is False:
            continue
        for each in value if isinstance(value, list) else [value]:
            yield option.long_name if option.switch else f"{option.long_name}={each}"


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "it said nothing"


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
    yield f"{datetime.now(UTC):%Y-%m-%d}: {len(past.nights)} runs in the history"
    for word, cells in (("regressed", past.regressed), ("fixed", past.fixed)):
        for cell in cells[:20]:
            yield f"{word}: {cell.key} ({cell.verdict})"
        if len(cells) > 20:
            yield f"{word}: {len(cells) - 20} more"
    yield from past.notes
