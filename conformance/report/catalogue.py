"""The catalogue of a run: what each requirement says and where that is from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from conformance.report.records import Run

__all__ = ["CATALOGUE", "Entry", "arranged", "digest", "load_catalogue", "read_catalogue"]

CATALOGUE = "catalogue.json"


@dataclass(frozen=True, slots=True)
class Entry:
    """One requirement as the catalogue describes it; empty where a killed run left no text."""

    statement: str = ""
    level: str = ""
    kind: str = ""
    reference: str = ""
    quote: str = ""


def read_catalogue(run_dir: Path) -> dict[str, Entry]:
    """Every requirement of ``catalogue.json`` in its order; empty if there is none to read."""
    found = load_catalogue(run_dir)
    return {id: _entry(value) for id, value in found.items() if isinstance(value, dict)}


def load_catalogue(run_dir: Path) -> dict[str, Any]:
    """``catalogue.json`` as it is; empty if there is none to read."""
    try:
        data = json.loads((run_dir / CATALOGUE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return data if isinstance(data, dict) else {}


def arranged(run: Run, catalogue: Iterable[str]) -> Run:
    """``run`` with its results in the catalogue's order instead of that of their arrival."""
    place = {id: number for number, id in enumerate(catalogue)}
    last = len(place)
    results = sorted(run.results, key=lambda result: place.get(result.requirement, last))
    return replace(run, results=tuple(results))


def digest(requirements: Mapping[str, Any]) -> str:
    """A short digest of a catalogue: what two runs asked is the same where it is equal."""
    text = json.dumps(requirements, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _entry(value: Mapping[str, Any]) -> Entry:
    source = value.get("source")
    source = source if isinstance(source, dict) else {}
    return Entry(
        str(value.get("statement", "")),
        str(value.get("level", "")),
        *(str(source.get(name) or "") for name in ("kind", "reference", "quote")),
    )
