"""An environment for each set of pins: what one engine pins never meets another's.

The folder's name carries a digest of the requirements, so that a changed pin makes a new
environment, an unchanged one is taken up again in no time, and two engines that are one package
share it.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

from engines.definition import FOLDER, Engine

__all__ = ["Unavailable", "ensure_environment", "environment_folder"]

#: Written last: an environment without it was interrupted and is made again.
_DONE = "installed"


class Unavailable(Exception):
    """An engine that cannot be had on this machine; the message is the reason."""


def environment_folder(engine: Engine, root: Path, tools: Path = FOLDER) -> Path:
    """Where the environment of ``engine`` is, whether made yet or not."""
    pins = [sys.version, *engine.requirements, "alone", *engine.alone]
    if engine.constraints:
        pins.append((tools / engine.constraints).read_text(encoding="utf-8"))
    package = engine.version.split("[")[0].split()[0]
    digest = hashlib.blake2b("\n".join(pins).encode(), digest_size=6).hexdigest()
    return root / f"{package}-{digest}"


def ensure_environment(engine: Engine, root: Path, tools: Path = FOLDER) -> Path:
    """The folder of executables of ``engine``'s environment, installed if it is not there yet.

    Raises:
        Unavailable: pip did not install the requirements.
    """
    folder = environment_folder(engine, root, tools)
    executables = folder / ("Scripts" if os.name == "nt" else "bin")
    if (folder / _DONE).is_file():
        return executables
    shutil.rmtree(folder, ignore_errors=True)
    venv.create(folder, with_pip=True)
    bounds = ["-c", str(tools / engine.constraints)] if engine.constraints else []
    pip = [str(executables / "python"), "-m", "pip", "install", "-q"]
    _install(engine.name, [*pip, *bounds, *engine.requirements])
    if engine.alone:
        _install(engine.name, [*pip, "--no-deps", *engine.alone])
    (folder / _DONE).touch()
    return executables


def _install(name: str, command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        lines = [each for each in done.stderr.splitlines() if each.startswith("ERROR")]
        reason = lines[-1] if lines else done.stderr.strip()[-300:] or "pip said nothing"
        raise Unavailable(f"pip could not install {name}: {reason}")
