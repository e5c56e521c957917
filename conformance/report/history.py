"""A history of runs: one compact file for each night, many of which are read at once.

``night.json`` holds a letter for each verdict, so that a year of ten targets is a few tens of
megabytes to read and not a few gigabytes of results and evidence.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any

from conformance.errors import ConfigurationError
from conformance.report.atomic import replace_text
from conformance.report.records import Ended, Run
from conformance.verdicts import Verdict

__all__ = [
    "ABSENT",
    "LETTERS",
    "NIGHT",
    "Night",
    "TargetNight",
    "night_of",
    "nights_of",
    "read_night",
    "retain",
    "series",
    "write_night",
]

NIGHT = "night.json"
#: One letter for each verdict; a file of another version is refused.
LETTERS: Mapping[Verdict, str] = {
    Verdict.PASS: "p",
    Verdict.INFO: "i",
    Verdict.WARN: "w",
    Verdict.FAIL: "F",
    Verdict.IGNORED: "G",
    Verdict.REJECTED: "R",
    Verdict.DEVIATION: "d",
    Verdict.FIXED: "x",
    Verdict.FLAKY: "y",
    Verdict.INCONCLUSIVE: "c",
    Verdict.UNTESTABLE: "u",
    Verdict.NOT_PROMISED: "-",
    Verdict.NOT_RUN: "n",
    Verdict.ERROR: "E",
}
#: Stands for a key of which the target has no verdict that night.
ABSENT = "."
_VERSION = 1
_KNOWN = frozenset(LETTERS.values()) | {ABSENT}

#: Requirement, endpoint, mode.
CellKey = tuple[str, str | None, str | None]


@dataclass(frozen=True, slots=True)
class TargetNight:
    """One target's verdicts, a letter for each key of the night, and what they cost."""

    verdicts: str
    requests: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    ended: Ended = Ended.COMPLETE


@dataclass(frozen=True, slots=True)
class Night:
    """One run, compact. ``started`` is ISO 8601 in UTC."""

    started: str
    suite_version: str
    keys: tuple[CellKey, ...] = ()
    targets: Mapping[str, TargetNight] = field(default_factory=dict)


def night_of(run: Run) -> Night:
    """The compact form of ``run``."""
    keys = dict.fromkeys((r.requirement, r.endpoint, r.mode and str(r.mode)) for r in run.results)
    place = {key: index for index, key in enumerate(keys)}
    letters = {target.target: [ABSENT] * len(keys) for target in run.targets}
    for result in run.results:
        key = (result.requirement, result.endpoint, result.mode and str(result.mode))
        letters[result.target][place[key]] = LETTERS[result.verdict]
    costs = run.footer.targets if run.footer else {}
    return Night(
        run.header.started,
        run.header.suite_version,
        tuple(keys),
        {
            name: TargetNight(
                "".join(each),
                costs[name].requests if name in costs else 0,
                costs[name].completion_tokens if name in costs else 0,
                round(costs[name].seconds, 3) if name in costs else 0.0,
                costs[name].ended if name in costs else Ended.INTERRUPTED,
            )
            for name, each in letters.items()
        },
    )


def write_night(folder: Path, night: Night) -> None:
    """Write ``night`` into ``folder``, in one step."""
    line = {
        "type": "night",
        "version": _VERSION,
        "started": night.started,
        "suite_version": night.suite_version,
        "keys": night.keys,
        "targets": {
            name: {
                "verdicts": each.verdicts,
                "requests": each.requests,
                "completion_tokens": each.completion_tokens,
                "seconds": each.seconds,
                "ended": each.ended.value,
            }
            for name, each in night.targets.items()
        },
    }
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"))
    replace_text(folder / NIGHT, text + "\n")


