"""What a run learned about its targets, from ``learned.jsonl``: findings, and what clients saw."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from conformance.report.evidence import read_objects

__all__ = ["Learned", "Lesson", "merged", "read_learned"]


class Lesson(NamedTuple):
    """One finding of the calibration."""

    endpoint: str
    name: str
    finding: str


@dataclass(frozen=True)
class Learned:
    """By target: the findings of the calibration, and one value for each client library that was
    tried (its views of answers; see :mod:`conformance.report.readers`).
    """

    lessons: Mapping[str, Sequence[Lesson]] = field(default_factory=dict)
    clients: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)


def read_learned(run_dir: Path) -> Learned:
    """Everything that the run in ``run_dir`` learned; nothing where there is no such file."""
    lessons: dict[str, dict[Lesson, None]] = {}
    clients: dict[str, list[Mapping[str, Any]]] = {}
    for line in read_objects(run_dir / "learned.jsonl"):
        names = ("target", "endpoint", "lesson", "finding")
        target, *words = (str(line.get(name) or "") for name in names)
        value = line.get("value")
        if isinstance(value, dict) and {"language", "version", "views"} <= value.keys():
            clients.setdefault(target, []).append(value)
        else:
            lessons.setdefault(target, {})[Lesson(*words)] = None
    return Learned({name: tuple(each) for name, each in lessons.items()}, clients)


def merged(lessons: Sequence[Lesson]) -> tuple[Lesson, ...]:
    """The same finding at several endpoints as one, with the names of all of them."""
    endpoints: dict[tuple[str, str], list[str]] = {}
    for endpoint, name, finding in lessons:
        endpoints.setdefault((name, finding), []).append(endpoint)
    return tuple(Lesson(", ".join(each), *key) for key, each in endpoints.items())
