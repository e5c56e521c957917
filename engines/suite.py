"""The suite's side: a targets file, one run over one engine, what came of it."""

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

from engines.definition import FOLDER, Engine

__all__ = ["KEY_VARIABLE", "REFERENCE", "outcome", "run_suite", "target_entry", "write_targets"]

REFERENCE = "reference"
#: Profiles of engines as they are started here.
SCHEMAS = FOLDER / "schemas"
#: Exit codes of a run that worked. 1: failures of an engine are findings. 4: so is a MUST that could
#: not be decided. What is left is a mistake in a file (2), no answer or our own fault (3), Ctrl-C.
WORKED = frozenset({0, 1, 4})
#: Seconds an interrupted suite gets for its report.
LAST_WORDS = 30.0
#: Where the suite finds the key that was made for an engine.
KEY_VARIABLE = "CONFORMANCE_ENGINE_SECRET"


def target_entry(engine: Engine, *, base_url: str, model: str) -> dict[str, Any]:
    """The entry of ``engine`` in the targets file."""
    key = {"api_key_env": KEY_VARIABLE} if engine.has_key else {}
    entry = {"base_url": base_url, "model": model, "profile": engine.profile}
    return {**entry, **key, **engine.target}


def write_targets(path: Path, entries: Mapping[str, Mapping[str, Any]]) -> None:
    """Write a targets file with ``entries``."""
    text = yaml.safe_dump({"targets": dict(entries)}, sort_keys=False)
    path.write_text(f"# Written by `python -m engines`.\n{text}", encoding="utf-8")


def run_suite(
    targets: Path, name: str, report: Path, extra: Sequence[str], *, key: str = ""
) -> int:
    """Judge ``name`` of the file ``targets`` into ``report``; returns the suite's exit code.

    The suite leads a session of its own, so that an interrupt of ours reaches it exactly once: from
    here. It may then finish its report before the interrupt goes on.
    """
    command = [sys.executable, "-m", "conformance", "run", "--targets-file", str(targets)]
    command += ["--target", name, "--schemas-dir", str(SCHEMAS)]
    command += ["--report-dir", str(report), "--fail-on", "never", *extra]
    environment = {**suite_environment(), **({KEY_VARIABLE: key} if key else {})}
    with subprocess.Popen(command, env=environment, start_new_session=True) as suite:
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


def outcome(report: Path, name: str, code: int) -> tuple[str, bool]:
    """A line about ``name`` in the run in ``report``, and whether the run itself worked.

    It worked when the suite came to its end with the target answering to the last.
    """
    try:
        last = (report / "results.jsonl").read_text(encoding="utf-8").splitlines()[-1]
        totals = json.loads(last)["targets"].get(name)
    except (OSError, IndexError, ValueError, KeyError):
        return f"{name}: the run left no footer (exit code {code})", False
    if totals is None:
        return f"{name}: missing from the run", False
    return _line(name, totals), code in WORKED and totals["ended"] == "complete"


def _line(name: str, totals: Mapping[str, Any]) -> str:
    counts = ", ".join(f"{number} {verdict}" for verdict, number in totals["counts"].items())
    tokens = f"{totals['prompt_tokens']} prompt + {totals['completion_tokens']} completion tokens"
    cost = f"{totals['requests']} requests, {tokens}, {totals['seconds']:.1f} s"
    return f"{name}: {totals['ended']}; {counts}; {cost}"
