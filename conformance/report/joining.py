"""Run directories as one: verdicts, evidence, findings and catalogues of several processes.

Shards of one target asked the same catalogue, and merging them is strict about that. Targets of
different profiles have different catalogues, which are joined (one requirement may rest on another
sentence in each profile: the first run's is shown).
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conformance.errors import ConfigurationError, ExitCode
from conformance.report.catalogue import CATALOGUE, digest, load_catalogue
from conformance.report.closing import write_run
from conformance.report.merge import combine_exit_codes, merge
from conformance.report.records import Ended, Footer, Run, TargetFooter
from conformance.report.results import read_run

__all__ = ["ended_run", "join_directories", "join_runs"]


def join_directories(
    folders: Sequence[Path], into: Path, *, partial: bool = False, close: bool = False
) -> Run:
    """Merge the runs in ``folders`` into a new run directory ``into``; returns the merged run.

    ``partial`` takes interrupted runs and missing shards; ``close`` also gives an interrupted run
    a footer that says so, so that the others' ends are told. Raises ``ConfigurationError`` for
    runs that do not belong together.
    """
    catalogues = [load_catalogue(folder) for folder in folders]
    runs = [read_run(folder) for folder in folders]
    if close:
        runs = [ended_run(run) for run in runs]
    merged, catalogue = join_runs(runs, catalogues, partial=partial)
    code = combine_exit_codes(run.footer.exit_code for run in runs if run.footer)
    into.mkdir(parents=True, exist_ok=True)
    write_run(into, merged, exit_code=code)
    text = json.dumps(catalogue, ensure_ascii=False, indent=1)
    (into / CATALOGUE).write_text(text + "\n", encoding="utf-8")
    _copy_files(folders, into)
    return merged


def join_runs(
    runs: Sequence[Run], catalogues: Sequence[Mapping[str, Any]], *, partial: bool = False
) -> tuple[Run, dict[str, Any]]:
    """The merged run and its catalogue; pure."""
    joined: dict[str, Any] = {}
    for catalogue in catalogues:
        joined = {**catalogue, **joined}
    by_target: dict[str, set[str]] = {}
    digests: dict[str, set[str]] = {}
    for run, catalogue in zip(runs, catalogues, strict=True):
        for target in run.targets:
            by_target.setdefault(target.target, set()).update(catalogue)
            digests.setdefault(target.target, set()).add(run.header.catalogue)
    mixed = sorted(target for target, found in digests.items() if len(found) > 1)
    if mixed:
        raise ConfigurationError(
            f"the runs of {', '.join(mixed[:5])} differ in catalogue",
            instead="merge only runs of one suite that asked the same",
        )
    if len({run.header.catalogue for run in runs}) > 1:
        name = digest(joined)
        runs = [replace(run, header=replace(run.header, catalogue=name)) for run in runs]
    return merge(runs, partial=partial, catalogue={} if partial else by_target), joined


def ended_run(run: Run) -> Run:
    """``run`` with a footer: one that says "interrupted" where it has none."""
    if run.footer is not None:
        return run
    counts: dict[str, Counter[str]] = {target.target: Counter() for target in run.targets}
    requests: Counter[str] = Counter()
    for result in run.results:
        counts[result.target][result.verdict.value] += 1
        requests[result.target] += result.requests
    footer = Footer(
        finished=datetime.now(UTC).isoformat(timespec="seconds"),
        counts=dict(sum(counts.values(), Counter())),
        requests=requests.total(),
        exit_code=ExitCode.UNREACHABLE,
        targets={
            name: TargetFooter(dict(each), requests[name], ended=Ended.INTERRUPTED)
            for name, each in counts.items()
        },
    )
    return replace(run, footer=footer)


def _copy_files(folders: Sequence[Path], into: Path) -> None:
    """Evidence, findings and coverage of all runs, side by side."""
    evidence = into / "evidence"
    evidence.mkdir(exist_ok=True)
    coverage: dict[str, Any] = {}
    with (into / "learned.jsonl").open("wb") as learned:
        for folder in folders:
            for path in sorted((folder / "evidence").glob("*.jsonl")):
                with (evidence / path.name).open("ab") as out:
                    _append(path, out)
            if (folder / "learned.jsonl").exists():
                _append(folder / "learned.jsonl", learned)
            coverage |= _object(folder / "coverage.json")
    if coverage:
        text = json.dumps(coverage, ensure_ascii=False, indent=1)
        (into / "coverage.json").write_text(text + "\n", encoding="utf-8")


def _append(path: Path, out: Any) -> None:
    with path.open("rb") as source:
        shutil.copyfileobj(source, out)


def _object(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
