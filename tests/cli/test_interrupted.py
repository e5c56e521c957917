"""Runs that are cut short, and going on from them."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from conformance.cli.main import main
from conformance.report.results import problems, read_run
from conformance.verdicts import Verdict

SELECTION = "shape or usage"


def started(folder, *arguments):
    """`conformance run` in a process (and group) of its own."""
    command = [sys.executable, "-m", "conformance", "run", "--report-dir", str(folder)]
    return subprocess.Popen(
        [*command, "-k", SELECTION, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        cwd=folder.parent,
    )


def decided(folder):
    """Lines that hold a decided verdict so far."""
    path = folder / "results.jsonl"
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [
        line
        for line in map(json.loads, lines)
        if line["type"] == "result" and Verdict(line["verdict"]).rule.decided
    ]


def recorded(folder):
    """The lines of the only evidence file."""
    path = next((folder / "evidence").glob("*.jsonl"))
    return [json.loads(line) for line in path.read_bytes().splitlines()]


@pytest.fixture
def cut(tmp_path):
    """Start a run, send it a signal when it has decided something; exit code, folder, output."""

    def run(number):
        folder = tmp_path / "run"
        process = started(folder, "--concurrency", "1")
        until = time.monotonic() + 60
        while process.poll() is None and len(decided(folder)) < 3 and time.monotonic() < until:
            time.sleep(0.01)
        if number == signal.SIGKILL:
            os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        output, _ = process.communicate(timeout=60)
        return process.returncode, folder, output

    return run


def test_a_killed_run_keeps_what_it_decided_and_its_page_says_so(cut, capsys):
    """After SIGKILL every decided line is there; the page can be made, and is said to be incomplete."""
    _, folder, _ = cut(signal.SIGKILL)

    run = read_run(folder)
    assert main(["report", "html", str(folder)]) == 0
    assert run.footer is None
    assert len(decided(folder)) >= 3
    assert "This run was interrupted" in (folder / "matrix.html").read_text(encoding="utf-8")


def test_ctrl_c_leaves_by_130_with_a_whole_report(cut):
    """Everything decided is kept, the rest is not run, the footer is there."""
    code, folder, output = cut(signal.SIGINT)

    run = read_run(folder)
    assert 130 == code == run.footer.exit_code
    assert "Traceback" not in output
    assert (folder / "matrix.html").exists()
    assert "interrupted" == run.footer.targets["reference"].ended
    assert Verdict.NOT_RUN in {r.verdict for r in run.results if r.reason is None}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_a_resumed_run_goes_on_and_repeats_nothing(cut, capfd, number):
    """What was decided stands, word for word; the rest is judged; the run is then complete."""
    _, folder, _ = cut(number)
    before = {r.key: r for r in read_run(folder).results if r.verdict.rule.decided}

    code = main(["run", "--resume", str(folder)])

    run = read_run(folder)
    after = {r.key: r for r in run.results}
    assert 0 == code
    assert before == {key: after[key] for key in before}
    assert not [r for r in run.results if r.verdict is Verdict.NOT_RUN and r.reason is None]
    assert "complete" == run.footer.targets["reference"].ended
    assert ["results.jsonl"] == [p.name for p in folder.glob("results*.jsonl")]
    lines = (folder / "results.jsonl").read_bytes().splitlines()
    assert [] == [p for line in lines for p in problems(json.loads(line))]
    records = recorded(folder)
    ids = [record["id"] for record in records if record["phase"] != "lost"]
    assert len(set(ids)) == len(ids)
    seen = sum(1 + len(record["attempts"]) for record in records)
    assert run.footer.requests >= seen


def test_resuming_with_other_questions_is_a_mistake(cut, capfd):
    """Another seed asks something else: 2, and the old run stays as it was."""
    _, folder, _ = cut(signal.SIGKILL)
    content = (folder / "results.jsonl").read_bytes()

    code = main(["run", "--resume", str(folder), "--conformance-seed", "7"])

    assert 2 == code
    assert content == (folder / "results.jsonl").read_bytes()


def test_shards_make_up_the_whole(tmp_path, capfd):
    """Two shards judge each requirement once between them, and merge into one complete run."""
    target = ["--target", "mutant:accept-any-406", "-k", "accept or usage.total"]
    folders = [tmp_path / f"s{index}" for index in (1, 2)]
    for index, folder in enumerate(folders, 1):
        main(["run", *target, "--shard", f"{index}/2", "--report-dir", str(folder)])

    code = main(["report", "merge", *map(str, folders), "--into", str(tmp_path / "all")])

    runs = [read_run(folder) for folder in folders]
    merged = read_run(tmp_path / "all")
    parts = [{r.key for r in run.results if r.verdict.rule.decided} for run in runs]
    assert 0 == code
    assert not parts[0] & parts[1]
    assert all(parts)
    assert parts[0] | parts[1] == {r.key for r in merged.results if r.verdict.rule.decided}
    assert {"1/2", "2/2"} == {run.header.options["shard"] for run in runs}
    ids = [{record["id"] for record in recorded(folder)} for folder in folders]
    assert not ids[0] & ids[1]