def read_night(path: Path, known: dict[Any, Any] | None = None) -> Night:
    """Read a ``night.json``. ``known`` shares equal keys between many nights.

    Raises ``ConfigurationError`` in one sentence for whatever is none.
    """
    known = {} if known is None else known
    try:
        line = json.loads(path.read_bytes())
        if line["type"] != "night" or line["version"] != _VERSION:
            raise ValueError("of another kind or version")
        keys = _keys(line["keys"], known)
        targets = {str(n): _target(each, len(keys)) for n, each in line["targets"].items()}
        return Night(str(line["started"]), str(line["suite_version"]), keys, targets)
    except OSError as error:
        what = f"no history can be read ({error.strerror or error})"
        raise ConfigurationError(what, where=str(path), instead="name a night's folder") from error
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        what = f"this is not a night of this suite ({type(error).__name__}: {error})"
        instead = "remove it; `conformance nightly` writes such files"
        raise ConfigurationError(what, where=str(path), instead=instead) from error


def _keys(lines: Any, known: dict[Any, Any]) -> tuple[CellKey, ...]:
    """The keys of a night; most nights have those of the night before."""
    keys: tuple[CellKey, ...]
    before, keys = known.get("before", (None, ()))
    if lines != before:
        keys = tuple(known.setdefault(key, key) for key in map(_key, lines))
        known["before"] = lines, keys
    return keys


def _key(value: Any) -> CellKey:
    requirement, endpoint, mode = value
    if not isinstance(requirement, str):
        raise TypeError("a key begins with a requirement")
    return requirement, endpoint and str(endpoint), mode and str(mode)


def _target(line: Mapping[str, Any], count: int) -> TargetNight:
    verdicts = line["verdicts"]
    if len(verdicts) != count or not _KNOWN.issuperset(verdicts):
        raise ValueError("the verdicts do not fit the keys")
    return TargetNight(
        verdicts,
        int(line["requests"]),
        int(line["completion_tokens"]),
        float(line["seconds"]),
        Ended(line["ended"]),
    )


def nights_of(history: Path) -> tuple[list[Night], list[str]]:
    """Every night below ``history``, oldest first, and a sentence for each that is unreadable."""
    found: list[Night] = []
    troubles: list[str] = []
    known: dict[Any, Any] = {}
    for path in sorted(history.glob(f"*/{NIGHT}")):
        if path.parent.is_symlink():
            continue
        try:
            found.append(read_night(path, known))
        except ConfigurationError as error:
            troubles.append(str(error))
    return sorted(found, key=lambda night: night.started), troubles


def retain(history: Path, *, whole: int, summaries: int) -> list[Path]:
    """Keep the newest ``whole`` nights as they are and of older ones the compact file alone, up
    to ``summaries`` nights in all; returns the folders that were emptied or removed.

    Only folders that hold a night are ever touched.
    """
    nights = sorted(
        (p.parent for p in history.glob(f"*/{NIGHT}") if not p.parent.is_symlink()), reverse=True
    )
    touched = []
    for folder in nights[max(whole, 1) :]:
        extra = [path for path in folder.iterdir() if path.name != NIGHT]
        _remove(extra)
        touched += [folder] if extra else []
    for folder in nights[max(summaries, whole, 1) :]:
        shutil.rmtree(folder)
        touched.append(folder)
    return list(dict.fromkeys(touched))


def _remove(paths: Iterable[Path]) -> None:
    for path in paths:
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def series(nights: Sequence[Night], target: str) -> dict[CellKey, str]:
    """For each key of ``target``: a letter for each night, oldest first."""
    found: dict[CellKey, str] = {}
    done = 0
    # Nights that asked the same are turned from rows into columns at once.
    for keys, group in groupby(nights, lambda night: night.keys if target in night.targets else ()):
        together = list(group)
        rows = [night.targets[target].verdicts for night in together] if keys else []
        columns = map("".join, zip(*rows, strict=True)) if keys else ()
        for key, letters in zip(keys, columns, strict=True):
            found[key] = found.get(key, "").ljust(done, ABSENT) + letters
        done += len(together)
    whole = {key: letters.ljust(done, ABSENT) for key, letters in found.items()}
    return {key: letters for key, letters in whole.items() if letters.strip(ABSENT)}
