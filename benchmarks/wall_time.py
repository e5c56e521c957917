"""Wall time of a run against a server that takes its time, as a ratio to what its limits allow.

    python benchmarks/wall_time.py [--latency 0.2] [--concurrency 8] [--depth standard]

The server is the reference in a process of its own with ``latency`` seconds before each answer. With
``concurrency`` requests in flight, n requests take at least n × latency / concurrency. Printed: the
seconds before the first request, those from the first to the last (the exclusive phase, in which
nothing else is in flight, apart), and the ratio that DESIGN bounds by 1.5.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

SERVER = """
import socket, sys, uvicorn
from conformance.reference.app import create_app
from conformance.reference.service import MODELS, Service
from conformance.reference.variants import Variant

app = create_app(Service(Variant(latency=float(sys.argv[1]))), None)
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(256)
print(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", MODELS[0], flush=True)
config = uvicorn.Config(app, log_level="critical", access_log=False, lifespan="off")
uvicorn.Server(config).run(sockets=[listener])
"""


def main() -> None:
    """Start the server, run the suite, print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--latency", type=float, default=0.2)
    parser.add_argument("--concurrency", type=int, default=8)
    parser.add_argument("--depth", default="standard")
    given = parser.parse_args()
    server = subprocess.Popen(
        [sys.executable, "-c", SERVER, str(given.latency)], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout
    try:
        url, model = server.stdout.readline().split()
        with tempfile.TemporaryDirectory() as folder:
            _measure(Path(folder) / "run", url, model, given)
    finally:
        server.terminate()
        server.wait()


def _measure(folder: Path, url: str, model: str, given: argparse.Namespace) -> None:
    began = time.time()
    command = [sys.executable, "-m", "conformance", "run", "--base-url", url, "--model", model]
    command += ["--profile", "deeptrin", "--report-dir", str(folder), "--depth", given.depth]
    command += ["--concurrency", str(given.concurrency)]
    ended = subprocess.run(command, capture_output=True, check=False)
    lines = (folder / "evidence" / "adhoc.jsonl").read_bytes().splitlines()
    records = list({record["id"]: record for record in map(json.loads, lines)}.values())
    first = min(record["started"] for record in records)
    exclusive = [record for record in records if record["phase"] == "exclusive"]
    rest = [record for record in records if record["phase"] != "exclusive"]
    alone = _span(exclusive)
    seconds = _span(records) - alone
    allowed = len(rest) * given.latency / given.concurrency
    print(
        f"exit code {ended.returncode}, {len(records)} requests, {time.time() - began:.1f} s in all"
    )
    print(f"before the first request: {first - began:.2f} s")
    print(f"exclusive phase: {len(exclusive)} requests in {alone:.1f} s")
    for phase in sorted({record["phase"] for record in rest}):
        chosen = [record for record in rest if record["phase"] == phase]
        flying = sum(record["elapsed"] for record in chosen) / max(_span(chosen), 1e-9)
        print(
            f"  {phase}: {len(chosen)} requests within {_span(chosen):.1f} s, "
            f"{flying:.1f} in flight on the average"
        )
    print(f"all others: {len(rest)} requests in {seconds:.1f} s, at least {allowed:.1f} s")
    print(f"ratio: {seconds / allowed:.2f}")


def _span(records: list[dict[str, float]]) -> float:
    if not records:
        return 0.0
    ends = (record["started"] + record["elapsed"] for record in records)
    return max(ends) - min(record["started"] for record in records)


if __name__ == "__main__":
    main()
