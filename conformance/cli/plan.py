"""``conformance plan``: what a run would ask and cost, without sending anything to the target."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import Sequence

from conformance.checks.catalogue import CHAPTERS, Item
from conformance.cli.selecting import matcher
from conformance.cli.tables import table
from conformance.engine.assembly import TargetPlan
from conformance.engine.forecast import OPEN_ENDED, Forecast, forecast
from conformance.options import RunOptions, add_arguments
from conformance.planning import plan_run

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options of a run."""
    parser.add_argument("--ids", action="store_true", help="list the requirement ids, no costs")
    parser.add_argument(
        "-k", dest="keyword", metavar="EXPRESSION", default="", help="as `conformance run -k`"
    )
    add_arguments(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print the plan of each target."""
    wanted = matcher(arguments.keyword)
    for number, plan in enumerate(plan_run(RunOptions.from_namespace(arguments))):
        items = [each for each in plan.items if plan.excluded(each) is None and wanted(each.name)]
        if number:
            print()
        if arguments.ids:
            print("\n".join(dict.fromkeys(item.requirement.id for item in items)))
        else:
            print(_shown(plan, items, asyncio.run(forecast(plan, items))))
    return 0


def _shown(plan: TargetPlan, items: Sequence[Item], found: Forecast) -> str:
    target = plan.target
    where = target.base_url or "started by the run"
    lines = [
        f"{target.name}: profile {plan.profile.name}, depth {plan.depth}, {where}",
        table(_rows(items, found)),
        f"requests: {found.fixed:,} whatever is answered, "
        f"and {found.least - found.fixed:,} to {found.most - found.fixed:,} that depend on it; "
        f"{found.least:,} to {found.most:,} in all",
        f"tokens: at most {found.prompt_tokens:,} prompt and "
        f"{found.completion_tokens:,} completion",
    ]
    if target.prices is not None:
        money = found.money(target.prices)
        lines.append(f"money: at most {money:.2f} {target.prices.currency}")
    lines += _notes(plan, found)
    return "\n".join(lines)


def _rows(items: Sequence[Item], found: Forecast) -> list[tuple[str, ...]]:
    ids: dict[str, set[str]] = {}
    for item in items:
        ids.setdefault(item.requirement.chapter, set()).add(item.requirement.id)
    order = sorted(found.items, key=lambda name: (name not in CHAPTERS, _place(name)))
    rows: list[tuple[str, ...]] = [("chapter", "requirements", "verdicts", "requests")]
    rows += [
        (name, str(len(ids[name])), str(found.items[name]), str(found.requests[name]))
        for name in order
    ]
    rows.append(("calibration, probes", "", "", str(found.requests[""])))
    total = len(set().union(*ids.values()))
    return [*rows, ("in all", str(total), str(found.items.total()), str(found.least))]


def _place(chapter: str) -> int:
    return CHAPTERS.index(chapter) if chapter in CHAPTERS else len(CHAPTERS)


def _notes(plan: TargetPlan, found: Forecast) -> list[str]:
    notes = ["Found out by a dry run against the reference server; nothing was sent to the target."]
    if plan.target.limits.max_completion_tokens is None:
        notes.append(
            f"The bound holds for a target that keeps max_tokens; {found.open_ended} requests leave "
            f"their length to it and count {OPEN_ENDED:,} tokens each. "
            "--max-completion-tokens bounds any target."
        )
    return notes
