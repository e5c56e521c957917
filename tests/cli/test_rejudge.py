"""``conformance rejudge``: today's checks on yesterday's bytes, without a server."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.cli import main
from conformance.cli.rejudge import PROGRAMS
from conformance.report.records import Run
from conformance.report.results import read_run
from conformance.verdicts import Verdict

from .runs import Make

HONEST = ("--target", "reference", "--depth", "quick")
DEFECT = ("--target", "mutant:stop-ignored-now-and-then", "-k", "stop and not robust")
DEATH = ("--target", "mutant:nan-crashes", "-k", "robust and top_p")


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """From the call on, whoever connects anywhere fails the test."""

    def refuse(*_: object) -> None:
        raise AssertionError("something was sent")

    def begin() -> None:
        monkeypatch.setattr(socket.socket, "connect", refuse)
        monkeypatch.setattr(socket.socket, "connect_ex", refuse)

    return begin


def verdicts(run: Run) -> dict[tuple[str, ...], tuple[Verdict, str | None]]:
    return {
        result.key.sortable: (result.verdict, result.occurrences)
        for result in run.results
        if result.chapter not in PROGRAMS
    }


@pytest.mark.parametrize("arguments", [HONEST, DEFECT, DEATH], ids=["honest", "defect", "death"])
def test_the_same_checks_say_the_same(
    make: Make, tmp_path: Path, no_network: Callable[[], None], arguments: tuple[str, ...]
) -> None:
    """Every verdict and every k of n, and nothing is sent."""
    if arguments is not HONEST:
        pytest.importorskip("conformance.reference.mutants")
    made = make(*arguments)
    no_network()

    code = main(["rejudge", str(made.folder), "--report-dir", str(tmp_path / "again")])

    again = read_run(tmp_path / "again")
    assert verdicts(made.run) == verdicts(again)
    assert made.code == code
    assert made.folder.name == again.header.options["rejudged"]
    assert (tmp_path / "again" / "matrix.html").exists()


def test_the_smallest_request_is_told_again(make: Make, tmp_path: Path) -> None:
    """What shrinking found is not lost."""
    made = make(*DEFECT)
    main(["rejudge", str(made.folder), "--report-dir", str(tmp_path / "again")])

    minimal = {r.key: r.minimal for r in made.run.results if r.minimal}
    again = {r.key: r.minimal for r in read_run(tmp_path / "again").results if r.minimal}

    assert minimal == again


def test_what_the_recording_lacks_is_not_run(make: Make, tmp_path: Path) -> None:
    """Half a recording decides half as much, and never a failure more."""
    made = make(*HONEST)
    half = tmp_path / "half"
    shutil.copytree(made.folder, half)
    path = half / "evidence" / "reference.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[: len(lines) // 2]), encoding="utf-8")

    code = main(["rejudge", str(half), "--report-dir", str(tmp_path / "again")])

    again = read_run(tmp_path / "again")
    before = verdicts(made.run)
    changed = {v[0] for k, v in verdicts(again).items() if v[0] is not before[k][0]}
    lacking = [r for r in again.results if "the recording lacks" in r.message]
    assert 4 == code
    assert lacking
    assert {Verdict.NOT_RUN} == {r.verdict for r in lacking}
    assert {Verdict.NOT_RUN, Verdict.UNTESTABLE, Verdict.INCONCLUSIVE} >= changed


def test_a_target_that_the_file_forgot_is_taken_from_the_header(make: Make, tmp_path: Path) -> None:
    """A recording outlives the targets file."""
    made = make(*HONEST)
    moved = tmp_path / "moved"
    shutil.copytree(made.folder, moved)
    for path in (moved / "results.jsonl", moved / "evidence" / "reference.jsonl"):
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace('"target":"reference"', '"target":"gone"'), encoding="utf-8")
    lines = [json.loads(line) for line in (moved / "results.jsonl").read_text().splitlines()]
    for line in (lines[0]["targets"][0], *lines[1:-1]):
        line["target"] = "gone"
    lines[-1]["targets"] = {"gone": lines[-1]["targets"]["reference"]}
    text = "".join(json.dumps(line) + "\n" for line in lines)
    (moved / "results.jsonl").write_text(text, encoding="utf-8")
    (moved / "evidence" / "reference.jsonl").rename(moved / "evidence" / "gone.jsonl")

    code = main(["rejudge", str(moved), "--report-dir", str(tmp_path / "again")])

    assert 0 == code
    assert ["gone"] == [target.target for target in read_run(tmp_path / "again").targets]


@pytest.mark.parametrize("damage", ["no evidence", "no run", "no such place"])
def test_what_is_no_recording_is_refused(
    make: Make, tmp_path: Path, damage: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sentence, exit code 2."""
    folder = tmp_path / "run"
    if damage != "no such place":
        shutil.copytree(make(*HONEST).folder, folder)
    if damage == "no evidence":
        shutil.rmtree(folder / "evidence")
    if damage == "no run":
        (folder / "results.jsonl").write_text("{}\n")
    capsys.readouterr()

    code = main(["rejudge", str(folder)])

    told = capsys.readouterr().err
    assert 2 == code
    assert 1 == told.count("\n")
    assert "Traceback" not in told
