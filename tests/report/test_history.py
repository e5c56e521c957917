"""A history of nights: nothing is lost in the compact form, and the trends are what happened."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.errors import ConfigurationError
from conformance.report.diff import BROKEN, FAILING, KEPT, diff
from conformance.report.history import (
    ABSENT,
    LETTERS,
    NIGHT,
    Night,
    TargetNight,
    night_of,
    nights_of,
    read_night,
    retain,
    series,
    write_night,
)
from conformance.report.records import Ended, Footer, Header, Key, Result, Run, TargetHeader
from conformance.report.trends import FLAPS, RED, trends
from conformance.report.write import write_reports
from conformance.verdicts import Level, Verdict

from . import fakes

many = settings(
    max_examples=60,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
letters = st.sampled_from([*sorted(LETTERS.values()), ABSENT])
CELL = ("param.stop.effect", "chat", "stream")


def night(number: int, letter: str, ended: Ended = Ended.COMPLETE) -> Night:
    targets = {"t": TargetNight(letter, ended=ended)}
    return Night(f"2026-01-{number + 1:02}T03:00:00+00:00", "0.1.0", (CELL,), targets)


def past(history: str) -> list[Night]:
    return [night(number, letter) for number, letter in enumerate(history)]


@many
@given(run=fakes.runs)
def test_a_night_keeps_every_verdict(run: Run, tmp_path: Path) -> None:
    """Run to night to file and back: each key has its verdict's letter."""
    write_night(tmp_path, night_of(run))

    found = read_night(tmp_path / NIGHT)

    assert night_of(run) == found
    for result in run.results:
        key = (result.requirement, result.endpoint, result.mode and str(result.mode))
        letter = found.targets[result.target].verdicts[found.keys.index(key)]
        assert LETTERS[result.verdict] == letter


@many
@given(history=st.lists(letters, min_size=1, max_size=20))
def test_a_series_has_a_letter_for_each_night(history: list[str]) -> None:
    """Whatever is absent from whichever night."""
    nights = past("".join(history))
    nights[0] = replace(nights[0], keys=(CELL, ("x", None, None)))
    nights[0].targets["t"] = TargetNight(history[0] + "p")  # type: ignore[index]

    found = series(nights, "t")

    assert "".join(history) == found.get(CELL, ABSENT * len(history))
    assert "p" + ABSENT * (len(history) - 1) == found["x", None, None]


@many
@given(before=st.sampled_from(Verdict), after=st.sampled_from(Verdict))
def test_news_are_those_of_a_diff(before: Verdict, after: Verdict) -> None:
    """Two decided nights: regressed and fixed are what ``report diff`` says."""
    if not (before.rule.decided and after.rule.decided):
        return
    header = Header("0.1.0", "2026-01-01T03:00:00Z", "c0ffee", targets=(TargetHeader("t"),))
    runs = [
        Run(header, (Result("t", "a.b", Level.MUST, None, None, verdict),), Footer("x"))
        for verdict in (before, after)
    ]

    told, changes = trends([night_of(run) for run in runs]), diff(*runs)

    assert [c.key for c in changes.new_failures] == [c.key for c in told.regressed]
    assert [c.key for c in changes.fixed] == [c.key for c in told.fixed]


@many
@given(history=st.text(alphabet=sorted(LETTERS.values()), min_size=1, max_size=28))
def test_a_red_streak_begins_where_nothing_else_was_decided_since(history: str) -> None:
    """``since`` is a red night, and no night after it was decided otherwise."""
    decided = {LETTERS[verdict] for verdict in Verdict if verdict.rule.decided}

    red = trends(past(history)).red

    answered = [letter for letter in history if letter in decided]
    assert bool(red) == bool(answered and answered[-1] in RED)
    for cell in red:
        first = [n.started for n in past(history)].index(cell.since or "")
        assert history[first] in RED
        assert not (set(history[first:]) & decided) - RED
        assert not first or not set(history[:first]) & decided or _before(history, first) not in RED


def _before(history: str, first: int) -> str:
    decided = {LETTERS[verdict] for verdict in Verdict if verdict.rule.decided}
    return [letter for letter in history[:first] if letter in decided][-1]


def test_three_nights_with_a_regression_on_the_third() -> None:
    """It is red since the third, and that is news."""
    told = trends(past("ppF"))

    assert [Key("t", *CELL)] == [cell.key for cell in told.regressed]
    assert ["2026-01-03T03:00:00+00:00"] == [cell.since for cell in told.red]
    assert (0, 0, 1) == told.targets[0].red


