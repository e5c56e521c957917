"""Runs made once and looked at by many tests, and a server with a defect on a port of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from conformance.cli import main
from conformance.report.records import Run
from conformance.report.results import read_run


@dataclass(frozen=True)
class Made:
    """A finished run: its folder, its exit code and what it holds."""

    folder: Path
    code: int

    @property
    def run(self) -> Run:
        """Read from its files."""
        return read_run(self.folder)


Make = Callable[..., Made]


@pytest.fixture(scope="session")
def make(tmp_path_factory: pytest.TempPathFactory) -> Make:
    """``make("--target", "reference", …)``: a run; equal arguments are run once."""
    known: dict[tuple[str, ...], Made] = {}

    def made(*arguments: str) -> Made:
        if arguments not in known:
            folder = tmp_path_factory.mktemp("runs") / "run"
            code = main(["run", *arguments, "--report-dir", str(folder)])
            known[arguments] = Made(folder, code)
        return known[arguments]

    return made


@dataclass(frozen=True)
class Served:
    """A server on loopback, and how to write it into a targets file."""

    base_url: str
    model: str
    key: str

    def entry(self) -> dict[str, object]:
        """Its entry in a targets file."""
        return {
            "base_url": self.base_url,
            "model": self.model,
            "profile": "deeptrin",
            "api_key_env": "STAGING_API_KEY",
        }


@contextmanager
def serving(*arguments: str, key: str = "sk-staging-0123456789") -> Iterator[Served]:
    """``conformance serve`` in a process of its own."""
    command = [sys.executable, "-m", "conformance", "serve", "--api-key", key, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            words = dict(word.split("=", 1) for word in process.stdout.readline().split())
            yield Served(words["base_url"], words["model"], key)
        finally:
            process.terminate()


@pytest.fixture
def staging(monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    """A staging server that ignores stop sequences."""
    with serving("--mutant", "stop-ignored") as served:
        monkeypatch.setenv("STAGING_API_KEY", served.key)
        yield served


def write_targets(path: Path, targets: Mapping[str, object]) -> Path:
    """A targets file."""
    path.write_text(yaml.safe_dump({"targets": dict(targets)}), encoding="utf-8")
    return path


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment of a shell in which the suite is installed."""
    scripts = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": scripts + os.pathsep + os.environ["PATH"]}
