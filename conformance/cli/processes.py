"""Targets side by side, each judged by a process of its own that cannot spoil the others.

A process is given a time, then it is interrupted, then killed; what it wrote until then is kept.
"""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from conformance.errors import ExitCode
from conformance.targets import Target

__all__ = ["Outcome", "side_by_side"]

#: Seconds beyond a target's own limit: to start, to shrink, to write the report.
MARGIN = 120.0
#: Seconds between the interrupt and the kill.
GRACE = 20.0


@dataclass(frozen=True)
class Outcome:
    """How one target's process ended."""

    target: str
    folder: Path
    code: int
    word: str


def side_by_side(
    targets: Sequence[Target], options: Sequence[str], folder: Path, jobs: int
) -> list[Outcome]:
    """Judge ``targets``, at most ``jobs`` at a time, each into a folder of its own below ``folder``."""
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


def _last_line(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1][:200] if lines else "it said nothing"
