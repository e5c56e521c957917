"""The installed engines: the model is the same each time, and one short run works.

They take minutes. They run when CONFORMANCE_ENGINES_WORK names the folder in which `python -m
engines` installed the engines (build/engines); elsewhere they are skipped.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.reference.corpus import SENTENCES
from engines.definition import available, load_engine
from engines.environment import environment_folder

ROOT = Path(__file__).parents[2]
WORK = os.environ.get("CONFORMANCE_ENGINES_WORK")


def python_of(name: str) -> Path:
    if not WORK:
        pytest.skip("NO REAL ENGINE IS TESTED: CONFORMANCE_ENGINES_WORK names no folder")
    folder = environment_folder(load_engine(name), Path(WORK).resolve() / "environments")
    if not (folder / "installed").is_file():
        pytest.skip(f"{name} IS NOT TESTED: no environment {folder}; run `tox run -e engines`")
    return folder / "bin" / "python"


@pytest.mark.parametrize("name", [each for each in available() if load_engine(each).needs_model])
def test_the_model_is_the_same_each_time(tmp_path: Path, name: str) -> None:
    """Two runs of the script give the same revision, which is a digest of all files."""
    python = python_of(name)
    corpus = tmp_path / "corpus.txt"
    corpus.write_text("\n".join(SENTENCES), encoding="utf-8")
    script = ROOT / "engines" / "tiny_model.py"

    folders = [
        subprocess.run(
            [python, script, "--corpus", corpus, "--hub", tmp_path / hub],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.strip()
        for hub in ("one", "two")
    ]

    assert Path(folders[0]).name == Path(folders[1]).name
    assert (Path(folders[0]) / "model.safetensors").is_file()


@pytest.mark.parametrize("name", available())
def test_a_short_run_against_the_engine_works(tmp_path: Path, name: str) -> None:
    """The command starts the engine, judges it beside the reference, stops it, names the page."""
    python_of(name)
    command = [sys.executable, "-m", "engines", "--engine", name, "--work", str(WORK)]
    command += ["--report-dir", str(tmp_path / "report"), "--depth", "quick", "-k", "shape.object"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert 0 == done.returncode, done.stdout + done.stderr
    assert f"page: {tmp_path / 'report' / 'all' / 'matrix.html'}" in done.stdout
    assert (tmp_path / "report" / "all" / "matrix.html").is_file()
