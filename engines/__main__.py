"""``python -m engines``: for each engine install, start, judge, stop; then one page of all.

Exit codes: 0 the run worked, whatever the engines' verdicts are · 2 a mistake in a file or option ·
3 an engine could not be started, or the run did not come to its end · 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType

from conformance.errors import ConformanceError, ExitCode
from conformance.report.joining import join_directories
from conformance.report.write import write_reports
from engines.definition import Engine, available, load_engine
from engines.environment import Unavailable
from engines.installation import MODEL, Installed, install
from engines.page import publish
from engines.suite import REFERENCE, outcome, run_suite, target_entry, write_targets
from engines.supervisor import EngineFailed, Supervisor

__all__ = ["main"]


@dataclass
class Tour:
    """All engines in turn, and what came of it."""

    root: Path
    report: Path
    extra: Sequence[str]
    judged: list[str] = field(default_factory=list)
    missing: dict[str, str] = field(default_factory=dict)
    worked: bool = True

    def visit(self, engine: Engine) -> None:
        """Install ``engine``, judge it; one that cannot be had is noted with the reason."""
        say(f"{engine.name}: installing {engine.version}")
        began = time.monotonic()
        try:
            installed = install(engine, self.root)
            say(f"{engine.name}: installed in {time.monotonic() - began:.1f} s")
            self.judge(installed)
        except Unavailable as reason:
            self.missing[engine.name] = str(reason)
        except EngineFailed as error:
            self.missing[engine.name] = f"it did not start: {error}"
            self.worked = False
        if engine.name in self.missing:
            say(f"{engine.name}: NOT JUDGED: {self.missing[engine.name]}")

    def judge(self, installed: Installed) -> None:
        """Start the engine, judge it, stop it."""
        engine, began = installed.engine, time.monotonic()
        with installed.running() as supervisors:
            say(f"{engine.name}: ready in {time.monotonic() - began:.1f} s at {installed.base_url}")
            entry = target_entry(engine, base_url=installed.base_url, model=MODEL)
            self.run(engine.name, entry, installed.key if engine.has_key else "")
        for supervisor in supervisors:
            self.tell(engine.name, supervisor)

    def run(self, name: str, entry: dict[str, object], key: str = "") -> None:
        """One run of the suite over the target ``name``."""
        shutil.rmtree(self.report / name, ignore_errors=True)
        targets = self.root / f"{name}.yaml"
        write_targets(targets, {name: entry})
        code = run_suite(targets, name, self.report / name, self.extra, key=key)
        if code == ExitCode.CONFIGURATION:
            raise SystemExit(code)
        line, worked = outcome(self.report / name, name, code)
        say(line)
        self.worked = self.worked and worked
        self.judged.append(name)

    def tell(self, name: str, supervisor: Supervisor) -> None:
        """Keep the log, list the restarts."""
        kept = self.report / name / f"{supervisor.log.parent.name}.log"
        shutil.copyfile(supervisor.log, kept)
        say(f"{name}: restarted {len(supervisor.restarts)} times; log: {kept}")
        for restart in supervisor.restarts:
            say(f"  {restart}")
        if supervisor.given_up:
            say(f"  {supervisor.given_up}")

    def close(self, pages: Path | None) -> None:
        """The page of all that was ever judged here, and the Markdown pages if asked for."""
        names = [name for name in (*available(), REFERENCE) if (self.report / name).is_dir()]
        merged = self.report / "all"
        shutil.rmtree(merged, ignore_errors=True)
        folders = [self.report / name for name in names]
        join_directories(folders, merged, partial=True, close=True)
        write_reports(merged)
        say(f"page: {(merged / 'matrix.html').resolve()}")
        if pages:
            publish(folders, self.missing, pages)
            say(f"published: {pages}")


def say(text: str) -> None:
    """One line for the person at the terminal, at once."""
    sys.stdout.write(f"engines: {text}\n")
    sys.stdout.flush()


def parse(argv: Sequence[str] | None) -> tuple[argparse.Namespace, list[str]]:
    """Our options, and the ones that go on to ``conformance run``."""
    parser = argparse.ArgumentParser(
        prog="python -m engines",
        description="Judge real engines, installed and started here, beside the reference.",
        epilog="Further options go to `conformance run`, such as --depth quick or -k stop.",
    )
    parser.add_argument(
        "--engine", action="append", choices=available(), help="default: all; repeatable"
    )
    parser.add_argument("--work", type=Path, default=Path("build/engines"), help="environments")
    parser.add_argument(
        "--report-dir",
        type=Path,
        default=Path("reports/engines"),
        help="default: %(default)s; engines judged there before stay on the page of all",
    )
    parser.add_argument("--publish", type=Path, metavar="DIR", help="write the Markdown pages too")
    return parser.parse_known_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Do all of it; returns the exit code."""
    given, extra = parse(argv)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's `&` would have SIGINT ignored
        signal.signal(number, _interrupt)
    tour = Tour(given.work.resolve(), given.report_dir, extra)
    tour.root.mkdir(parents=True, exist_ok=True)
    try:
        for engine in [load_engine(name) for name in given.engine or available()]:
            tour.visit(engine)
        if not tour.judged:
            return ExitCode.UNREACHABLE
        tour.run(REFERENCE, {"kind": "reference", "profile": "deeptrin"})
        tour.close(given.publish)
    except ConformanceError as error:
        say(str(error))
        return error.exit_code
    except KeyboardInterrupt:
        say("interrupted; the engines are stopped")
        return ExitCode.INTERRUPTED
    return ExitCode.CONFORMS if tour.worked else ExitCode.UNREACHABLE


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    raise SystemExit(main())
