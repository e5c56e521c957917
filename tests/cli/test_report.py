"""``conformance report`` and ``deviations`` on runs that happened."""

from __future__ import annotations

import shlex
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from conformance.cli import main
from conformance.cli.deviations import proposals
from conformance.cli.main import build_parser
from conformance.report.records import Result
from conformance.report.results import read_run
from conformance.verdicts import Level, Mode, Verdict

from .runs import Make, Served, write_targets

STOP = ("-k", "param.stop and chat")


def renamed(folder: Path, into: Path) -> Path:
    """The run of a mutant as if it were the reference: yesterday's build and today's."""
    shutil.copytree(folder, into)
    path = into / "results.jsonl"
    text = path.read_text(encoding="utf-8").replace("mutant:stop-ignored", "reference")
    path.write_text(text, encoding="utf-8")
    return into


def test_diff_tells_a_regression(
    make: Make, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Markdown with what fails now, exit 1; the other way round it is fixed, exit 0."""
    good = make("--target", "reference", *STOP).folder
    bad = renamed(make("--target", "mutant:stop-ignored", *STOP).folder, tmp_path / "bad")
    capsys.readouterr()

    code, told = main(["report", "diff", str(good), str(bad)]), capsys.readouterr().out
    back, told_back = main(["report", "diff", str(bad), str(good)]), capsys.readouterr().out
    same, told_same = main(["report", "diff", str(good), str(good)]), capsys.readouterr().out

    assert (1, 0, 0) == (code, back, same)
    assert told.startswith("# Regression\n")
    assert "| reference | `param.stop.effect` | chat regular | pass → " in told
    assert "## Fixed" in told_back
    assert "The verdicts are the same." in told_same


def test_shards_merge_into_the_whole(make: Make, tmp_path: Path) -> None:
    """Two halves say what one run says."""
    arguments = ("--target", "reference", *STOP)
    whole = make(*arguments)
    halves = [make(*arguments, "--shard", f"{part}/2").folder for part in (1, 2)]

    code = main(["report", "merge", *map(str, halves), "--into", str(tmp_path / "merged")])

    merged = read_run(tmp_path / "merged")
    assert 0 == code
    assert {r.key: r.verdict for r in whole.run.results} == {
        r.key: r.verdict for r in merged.results
    }
    assert 2 == main(["report", "merge", str(halves[0]), "--into", str(tmp_path / "half")])


def test_targets_of_different_profiles_merge(make: Make, tmp_path: Path) -> None:
    """Each is complete in its own catalogue."""
    file = write_targets(
        tmp_path / "targets.yaml", {"core": {"kind": "reference", "profile": "openai-core"}}
    )
    one = make("--target", "reference", *STOP)
    other = make("--target", "core", "--targets-file", str(file), *STOP)

    code = main(
        ["report", "merge", str(one.folder), str(other.folder), "--into", str(tmp_path / "both")]
    )

    both = read_run(tmp_path / "both")
    assert 0 == code
    assert {"reference", "core"} == {target.target for target in both.targets}
    assert len(one.run.results) + len(other.run.results) == len(both.results)


def test_proposed_deviations_make_the_run_green(
    staging: Served, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What ``deviations`` proposes, put into the targets file, is what the gate wants."""
    file = write_targets(tmp_path / "targets.yaml", {"staging": staging.entry()})
    arguments = ["run", "--target", "staging", "--targets-file", str(file), *STOP]
    before = main([*arguments, "--report-dir", str(tmp_path / "before")])
    capsys.readouterr()

    main(["deviations", str(tmp_path / "before"), "--ticket", "API-7"])
    proposed = yaml.safe_load(capsys.readouterr().out)
    write_targets(file, {"staging": staging.entry() | proposed["staging"]})
    after = main([*arguments, "--report-dir", str(tmp_path / "after")])

    verdicts = [result.verdict for result in read_run(tmp_path / "after").results]
    assert (1, 0) == (before, after)
    assert len(proposed["staging"]["deviations"]) == verdicts.count(Verdict.DEVIATION)

    # One declared and one new failure: the new one alone turns the run red.
    first, *others = proposed["staging"]["deviations"]
    write_targets(file, {"staging": staging.entry() | {"deviations": others}})
    assert 1 == main([*arguments, "--report-dir", str(tmp_path / "new")])
    failing = [r for r in read_run(tmp_path / "new").results if r.verdict.rule.bad]
    assert [(first["requirement"], first.get("endpoint"), first.get("mode"))] == [
        (r.requirement, r.endpoint, r.mode) for r in failing
    ]


def test_a_failure_of_a_server_that_is_gone_tells_how_to_start_it(make: Make) -> None:
    """The line is a command of ours, at the port that the curl line below it asks."""
    folder = make("--target", "mutant:stop-ignored", *STOP).folder
    lines = (folder / "summary.md").read_text(encoding="utf-8").splitlines()
    number = next(n for n, line in enumerate(lines) if line.startswith("conformance serve"))
    program, *words = shlex.split(lines[number], comments=True)

    given = build_parser("serve").parse_args(words)

    assert ("conformance", "stop-ignored") == (program, given.mutant)
    assert f"curl -sS -i http://127.0.0.1:{given.port}/v1/" in lines[number + 1]


def test_what_fails_alike_everywhere_is_proposed_once() -> None:
    """A place that passes, or that this run left out, keeps the entries apart."""
    failing = [
        Result("t", "usage.total", Level.MUST, "chat", mode, Verdict.FAIL, "13, not 12")
        for mode in Mode
    ]
    other = replace(failing[0], endpoint="completions", verdict=Verdict.NOT_RUN, reason="depth")

    (once,) = proposals(failing, "API-1")["deviations"]
    apart = proposals([*failing, other], "API-1")["deviations"]

    assert ("usage.total", "fail") == (once["requirement"], once["verdict"])
    assert {"endpoint", "mode"}.isdisjoint(once)
    assert ["regular", "stream"] == [entry["mode"] for entry in apart]
