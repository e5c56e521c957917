"""Honest servers are never accused by the chapters of acceptance, shape, errors, keys and HTTP."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.reference.honest_wire import wire_variant
from conformance.reference.mutants.honest import honest
from conformance.verdicts import Verdict

MINE = (
    "accepts.*",
    "param.*.accepts",
    "param.*.validates",
    "robust.*.survives",
    "shape.*",
    "usage.*",
    "model.*",
    "message.*",
    "error.*",
    "auth.*",
    "http.*",
)
BAD = {
    Verdict.FAIL,
    Verdict.WARN,
    Verdict.REJECTED,
    Verdict.IGNORED,
    Verdict.FLAKY,
    Verdict.ERROR,
    Verdict.INCONCLUSIVE,
}


def _told(results):
    return [f"{r.verdict} {r.item.name}: {r.message}" for r in results if r.verdict in BAD]


@pytest.mark.parametrize("profile", ["deeptrin", "openai-core"])
def test_the_reference_keeps_every_promise(profile, bench):
    """Nothing that the reference server does is accused, and nothing is left undecided."""
    results = bench(*MINE, profile=profile)

    undecided = [
        r.item.name for r in results if r.verdict is Verdict.UNTESTABLE and r.level == "MUST"
    ]
    assert [] == _told(results)
    assert [] == undecided


@pytest.mark.parametrize("name", ["noise", "no-greedy-n", "reasoning"])
def test_lawful_variants_do_not_fail(name, bench):
    """What a server may do otherwise is no failure of a MUST."""
    results = bench(*MINE, variant=name)

    failed = [
        each
        for each in _told(results)
        if each.startswith(("fail", "rejected", "ignored", "error", "flaky"))
    ]
    assert [] == failed


def test_without_a_key_the_auth_chapter_is_untestable(bench):
    """No key, nothing to be said about keys; never a pass, never a failure."""
    results = bench("auth.no-key", "auth.wrong-key", "auth.status", key=None)

    assert {Verdict.UNTESTABLE} == {each.verdict for each in results}


@pytest.mark.parametrize("profile", ["deeptrin", "openai-core"])
def test_one_choice_at_a_time_at_temperature_0_is_enough_to_see_temperature(profile, bench):
    """A server that refuses several greedy choices is judged by single ones, not left undecided."""
    results = bench("param.temperature.effect", variant="no-greedy-n", profile=profile)

    assert {Verdict.PASS} == {each.verdict for each in results}


def test_a_list_of_allowed_origins_is_its_owners_choice(bench):
    """A preflight that is refused by origin says nothing about other origins: no warning."""
    plain = honest()
    server = replace(plain, app=wire_variant("origins-listed", plain.app))

    results = bench("http.preflight", server=server)

    assert [Verdict.UNTESTABLE] == [each.verdict for each in results]


def test_unlikely_tokens_may_be_cut_off_before_temperature(bench):
    """A hidden min_p that is applied first is no clamp: a less uneven coin shows the effect."""
    results = bench("param.temperature.*", variant="hidden-min-p", profile="openai-core")

    assert [] == _told(results)
    assert any("cut off before" in (each.message or "") for each in results)
