"""An environment of its own for each SDK version, pinned in the files of this folder.

``python/VERSION.txt`` are pip's requirements, ``node/VERSION/`` holds npm's package files. What
cannot be installed is listed with the reason: it is untestable, not an error.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

__all__ = ["HERE", "install", "versions"]

HERE = Path(__file__).parent
#: Written last: an environment without it was interrupted and is made again.
DONE = "installed"

Entry = dict[str, Any]


def versions() -> Iterator[tuple[str, str, list[Path]]]:
    """Language, version and pin files of every SDK, from old to new."""
    for pins in sorted((HERE / "python").glob("*.txt"), key=lambda path: _number(path.stem)):
        yield "python", pins.stem, [pins]
    for folder in sorted((HERE / "node").glob("*.*.*/"), key=lambda path: _number(path.name)):
        yield "node", folder.name, [folder / "package.json", folder / "package-lock.json"]


def _number(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))


def install(work: Path) -> list[Entry]:
    """Make what is not there yet below ``work``; write and return the manifest's entries."""
    work.mkdir(parents=True, exist_ok=True)
    entries = [_entry(work, language, version, pins) for language, version, pins in versions()]
    text = json.dumps({"clients": entries}, indent=1)
    (work / "clients.json").write_text(text + "\n", encoding="utf-8")
    return entries


def _entry(work: Path, language: str, version: str, pins: Sequence[Path]) -> Entry:
    entry: Entry = {"language": language, "version": version, "missing": None}
    folder = work / f"{language}-{version}-{_digest(language, pins)}"
    make = _python if language == "python" else _node
    try:
        return entry | make(folder, pins)
    except _MissingError as reason:
        return entry | {"missing": str(reason)}


class _MissingError(Exception):
    """Why an environment cannot be had here."""


def _digest(language: str, pins: Sequence[Path]) -> str:
    runtime = sys.version if language == "python" else ""
    parts = b"".join(path.read_bytes() for path in pins) + runtime.encode()
    return hashlib.blake2b(parts, digest_size=6).hexdigest()


def _python(folder: Path, pins: Sequence[Path]) -> Entry:
    python = folder / ("Scripts" if os.name == "nt" else "bin") / "python"
    if not (folder / DONE).is_file():
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        quiet = ["-q", "--disable-pip-version-check"]
        _run([str(python), "-m", "pip", "install", *quiet, "-r", str(pins[0])], folder)
        (folder / DONE).touch()
    interpreter = [str(python), "-I"]
    return {
        "command": [*interpreter, str(HERE / "python" / "driver.py")],
        "interpreter": interpreter,
    }


def _node(folder: Path, pins: Sequence[Path]) -> Entry:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise _MissingError("Node and npm are not installed here")
    if not (folder / DONE).is_file():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        for path in pins:
            shutil.copyfile(path, folder / path.name)
        _run([npm, "ci", "--no-audit", "--no-fund", "--ignore-scripts"], folder)
        (folder / DONE).touch()
    return {"command": [node, str(HERE / "node" / "driver.mjs"), str(folder)]}


def _run(command: Sequence[str], folder: Path) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    if done.returncode:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()]
        last = (lines or done.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise _MissingError(f"{Path(command[0]).name} could not install it: {last.strip()[:200]}")
