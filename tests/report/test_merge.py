from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.errors import ConfigurationError
from conformance.report.merge import combine_exit_codes, merge
from conformance.report.records import Footer, Header, Result, Run, TargetHeader
from conformance.verdicts import Level, Verdict

from . import fakes

HEADER = Header("0.1.0", "2026-11-22T23:40:00Z", "c0ffee", targets=(TargetHeader("t"),))
FOOTER = Footer("2026-11-22T23:41:00Z")
RESULT = Result("t", "a.b", Level.MUST, None, None, Verdict.PASS)
WHOLE = Run(HEADER, (RESULT,), FOOTER)

pieces = settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])


@st.composite
def splits(draw: st.DrawFn) -> list[Run]:
    """Runs that merge: verdicts dealt to up to three runs of the same question."""
    results = draw(fakes.result_lists)
    hands = draw(st.lists(st.integers(0, 2), min_size=len(results), max_size=len(results)))
    runs = []
    for hand in range(3):
        mine = tuple(r for r, h in zip(results, hands, strict=True) if h == hand)
        header = replace(HEADER, started=draw(fakes.words), targets=(TargetHeader(f"t{hand}"),))
        runs.append(Run(header, mine, draw(fakes.footers)))
    return runs


@pieces
@given(runs=splits())
def test_merging_is_commutative(runs: list[Run]) -> None:
    """The order of the files makes no difference to anything."""
    merged = [merge(order) for order in permutations(runs)]

    assert [merged[0]] * len(merged) == merged


@pieces
@given(runs=splits())
def test_merging_keeps_every_verdict(runs: list[Run]) -> None:
    """Nothing is lost and nothing is made up."""
    merged = merge(runs)

    expected = sorted((r for run in runs for r in run.results), key=lambda r: r.key.sortable)
    assert expected == list(merged.results)


@pieces
@given(runs=splits())
def test_costs_add_up(runs: list[Run]) -> None:
    """The footer's requests are the sum of the runs'."""
    footer = merge(runs).footer

    assert footer is not None
    assert sum(run.footer.requests for run in runs if run.footer) == footer.requests


@pieces
@given(run=fakes.runs, partial=st.just(True))
def test_merging_one_run_with_itself_names_the_duplicates(run: Run, partial: bool) -> None:
    """Two verdicts for one key are refused, whether they agree or not; no decision is none."""
    open_ones = (Verdict.NOT_RUN, Verdict.NOT_PROMISED)
    decided = [r for r in run.results if r.verdict not in open_ones]
    if not decided:
        assert {r.key for r in run.results} == {
            r.key for r in merge([run, run], partial=True).results
        }
        return

    with pytest.raises(ConfigurationError, match="decided in more than one run"):
        merge([run, run], partial=partial)


@pytest.mark.parametrize(
    ("name", "value"),
    [("suite_version", "0.2.0"), ("catalogue", "bad"), ("seed", 1), ("depth", "quick")],
)
def test_runs_that_asked_something_else_do_not_merge(name: str, value: object) -> None:
    """Another suite, catalogue, seed or depth is named."""
    other = Run(replace(HEADER, **{name: value}), (), FOOTER)

    with pytest.raises(ConfigurationError, match=name.replace("_", " ")):
        merge([WHOLE, other])


def test_one_name_for_two_endpoints_does_not_merge() -> None:
    """A target's name stands for one endpoint."""
    other = Run(replace(HEADER, targets=(TargetHeader("t", model="x"),)), (), FOOTER)

    with pytest.raises(ConfigurationError, match="target 't' is not the same"):
        merge([WHOLE, other])


def test_an_interrupted_run_does_not_merge() -> None:
    """A file without footer is incomplete, so the whole would be."""
    with pytest.raises(ConfigurationError, match="1 of 2 runs were interrupted"):
        merge([WHOLE, Run(HEADER, (), None)])


def test_a_missing_shard_is_named() -> None:
    """Of three shards, the one that is not there."""
    runs = [Run(replace(HEADER, options={"shard": f"{i}/3"}), (), FOOTER) for i in (1, 3)]

    with pytest.raises(ConfigurationError, match="missing shards: t 2/3"):
        merge(runs)


def test_a_requirement_without_verdict_is_named() -> None:
    """Every requirement of the catalogue has a line for every target."""
    with pytest.raises(ConfigurationError, match=r"without any verdict: t / c\.d"):
        merge([WHOLE], catalogue=["a.b", "c.d"])


def test_not_run_gives_way_to_a_verdict() -> None:
    """What one shard left out, another decided."""
    left_out = Run(HEADER, (replace(RESULT, verdict=Verdict.NOT_RUN),), FOOTER)

    assert (RESULT,) == merge([left_out, WHOLE]).results


def test_nothing_to_merge_is_said() -> None:
    """An empty list is the user's mistake."""
    with pytest.raises(ConfigurationError, match="no runs"):
        merge([])


@pytest.mark.parametrize(
    ("codes", "expected"),
    [([], 0), ([0, 4], 4), ([4, 3], 3), ([3, 1], 1), ([1, 2], 2), ([2, 130], 130), ([0, 0], 0)],
)
def test_the_exit_code_that_speaks_for_all(codes: list[int], expected: int) -> None:
    """130, then 2, 1, 3, 4, 0."""
    assert expected == combine_exit_codes(codes)
