"""The suite's side: a targets file, one run over all engines and the reference, what came of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from engines.definition import Engine

__all__ = ["REFERENCE", "outcome", "run_suite", "target_entry", "write_targets"]

REFERENCE = "reference"
#: Exit codes of a run that worked. 1: failures of an engine are findings. 4: so is a MUST that could
#: not be decided. What is left is a mistake in a file (2), no answer or our own fault (3), Ctrl-C.
WORKED = frozenset({0, 1, 4})
#: Seconds an interrupted suite gets for its report.
LAST_WORDS = 30.0


def target_entry(engine: Engine, *, port: int, model: str) -> dict[str, Any]:
    """The entry of ``engine`` in the targets file."""
    return {
        "base_url": f"http://127.0.0.1:{port}{engine.base_path}",
        "model": model,
        "profile": engine.profile,
        **engine.target,
    }


def write_targets(path: Path, entries: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a targets file with ``entries`` and the reference server."""
    targets = {**entries, REFERENCE: {"kind": "reference", "profile": "deeptrin"}}
    text = yaml.safe_dump({"targets": targets}, sort_keys=False)
    path.write_text(f"# Written by `python -m engines`.\n{text}", encoding="utf-8")


def run_suite(targets: Path, names: Sequence[str], report: Path, extra: Sequence[str]) -> int:
    """Judge ``names`` of the file ``targets`` into ``report``; returns the suite's exit code.

    The suite leads a session of its own, so that an interrupt of ours reaches it exactly once: from
    here. It may then finish its report before the interrupt goes on.
    """
    command = [sys.executable, "-m", "conformance", "run", "--targets-file", str(targets)]
    for name in names:
        command += ["--target", name]
    command += ["--report-dir", str(report), "--fail-on", "never", *extra]
    with subprocess.Popen(command, env=suite_environment(), start_new_session=True) as suite:
        try:
            return suite.wait()
        except BaseException:
            suite.send_signal(signal.SIGINT)
            try:
                suite.wait(LAST_WORDS)
            except subprocess.TimeoutExpired:
                suite.kill()
            raise


def suite_environment() -> dict[str, str]:
    """Our environment without API keys: an engine that was just started knows none."""
    return {name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")}


def outcome(report: Path, names: Sequence[str], code: int) -> tuple[list[str], bool]:
    """One line for each target of the run in ``report``, and whether the run itself worked.

    It worked when the suite came to its end with every target answering to the last.
    """
    try:
        last = (report / "results.jsonl").read_text(encoding="utf-8").splitlines()[-1]
        footer = json.loads(last)
        targets = footer["targets"]
    except (OSError, IndexError, ValueError, KeyError):
        return [f"the run left no footer (exit code {code})"], False
    lines, worked = [], code in WORKED
    for name in names:
        totals = targets.get(name)
        if totals is None:
            lines.append(f"{name}: missing from the run")
            worked = False
            continue
        lines.append(_line(name, totals))
        worked = worked and totals["ended"] == "complete"
    return lines, worked


def _line(name: str, totals: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{number} {verdict}" for verdict, number in totals["counts"].items())
    tokens = f"{totals['prompt_tokens']} prompt + {totals['completion_tokens']} completion tokens"
    cost = f"{totals['requests']} requests, {tokens}, {totals['seconds']:.1f} s"
    return f"{name}: {totals['ended']}; {counts}; {cost}"
