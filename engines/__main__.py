"""``python -m engines``: install, make the model, start, judge, stop, say where the page is.

Exit codes: 0 the run worked, whatever the engines' verdicts are · 2 a mistake in a file or option ·
3 an engine could not be started, or the run did not come to its end · 130 Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from conformance.errors import ConformanceError, ExitCode
from conformance.reference.corpus import SENTENCES
from engines.definition import Engine, available, load_engine
from engines.environment import Unavailable, ensure_environment
from engines.suite import REFERENCE, outcome, run_suite, target_entry, write_targets
from engines.supervisor import HOST, EngineFailed, Supervisor, free_port

__all__ = ["main"]

SCRIPT = Path(__file__).with_name("tiny_model.py")
MODEL = "conformance/tiny-llama"


@dataclass(frozen=True)
class Installed:
    """An engine that can be started: its executables, its folder, its model."""

    engine: Engine
    executables: Path
    work: Path
    model_folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """Its variables: no key of ours, and a hub cache of its own that is never refreshed."""
        inherited = {k: v for k, v in os.environ.items() if not k.endswith(("_API_KEY", "_TOKEN"))}
        return inherited | {
            "HF_HOME": str(self.work / "hf"),
            "HF_HUB_OFFLINE": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "TRANSFORMERS_OFFLINE": "1",
            "PYTHONUNBUFFERED": "1",
            **{name: self.fill(text, 0) for name, text in self.engine.environment.items()},
        }

    def fill(self, text: str, port: int) -> str:
        """``text`` with the words in braces replaced."""
        return text.format(
            bin=self.executables,
            model=MODEL,
            model_dir=self.model_folder,
            host=HOST,
            port=port,
            work=self.work,
        )

    def supervisor(self, port: int) -> Supervisor:
        """The engine on ``port``, not yet started."""
        return Supervisor(
            [self.fill(text, port) for text in self.engine.command],
            port=port,
            health_path=self.engine.health,
            log=self.work / "server.log",
            environment=self.environment,
            folder=self.work,
            ready_seconds=self.engine.ready_seconds,
        )


def install(engine: Engine, root: Path) -> Installed:
    """Environment and model of ``engine``, both taken up again when they are there.

    Raises:
        Unavailable: with the reason.
    """
    executables = ensure_environment(engine, root / "environments")
    work = root / engine.name
    work.mkdir(parents=True, exist_ok=True)
    (work / "server.log").unlink(missing_ok=True)
    corpus = work / "corpus.txt"
    corpus.write_text("\n".join(SENTENCES) + "\n", encoding="utf-8")
    words = (executables / "python", SCRIPT, "--corpus", corpus, "--hub", work / "hf" / "hub")
    made = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False
    )
    if made.returncode:
        raise Unavailable(f"the model could not be made: {made.stderr.strip()[-500:]}")
    return Installed(engine, executables, work, Path(made.stdout.strip()))


def judge(installed: Sequence[Installed], root: Path, report: Path, extra: Sequence[str]) -> int:
    """Start every engine, judge them beside the reference, stop them; returns an exit code."""
    names = [*(each.engine.name for each in installed), REFERENCE]
    supervisors: dict[str, Supervisor] = {}
    with ExitStack() as stack:
        entries = {}
        for each in installed:
            port = free_port()
            began = time.monotonic()
            supervisors[each.engine.name] = stack.enter_context(each.supervisor(port))
            entries[each.engine.name] = target_entry(each.engine, port=port, model=MODEL)
            say(f"{each.engine.name}: ready on port {port} in {time.monotonic() - began:.1f} s")
        write_targets(root / "targets.yaml", entries)
        code = run_suite(root / "targets.yaml", names, report, extra)
    lines, worked = outcome(report, names, code)
    for line in lines:
        say(line)
    for each in installed:
        supervisor = supervisors[each.engine.name]
        log = report / "engines" / f"{each.engine.name}.log"
        log.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(supervisor.log, log)
        say(f"{each.engine.name}: restarted {len(supervisor.restarts)} times; log: {log}")
        for restart in supervisor.restarts:
            say(f"  {restart}")
        if supervisor.given_up:
            say(f"  {supervisor.given_up}")
    say(f"page: {(report / 'matrix.html').resolve()}")
    if code == ExitCode.CONFIGURATION:
        return code
    return ExitCode.CONFORMS if worked else ExitCode.UNREACHABLE


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
    parser.add_argument("--report-dir", type=Path, help="default: reports/engines, made anew")
    return parser.parse_known_args(argv)


def main(argv: Sequence[str] | None = None) -> int:
    """Do all of it; returns the exit code."""
    given, extra = parse(argv)
    for number in (signal.SIGINT, signal.SIGTERM):  # a shell's `&` would have SIGINT ignored
        signal.signal(number, _interrupt)
    root, report = given.work.resolve(), given.report_dir
    if report is None:
        report = Path("reports/engines")
        shutil.rmtree(report, ignore_errors=True)
    installed, missing = [], []
    try:
        for engine in [load_engine(name) for name in given.engine or available()]:
            say(f"{engine.name}: installing {len(engine.requirements)} pinned packages")
            try:
                installed.append(install(engine, root))
            except Unavailable as reason:
                missing.append(f"{engine.name}: NOT JUDGED: {reason}")
        code = judge(installed, root, report, extra) if installed else int(ExitCode.UNREACHABLE)
    except ConformanceError as error:
        say(str(error))
        return error.exit_code
    except EngineFailed as error:
        say(f"an engine did not start: {error}")
        code = ExitCode.UNREACHABLE
    except KeyboardInterrupt:
        say("interrupted; the engines are stopped")
        return ExitCode.INTERRUPTED
    for line in missing:
        say(line)
    return code


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    raise SystemExit(main())
