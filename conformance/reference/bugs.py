"""Defects met in public, and which requirements and mutants stand for them (``bugs.yaml``)."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml

__all__ = ["Bug", "known_bugs"]


@dataclass(frozen=True)
class Bug:
    """One defect of a real server.

    ``detectable`` is ``yes``, ``partly`` or ``no``; ``kind`` its class; ``why`` says what is not
    detected, or how it shows.
    """

    id: str
    link: str
    kind: str
    detectable: str
    requirements: tuple[str, ...]
    mutants: tuple[str, ...]
    why: str = ""


@cache
def known_bugs() -> tuple[Bug, ...]:
    """All known bugs in the file's order."""
    rows = yaml.safe_load(Path(__file__).with_name("bugs.yaml").read_text(encoding="utf-8"))
    return tuple(
        Bug(
            row["id"],
            row["link"],
            row["class"],
            row["detectable"],
            tuple(row["requirements"]),
            tuple(row["mutants"]),
            row.get("why", ""),
        )
        for row in rows
    )
