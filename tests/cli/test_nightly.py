"""``conformance nightly``: three nights in a row, and targets that misbehave."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.cli import main, nightly, processes
from conformance.options import RunOptions
from conformance.report.history import nights_of
from conformance.report.records import Ended
from conformance.report.results import read_run
from conformance.report.trends import history_trends
from conformance.verdicts import Verdict

from .runs import serving, write_targets

SOME = ("-k", "param.stop.effect or param.stop.accepts")


@pytest.fixture
def silent() -> Iterator[str]:
    """A server that accepts connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"


def newest(history: Path) -> Path:
    return (history / "latest").resolve()


def test_three_nights_with_a_mutant_on_the_third(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The page tells what regressed, since when; the older nights keep what trends need."""
    history, file = tmp_path / "history", tmp_path / "targets.yaml"
    arguments = ["nightly", "--targets-file", str(file), "--history", str(history), *SOME]
    arguments += ["--target", "staging", "--keep", "2"]
    codes = []
    for defect in ((), (), ("--mutant", "stop-ignored")):
        with serving(*defect) as served:
            monkeypatch.setenv("STAGING_API_KEY", served.key)
            write_targets(file, {"staging": served.entry()})
            codes.append(main(arguments))
        time.sleep(1)  # nights are told apart by the second

    nights, troubles = nights_of(history)
    told = history_trends(history)
    page = (history / "index.html").read_text()
    assert [0, 0, 1] == codes
    assert (3, []) == (len(nights), troubles)
    assert [nights[-1].started] == list({cell.since for cell in told.regressed})
    assert "regressed: staging / param.stop.effect" in capsys.readouterr().out
    assert "Regressed since the last run" in page
    assert page == (newest(history) / "matrix.html").read_text()
    assert 2 == len(
        [path for path in history.glob("*/results.jsonl") if path.parent.name != "latest"]
    )


def test_one_target_never_spoils_the_others(
    tmp_path: Path, silent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One hangs, one is not there, one has no key: the honest one is judged all the same."""
    monkeypatch.setattr(processes, "MARGIN", 3.0)
    monkeypatch.setattr(processes, "GRACE", 8.0)
    limits = {"max_seconds": 12}
    file = write_targets(
        tmp_path / "targets.yaml",
        {
            "reference": {"kind": "reference", "profile": "deeptrin"},
            "hangs": {"base_url": silent, "model": "m", "profile": "openai-core", "limits": limits}
            | {"api_key_env": "SOME_KEY"},
            "gone": {
                "base_url": "http://127.0.0.1:9/v1",
                "model": "m",
                "profile": "openai-core",
                "api_key_env": "SOME_KEY",
            },
            "keyless": {
                "base_url": "http://127.0.0.1:9/v1",
                "model": "m",
                "profile": "openai-core",
                "api_key_env": "KEY_THAT_IS_NOT_SET",
            },
        },
    )
    monkeypatch.setenv("SOME_KEY", "sk-0123456789abcdef")
    history = tmp_path / "history"

    code = main(["nightly", "--targets-file", str(file), "--history", str(history), *SOME])

    run = read_run(newest(history))
    assert run.footer is not None
    ended = {name: each.ended for name, each in run.footer.targets.items()}
    good = {r.verdict for r in run.results if r.target == "reference"}
    assert 3 == code
    assert {"reference", "hangs", "gone"} == set(ended)
    assert Ended.COMPLETE is ended["reference"]
    assert Ended.COMPLETE is not ended["hangs"]
    assert Ended.UNREACHABLE is ended["gone"]
    assert Verdict.PASS in good
    assert not good & {Verdict.ERROR, Verdict.FAIL}
    assert not list(newest(history).glob("runs"))


def test_a_server_of_this_machine_needs_no_key_while_it_runs(
    tmp_path: Path,
    silent: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """It is judged; one that is not started is left out, and that is said."""
    entry = {"model": "m", "profile": "openai-core"}
    targets = {"up": {"base_url": silent, **entry}}
    targets["down"] = {"base_url": "http://127.0.0.1:9/v1", **entry}
    file = write_targets(tmp_path / "targets.yaml", targets)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)

    chosen = nightly.chosen_targets(RunOptions(targets_file=file))

    assert {"reference", "up"} == {target.name for target in chosen}
    assert "down: left out, nothing listens at http://127.0.0.1:9/v1" in capsys.readouterr().err


def test_an_unknown_option_or_target_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Before any process is started, and without a night of nothing in the history."""
    for extra in (["--target", "nobody"], ["--keep", "0"], ["--base-url", "http://x/v1"]):
        more = ["--model", "m"] if "--base-url" in extra else []
        code = main(["nightly", "--history", str(tmp_path / "history"), *extra, *more])

        assert 2 == code
        assert 1 == capsys.readouterr().err.strip().count("\n") + 1
    assert not (tmp_path / "history").exists()
