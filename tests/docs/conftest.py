"""A shell for the commands of the docs: their folder, their ports, their servers."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from .pages import DOCS, ROOT, Command, File, Page

#: Ports of the docs; each becomes a free one of this machine.
PORT = re.compile(r"\b80\d\d\b")
#: Programs that are run by this interpreter, whatever else is installed.
PROGRAMS = {
    "conformance": "-m conformance",
    "pytest": "-m pytest -p no:cacheprovider",
    "python": "",
}


class Shell:
    """Runs the commands of one page, one after the other."""

    def __init__(self, folder: Path, bin_folder: Path, page: Page) -> None:
        self.folder, self._servers = folder, list[subprocess.Popen[bytes]]()
        self._ports: dict[str, str] = {}
        keep = {k: v for k, v in os.environ.items() if not k.endswith("_API_KEY")}
        self.env = {
            **keep,
            "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "PYTHONDONTWRITEBYTECODE": "1",
            "COLUMNS": "240",
        }
        for name, arguments in PROGRAMS.items():
            program = bin_folder / name
            program.write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments} "$@"\n')
            program.chmod(0o755)
        if page.setting("folder") == "examples":
            shutil.copytree(DOCS / "examples", folder, dirs_exist_ok=True)
        if package := page.setting("installed"):
            installed = install(DOCS / "examples" / package, bin_folder.parent / "site")
            self.env["PYTHONPATH"] += os.pathsep + str(installed)

    def write(self, file: File) -> None:
        """Write a file that the page shows, with the ports of this machine."""
        path = self.folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self._here(file.text), encoding="utf-8")

    def run(self, command: Command) -> tuple[int, str]:
        """The exit code and the output of ``command``, in the ports of the docs."""
        line = self._here(command.line)
        if line.endswith("&"):
            return self._serve(line.removesuffix("&").strip(), speaks=bool(command.expected))
        done = subprocess.run(
            ["bash", "-c", line],
            cwd=self.folder,
            env=self.env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        return done.returncode, self._as_in_docs(done.stdout)

    def _here(self, text: str) -> str:
        return PORT.sub(lambda match: self._port(match[0]), text)

    def _port(self, port: str) -> str:
        if port not in self._ports:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                self._ports[port] = str(free.getsockname()[1])
        return self._ports[port]

    def _serve(self, line: str, *, speaks: bool) -> tuple[int, str]:
        """Start a server and wait until its port (the last one named) takes connections.

        One that ``speaks`` has also printed something by then.
        """
        log = self.folder / f".server-{len(self._servers)}.log"
        port = int(re.findall(r"\b\d{4,5}\b", line)[-1])
        with log.open("wb") as out:
            process = subprocess.Popen(
                ["bash", "-c", f"exec {line}"],
                cwd=self.folder,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        self._servers.append(process)
        while process.poll() is None and not (_taken(port) and (log.stat().st_size or not speaks)):
            time.sleep(0.05)
        return process.poll() or 0, self._as_in_docs(log.read_text())

    def _as_in_docs(self, text: str) -> str:
        for port, here in self._ports.items():
            text = text.replace(here, port)
        return text

    def close(self) -> None:
        """End the servers."""
        for process in self._servers:
            process.terminate()
        for process in self._servers:
            process.wait(timeout=10)


def _taken(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def install(package: Path, site: Path) -> Path:
    """Put ``package`` (one module, a pyproject) into ``site`` as pip would; returns ``site``."""
    about = tomllib.loads((package / "pyproject.toml").read_text())["project"]
    name, version = about["name"].replace("-", "_"), about["version"]
    info = site / f"{name}-{version}.dist-info"
    info.mkdir(parents=True)
    for module in package.glob("*.py"):
        shutil.copy(module, site)
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {version}\n"
    )
    groups = about["entry-points"].items()
    (info / "entry_points.txt").write_text(
        "".join(
            f"[{group}]\n" + "".join(f"{key} = {value}\n" for key, value in entries.items())
            for group, entries in groups
        )
    )
    return site


@pytest.fixture
def shell(tmp_path: Path, page: Page) -> Iterator[Shell]:
    """A shell in an empty folder (or a copy of the examples) for the commands of ``page``."""
    folder, programs = tmp_path / "folder", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    opened = Shell(folder, programs, page)
    yield opened
    opened.close()
