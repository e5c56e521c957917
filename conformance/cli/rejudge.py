"""``conformance rejudge``: judge the recorded exchanges of a run again, sending nothing."""

from __future__ import annotations

import argparse
import shutil
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from conformance.checks.api import Depth
from conformance.checks.catalogue import Item
from conformance.engine.assembly import TargetPlan, plan_target
from conformance.engine.engine import Engine
from conformance.engine.events import Event, Minimised
from conformance.engine.evidence import read_evidence
from conformance.engine.replay import EXAMPLE, evidence_of, open_replay
from conformance.errors import ConfigurationError
from conformance.options import FailOn, RunOptions
from conformance.planning import exit_code_of, split_items
from conformance.report.closing import terminal_text
from conformance.report.records import Key, Run, TargetHeader
from conformance.report.results import read_run
from conformance.report.write import write_reports
from conformance.session import OpenEngine, Session
from conformance.targets import Target, load_targets, mutant_target
from conformance.verdicts import Verdict
from conformance.wire.exchange import Exchange

__all__ = ["configure", "rejudge", "run"]

#: Chapters whose requirements run programs.
PROGRAMS = frozenset({"example", "sdk"})

#: Reasons of a ``not-run`` that stay: nobody asked for it.
_LEFT_OUT = frozenset({"deselected", "shard"})


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("run_dir", nargs="?", default="reports/latest", type=Path, metavar="DIR")
    parser.add_argument(
        "--report-dir", type=Path, metavar="DIR", help="default: DIR/rejudged-<UTC time>"
    )
    parser.add_argument(
        "--targets-file", type=Path, metavar="FILE", help="default: the one the run used"
    )


def run(arguments: argparse.Namespace) -> int:
    """Judge again, write the reports, print the summary; the exit code is that of a run."""
    source: Path = arguments.run_dir
    name = f"rejudged-{datetime.now(UTC):%Y-%m-%dT%H-%M-%SZ}"
    folder = arguments.report_dir or source.resolve() / name
    code = rejudge(source, folder, targets_file=arguments.targets_file)
    size = shutil.get_terminal_size((100, 40))
    print(terminal_text(folder, width=size.columns, height=size.lines))
    print(f"What changed: conformance report diff {source} {folder}")
    return code


def rejudge(source: Path, folder: Path, *, targets_file: Path | None = None) -> int:
    """Judge the exchanges recorded in ``source`` again into ``folder``; returns the exit code.

    Profile, model, depth and seed are those of the run. A target that the targets file no longer
    has is taken from the run's header, without its declarations. Raises ``ConfigurationError``
    where ``source`` holds no run, or one without a recording.
    """
    before = read_run(source)
    recordings = _recordings(source, before)
    options = _options(before, targets_file)
    plans = [_plan(header, options) for header in before.targets]
    session = Session(
        plans,
        folder,
        options={**before.header.options, "rejudged": source.resolve().name},
        engine=_opener(before, recordings),
    )
    shutil.copytree(source / "evidence", folder / "evidence", dirs_exist_ok=True)
    for plan in plans:
        chosen = split_items(plan, session, _wanted(plan, before))
        session.start(plan, _without_examples(plan, chosen, session))
    session.wait()
    session.settle()
    code = exit_code_of(session.lines, session.lost, plans, options)
    session.close(code)
    write_reports(folder)
    return code


def _recordings(source: Path, before: Run) -> dict[str, list[Exchange]]:
    found = {}
    for header in before.targets:
        path = evidence_of(source / "evidence", header.target)
        try:
            found[header.target] = list(read_evidence(path))
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise ConfigurationError(
                f"the exchanges of {header.target!r} cannot be read ({type(error).__name__})",
                where=str(path),
                instead="name a run directory with its folder evidence/",
            ) from error
    return found


def _options(before: Run, targets_file: Path | None) -> RunOptions:
    given = before.header.options
    known = Path(str(given.get("targets_file") or ""))
    concurrency = given.get("concurrency")
    return RunOptions(
        targets_file=targets_file or (known if known.is_file() else None),
        schemas_dirs=tuple(Path(str(each)) for each in given.get("schemas_dirs") or ()),
        depth=Depth(before.header.depth),
        seed=before.header.seed,
        concurrency=concurrency if isinstance(concurrency, int) else None,
        fail_on=FailOn(str(given.get("fail_on") or FailOn.MUST)),
        probe_all=bool(given.get("probe_all")),
    )


def _plan(header: TargetHeader, options: RunOptions) -> TargetPlan:
    """The plan of a target as it was; what its owner declares today counts."""
    target = options.limited(_target(header, options))
    model, profile = header.model or target.model, header.profile or target.profile
    return plan_target(replace(target, model=model, profile=profile), options)


def _target(header: TargetHeader, options: RunOptions) -> Target:
    if header.target.startswith("mutant:"):
        return mutant_target(header.target)
    known = load_targets(options.targets_file)
    if header.target in known:
        return known[header.target]
    return Target(header.target, header.base_url or "", header.model or "", header.profile or "")


def _wanted(plan: TargetPlan, before: Run) -> Callable[[Item], bool]:
    """What the run was asked for; an item that the catalogue did not have then is wanted too."""
    left_out = {each.key for each in before.results if each.reason in _LEFT_OUT}
    return lambda item: Key(plan.name, *item.key) not in left_out


def _without_examples(plan: TargetPlan, chosen: Sequence[Item], session: Session) -> list[Item]:
    """Examples are programs, which no recording can run."""
    for item in chosen:
        if item.requirement.chapter in PROGRAMS:
            session.leave_out(plan, item, Verdict.NOT_RUN, EXAMPLE, "recording")
    return [item for item in chosen if item.requirement.chapter not in PROGRAMS]


def _opener(before: Run, recordings: Mapping[str, list[Exchange]]) -> OpenEngine:
    """Opens engines that replay; the smallest requests found by the run are told again."""
    minimal = {each.key: each for each in before.results if each.minimal}
    without_key = {each.target for each in before.results if each.reason == "no key"}

    @asynccontextmanager
    async def opened(
        plan: TargetPlan, evidence: Path | None, emit: Callable[[Event], None]
    ) -> AsyncIterator[Engine]:
        has_key = plan.name not in without_key
        async with open_replay(plan, recordings[plan.name], emit, has_key=has_key) as engine:
            yield engine
            for item in plan.items:
                found = minimal.get(Key(plan.name, *item.key))
                if found is not None and found.minimal and item.key in engine.judgements:
                    emit(Minimised(plan.name, item, found.minimal, found.curl))

    return opened