def test_what_was_not_decided_says_nothing() -> None:
    """A night without an answer neither ends a streak nor is news."""
    told = trends(past("pFFuF"))

    assert (["2026-01-02T03:00:00+00:00"], [3]) == (
        [cell.since for cell in told.red],
        [cell.nights for cell in told.red],
    )
    assert () == told.regressed


def test_what_comes_and_goes_flaps() -> None:
    """Three changes in the window are enough, two are not."""
    assert [FLAPS] == [cell.changes for cell in trends(past("pFpF")).flapping]
    assert () == trends(past("pFFp")).flapping


def test_a_night_that_was_cut_short_is_a_gap_in_the_sparkline() -> None:
    """Fewer failures because less was asked would look like a gain."""
    nights = [night(0, "F"), night(1, "F", Ended.INTERRUPTED), night(2, "p")]

    assert (((0, 1),), ((2, 0),)) == trends(nights).targets[0].points


def test_the_words_of_a_diff_cover_red_and_kept() -> None:
    """Every verdict has a letter of its own."""
    assert len(LETTERS) == len(set(LETTERS.values())) == len(Verdict)
    assert FAILING < BROKEN
    assert not BROKEN & KEPT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        '{"type":"night","version":2}',
        '{"type":"night","version":1,"started":"x","suite_version":"0","keys":[["a"]],"targets":{}}',
        '{"type":"night","version":1,"started":"x","suite_version":"0","keys":[],'
        '"targets":{"t":{"verdicts":"p"}}}',
        "[" * 100_000,
        "\ud800".encode("utf-8", "surrogatepass").decode("latin-1"),
    ],
)
def test_a_foreign_night_is_refused_with_one_sentence(tmp_path: Path, text: str) -> None:
    """No traceback, and the others are still read."""
    folder = tmp_path / "2026-01-01"
    folder.mkdir()
    (folder / NIGHT).write_text(text, encoding="utf-8")
    other = tmp_path / "2026-01-02"
    other.mkdir()
    write_night(other, night(1, "F"))

    with pytest.raises(ConfigurationError) as caught:
        read_night(folder / NIGHT)
    nights, troubles = nights_of(tmp_path)

    assert "\n" not in str(caught.value)
    assert ([night(1, "F")], 1) == (nights, len(troubles))


@many
@given(cut=st.integers(0, 400))
def test_a_truncated_night_is_refused(tmp_path: Path, cut: int) -> None:
    """Whatever is left of it."""
    write_night(tmp_path, night(1, "F"))
    whole = (tmp_path / NIGHT).read_bytes()
    short = whole[: min(cut, len(whole) - 2)]
    (tmp_path / NIGHT).write_bytes(short)

    with pytest.raises(ConfigurationError):
        read_night(tmp_path / NIGHT)


def test_retention_keeps_the_newest_whole_and_touches_nothing_else(tmp_path: Path) -> None:
    """Older nights keep what trends need, the oldest go, a stranger's folder stays."""
    for number in range(5):
        folder = tmp_path / f"2026-01-0{number + 1}"
        (folder / "evidence").mkdir(parents=True)
        (folder / "evidence" / "t.jsonl").write_text("x")
        write_night(folder, night(number, "p"))
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("x")

    retain(tmp_path, whole=2, summaries=4)

    left = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert [
        "2026-01-02/night.json",
        "2026-01-03/night.json",
        "2026-01-04/evidence/t.jsonl",
        "2026-01-04/night.json",
        "2026-01-05/evidence/t.jsonl",
        "2026-01-05/night.json",
        "mine/notes.txt",
    ] == left


def test_the_page_shows_trends_only_with_a_history(tmp_path: Path) -> None:
    """Since when, what regressed, a sparkline; hostile names stay text."""
    folder = tmp_path / "run"
    folder.mkdir()
    name = "<script>window.pwned=1</script>"
    fakes.write_run(folder, targets=("reference", name), requirements=50, trouble=0.3)
    from conformance.report.results import read_run

    run = read_run(folder)
    good = replace(run, results=tuple(replace(r, verdict=Verdict.PASS) for r in run.results))
    write_reports(folder)
    plain = (folder / "matrix.html").read_text()
    write_reports(folder, trends([night_of(good), night_of(run)]))
    page = (folder / "matrix.html").read_text()

    assert "h-trends" not in plain
    assert "Regressed since the last run" in page
    assert "<polyline" in page
    assert name not in page
    data = page.split('id="data">')[1].split("</script>")[0]
    assert '"since"' in data
    json.loads(data)
