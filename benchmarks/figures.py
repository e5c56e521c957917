"""Every number that the suite holds itself to: measured, and compared with its limit."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.runs import Measured, measured, span
from benchmarks.servers import environment, started

__all__ = ["GROUPS", "Reading"]

LATENCY, IN_FLIGHT = 0.2, 8


@dataclass(frozen=True)
class Reading:
    """One row: what was measured, at most what, and what it was."""

    what: str
    limit: float
    value: float
    unit: str = ""

    @property
    def held(self) -> bool:
        """Whether the number is within its limit."""
        return self.value <= self.limit


def costs() -> Iterator[Reading]:
    """Requests and tokens of both depths, as the honest server counts them."""
    for depth, requests, tokens in (("quick", 250, 8_000), ("standard", 900, 30_000)):
        with started("honest") as server, measured(server, depth=depth) as run:
            seen = server.statistics()
            yield Reading(f"{depth}: requests", requests, run.footer.requests)
            yield Reading(
                f"{depth}: requests that the server saw and the footer lacks",
                0,
                seen["requests"] - run.footer.requests,
            )
            yield Reading(f"{depth}: completion tokens", tokens, run.footer.completion_tokens)
            yield Reading(
                f"{depth}: completion tokens by the server's count",
                tokens,
                seen["completion_tokens"],
            )


def broken() -> Iterator[Reading]:
    """What targets that break everything cost, over the honest run."""
    with started("honest") as server, measured(server) as run:
        honest = run.footer.requests
    for kind in ("constant", "failing", "nothing"):
        with started(kind) as server, measured(server, "--max-seconds", "600") as run:
            value = run.footer.requests / honest
            yield Reading(f"a target that breaks everything ({kind}) ÷ the honest one", 1.5, value)


def speed() -> Iterator[Reading]:
    """Wall time and memory against the reference, and CPU over that of a bare client."""
    with started("honest") as server, measured(server) as run:
        yield Reading("standard, reference server: wall time", 30, run.seconds, "s")
        yield Reading("of which before the first request", 2.5, run.before, "s")
        yield Reading("peak memory, honest target", 200, run.megabytes, "MB")
        evidence = run.folder / "evidence" / "adhoc.jsonl"
        command = [sys.executable, "-m", "benchmarks.bare", str(evidence), server.base_url]
        answered, cpu = subprocess.run(
            command, capture_output=True, text=True, check=True
        ).stdout.split()
        bare = float(cpu) / int(answered)
        ratio = run.cpu / run.footer.requests / bare
        yield Reading("CPU for each request ÷ that of a bare httpx2 client", 8, ratio)


def latency() -> Iterator[Reading]:
    """A server that takes 200 ms: how near the run is to what its limits allow."""
    with started("honest", LATENCY) as server, measured(server) as run:
        exclusive = [each for each in run.records if each["phase"] == "exclusive"]
        rest = len(run.records) - len(exclusive)
        seconds = span(run.records) - span(exclusive)
        allowed = rest * LATENCY / IN_FLIGHT
        yield Reading(
            "200 ms a request, 8 in flight: wall time ÷ the least", 1.5, seconds / allowed
        )


def side_by_side() -> Iterator[Reading]:
    """One target more with ``-n``, on servers that take 200 ms a request."""
    with ExitStack() as stack:
        servers = [stack.enter_context(started("honest", LATENCY)) for _ in range(2)]
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="benchmark-")))
        targets = "".join(
            f"  t{number}:\n    base_url: {server.base_url}\n    model: {server.model}\n"
            "    profile: deeptrin\n"
            for number, server in enumerate(servers)
        )
        (folder / "targets.yaml").write_text(f"targets:\n{targets}", encoding="utf-8")
        one, two = _pytest(folder, "t0"), _pytest(folder, "t0", "t1")
        yield Reading("one target more with -n ÷ one alone", 1.15, two / one)


def _pytest(folder: Path, *targets: str) -> float:
    """Seconds of ``pytest --pyargs conformance`` for ``targets`` side by side."""
    command = [sys.executable, "-m", "pytest", "--pyargs", "conformance", "-q"]
    command += ["-p", "no:cacheprovider", "-n", str(len(targets)), "--targets-file", "targets.yaml"]
    for target in targets:
        command += ["--target", target]
    began = time.monotonic()
    subprocess.run(command, cwd=folder, capture_output=True, check=False, env=environment())
    return time.monotonic() - began


def memory() -> Iterator[Reading]:
    """A target that answers with all the bytes it can."""
    with started("flooding") as server:
        options = ("--max-seconds", "120", "--timeout", "5")
        with measured(server, *options, depth="quick") as run:
            yield Reading("peak memory, hostile target", 300, run.megabytes, "MB")


def repeated() -> Iterator[Reading]:
    """Runs against the honest server that accuse it of anything."""
    runs = int(os.environ.get("RUNS", "10"))
    accusing = 0
    for seed in range(runs):
        seeded = ("--conformance-seed", str(seed))
        with started("honest") as server, measured(server, *seeded) as run:
            accusing += _accuses(run)
    yield Reading(f"runs of {runs} with a fail, warn or flaky", 0, accusing)


def _accuses(run: Measured) -> bool:
    bad = ("fail", "ignored", "rejected", "warn", "flaky", "error")
    return any(run.footer.counts.get(each) for each in bad)


#: What can be measured on its own, in the order of the table.
GROUPS: Mapping[str, Callable[[], Iterator[Reading]]] = {
    each.__name__.replace("_", "-"): each
    for each in (costs, broken, speed, latency, side_by_side, memory, repeated)
}
