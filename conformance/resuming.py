"""Runs in parts: of several processes, and interrupted runs that are gone on from.

Every process of a run writes a file of its own, ``results-<name>.jsonl``; while there is no
``results.jsonl`` a reader takes all of them together. Going on from an interrupted run makes what was
decided one more part: ``results-before.jsonl``. Whenever this is killed, what lies in the folder is
readable and complete as far as it goes.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from conformance.engine.budget import Budget, requests_of
from conformance.engine.evidence import evidence_path, read_evidence
from conformance.errors import ConfigurationError
from conformance.options import OPTIONS, Option, RunOptions
from conformance.report.merge import merge
from conformance.report.records import Ended, Footer, Header, Run, TargetFooter
from conformance.report.results import RESULTS, WORKERS, ResultsWriter, read_run
from conformance.verdicts import Verdict

__all__ = [
    "BEFORE",
    "RESUMED",
    "join_parts",
    "keep_decided",
    "resumed_options",
    "same_questions",
    "selection_of",
]

BEFORE = "results-before.jsonl"
#: Name of the part that a resumed run writes when it is a single process.
RESUMED = "resumed"
#: What is asked again: nobody decided it, or the suite or the line was at fault.
_OPEN = frozenset({Verdict.NOT_RUN, Verdict.ERROR})


def resumed_options(given: RunOptions) -> RunOptions:
    """The options of the run in ``given.resume``, changed by those that are given now.

    Raises ``ConfigurationError`` when there is no run, or when another folder is named too.
    """
    assert given.resume is not None
    folder = given.resume
    if given.report_dir is not None and given.report_dir.resolve() != folder.resolve():
        raise ConfigurationError(
            "a resumed run goes on in its own folder",
            where="--report-dir",
            instead="leave it away, or write the folder of --resume",
        )
    stored = read_run(folder).header.options
    values = {
        option.field: _stored(option, stored.get(option.field))
        for option in OPTIONS
        if getattr(given, option.field) == option.default
    }
    return replace(given, **{**values, "resume": folder, "report_dir": folder})


def selection_of(folder: Path) -> str:
    """What the run in ``folder`` was asked to choose by ``-k``."""
    return str(read_run(folder).header.options.get("keyword") or "")


def _stored(option: Option, value: Any) -> Any:
    """An option as a header has it; its default where it has none."""
    if value is None or option.switch:
        return bool(value) if option.switch else option.default
    if option.repeatable:
        return tuple(option.convert(str(each)) for each in value)
    return option.convert(str(value))


def same_questions(before: Header, now: Header) -> None:
    """Raise ``ConfigurationError`` unless both runs ask the same targets the same."""
    merge([Run(before, (), None), Run(now, (), None)], partial=True)


def keep_decided(folder: Path) -> Run:
    """Make what was decided in ``folder`` the first part of a run that goes on; returns it."""
    run = read_run(folder)
    kept = tuple(each for each in run.results if each.verdict not in _OPEN)
    _write(folder / RESULTS, Run(run.header, run.results, None))
    before = Run(run.header, kept, _spent(folder, run, run.footer))
    _write(folder / BEFORE, before)
    for part in folder.glob(WORKERS):
        if part.name != BEFORE:
            part.unlink()
    (folder / RESULTS).unlink()
    return before


def join_parts(folder: Path, exit_code: int | None = None) -> Run:
    """All parts as one results file; the parts are removed. ``exit_code`` replaces theirs."""
    parts = sorted(folder.glob(WORKERS))
    run = merge([read_run(part) for part in parts], partial=True)
    if run.footer is not None and exit_code is not None:
        run = replace(run, footer=replace(run.footer, exit_code=exit_code))
    _write(folder / RESULTS, run)
    for part in parts:
        part.unlink()
    return run


def _write(path: Path, run: Run) -> None:
    """Write ``run`` in one step: a reader sees the old file or the new one."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    scratch.unlink(missing_ok=True)
    try:
        with ResultsWriter(scratch, run.header) as writer:
            for result in run.results:
                writer.write(result)
            if run.footer is not None:
                writer.finish(run.footer)
        scratch.replace(path)
    finally:
        scratch.unlink(missing_ok=True)


def _spent(folder: Path, run: Run, footer: Footer | None) -> Footer:
    """What the run has cost: as its footer says, else counted from its evidence."""
    if footer is not None:
        ended = {n: replace(each, ended=Ended.COMPLETE) for n, each in footer.targets.items()}
        return replace(footer, exit_code=0, targets=ended)
    targets = {each.target: _target(folder, each.target) for each in run.header.targets}
    return Footer(
        finished=run.header.started,
        requests=_sum(targets, "requests"),
        prompt_tokens=_sum(targets, "prompt_tokens"),
        completion_tokens=_sum(targets, "completion_tokens"),
        seconds=max((each.seconds for each in targets.values()), default=0.0),
        targets=targets,
    )


def _sum(targets: Mapping[str, TargetFooter], name: str) -> int:
    return sum(getattr(each, name) for each in targets.values())


def _target(folder: Path, target: str) -> TargetFooter:
    path = evidence_path(folder / "evidence", target)
    budget, first, last = Budget(), 0.0, 0.0
    for exchange in read_evidence(path) if path.exists() else ():
        budget.requests += requests_of(exchange)
        budget.settle(exchange)
        first = first or exchange.started
        last = max(last, exchange.started + exchange.elapsed)
    return TargetFooter(
        requests=budget.requests,
        prompt_tokens=budget.prompt_tokens,
        completion_tokens=budget.completion_tokens,
        seconds=last - first,
        ended=Ended.COMPLETE,
    )
