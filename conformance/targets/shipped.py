"""Where the files that come with the suite are: in the wheel or in a checkout."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import yaml

__all__ = ["default_targets_file", "shipped_file", "targets_schema"]

_PACKAGE = Path(__file__).resolve().parent.parent


def shipped_file(in_wheel: str, in_checkout: str) -> Path:
    """The file ``in_wheel`` below the package, else ``in_checkout`` beside the package."""
    packaged = _PACKAGE / in_wheel
    return packaged if packaged.exists() else _PACKAGE.parent / in_checkout


def default_targets_file(directory: Path | None = None) -> Path:
    """``targets.yaml`` of ``directory`` (default: the working directory), else the shipped one."""
    local = (directory or Path.cwd()) / "targets.yaml"
    return local if local.is_file() else shipped_file("_targets.yaml", "targets.yaml")


@cache
def targets_schema() -> Any:
    """The JSON Schema of ``targets.yaml``."""
    path = shipped_file("_schemas/targets.schema.yaml", "schemas/targets.schema.yaml")
    return yaml.safe_load(path.read_text(encoding="utf-8"))
