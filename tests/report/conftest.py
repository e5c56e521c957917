"""A finished run directory, and a browser where there is one."""

from __future__ import annotations

import importlib.util
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .fakes import write_run

_NAMES = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_MISSING = pytest.StashKey[str]()


@pytest.fixture
def run_dir(tmp_path: Path) -> Path:
    """A finished run of two targets with some trouble."""
    folder = tmp_path / "run"
    folder.mkdir()
    write_run(folder, targets=("reference", "mutant:usage"), requirements=50, trouble=0.2, seed=3)
    return folder


def _no_browser() -> str:
    if importlib.util.find_spec("playwright") is None:
        return "Playwright is not installed (pip install playwright)"
    if not any(map(shutil.which, _NAMES)):
        return "no Chromium was found (apt-get install chromium)"
    return ""


@pytest.fixture(scope="module")
def browser(request: pytest.FixtureRequest) -> Iterator[Any]:
    """An installed Chromium; without one the tests that need it are skipped, and it is said."""
    if missing := _no_browser():
        request.config.stash[_MISSING] = missing
        pytest.skip(f"BROWSER TESTS DID NOT RUN: {missing}")
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, _NAMES)))
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu"]
        )
        yield chromium
        chromium.close()


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """A skip that is a line of its own, not a letter among hundreds."""
    if missing := config.stash.get(_MISSING, ""):
        terminalreporter.section("BROWSER TESTS DID NOT RUN", sep="!", red=True, bold=True)
        terminalreporter.line(f"The page was not tested in a browser: {missing}.")
