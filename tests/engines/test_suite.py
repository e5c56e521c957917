"""The suite's side: a targets file that loads, and a verdict on the run rather than the engine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from conformance.targets import load_targets
from engines.definition import available, load_engine
from engines.suite import KEY_VARIABLE, outcome, suite_environment, target_entry, write_targets


@pytest.mark.parametrize("name", available())
def test_the_targets_file_of_every_engine_loads(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is generated for a shipped engine is a valid targets file, its key a variable's name."""
    monkeypatch.setenv(KEY_VARIABLE, "sk-of-this-run")
    engine = load_engine(name)
    entry = target_entry(engine, base_url="http://127.0.0.1:4711/v1", model="conformance/tiny")
    write_targets(tmp_path / "targets.yaml", {name: entry})

    targets = load_targets(tmp_path / "targets.yaml")

    assert name in targets
    assert engine.has_key == ("api_key_env" in entry)


def footer(report: Path, *, ended: str, **counts: int) -> None:
    totals = {
        "counts": counts,
        "requests": 3,
        "prompt_tokens": 4,
        "completion_tokens": 5,
        "seconds": 1.25,
        "ended": ended,
    }
    line = json.dumps({"type": "footer", "targets": {"engine": totals}})
    (report / "results.jsonl").write_text(f'{{"type":"header"}}\n{line}\n', encoding="utf-8")


@pytest.mark.parametrize(
    ("code", "ended", "worked"),
    [
        (0, "complete", True),
        (1, "complete", True),
        (4, "complete", True),
        (3, "complete", False),
        (2, "complete", False),
        (1, "unreachable", False),
        (1, "interrupted", False),
    ],
)
def test_failures_of_an_engine_are_findings_not_errors(
    tmp_path: Path, code: int, ended: str, worked: bool
) -> None:
    """A run worked when it came to its end and every target answered to the last."""
    footer(tmp_path, ended=ended, fail=2)

    line, verdict = outcome(tmp_path, "engine", code)

    assert worked == verdict
    assert f"engine: {ended}; 2 fail; 3 requests, 4 prompt + 5 completion tokens, 1.2 s" == line


def test_a_target_that_is_missing_from_the_run_is_an_error(tmp_path: Path) -> None:
    """A run that left a target out did not work."""
    footer(tmp_path, ended="complete")

    line, worked = outcome(tmp_path, "other", 0)

    assert not worked
    assert "other: missing from the run" == line


def test_a_run_without_a_footer_did_not_work(tmp_path: Path) -> None:
    """A report that was never finished is said to be so."""
    (tmp_path / "results.jsonl").write_text('{"type":"header"}\n', encoding="utf-8")

    line, worked = outcome(tmp_path, "engine", 0)

    assert not worked
    assert "engine: the run left no footer (exit code 0)" == line


def test_no_key_of_ours_reaches_an_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The suite that judges a local engine does not know the keys of paid services."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")

    assert "OPENAI_API_KEY" not in suite_environment()
