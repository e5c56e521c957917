"""A real server that dies of one input: who is accused, and what stays decided."""

import json

import pytest

from conformance.cli.main import main
from conformance.report.results import read_run
from conformance.verdicts import Verdict

TARGET = """
targets:
  frail:
    base_url: {url}
    model: meta-llama/Meta-Llama-3.1-8B-Instruct
    profile: deeptrin
    api_key_env: NO_SUCH_KEY
    recovery_seconds: {recovery}
"""
SELECTION = "error.malformed or robust.body or accepts.minimal"


@pytest.fixture
def judged(deadly, tmp_path):
    """Run a small selection against a frail server; its exit code and its run."""

    def run(trigger, *, recovery=8, **options):
        url = deadly(trigger, **options)
        targets = tmp_path / "targets.yaml"
        targets.write_text(TARGET.format(url=url, recovery=recovery))
        folder = tmp_path / "run"
        arguments = ["--targets-file", str(targets), "--target", "frail", "-k", SELECTION]
        code = main(["run", *arguments, "--report-dir", str(folder)])
        return code, read_run(folder)

    return run


def verdicts(run):
    return {(r.requirement, r.endpoint): r.verdict for r in run.results if r.reason != "deselected"}


def test_the_culprit_is_named_and_bystanders_are_not_accused(judged, tmp_path):
    """A server that dies of NaN and comes back fails that requirement, and no other."""
    code, run = judged("NaN")

    found = verdicts(run)
    bad = {key for key, verdict in found.items() if verdict.rule.bad}
    assert 1 == code
    assert {("robust.body.survives", "chat")} == bad
    message = next(r.message for r in run.results if r.verdict is Verdict.FAIL)
    assert "died" in message
    assert Verdict.PASS is found["accepts.minimal", "chat"]


def test_the_evidence_marks_the_culprit_and_what_was_lost_with_it(judged, tmp_path):
    """In the recording one request killed the server; the rest of its batch is set aside."""
    judged("NaN")

    path = tmp_path / "run" / "evidence" / "frail.jsonl"
    lines = {line["id"]: line for line in map(json.loads, path.read_bytes().splitlines())}
    deaths = [line for line in lines.values() if line["server_died"]]
    assert deaths
    assert all("NaN" in line["request"]["body"]["text"] for line in deaths)
    assert any(line["phase"] == "lost" for line in lines.values())


def test_a_server_that_stays_dead_ends_the_run_without_accusing_anybody(judged):
    """Nobody is accused by guess, nothing decided changes, and the run says that it was cut."""
    code, run = judged("NaN", lives=1, recovery=1)

    found = verdicts(run)
    assert 3 == code
    assert Verdict.PASS is found["accepts.minimal", "chat"]
    assert not [key for key, verdict in found.items() if verdict.rule.bad]
    assert "unreachable" == run.footer.targets["frail"].ended


def test_a_server_that_is_back_at_once_accuses_no_bystander_either(judged):
    """Without a pause in which a probe fails, requests cut off with the culprit are repeated."""
    _, run = judged("NaN", pause=0.0)

    bad = {key for key, verdict in verdicts(run).items() if verdict.rule.bad}
    assert bad <= {("robust.body.survives", "chat")}
