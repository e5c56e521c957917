"""A run of the suite as a person starts it, and what it cost: the process itself, not its children."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.servers import Server, environment
from conformance.report.records import Footer
from conformance.report.results import read_run

__all__ = ["Measured", "measured", "span"]

#: Run by a child: the suite, then what it used, as the last line of its output.
CHILD = """
import json, resource, sys
from conformance.cli import main
code = main(sys.argv[1:])
used = resource.getrusage(resource.RUSAGE_SELF)
print(json.dumps([code, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024]))
"""


@dataclass(frozen=True)
class Measured:
    """One run. ``seconds`` are from the start of the process to its end; ``cpu`` seconds and
    ``megabytes`` (the peak) are the process's own. ``records`` are its exchanges, as in the evidence.
    """

    code: int
    seconds: float
    before: float
    cpu: float
    megabytes: float
    footer: Footer
    folder: Path
    records: Sequence[dict[str, Any]]


@contextmanager
def measured(server: Server, *options: str, depth: str = "standard") -> Iterator[Measured]:
    """Judge ``server`` by the profile ``deeptrin``; the files of the run are there in the block."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        folder = Path(name) / "run"
        where = ["--base-url", server.base_url, "--model", server.model, "--profile", "deeptrin"]
        command = [sys.executable, "-c", CHILD, "run", *where, "--depth", depth]
        command += ["--report-dir", str(folder), *options]
        began = time.time()
        done = subprocess.run(
            command, capture_output=True, text=True, check=True, env=environment()
        )
        seconds = time.time() - began
        code, cpu, megabytes = json.loads(done.stdout.splitlines()[-1])
        records = _records(folder / "evidence" / "adhoc.jsonl")
        before = min((each["started"] for each in records), default=began) - began
        footer = read_run(folder).footer
        assert footer is not None
        yield Measured(code, seconds, before, cpu, megabytes, footer, folder, records)


def _records(path: Path) -> list[dict[str, Any]]:
    """Each exchange once, without what it carried."""
    found: dict[str, dict[str, Any]] = {}
    with path.open("rb") as lines:
        for line in lines:
            record = json.loads(line)
            kept = ("started", "elapsed", "phase", "status")
            found[record["id"]] = {name: record[name] for name in kept}
    return list(found.values())


def span(records: Sequence[dict[str, Any]]) -> float:
    """Seconds from the first start to the last end."""
    if not records:
        return 0.0
    ends = [record["started"] + record["elapsed"] for record in records]
    return float(max(ends) - min(record["started"] for record in records))
