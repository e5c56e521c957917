"""Every shell block of the recipes in ``docs/ci`` is run, as the CI system would run it."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from conformance.report.results import read_run

from .runs import Served, serving, write_targets

DOCS = Path(__file__).parents[2] / "docs" / "ci"
ACTION = DOCS / "github/actions/conformance/action.yml"

pytestmark = pytest.mark.skipif(not DOCS.is_dir(), reason="the docs are not part of a wheel")

#: The real command on a few requirements, so that a block runs in seconds.
SHIM = """#!/bin/sh
verb=$1; shift
case "$verb" in
  run|nightly) exec "{python}" -m conformance "$verb" -k "param.stop and chat" "$@" ;;
  *) exec "{python}" -m conformance "$verb" "$@" ;;
esac
"""


class Shell:
    """A job: its folder, its environment, and what it wrote to the job's summary."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder = folder
        shims = folder / "shims"
        shims.mkdir()
        for name, text in (
            ("conformance", SHIM.format(python=sys.executable)),
            ("python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'),
        ):
            (shims / name).write_text(text)
            (shims / name).chmod(0o755)
        self.environment = {**environment, "PATH": f"{shims}:{environment['PATH']}"}
        self.environment["GITHUB_STEP_SUMMARY"] = str(folder / "summary-of-the-job.md")

    def run(self, script: str, **variables: str) -> int:
        """As GitHub runs ``shell: bash``."""
        done = subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script],
            cwd=self.folder,
            env={**self.environment, **variables},
            capture_output=True,
            text=True,
            timeout=300,
        )
        sys.stdout.write(done.stdout[-2000:] + done.stderr[-2000:])
        return done.returncode

    @property
    def summary(self) -> str:
        """The job's summary."""
        return (self.folder / "summary-of-the-job.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def honest() -> Iterator[Served]:
    """Staging, in good order."""
    with serving() as served:
        yield served


@pytest.fixture
def shell(tmp_path: Path, environment: dict[str, str], honest: Served) -> Shell:
    """A checkout with a targets file, in which the suite is installed."""
    write_targets(tmp_path / "targets.yaml", {"staging": honest.entry()})
    return Shell(tmp_path, {**environment, "STAGING_API_KEY": honest.key})


def load(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def blocks(path: Path) -> dict[str, str]:
    """The shell blocks of a workflow or action, by the name of their step."""
    document = load(path)
    jobs = document.get("jobs", {"": document.get("runs")})
    steps = [step for job in jobs.values() for step in job["steps"]]
    return {step["name"]: step["run"] for step in steps if "run" in step}


def inputs(**given: str) -> dict[str, str]:
    """The variables of the action's steps for these inputs."""
    document = load(ACTION)
    defaults = {name: each.get("default", "") for name, each in document["inputs"].items()}
    values = {**defaults, **{name.replace("_", "-"): value for name, value in given.items()}}
    return {
        name: re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda match: values[match[1]], text)
        for step in document["runs"]["steps"]
        for name, text in step.get("env", {}).items()
    }


def test_no_block_holds_an_expression() -> None:
    """What an event or an input says reaches a shell as a variable, never as code."""
    for path in sorted(DOCS.rglob("*.yml")):
        if "github" in path.parts:
            assert [] == [name for name, text in blocks(path).items() if "${{" in text]


def test_the_action_judges_and_shows_the_summary(shell: Shell) -> None:
    """Install, judge, summary: green on an honest server."""
    variables = inputs(target="staging")

    codes = [shell.run(text, **variables) for text in blocks(ACTION).values()]

    assert [0, 0, 0] == codes
    assert shell.summary.startswith("# Conformance: no failure")
    assert (shell.folder / "conformance-report" / "junit.xml").exists()


def test_the_action_fails_on_a_new_failure_and_still_shows_it(
    shell: Shell, staging: Served
) -> None:
    """Exit code 1, the failure in the job's summary."""
    write_targets(shell.folder / "targets.yaml", {"staging": staging.entry()})
    variables = {**inputs(target="staging"), "STAGING_API_KEY": staging.key}
    found = blocks(ACTION)

    codes = [shell.run(found[name], **variables) for name in ("Judge", "Summary")]

    assert [1, 0] == codes
    assert "param.stop.effect" in shell.summary


def test_the_gate_uses_inputs_that_the_action_has() -> None:
    """A renamed input would be ignored in silence."""
    known = set(load(ACTION)["inputs"])
    for path in sorted((DOCS / "github/workflows").glob("*.yml")):
        steps = [step for job in load(path)["jobs"].values() for step in job["steps"]]
        for step in steps:
            if step.get("uses") == "./.github/actions/conformance":
                assert known >= set(step["with"])


def test_shards_merge_into_one_page(shell: Shell) -> None:
    """Every shard by the action, then the merge job's blocks."""
    for shard in range(1, 5):
        variables = inputs(
            target="staging",
            depth="deep",
            arguments=f"--shard={shard}/4",
            report_dir=f"shards/shard-{shard}",
        )
        shell.run(blocks(ACTION)["Judge"], **variables)

    codes = [shell.run(text) for text in blocks(DOCS / "github/workflows/shards.yml").values()]

    assert [0, 0] == codes
    assert read_run(shell.folder / "merged").complete
    assert "# Conformance: no failure" in shell.summary


def test_the_night_leaves_a_page(shell: Shell) -> None:
    """History, page and summary."""
    codes = [shell.run(text) for text in blocks(DOCS / "github/workflows/nightly.yml").values()]

    assert [0, 0, 0] == codes
    assert {"index.html", "badge.json", "summary.md"} == {
        path.name for path in (shell.folder / "site").iterdir()
    }


def test_the_gitlab_jobs_do_the_same(shell: Shell) -> None:
    """Each script as GitLab runs it: one shell, stopping at the first failure."""
    document = load(DOCS / "gitlab/.gitlab-ci.yml")
    install = "\n".join(document[".conformance"]["before_script"])

    def job(name: str, **variables: str) -> int:
        return shell.run("\n".join([install, *document[name]["script"]]), **variables)

    assert 0 == job("conformance-gate")
    for shard in range(1, 5):
        job("conformance-shard", CI_NODE_INDEX=str(shard), CI_NODE_TOTAL="4")
    assert 0 == job("conformance-merge")
    assert 0 == job("pages")
    assert (shell.folder / "merged" / "junit.xml").exists()
    assert (shell.folder / "public" / "index.html").exists()
