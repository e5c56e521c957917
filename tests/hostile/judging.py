"""A whole run against one sinner, and everything that must hold whatever the sinner does."""

from __future__ import annotations

import base64
import json
import os
import re
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from fnmatch import fnmatch
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from conformance.report.records import Result, Run
from conformance.report.results import problems, read_run
from conformance.verdicts import Level, Verdict

from .serving import KEY, MODEL, Server
from .table import Sin

__all__ = ["Trial", "complaints", "try_on"]

#: Megabytes that a run may take at its peak.
MEGABYTES = 300
#: Seconds beside the budget: for what is still on its way when it ends, and for the report.
GRACE = 5.0
#: Seconds of patience on a machine that has nothing else to do.
TIMEOUTS = {"connect": 2, "first_byte": 2, "idle": 2, "total": 4}

BAD = frozenset({Verdict.FAIL, Verdict.IGNORED, Verdict.REJECTED})


@dataclass(frozen=True)
class Trial:
    """What a run against a sinner left behind."""

    sin: Sin
    folder: Path
    code: int | None
    seconds: float
    computed: float
    megabytes: float
    output: str
    served: int
    strayed: int
    faults: tuple[str, ...]

    @property
    def run(self) -> Run:
        """Its results file."""
        return read_run(self.folder)

    @property
    def accused(self) -> list[Result]:
        """The MUSTs that are broken."""
        return [r for r in self.run.results if r.level is Level.MUST and r.verdict in BAD]

    @property
    def row(self) -> dict[str, Any]:
        """The row of the table."""
        return {
            "name": self.sin.name,
            "seconds": round(self.seconds, 1),
            "code": self.code,
            "megabytes": round(self.megabytes),
            "requests": self.served,
            "verdicts": _verdicts(self),
        }


def busy() -> float:
    """How much slower than alone things go: processes that want to run for each core."""
    return min(max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1)), 5.0)


def try_on(sin: Sin, folder: Path, tls: ssl.SSLContext, *arguments: str) -> Trial:
    """`conformance run` against ``sin``, in a process of its own."""
    sin = replace(sin, seconds=sin.seconds * busy())
    with Server(sin.act, reads=sin.reads, tls=tls if sin.tls else None) as server:
        targets = folder / "targets.yaml"
        targets.write_text(yaml.safe_dump({"targets": {"sinner": _entry(sin, server.port)}}))
        command = [sys.executable, "-m", "conformance", "run", "--target", "sinner"]
        command += ["--targets-file", str(targets), "--report-dir", str(folder / "run")]
        launcher = [sys.executable, str(Path(__file__).with_name("measured.py"))]
        done = subprocess.run(
            [*launcher, str(max(sin.seconds, 240) + 60), *command, "--depth", "quick", *arguments],
            capture_output=True,
            env={**os.environ, "HOSTILE_KEY": KEY},
            cwd=folder,
            check=False,
        )
        other = server.notes.get("other")
        strayed = other.requests if other else 0
    text = (done.stdout + b"\n" + done.stderr).decode("utf-8", "surrogateescape")
    output, _, told = text.rpartition("\n")
    return Trial(
        sin,
        folder / "run",
        **json.loads(told),
        output=output,
        served=server.requests,
        strayed=strayed,
        faults=tuple(server.faults),
    )


def _entry(sin: Sin, port: int) -> dict[str, Any]:
    return {
        "base_url": f"{sin.scheme}://127.0.0.1:{port}/v1",
        "model": MODEL,
        "profile": "deeptrin",
        "api_key_env": "HOSTILE_KEY",
        "timeouts": {name: seconds * busy() for name, seconds in TIMEOUTS.items()},
        "recovery_seconds": 2,
        "limits": {"max_seconds": sin.seconds},
    }


def complaints(trial: Trial) -> Iterator[str]:
    """What does not hold; nothing for a run as it should be."""
    yield from (f"the server itself: {fault}" for fault in trial.faults[:1])
    yield from _cost(trial)
    yield from _verdict(trial)
    yield from _files(trial)
    yield from _output(trial)
    yield from _page(trial)
    yield from _key(trial)


