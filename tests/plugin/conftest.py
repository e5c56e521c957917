"""pytest as a user runs it: a process of its own, in a folder of its own."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run_pytest(tmp_path):
    """Run pytest on the package; exit code and output."""

    def run(
        *arguments, where="conformance", report=True, cache=False, interrupt_when=None, cwd=tmp_path
    ):
        given = [where] if where else []
        given += ["--pyargs"] if where == "conformance" else []
        given += ["--report-dir", str(tmp_path / "run")] if report else []
        given += ["-o", f"cache_dir={tmp_path / 'cache'}"] if cache else ["-p", "no:cacheprovider"]
        command = [sys.executable, "-m", "pytest", "-rA", "-W", "error"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("PYTEST_")}
        process = subprocess.Popen(
            [*command, *given, *map(str, arguments)],
            cwd=cwd,
            env={**environment, "PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        if interrupt_when is not None:
            until = time.monotonic() + 90
            while process.poll() is None and not interrupt_when() and time.monotonic() < until:
                time.sleep(0.02)
            os.killpg(process.pid, signal.SIGINT)
        output, _ = process.communicate(timeout=180)
        return process.returncode, output

    return run
