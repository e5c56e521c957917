"""What people install works where nothing but Python is."""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest

from .conftest import Installed


@pytest.fixture
def asked(endpoint: dict[str, str]) -> list[str]:
    """The options that point a run at the server of the other environment."""
    return ["--base-url", endpoint["base_url"], "--model", endpoint["model"]]


def test_the_wheel_judges_an_endpoint_and_makes_a_page(wheel: Installed, asked: list[str]) -> None:
    """An empty folder, one command, one self-contained page."""
    done = wheel.run("conformance", "run", *asked, "--depth", "quick", "--report-dir", "run")

    page = wheel.folder / "run" / "matrix.html"
    assert (0, True) == (done.returncode, page.is_file()), done.stdout + done.stderr
    assert {"results.jsonl", "junit.xml", "summary.md"} <= {
        each.name for each in page.parent.iterdir()
    }


def test_pytest_finds_the_installed_checks(wheel: Installed, asked: list[str]) -> None:
    """``pytest --pyargs conformance`` selects by -k and passes, without any file of ours."""
    done = wheel.run("pytest", "--pyargs", "conformance", *asked, "-k", "param.stop.effect", "-q")

    assert 0 == done.returncode, done.stdout + done.stderr
    assert "4 passed" in done.stdout


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        (["explain", "param.stop.effect"], "source: "),
        (["explain", "param.stop.accepts", "--profile", "vllm"], "stop: StopParam"),
        (["targets"], "reference"),
        (["mutants"], "stop"),
        (["plan", "--depth", "quick"], "requests"),
        (["--help"], "nightly"),
    ],
    ids=lambda value: " ".join(value[:2]) if isinstance(value, list) else "",
)
def test_every_command_finds_its_data(wheel: Installed, command: list[str], shown: str) -> None:
    """Schemas, profiles and the targets file are in the wheel."""
    done = wheel.run("conformance", *command)

    assert 0 == done.returncode, done.stdout + done.stderr
    assert shown in done.stdout


def test_a_night_and_its_page(wheel: Installed) -> None:
    """``nightly`` runs the reference, keeps its history, and ``report html`` makes the page anew."""
    night = wheel.run("conformance", "nightly", "--target", "reference", "--depth", "quick")
    history = wheel.folder / "reports" / "history"
    nights = {each.parent.resolve() for each in history.glob("*/results.jsonl")}
    (kept,) = nights  # `latest` leads to the same
    (kept / "matrix.html").unlink(missing_ok=True)
    again = wheel.run("conformance", "report", "html", str(kept))

    assert (0, 0) == (night.returncode, again.returncode), night.stdout + again.stderr
    assert (history / "index.html").is_file()
    assert (kept / "matrix.html").is_file()


def test_the_tests_run_from_the_sdist(built: Path, sdist: Installed, tmp_path: Path) -> None:
    """Every test of the sdist is found, and the quick ones pass against what it installs."""
    (archive,) = built.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        opened.extractall(tmp_path, filter="data")
    (tree,) = tmp_path.iterdir()

    found = sdist.run("pytest", f"{tree}/tests", "--rootdir", str(tree), "--collect-only", "-q")
    done = sdist.run(
        "pytest",
        *(f"{tree}/tests/{name}" for name in ("schema/test_trace.py", "report/test_diff.py")),
        "--rootdir",
        str(tree),
        "-q",
    )

    assert (0, 0) == (found.returncode, done.returncode), found.stdout[-2000:] + done.stdout[-2000:]
