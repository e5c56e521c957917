"""Declarations: what they make of a verdict, as a truth table."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.targets import Deviation, Target, Undecided, apply, declared, excuse, undecided
from conformance.verdicts import Mode, Verdict

LAST = date(2030, 1, 31)
EXPECTED = [Verdict.FAIL, Verdict.IGNORED, Verdict.REJECTED, Verdict.WARN, Verdict.FLAKY]


def deviation(verdict: Verdict = Verdict.FAIL, **members: object) -> Deviation:
    """A deviation that counts until the end of January 2030."""
    given = {"requirement": "a.b", "reason": "known", "ticket": "T-1", "expires": LAST}
    return Deviation(**{**given, **members}, verdict=verdict)  # type: ignore[arg-type]


def outcome(verdict: Verdict, expected: Verdict, intermittent: bool, expired: bool) -> Verdict:
    """The table, written down a second time."""
    if verdict is Verdict.PASS:
        return Verdict.PASS if intermittent else Verdict.FIXED
    if expired:
        return verdict
    if verdict is expected or (verdict is Verdict.FLAKY and intermittent):
        return Verdict.DEVIATION
    return verdict


@pytest.mark.parametrize("expired", [False, True])
@pytest.mark.parametrize("intermittent", [False, True])
@pytest.mark.parametrize("expected", EXPECTED)
@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_truth_table(verdict: Verdict, expected: Verdict, intermittent: bool, expired: bool):
    """Every verdict against every declaration, before and after its expiry."""
    today = LAST + timedelta(days=expired)

    became, _ = apply(verdict, deviation(expected, intermittent=intermittent), today)

    assert outcome(verdict, expected, intermittent, expired) == became


ROWS = [
    (Verdict.FAIL, {}, 0, Verdict.DEVIATION, "known (T-1)"),
    (Verdict.FAIL, {}, 1, Verdict.FAIL, "known (T-1); the declaration expired on 2030-01-31"),
    (Verdict.REJECTED, {}, 0, Verdict.REJECTED, "declared as fail, not as rejected: this is new"),
    (Verdict.PASS, {"where": "t:1"}, 0, Verdict.FIXED, "delete the deviation at t:1"),
    (Verdict.PASS, {}, 1, Verdict.FIXED, "passes now: delete the deviation"),
    (Verdict.PASS, {"intermittent": True}, 1, Verdict.PASS, "declared as intermittent"),
    (Verdict.FLAKY, {"intermittent": True}, 0, Verdict.DEVIATION, "known (T-1)"),
    (Verdict.INCONCLUSIVE, {}, 0, Verdict.INCONCLUSIVE, ""),
    (Verdict.NOT_RUN, {}, 0, Verdict.NOT_RUN, ""),
    (Verdict.ERROR, {}, 0, Verdict.ERROR, ""),
]


@pytest.mark.parametrize(("verdict", "members", "days", "became", "told"), ROWS)
def test_the_rows_that_matter(
    verdict: Verdict, members: dict[str, object], days: int, became: Verdict, told: str
):
    """Deviation, expiry, another failure, fixed, intermittent, undecided; and what is told."""
    result, message = apply(verdict, deviation(**members), LAST + timedelta(days=days))

    assert became == result
    assert told in message


@given(st.sampled_from(Verdict), st.booleans(), st.sampled_from(EXPECTED), st.integers(-2, 2))
def test_a_declaration_turns_only_its_own_verdict_green(
    verdict: Verdict, intermittent: bool, expected: Verdict, days: int
):
    """A bad verdict stays bad, unless it is the declared one and the declaration counts."""
    declaration = deviation(expected, intermittent=intermittent)

    became, _ = apply(verdict, declaration, LAST + timedelta(days=days))

    if verdict.rule.bad and not became.rule.bad:
        assert (expected, Verdict.DEVIATION) == (verdict, became)
        assert days <= 0


def test_without_a_declaration_nothing_changes():
    """Most verdicts are nobody's deviation."""
    assert all((each, "") == apply(each, None, LAST) for each in Verdict)


def test_an_entry_covers_every_endpoint_and_mode_it_does_not_name():
    """Endpoint and mode are optional."""
    wide, narrow = deviation(), deviation(endpoint="chat", mode=Mode.STREAM)

    assert wide.covers("a.b", "chat", "stream")
    assert wide.covers("a.b", None, None)
    assert narrow.covers("a.b", "chat", Mode.STREAM)
    assert not narrow.covers("a.b", "chat", Mode.REGULAR)
    assert not narrow.covers("a.b", "completions", Mode.STREAM)
    assert not narrow.covers("a.b", None, None)
    assert not wide.covers("a.c", "chat", None)


def test_the_narrower_entry_wins_and_an_expired_one_comes_last():
    """A stale exception must not hide the rule that still counts."""
    wide = deviation(Verdict.FAIL)
    narrow = deviation(Verdict.IGNORED, endpoint="chat")
    stale = deviation(Verdict.REJECTED, endpoint="chat", mode=Mode.STREAM, expires=date(2029, 1, 1))
    target = Target("a", "http://h", "m", "p", deviations=(wide, narrow, stale))

    assert narrow is declared(target, "a.b", "chat", "stream", LAST)
    assert wide is declared(target, "a.b", "completions", "stream", LAST)
    assert stale is declared(target, "a.b", "chat", "stream", date(2029, 1, 1))
    assert stale is declared(target, "a.b", "chat", "stream", date(2031, 1, 1))
    assert declared(target, "a.c", "chat", "stream", LAST) is None


OPEN = {Verdict.INCONCLUSIVE, Verdict.UNTESTABLE, Verdict.NOT_RUN}


@pytest.mark.parametrize("verdict", list(Verdict))
def test_an_undecided_entry_excuses_open_verdicts_until_it_expires(verdict: Verdict):
    """It changes no verdict; a decided requirement needs no excuse."""
    entry = Undecided(requirement="a.b", reason="no quota", expires=LAST)
    target = Target("a", "http://h", "m", "p", undecided=(entry,))

    found = undecided(target, "a.b", None, None, LAST)

    assert entry is found
    assert (verdict in OPEN) == excuse(verdict, found, LAST)[0]
    assert not excuse(verdict, found, LAST + timedelta(days=1))[0]
    assert not excuse(verdict, None, LAST)[0]
    assert ("delete the entry" in excuse(verdict, found, LAST)[1]) == verdict.rule.decided
