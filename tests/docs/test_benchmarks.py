"""The scripts of ``benchmarks/`` start as their page says."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from .pages import ROOT

PAGE = (ROOT / "benchmarks" / "README.md").read_text(encoding="utf-8")
SCRIPTS = re.findall(r"^\| `(\w+\.py)` \|", PAGE, flags=re.MULTILINE)


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_starts(script: str) -> None:
    """Run by its path, a script finds all modules, and no neighbour of it hides one."""
    command = [sys.executable, ROOT / "benchmarks" / script, "--help"]

    done = subprocess.run(command, capture_output=True, text=True, timeout=60)

    assert 0 == done.returncode, done.stderr
    assert done.stdout.startswith("usage:")
