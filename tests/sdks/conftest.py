"""Clients for these tests: the SDK that the suite itself uses, and all versions where installed.

``CONFORMANCE_SDKS`` names a folder with environments (``tox run -e sdks`` makes one and sets it).
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import openai
import pytest

from conformance.engine.clients import ClientRunner, read_manifest
from conformance.engine.examples import ExampleOutcome
from conformance.options import RunOptions
from conformance.planning import plan_run, split_items
from conformance.report.records import Result
from conformance.session import Session
from conformance.wire.exchange import Exchange, Request

ROOT = Path(__file__).parents[2]
if str(ROOT) not in sys.path:  # `sdks` is a folder of the checkout, not of the wheel
    sys.path.insert(0, str(ROOT))

#: The driver's program for the SDK of this environment.
OWN = [sys.executable, "-I", str(ROOT / "sdks" / "python" / "driver.py")]

#: Does a job: cases, recorded answers by id, what the target answers → outcome, exchanges.
RunJob = Callable[..., tuple[ExampleOutcome, list[Exchange]]]
#: Judges requirements at a peculiar server: (name, ids, profile) → results.
Judge = Callable[..., list[Result]]


def manifest(folder: Path, *entries: dict[str, Any]) -> Path:
    """A folder with a manifest of ``entries``."""
    (folder / "clients.json").write_text(json.dumps({"clients": entries}), encoding="utf-8")
    return folder


@pytest.fixture
def listed(tmp_path: Path) -> Callable[..., Path]:
    """Make a folder whose manifest lists the given entries."""
    return lambda *entries: manifest(tmp_path, *entries)


@pytest.fixture
def own(tmp_path: Path) -> Path:
    """A folder whose only client is the SDK of this environment."""
    entry = {
        "language": "python",
        "version": openai.__version__,
        "command": OWN,
        "interpreter": OWN[:-1],
    }
    return manifest(tmp_path, entry)


@pytest.fixture
def all_versions() -> Path:
    """The folder with every version; skips where there is none."""
    folder = os.environ.get("CONFORMANCE_SDKS")
    if not folder:
        pytest.skip("CONFORMANCE_SDKS names no folder with SDK environments (tox run -e sdks)")
    return Path(folder)


@pytest.fixture
def run_job(own: Path) -> RunJob:
    """Run a job with the SDK of this environment."""

    def run(
        cases: Sequence[dict[str, Any]],
        recorded: dict[str, Exchange],
        forward: Callable[[Request], Any] | None = None,
    ) -> tuple[ExampleOutcome, list[Exchange]]:
        async def refuse(request: Request) -> Exchange:
            raise AssertionError(f"nothing goes to the target: {request.path}")

        runner = ClientRunner(read_manifest(own), recorded.__getitem__, "http://127.0.0.1/v1")
        kind = f"client python {openai.__version__}"
        return asyncio.run(runner.run(kind, json.dumps(cases), forward or refuse))

    return run


@pytest.fixture(scope="session")
def servers() -> Iterator[str]:
    """The address of all peculiar servers."""
    from sdks.peculiar import serving

    with serving() as address:
        yield address


@pytest.fixture
def judge(servers: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Judge:
    """Judge requirements at the peculiar server ``name`` with the clients of ``sdks``."""
    from sdks.peculiar import KEY

    monkeypatch.setenv("PECULIAR_KEY", KEY)

    def run(name: str, *ids: str, sdks: Path | None, profile: str = "openai") -> list[Result]:
        options = RunOptions(
            base_url=f"{servers}/{name}/v1",
            model="meta-llama/Meta-Llama-3.1-8B-Instruct",
            api_key_env="PECULIAR_KEY",
            profile=profile,
            sdks=sdks,
        )
        (plan,) = plan_run(options)
        folder = tmp_path / name
        if folder.exists():
            folder = tmp_path / f"{name}-again"
        session = Session([plan], folder, options=options.describe())
        chosen = split_items(plan, session, lambda item: item.requirement.id in ids)
        session.start(plan, chosen)
        session.wait()
        lines = session.lines
        session.close(0)
        return [line for line in lines if line.requirement in ids]

    return run