def _cost(trial: Trial) -> Iterator[str]:
    if trial.code is None:
        yield "it did not end"
    if trial.seconds > trial.sin.seconds + GRACE + trial.computed * busy():
        yield f"it took {trial.seconds:.1f} s of {trial.sin.seconds:g} ({trial.computed:.1f} of its own)"
    if trial.megabytes > MEGABYTES:
        yield f"it took {trial.megabytes:.0f} MB"


def _verdict(trial: Trial) -> Iterator[str]:
    sin = trial.sin
    if trial.code != sin.code:
        yield f"exit code {trial.code}, not {sin.code}"
    names = {result.requirement for result in trial.accused}
    if sin.accused and not any(fnmatch(name, sin.accused) for name in names):
        yield f"nothing like {sin.accused!r} is accused, but {sorted(names)[:5]}"
    if not sin.accused and names:
        yield f"accused of {sorted(names)[:5]}"
    if trial.strayed:
        yield f"{trial.strayed} requests were led to another host"


def _files(trial: Trial) -> Iterator[str]:
    lines = (trial.folder / "results.jsonl").read_bytes().splitlines()
    for found in (problem for line in lines for problem in problems(json.loads(line))):
        yield f"results.jsonl: {found[:200]}"
    if trial.run.footer is None:
        yield "results.jsonl has no footer"
    elif trial.run.footer.requests < trial.served - trial.strayed - 20:
        yield f"the footer says {trial.run.footer.requests} requests, the server {trial.served}"
    faults = [r.message for r in trial.run.results if "the suite itself" in r.message]
    if faults:
        yield f"{len(faults)} times: {faults[0][:200]}"
    for name in ("matrix.html", "junit.xml", "summary.md"):
        if not (trial.folder / name).stat().st_size:
            yield f"{name} is empty"


#: What acts on a terminal: C0 but line ends and tabs, DEL, C1, bidirectional controls.
_ACTS = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029]")


def _output(trial: Trial) -> Iterator[str]:
    if "Traceback" in trial.output or "Error:" in trial.output:
        yield f"a traceback: {trial.output[-600:]}"
    if found := _ACTS.search(trial.output):
        yield f"{found.group()!r} on the terminal: {trial.output[found.start() - 80 :][:200]!r}"
    if trial.sin.says not in trial.output:
        yield f"{trial.sin.says!r} is not said: {trial.output[-400:]}"
    if "forged\n" in trial.output or "\n::error::" in trial.output:
        yield "a forged line on the terminal"


class _Page(HTMLParser):
    """Collects what acts in a page: elements by name, and attributes that run something."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts = 0
        self.alive: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take note of an element."""
        self.scripts += tag == "script"
        if tag in ("img", "iframe", "object", "embed", "base"):
            self.alive.append(tag)
        for name, value in attrs:
            if name.startswith("on") or "javascript:" in (value or "").lower():
                self.alive.append(f"{tag} {name}={value}")


def _page(trial: Trial) -> Iterator[str]:
    text = (trial.folder / "matrix.html").read_text(encoding="utf-8")
    page = _Page()
    page.feed(text)
    if page.alive:
        yield f"alive in the page: {page.alive[:3]}"
    if page.scripts != 2:
        yield f"{page.scripts} scripts in the page"
    if found := re.search("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]", text):
        yield f"{found.group()!r} in the page"


def _key(trial: Trial) -> Iterator[str]:
    forms = {
        KEY.encode(),
        KEY.replace("/", "\\/").encode(),
        quote(KEY, safe="").encode(),
        KEY.encode().hex().encode(),
        base64.b64encode(KEY.encode())[:-4],
        base64.b64encode(b"u:" + KEY.encode())[4:-4],
        "".join(f"\\u{ord(c):04x}" for c in KEY).encode(),
    }
    everything = {path: path.read_bytes() for path in trial.folder.rglob("*") if path.is_file()}
    everything[Path("the output")] = trial.output.encode("utf-8", "surrogateescape")
    for path, data in everything.items():
        if any(form in data for form in forms):
            yield f"the key is in {path.name}"


def _verdicts(trial: Trial) -> str:
    results = [r for r in trial.run.results if r.verdict in BAD]
    counted = f"{len(trial.accused)} MUST broken" if trial.accused else "nothing accused"
    told = next((f": {r.requirement}" for r in results if r.level is Level.MUST), "")
    return counted + told
