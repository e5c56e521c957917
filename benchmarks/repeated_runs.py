"""Is an honest server ever accused? Runs the whole suite again and again and counts verdicts.

    python benchmarks/repeated_runs.py --runs 100 --noise 20               the plain server, 20 times with jittering logits
    python benchmarks/repeated_runs.py --runs 100 --noise 20 --new-seeds   and every run draws other requests
    python benchmarks/repeated_runs.py --variant all --runs 5              each lawful variant of the server

In-process, so that nothing but the suite and the server can differ; the server's dice are never
seeded. Prints what accuses, one line for each variant, and what stayed inconclusive, with its
reason and how often. What a variant rightly is accused of (a parameter that it withdraws is
rejected) does not count. Ctrl-C ends early and shows what there is. Exit 1 when any run had a fail, ignored, rejected, warn or flaky.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace

from conformance.engine import assembly
from conformance.engine.events import Decided, Event, Result
from conformance.options import RunOptions
from conformance.reference.mutants.honest import honest
from conformance.reference.variants import VARIANTS
from conformance.targets.load import REFERENCE
from conformance.targets.model import Kind
from conformance.verdicts import Verdict

ACCUSING = {Verdict.FAIL, Verdict.IGNORED, Verdict.REJECTED, Verdict.WARN, Verdict.FLAKY}


@dataclass
class Tally:
    """What the runs of one variant came to."""

    runs: int = 0
    accused: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    open: Counter[str] = field(default_factory=Counter)

    def add(self, variant: str, number: int, results: list[Result]) -> None:
        """Count a run; print what accuses."""
        own = VARIANTS[variant].withdrawn
        bad = [r for r in results if r.verdict in ACCUSING and r.requirement.parameter not in own]
        for each in bad:
            print(f"{variant}, run {number}: {_line(each)}", flush=True)
        self.runs += 1
        self.accused += bool(bad)
        self.verdicts.update(each.verdict.value for each in results)
        undecided = (each for each in results if each.verdict is Verdict.INCONCLUSIVE)
        self.open.update(re.sub(r"\d+", "…", _line(each)) for each in undecided)


def _line(result: Result) -> str:
    return f"{result.verdict} {result.item.name}: {result.message}"


async def one_run(variant: str, profile: str, seed: int) -> list[Result]:
    """The results of one whole run."""
    built = honest(variant=variant)
    target = replace(
        REFERENCE.started("http://127.0.0.1/v1", built.model, built.key),
        name=variant,
        profile=profile,
        kind=Kind.HTTP,
    )
    plan = assembly.plan_target(target, RunOptions(seed=seed))
    results: list[Result] = []

    def listen(event: Event) -> None:
        if isinstance(event, Decided):
            results.append(event.result)

    async with assembly.open_engine(plan, None, listen, app=built.app) as engine:
        await engine.run([item for item in plan.items if plan.excluded(item) is None])
        return results


def planned(given: argparse.Namespace) -> Iterator[str]:
    """The variant of each run; those with noise are spread evenly among the others."""
    for variant in sorted(VARIANTS) if given.variant == "all" else [given.variant]:
        for number in range(given.runs):
            before, after = (given.noise * at // given.runs for at in (number, number + 1))
            yield variant if before == after else "noise"


def main() -> int:
    """Parse, run, print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--runs", type=int, default=20, help="of each variant")
    parser.add_argument(
        "--noise", type=int, default=0, help="how many of them with jittering logits"
    )
    parser.add_argument("--variant", default="plain", choices=["all", *sorted(VARIANTS)])
    parser.add_argument("--profile", default="deeptrin")
    parser.add_argument(
        "--new-seeds", action="store_true", help="the seed is the number of the run"
    )
    given = parser.parse_args()
    tallies: dict[str, Tally] = {}
    began = time.monotonic()
    with suppress(KeyboardInterrupt):
        for number, variant in enumerate(planned(given)):
            seed = number if given.new_seeds else 0
            results = asyncio.run(one_run(variant, given.profile, seed))
            tallies.setdefault(variant, Tally()).add(variant, number, results)
    for variant, tally in tallies.items():
        show(variant, tally)
    runs, bad = (sum(getattr(t, name) for t in tallies.values()) for name in ("runs", "accused"))
    print(
        f"{runs} runs ({given.profile}), {bad} with an accusation; {time.monotonic() - began:.0f} s"
    )
    return 1 if bad else 0


def show(variant: str, tally: Tally) -> None:
    """One line for the verdicts of a variant, and one for each thing that stayed open."""
    counts = ", ".join(f"{count} {verdict}" for verdict, count in tally.verdicts.most_common())
    print(f"{variant}: {tally.runs} runs, {tally.accused} accused; {counts}")
    for line, count in tally.open.most_common():
        print(f"    {count} × {line}")


if __name__ == "__main__":
    sys.exit(main())
