"""Prints every number of the suite in one table, and leaves with 1 if a limit is broken.

    python -m benchmarks [GROUP…]       all of them take about ten minutes on two idle cores
    RUNS=100 python -m benchmarks repeated

Ratios hold on any machine, seconds on two idle cores; the load is printed with them.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from benchmarks.figures import GROUPS, Reading

HEAD = "| | what | limit | reading |\n| --- | --- | --- | --- |"


def row(reading: Reading) -> str:
    """A line of the table."""
    sign = "✓" if reading.held else "✗"
    unit = f" {reading.unit}" if reading.unit else ""
    return f"| {sign} | {reading.what} | ≤ {_short(reading.limit)}{unit} | {_short(reading.value)}{unit} |"


def _short(value: float) -> str:
    return f"{value:,.0f}" if value == int(value) or value >= 100 else f"{value:.2f}"


def main() -> int:
    """Measure what was asked for, row by row."""
    about = (__doc__ or "").split("\n")[0]
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=about)
    parser.add_argument("groups", nargs="*", metavar="GROUP", help=", ".join(GROUPS))
    chosen = parser.parse_args().groups or list(GROUPS)
    if unknown := [each for each in chosen if each not in GROUPS]:
        parser.error(f"no group {unknown[0]!r}; choose among {', '.join(GROUPS)}")
    os.chdir(Path(__file__).resolve().parent.parent)
    print(HEAD, flush=True)
    held = True
    for group in chosen:
        for reading in GROUPS[group]():
            print(row(reading), flush=True)
            held = held and reading.held
    load = ", ".join(f"{each:.1f}" for each in os.getloadavg())
    print(f"\n{os.cpu_count()} cores, load {load}, Python {sys.version.split()[0]}")
    return 0 if held else 1


if __name__ == "__main__":
    raise SystemExit(main())
