"""A year of nights: how long the page with trends takes, and how much memory.

    python benchmarks/history.py [--nights 365] [--targets 10] [--requirements 660]

Prints seconds and megabytes, and leaves with 1 where they are above 10 s or 500 MB.
"""

from __future__ import annotations

import argparse
import random
import resource
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

from conformance.report.closing import write_run
from conformance.report.history import night_of, write_night
from conformance.report.records import Footer, Header, Result, Run, TargetFooter, TargetHeader
from conformance.report.trends import history_trends
from conformance.report.write import write_reports
from conformance.verdicts import Level, Mode, Verdict

MOST_SECONDS, MOST_MEGABYTES = 10.0, 500.0
PLACES = [(e, m) for e in ("chat", "completions") for m in (Mode.REGULAR, Mode.STREAM)]


def night(number: int, targets: int, requirements: int) -> Run:
    """One night: mostly passes, some that stay red for weeks, some that come and go."""
    dice = random.Random(number)
    results = []
    for target in range(targets):
        for index in range(requirements):
            endpoint, mode = PLACES[index % len(PLACES)]
            verdict = Verdict.PASS
            if (index * 7 + target + number // 20) % 31 == 0:
                verdict = Verdict.FAIL
            elif dice.random() < 0.01:
                verdict = dice.choice([Verdict.REJECTED, Verdict.FLAKY, Verdict.INCONCLUSIVE])
            name = f"chapter{index % 12}.requirement-{index // 4}.effect"
            message = "" if verdict is Verdict.PASS else f"usage.total_tokens is {number}"
            results.append(
                Result(f"target-{target}", name, Level.MUST, endpoint, mode, verdict, message)
            )
    started = datetime(2026, 1, 1, 3, tzinfo=UTC) + timedelta(days=number)
    heads = tuple(TargetHeader(f"target-{target}") for target in range(targets))
    counts = Counter(result.verdict.value for result in results)
    footers = {head.target: TargetFooter(requests=800, seconds=60.0) for head in heads}
    return Run(
        Header("0.1.0", started.isoformat(timespec="seconds"), "c0ffee", targets=heads),
        tuple(results),
        Footer(started.isoformat(timespec="seconds"), dict(counts), targets=footers),
    )


def main() -> int:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--nights", type=int, default=365)
    parser.add_argument("--targets", type=int, default=10)
    parser.add_argument("--requirements", type=int, default=660)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="history-") as name:
        history = Path(name)
        for number in range(given.nights):
            folder = history / f"{number:05}"
            folder.mkdir()
            run = night(number, given.targets, given.requirements)
            write_night(folder, night_of(run))
        write_run(folder, run, exit_code=0)
        began = time.perf_counter()
        trends = history_trends(history)
        read = time.perf_counter() - began
        write_reports(folder, trends)
        whole = time.perf_counter() - began
        size = (folder / "matrix.html").stat().st_size / 1e6
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{given.nights} nights × {given.targets} targets × {given.requirements} verdicts")
    print(f"trends {read:.2f} s, with the page {whole:.2f} s (at most {MOST_SECONDS:g})")
    print(f"memory {memory:.0f} MB (at most {MOST_MEGABYTES:g}); page {size:.1f} MB")
    print(f"{len(trends.red)} failing, {len(trends.flapping)} flapping")
    return int(whole > MOST_SECONDS or memory > MOST_MEGABYTES)


if __name__ == "__main__":
    raise SystemExit(main())
