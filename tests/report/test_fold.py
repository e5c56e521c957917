from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.report.fold import (
    FailOn,
    Fold,
    Undecided,
    exit_code,
    fold,
    fold_parameters,
)
from conformance.report.records import Aspect, Result
from conformance.verdicts import Level, Mode, Verdict

V = Verdict
ASPECTS = (Aspect.ACCEPTS, Aspect.VALIDATES, Aspect.EFFECT)


def result(verdict: Verdict, aspect: Aspect | None = None, level: Level = Level.MUST) -> Result:
    return Result("t", "a.b", level, "chat", Mode.REGULAR, verdict, parameter="stop", aspect=aspect)


@pytest.mark.parametrize(
    ("accepts", "validates", "effect", "expected"),
    [
        (V.PASS, V.PASS, V.PASS, Fold.HONOURED),
        (V.PASS, V.WARN, V.PASS, Fold.HONOURED),
        (V.PASS, V.FLAKY, V.FIXED, Fold.HONOURED),
        (V.PASS, V.INCONCLUSIVE, V.PASS, Fold.HONOURED),
        (V.REJECTED, V.PASS, V.PASS, Fold.REJECTED),
        (V.REJECTED, V.FAIL, V.IGNORED, Fold.REJECTED),
        (V.PASS, V.FAIL, V.IGNORED, Fold.IGNORED),
        (V.PASS, V.FAIL, V.PASS, Fold.BROKEN),
        (V.FAIL, V.PASS, V.INCONCLUSIVE, Fold.BROKEN),
        (V.PASS, V.PASS, V.FAIL, Fold.BROKEN),
        (V.PASS, V.PASS, V.DEVIATION, Fold.BROKEN),
        (V.PASS, V.PASS, V.INCONCLUSIVE, Fold.INCONCLUSIVE),
        (V.PASS, V.PASS, V.UNTESTABLE, Fold.INCONCLUSIVE),
        (V.PASS, V.PASS, V.NOT_RUN, Fold.INCONCLUSIVE),
        (V.PASS, V.PASS, V.ERROR, Fold.INCONCLUSIVE),
        (V.UNTESTABLE, V.UNTESTABLE, V.UNTESTABLE, Fold.INCONCLUSIVE),
        (V.NOT_RUN, V.NOT_RUN, V.NOT_RUN, Fold.UNTESTED),
    ],
)
def test_the_word_for_a_parameter(
    accepts: Verdict, validates: Verdict, effect: Verdict, expected: Fold
) -> None:
    """Rejected, else ignored, else broken, else inconclusive if its effect is, else honoured."""
    verdicts = zip((accepts, validates, effect), ASPECTS, strict=True)

    assert expected == fold([result(verdict, aspect) for verdict, aspect in verdicts])


@pytest.mark.parametrize(
    ("verdict", "expected"), [(V.PASS, Fold.HONOURED), (V.UNTESTABLE, Fold.INCONCLUSIVE)]
)
def test_a_parameter_without_effect_check(verdict: Verdict, expected: Fold) -> None:
    """Some parameters (user) have no effect that anybody could see."""
    assert expected == fold([result(verdict, Aspect.ACCEPTS)])


@given(st.lists(st.tuples(st.sampled_from(Verdict), st.sampled_from(ASPECTS)), min_size=1))
def test_honoured_is_never_claimed_without_a_decision(pairs: list[tuple[Verdict, Aspect]]) -> None:
    """The claim never exceeds the evidence."""
    word = fold([result(verdict, aspect) for verdict, aspect in pairs])

    assert word is not Fold.HONOURED or any(verdict.rule.decided for verdict, _ in pairs)


def test_overall_is_the_worst_of_all_places() -> None:
    """Ignored in a stream is ignored."""
    regular = result(V.PASS, Aspect.EFFECT)
    stream = replace(regular, mode=Mode.STREAM, verdict=V.IGNORED)

    (row,) = fold_parameters([regular, stream])

    assert Fold.IGNORED == row.overall
    assert {("chat", "regular"): Fold.HONOURED, ("chat", "stream"): Fold.IGNORED} == row.places


def test_what_is_not_promised_is_no_row() -> None:
    """The table is about documented parameters."""
    assert [] == fold_parameters([result(V.NOT_PROMISED, Aspect.EFFECT)])


PASS, FAIL, WARN = result(V.PASS), result(V.FAIL), result(V.WARN)
OPEN, ERROR = result(V.INCONCLUSIVE), result(V.ERROR)


@pytest.mark.parametrize(
    ("results", "expected"),
    [
        ([], 4),
        ([PASS], 0),
        ([PASS, WARN], 0),
        ([PASS, FAIL], 1),
        ([result(V.IGNORED)], 1),
        ([result(V.REJECTED)], 1),
        ([result(V.FIXED)], 1),
        ([result(V.DEVIATION)], 0),
        ([PASS, result(V.FLAKY)], 0),
        ([PASS, ERROR], 3),
        ([PASS, OPEN], 4),
        ([PASS, result(V.UNTESTABLE)], 4),
        ([PASS, result(V.NOT_RUN)], 4),
        ([PASS, result(V.INCONCLUSIVE, level=Level.SHOULD)], 0),
        ([result(V.NOT_PROMISED)], 4),
        ([result(V.NOT_RUN, level=Level.MAY)], 4),
        ([FAIL, ERROR, OPEN], 1),
        ([ERROR, OPEN], 3),
    ],
)
def test_the_exit_code_of_verdicts(results: list[Result], expected: int) -> None:
    """1 before 3 before 4; what never was decided is an error."""
    assert expected == exit_code(results)


@pytest.mark.parametrize(
    ("fail_on", "results", "expected"),
    [
        ("should", [PASS, WARN], 1),
        ("should", [PASS, result(V.FLAKY)], 1),
        ("should", [PASS, FAIL], 1),
        ("never", [PASS, FAIL], 0),
        ("never", [PASS, OPEN], 0),
        ("never", [PASS, ERROR], 3),
        ("never", [], 4),
    ],
)
def test_what_makes_a_run_red_is_the_users_choice(
    fail_on: str, results: list[Result], expected: int
) -> None:
    """SHOULD adds warn and flaky; never leaves only runs that could not be made."""
    assert expected == exit_code(results, fail_on=FailOn(fail_on))


def test_precedence() -> None:
    """Ctrl-C, then 2, 1, 3, 4."""
    codes = [
        exit_code([FAIL], interrupted=True, configuration_error=True),
        exit_code([FAIL], configuration_error=True, unreachable=True),
        exit_code([FAIL, OPEN], unreachable=True),
        exit_code([PASS, OPEN], unreachable=True),
        exit_code([PASS, OPEN]),
    ]

    assert [130, 2, 1, 3, 4] == codes


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        (Undecided("a.b"), 0),
        (Undecided("a.b", target="t", endpoint="chat", mode="regular"), 0),
        (Undecided("a.b", mode="stream"), 4),
        (Undecided("a.b", target="other"), 4),
        (Undecided("a.c"), 4),
    ],
)
def test_a_declared_undecided_must_is_no_surprise(entry: Undecided, expected: int) -> None:
    """Only the entry that covers it excuses it."""
    assert expected == exit_code([PASS, OPEN], undecided=[entry])


@pytest.mark.parametrize("reason", ["deselected", "depth", "no key"])
def test_what_nobody_asked_for_needs_no_declaration(reason: str) -> None:
    """Deselected, cut by the depth, or authorization without a key."""
    assert 0 == exit_code([PASS, replace(result(V.NOT_RUN), reason=reason)])
