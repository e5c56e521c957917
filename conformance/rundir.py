"""The folder of a run: what is written into it, and in which words."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import conformance
from conformance.checks.api import Requirement
from conformance.engine.assembly import TargetPlan
from conformance.engine.engine import Engine
from conformance.engine.events import Learned, Result
from conformance.generate.coverage import coverage
from conformance.report import records
from conformance.report.catalogue import digest

__all__ = [
    "append_finding",
    "catalogue_of",
    "digest",
    "header_of",
    "new_run_directory",
    "now",
    "record_of",
    "write_coverage",
    "write_json",
]


def record_of(result: Result) -> records.Result:
    """The line of ``results.jsonl`` for ``result``."""
    requirement = result.requirement
    return records.Result(
        target=result.target,
        requirement=requirement.id,
        level=result.level,
        endpoint=result.item.endpoint,
        mode=result.item.mode,
        verdict=result.verdict,
        message=result.message,
        requests=result.requests,
        evidence=result.evidence,
        event=result.event,
        seconds=round(result.seconds, 4),
        parameter=requirement.parameter,
        aspect=records.Aspect(requirement.aspect) if requirement.aspect else None,
        occurrences=result.occurrences,
        reason=result.reason,
    )


def catalogue_of(plans: Iterable[TargetPlan]) -> dict[str, Any]:
    """What the report says of each requirement, by id."""
    found: dict[str, Requirement] = {}
    for plan in plans:
        for item in plan.items:
            found.setdefault(item.requirement.id, item.requirement)
    return {
        name: {
            "level": each.level.value,
            "statement": each.statement,
            "source": {
                "kind": each.source.kind,
                "reference": each.source.reference,
                "quote": each.source.quote,
            },
            "chapter": each.chapter,
            "parameter": each.parameter,
            "aspect": each.aspect,
        }
        for name, each in found.items()
    }


def new_run_directory(given: Path | None, root: Path = Path("reports")) -> Path:
    """The folder a run writes into: ``given``, or a new one named by the UTC time."""
    if given:
        return given
    name = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    folder, number = root / name, 1
    while folder.exists():
        number += 1
        folder = root / f"{name}-{number}"
    return folder


def header_of(
    plans: Sequence[TargetPlan], options: Mapping[str, Any], catalogue: str
) -> records.Header:
    """The header of a run over ``plans``."""
    first = plans[0].options if plans else None
    return records.Header(
        suite_version=conformance.__version__,
        started=now(),
        catalogue=catalogue,
        seed=first.seed if first else 0,
        depth=first.depth if first else "standard",
        targets=tuple(
            records.TargetHeader(
                p.name,
                p.profile.name,
                p.target.model or None,
                p.target.base_url or None,
                p.target.start,
            )
            for p in plans
        ),
        options=options,
    )


def write_coverage(folder: Path, plan: TargetPlan, engine: Engine) -> None:
    """Add what the corpora of ``plan`` covered to the folder's table."""
    path = folder / "coverage.json"
    table = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    drawn = getattr(engine.corpora, "drawn", {})
    table[plan.name] = {
        f"{endpoint} {mode}" if mode else endpoint: coverage(
            corpus, plan.profile.endpoints[endpoint]
        )
        for (endpoint, mode), corpus in drawn.items()
    }
    write_json(path, table)


def write_json(path: Path, value: Any) -> None:
    """Write ``value`` for people to read, too."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8", errors="backslashreplace")


def append_finding(folder: Path, event: Learned) -> None:
    """Add a finding of the calibration to ``learned.jsonl``."""
    line = {
        "target": event.target,
        "endpoint": event.endpoint,
        "lesson": event.lesson,
        "finding": event.finding,
        "value": event.value,
    }
    text = json.dumps(line, ensure_ascii=False)
    with (folder / "learned.jsonl").open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(text + "\n")


def now() -> str:
    """The time as ISO 8601 in UTC."""
    return datetime.now(UTC).isoformat(timespec="seconds")
