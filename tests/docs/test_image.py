"""The Dockerfile builds what the project is; an image itself cannot be built in a test."""

from __future__ import annotations

import re
import tomllib

from .pages import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def copied() -> set[str]:
    """What the Dockerfile takes from the checkout."""
    lines = re.findall(r"^COPY (?!--)(.*)$", DOCKERFILE, re.MULTILINE)
    return {source for line in lines for source in line.split()[:-1]}


def test_the_image_has_all_that_the_wheel_is_built_from() -> None:
    """Every file that pyproject.toml names for the wheel is copied into the build stage."""
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    needed = {"pyproject.toml", PROJECT["project"]["readme"], *PROJECT["project"]["license-files"]}
    needed |= {*wheel["packages"], *wheel["force-include"]}

    assert copied() == needed
    assert all((ROOT / name).exists() for name in needed)


def test_dockerignore_lets_through_what_is_copied() -> None:
    """The build context is exactly what the Dockerfile copies."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()

    assert {line[1:] for line in lines if line.startswith("!")} == copied()
    assert "*" in lines


def test_the_image_runs_the_console_script_as_nobody_special() -> None:
    """The entry point is an installed console script, and the user is not root."""
    entry = re.search(r'^ENTRYPOINT \["(.*?)"\]$', DOCKERFILE, re.MULTILINE)

    assert entry is not None
    assert entry[1] in PROJECT["project"]["scripts"]
    assert re.search(r"^USER (?!root)", DOCKERFILE, re.MULTILINE)


def test_the_image_has_a_python_that_is_supported() -> None:
    """Every stage starts from a Python that the classifiers name."""
    versions = set(re.findall(r"^FROM python:([\d.]+)", DOCKERFILE, re.MULTILINE))
    supported = {
        each.rpartition(" ")[2] for each in PROJECT["project"]["classifiers"] if ":: 3." in each
    }

    assert versions
    assert versions <= supported
