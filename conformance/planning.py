"""From options to plans: which targets, which items, and what is left out of the run."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from conformance.checks.catalogue import Item
from conformance.engine.assembly import TargetPlan, plan_target
from conformance.engine.events import Event
from conformance.errors import ExitCode
from conformance.options import RunOptions
from conformance.report import fold
from conformance.report.records import Result, Run
from conformance.report.results import read_run
from conformance.resuming import BEFORE, RESUMED, keep_decided, same_questions
from conformance.rundir import catalogue_of, digest, header_of
from conformance.session import Session
from conformance.targets import (
    check_requirement_ids,
    excuse,
    load_targets,
    select_targets,
    undecided,
)
from conformance.verdicts import Level, Verdict

__all__ = ["exit_code_of", "open_session", "plan_run", "reason_of", "resume", "split_items"]


def plan_run(options: RunOptions) -> list[TargetPlan]:
    """The plans of a run. Raises ``ConfigurationError`` for the first mistake found."""
    mutants = _mutants() if any(name.startswith("mutant:") for name in options.targets) else ()
    targets = select_targets(
        options.targets,
        load_targets(options.targets_file),
        options.adhoc(),
        mutant_exists=mutants.__contains__,
        mutants=mutants,
    )
    plans = [plan_target(options.limited(target), options) for target in targets]
    for plan in plans:
        check_requirement_ids(plan.target, {item.requirement.id for item in plan.items})
    return plans


def _mutants() -> tuple[str, ...]:
    from conformance.reference.mutants import names

    return names()


def split_items(
    plan: TargetPlan, session: Session, wanted: Callable[[Item], bool] = lambda item: True
) -> list[Item]:
    """The items of ``plan`` to run; the others are recorded with the reason why not.

    What an earlier part of the run decided is neither.
    """
    chosen: list[Item] = []
    for item in plan.items:
        if session.keeps(plan.name, item):
            continue
        excluded = plan.excluded(item)
        if excluded is not None:
            verdict, message, reason = excluded
            session.leave_out(plan, item, verdict, message, reason)
        elif not wanted(item):
            session.leave_out(plan, item, Verdict.NOT_RUN, "deselected", "deselected")
        else:
            chosen.append(item)
    return chosen


def open_session(
    plans: Sequence[TargetPlan],
    options: RunOptions,
    folder: Path,
    *,
    describe: Mapping[str, Any] | None = None,
    listen: Callable[[Event], None] = lambda event: None,
    worker: str = "",
) -> Session:
    """The session of a run, or of a part of one; with ``--resume`` what was decided stands.

    ``describe`` is what the header says beside the options. Raises ``ConfigurationError`` where
    the folder cannot be written to, or holds a run that asked something else.
    """
    described = {**options.describe(), **(describe or {})}
    kept: tuple[Result, ...] = ()
    if options.resume is not None and not worker:
        kept = resume(plans, described, folder).results
        worker = RESUMED
    elif options.resume is not None:
        kept = read_run(folder / BEFORE).results
    return Session(plans, folder, options=described, listen=listen, worker=worker, kept=kept)


def resume(plans: Sequence[TargetPlan], described: Mapping[str, Any], folder: Path) -> Run:
    """Make the run in ``folder`` the first part of this one; returns what it decided."""
    same_questions(
        read_run(folder).header, header_of(plans, described, digest(catalogue_of(plans)))
    )
    return keep_decided(folder)


def exit_code_of(
    results: Sequence[Result], lost: bool, plans: Sequence[TargetPlan], options: RunOptions
) -> ExitCode:
    """The exit code of a run; what a target lists under ``undecided:`` is excused."""
    excused = _excused(plans)
    return fold.exit_code(results, fail_on=options.fail_on, exempt=excused, unreachable=lost)


def reason_of(code: int, results: Sequence[Result], plans: Sequence[TargetPlan]) -> str:
    """One sentence for exit code 4: what was not decided; "" for any other."""
    if code != ExitCode.UNDECIDED:
        return ""
    if not any(each.verdict.rule.decided for each in results):
        return "nothing was decided: no requirement was selected, or none could be judged"
    excused = _excused(plans)
    undecided = [
        each
        for each in results
        if each.level is Level.MUST and each.verdict in OPEN and not excused(each)
    ]
    first = undecided[0]
    more = f" and {len(undecided) - 1} more" if len(undecided) > 1 else ""
    return (
        f"{first.requirement} ({first.key.place}){more} stayed undecided ({first.verdict}: "
        f"{first.message}); what may stay so is listed under `undecided:` in the targets file "
        "(`conformance deviations` proposes the entries)"
    )


#: A MUST that ends in one of these has to be listed under ``undecided:``.
OPEN = frozenset({Verdict.INCONCLUSIVE, Verdict.UNTESTABLE, Verdict.NOT_RUN})


def _excused(plans: Sequence[TargetPlan]) -> Callable[[Result], bool]:
    today = datetime.now(UTC).date()
    targets = {plan.name: plan.target for plan in plans}

    def excused(result: Result) -> bool:
        place = (result.requirement, result.endpoint, result.mode)
        entry = undecided(targets[result.target], *place, today)
        return fold.exempt(result) or excuse(result.verdict, entry, today)[0]

    return excused
