"""The release, built once: wheel and sdist, each installed where nothing else is."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
#: Building and installing takes a minute and the network: only where it is asked for.
ASKED = "CONFORMANCE_RELEASE"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Without ``CONFORMANCE_RELEASE`` the tests of this folder are skipped."""
    if ASKED in os.environ:
        return
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.skip(reason="builds and installs: tox run -e package"))


@dataclass(frozen=True)
class Installed:
    """An environment with one distribution in it, and an empty folder to work in."""

    programs: Path
    folder: Path

    def run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A program of the environment, run in the empty folder."""
        return subprocess.run(
            [self.programs / program, *arguments],
            cwd=self.folder,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=300,
        )

    @property
    def env(self) -> dict[str, str]:
        """The variables of a person who has just opened a terminal."""
        kept = ("HOME", "LANG", "PIP_INDEX_URL", "PIP_CONFIG_FILE", "PATH")
        mine = {name: os.environ[name] for name in kept if name in os.environ}
        return {**mine, "PATH": f"{self.programs}{os.pathsep}{mine.get('PATH', '')}"}


def installed(distribution: Path, where: Path, *more: str) -> Installed:
    """A new environment with ``distribution``; a folder beside it to work in."""
    venv.create(where / "venv", with_pip=True)
    programs = where / "venv" / ("Scripts" if os.name == "nt" else "bin")
    folder = where / "folder"
    folder.mkdir()
    pip = [programs / "python", "-m", "pip", "install", "-q", distribution, *more]
    subprocess.run(pip, check=True, cwd=folder)
    return Installed(programs, folder)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was made of the sdist."""
    dist = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "build", "-o", dist, ROOT], check=True)
    return dist


@pytest.fixture(scope="session")
def wheel(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel, installed."""
    (found,) = built.glob("*.whl")
    return installed(found, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def sdist(built: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The sdist, installed with what its tests need."""
    (found,) = built.glob("*.tar.gz")
    return installed(
        found, tmp_path_factory.mktemp("sdist"), "-r", f"{ROOT}/tests/requirements.txt"
    )


@pytest.fixture(scope="session")
def endpoint(sdist: Installed) -> Iterator[dict[str, str]]:
    """A running ``conformance serve`` of the other environment: ``base_url`` and ``model``."""
    command = [sdist.programs / "conformance", "serve", "--port", "0"]
    with subprocess.Popen(
        command, cwd=sdist.folder, env=sdist.env, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        line = server.stdout.readline()
        yield dict(part.split("=", 1) for part in line.split())
        server.terminate()
