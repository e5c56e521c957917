"""Several processes: only side by side over targets, one target's items in one worker."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.errors import ExitCode

__all__ = ["distribute", "is_conformance_run", "is_worker"]

PACKAGE = Path(__file__).resolve().parent.parent


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker of pytest-xdist."""
    return hasattr(config, "workerinput")


def is_conformance_run(config: pytest.Config) -> bool:
    """Whether the arguments lead to the package: then an empty selection is an error of ours."""
    return any(_leads_here(config, argument) for argument in config.args)


def _leads_here(config: pytest.Config, argument: str) -> bool:
    name = argument.split("::")[0]
    if config.getoption("pyargs", default=False) and name.split(".")[0] == PACKAGE.name:
        return True
    path = (config.invocation_params.dir / name).resolve()
    return path == PACKAGE or PACKAGE in path.parents


def distribute(config: pytest.Config) -> None:
    """With ``-n``, group by target; leave by exit code 2 when another mode was asked for."""
    if is_worker(config) or not getattr(config.option, "numprocesses", None):
        return
    mode = getattr(config.option, "dist", "no")
    if mode not in ("no", "load", "loadgroup"):
        pytest.exit(
            f"conformance: --dist {mode} would spread one target over several processes; "
            "leave --dist away, or write --dist loadgroup",
            returncode=ExitCode.CONFIGURATION,
        )
    config.option.dist = "loadgroup"
