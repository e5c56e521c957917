"""Is an honest server ever accused? Runs the whole suite again and again and counts verdicts.

    python benchmarks/repeated_runs.py --runs 80                   the plain reference server
    python benchmarks/repeated_runs.py --runs 20 --variant noise   logits that jitter

In-process, so that nothing but the suite and the server can differ. Prints one line for each run
whose verdicts are not those of the first, and a table of verdicts at the end. Exit 1 when any run
had a fail, ignored, rejected, warn or flaky.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections import Counter
from dataclasses import replace

from conformance.engine import assembly
from conformance.engine.events import Decided, Event
from conformance.options import RunOptions
from conformance.reference.mutants.honest import honest
from conformance.targets.load import REFERENCE
from conformance.targets.model import Kind
from conformance.verdicts import Verdict

ACCUSING = {Verdict.FAIL, Verdict.IGNORED, Verdict.REJECTED, Verdict.WARN, Verdict.FLAKY}


async def one_run(
    variant: str, profile: str, seed: int
) -> tuple[dict[str, Verdict], list[str], int]:
    """Verdicts by item, what accused, and requests sent."""
    built = honest(variant=variant)
    target = replace(
        REFERENCE.started("http://127.0.0.1/v1", built.model, built.key),
        name=variant,
        profile=profile,
        kind=Kind.HTTP,
    )
    plan = assembly.plan_target(target, RunOptions(seed=seed))
    verdicts: dict[str, Verdict] = {}
    accused: list[str] = []

    def listen(event: Event) -> None:
        if isinstance(event, Decided):
            result = event.result
            verdicts[result.item.name] = result.verdict
            if result.verdict in ACCUSING:
                accused.append(f"{result.verdict} {result.item.name}: {result.message}")

    async with assembly.open_engine(plan, None, listen, app=built.app) as engine:
        await engine.run([item for item in plan.items if plan.excluded(item) is None])
        return verdicts, accused, engine.budget.requests


def main() -> int:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--variant", default="plain")
    parser.add_argument("--profile", default="deeptrin")
    parser.add_argument("--seed", type=int, default=0, help="of every run; -1: its number")
    given = parser.parse_args()
    first: dict[str, Verdict] = {}
    total, different, bad = Counter[str](), 0, 0
    began = time.monotonic()
    for number in range(given.runs):
        seed = number if given.seed < 0 else given.seed
        verdicts, accused, _ = asyncio.run(one_run(given.variant, given.profile, seed))
        first = first or verdicts
        total.update(verdict.value for verdict in verdicts.values())
        changed = [name for name in verdicts if verdicts[name] is not first.get(name)]
        different += bool(changed)
        bad += bool(accused)
        for line in accused:
            print(f"run {number}: {line}", flush=True)
        for name in changed:
            print(f"run {number}: {name}: {first.get(name)} → {verdicts[name]}", flush=True)
    seconds = time.monotonic() - began
    print(f"{given.runs} runs of {given.variant} ({given.profile}), {seconds:.0f} s")
    print(f"{bad} runs with a fail, ignored, rejected, warn or flaky; {different} unlike the first")
    print(", ".join(f"{count} {verdict}" for verdict, count in total.most_common()))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
