"""From options to plans: which targets, which items, and what is left out of the run."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from conformance.checks.catalogue import Item
from conformance.engine.assembly import TargetPlan, plan_target
from conformance.errors import ExitCode
from conformance.options import RunOptions
from conformance.report import fold
from conformance.report.records import Result
from conformance.session import Session
from conformance.targets import (
    check_requirement_ids,
    excuse,
    load_targets,
    select_targets,
    undecided,
)
from conformance.verdicts import Verdict

__all__ = ["exit_code_of", "plan_run", "split_items"]


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
    """The items of ``plan`` to run; the others are recorded with the reason why not."""
    chosen: list[Item] = []
    for item in plan.items:
        excluded = plan.excluded(item)
        if excluded is not None:
            verdict, message, reason = excluded
            session.leave_out(plan, item, verdict, message, reason)
        elif not wanted(item):
            session.leave_out(plan, item, Verdict.NOT_RUN, "deselected", "deselected")
        else:
            chosen.append(item)
    return chosen


def exit_code_of(
    results: Sequence[Result], lost: bool, plans: Sequence[TargetPlan], options: RunOptions
) -> ExitCode:
    """The exit code of a run; what a target lists under ``undecided:`` is excused."""
    today = datetime.now(UTC).date()
    targets = {plan.name: plan.target for plan in plans}

    def excused(result: Result) -> bool:
        place = (result.requirement, result.endpoint, result.mode)
        entry = undecided(targets[result.target], *place, today)
        return fold.exempt(result) or excuse(result.verdict, entry, today)[0]

    return fold.exit_code(results, fail_on=options.fail_on, exempt=excused, unreachable=lost)
