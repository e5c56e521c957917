"""Several processes: only side by side over targets, one target's items in one worker."""

from __future__ import annotations

from collections.abc import Collection
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from conformance.options import OPTIONS

__all__ = [
    "distribute",
    "is_chapter",
    "is_conformance_run",
    "is_controller",
    "is_worker",
    "mistaken_path",
    "refusal",
    "scheduler",
]

PACKAGE = Path(__file__).resolve().parent.parent


def is_worker(config: pytest.Config) -> bool:
    """Whether this process is a worker of pytest-xdist."""
    return hasattr(config, "workerinput")


#: Files in which pytest looks for its configuration.
CONFIGURATION = ("pytest.ini", "pyproject.toml", "tox.ini", "setup.cfg")


def mistaken_path(config: pytest.Config) -> str | None:
    """The value of an option of ours for which pytest lost the configuration of this folder.

    pytest looks for its root folder before it knows the options of any plugin: in ``--resume DIR``
    it then sees a folder with tests. ``--resume=DIR`` cannot be mistaken.
    """
    here = config.invocation_params.dir
    if config.inipath is not None or not any((here / name).exists() for name in CONFIGURATION):
        return None
    names = {name for option in OPTIONS for name in option.names}
    words = [str(each) for each in config.invocation_params.args]
    pairs = pairwise(words)
    return next((v for name, v in pairs if name in names and (here / v).exists()), None)


def is_controller(config: pytest.Config) -> bool:
    """Whether this process only hands out items to workers."""
    several = getattr(config.option, "numprocesses", None) or getattr(config.option, "tx", None)
    return bool(several) and not is_worker(config)


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
    """With ``-n``, group by target, unless another mode was asked for: see :func:`refusal`."""
    if is_controller(config) and not refusal(config):
        config.option.dist = "loadgroup"


def scheduler(config: pytest.Config, log: Any, targets: Collection[str]) -> Any:
    """Hands out whole targets: the items of one go to one worker.

    xdist's own ``loadgroup`` reads the group from a suffix that it writes into node ids, which
    pytest 9 no longer lets it do.
    """
    from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped]

    class TargetScheduling(LoadScopeScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            target = nodeid.split("::")[1:2]
            return target[0] if target and target[0] in targets else nodeid

    return TargetScheduling(config, log)


def is_chapter(path: Path) -> bool:
    """Whether ``path`` is a module of ``conformance/checks/chapters``.

    ``__init__.py`` stands for the checks that other installed packages add.
    """
    return path.suffix == ".py" and path.parts[-4:-1] == ("conformance", "checks", "chapters")


def refusal(config: pytest.Config) -> str:
    """Why the distribution that was asked for is not to be had; "" where it is.

    xdist turns ``-n`` alone into ``load``: only what was written is asked for.
    """
    if not is_controller(config):
        return ""
    mode = getattr(config.option, "dist", "no")
    written = any(str(each).startswith("--dist") for each in config.invocation_params.args)
    if mode in ("no", "loadgroup") or (mode == "load" and not written):
        return ""
    return (
        f"conformance: --dist {mode} would spread one target over several processes; "
        "leave --dist away, or write --dist loadgroup"
    )
