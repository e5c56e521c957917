"""``python -m sdks``: install the SDKs, try all of them on one server after the other, write the table.

Exit codes: 0 the run worked, whatever the clients made of peculiar answers · 1 a client differs
from the wire on the honest server · 2 a mistake in a file or option · 3 the run did not work.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from conformance.checks.chapters.sdk import TOPICS
from conformance.reference.service import MODELS
from conformance.schema.profiles import load_profile
from sdks.environments import install
from sdks.peculiar import KEY, PECULIARITIES, serving
from sdks.table import Table

__all__ = ["main"]

PAGE = Path("docs/sdks.md")
KEY_VARIABLE = "CONFORMANCE_PECULIAR_KEY"
PROFILE = "openai"
HONEST, DOCUMENTED = "honest", "documented"
PREFACE = """\
# One answer, many readers

<!-- Written by `python -m sdks` (`tox run -e sdks`); change it there. -->

The same recorded bytes, replayed from loopback to every version: what the wire says, what each
official SDK makes of it. A client is a compatibility probe and no validator: it forgives what
another falls over. So what a client tolerates is never a pass of the wire, and what only an old
version cannot read still breaks a document that promises `openai>=1.0.0`.

Your own endpoint: `python -m sdks --install-only`, then
`conformance run --target NAME --sdks build/sdks -k sdk`. The requirements `sdk.*` run only when
asked so; what each client saw, word for word, is in the run's `learned.jsonl`.
"""


def targets(address: str, names: Sequence[str]) -> dict[str, Any]:
    """The targets file's content for the servers ``names`` below ``address``."""
    profiles = {each.name: each.profile for each in PECULIARITIES}
    common = {
        "model": MODELS[0],
        "api_key_env": KEY_VARIABLE,
        "limits": {"max_seconds": 3600},
    }
    entries = {
        name: {"base_url": f"{address}/{name}/v1", "profile": profiles[name], **common}
        for name in names
    }
    return {"targets": entries}


def judge(work: Path, report: Path, names: Sequence[str], extra: Sequence[str]) -> int:
    """Run the suite's SDK chapter over the servers ``names``; returns its exit code."""
    with serving() as address:
        file = work / "targets.yaml"
        file.write_text(yaml.safe_dump(targets(address, names)), encoding="utf-8")
        command = [sys.executable, "-m", "conformance", "run", "--targets-file", str(file)]
        for name in names:
            command += ["--target", name]
        command += ["--sdks", str(work), "-k", "sdk", "--report-dir", str(report)]
        environment = {**os.environ, KEY_VARIABLE: KEY}
        return subprocess.run(
            [*command, "--fail-on", "never", *extra], env=environment, check=False
        ).returncode


def page(report: Path, clients: Sequence[Mapping[str, Any]], names: Sequence[str]) -> str:
    """The page for a finished run."""
    table = Table(report, clients)
    says = {each.name: each.says for each in PECULIARITIES if each.name in names}
    rows = {name: text for name, text in says.items() if name not in (HONEST, DOCUMENTED)}
    profile = load_profile(PROFILE, model=MODELS[0])
    parts = [
        PREFACE,
        "## The honest server\n",
        *table.topics(HONEST, TOPICS),
        "\nThe documented samples, verbatim, with each version of the Python SDK:\n",
        *table.samples(DOCUMENTED),
        "\n## Peculiar answers\n",
        "The wire's column names what the suite accuses in these very answers. A client's column:",
        "✓ reads what the wire means · an exception of that class · *silent, empty* neither chunk",
        "nor exception · *other text*, *end lost*, *no number*, *calls mixed up* something else than",
        "the wire says, without a word · *message lost* the exception does not say what the error",
        "says · *refused* its own request · (helper) only the streaming helper · – not tried.\n",
        *table.peculiarities(rows, profile),
    ]
    missing = table.missing()
    if missing:
        parts += ["\n## Not tried\n", *missing]
    return "\n".join(parts) + "\n"


def differing(table: Table) -> list[str]:
    """The clients that differ from the wire on the honest server, with the topics."""
    return [
        f"{language} {version}: {', '.join(topics)}"
        for (language, version), value in table.learned.get(HONEST, {}).items()
        if (topics := [name for name, found in value["problems"].items() if found])
    ]


def say(text: str) -> None:
    """One line for the person at the terminal, at once."""
    sys.stdout.write(f"sdks: {text}\n")
    sys.stdout.flush()


def main(argv: Sequence[str] | None = None) -> int:
    """Do all of it; returns the exit code."""
    known = [each.name for each in PECULIARITIES]
    parser = argparse.ArgumentParser(prog="python -m sdks", description="Try the official SDKs.")
    parser.add_argument("--work", type=Path, default=Path("build/sdks"), help="environments")
    parser.add_argument("--install-only", action="store_true", help="install and stop")
    parser.add_argument("--only", action="append", choices=known, help="one server; repeatable")
    parser.add_argument("--report-dir", type=Path, default=Path("reports/sdks"))
    parser.add_argument("--page", type=Path, help=f"default: {PAGE}, unless --only is given")
    given, extra = parser.parse_known_args(argv)
    work = given.work.resolve()
    clients = install(work)
    for each in clients:
        say(f"{each['language']} {each['version']}: {each['missing'] or 'ready'}")
    if given.install_only:
        return 0
    shutil.rmtree(given.report_dir, ignore_errors=True)
    names = list(dict.fromkeys([HONEST, DOCUMENTED, *(given.only or known)]))
    code = judge(work, given.report_dir, names, extra)
    if code == 2 or not (given.report_dir / "learned.jsonl").is_file():
        return code or 3
    target = given.page or (None if given.only else PAGE)
    text = page(given.report_dir, clients, names)
    if target:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        say(f"table: {target}")
    differs = differing(Table(given.report_dir, clients))
    for line in differs:
        say(f"differs on the honest server: {line}")
    return 1 if differs else 0


if __name__ == "__main__":
    raise SystemExit(main())
