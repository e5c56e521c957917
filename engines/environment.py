"""An environment of its own for each engine: what one engine pins never meets another's.

The folder's name carries a digest of the requirements, so that a changed pin makes a new
environment and an unchanged one is taken up again in no time.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from pathlib import Path

from engines.definition import Engine

__all__ = ["Unavailable", "ensure_environment", "environment_folder"]

#: Written last: an environment without it was interrupted and is made again.
_DONE = "installed"


class Unavailable(Exception):
    """An engine that cannot be had on this machine; the message is the reason."""


def environment_folder(engine: Engine, root: Path) -> Path:
    """Where the environment of ``engine`` is, whether made yet or not."""
    pins = "\n".join((sys.version, *engine.requirements))
    return root / f"{engine.name}-{hashlib.blake2b(pins.encode(), digest_size=6).hexdigest()}"


def ensure_environment(engine: Engine, root: Path) -> Path:
    """The folder of executables of ``engine``'s environment, installed if it is not there yet.

    Raises:
        Unavailable: pip did not install the requirements.
    """
    folder = environment_folder(engine, root)
    executables = folder / ("Scripts" if os.name == "nt" else "bin")
    if (folder / _DONE).is_file():
        return executables
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    _install(engine, executables / "python", folder)
    (folder / _DONE).touch()
    return executables


def _install(engine: Engine, python: Path, folder: Path) -> None:
    pins = folder / "requirements.txt"
    pins.write_text("\n".join(engine.requirements) + "\n", encoding="utf-8")
    command = [str(python), "-m", "pip", "install", "-q", "-r", str(pins)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["pip said nothing"]
        raise Unavailable(f"pip could not install {engine.name}: {lines[-1]}")
