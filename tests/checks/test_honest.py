"""Honest servers are never accused by the chapters of acceptance, shape, errors, keys and HTTP."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.reference.honest_wire import wire_variant
from conformance.reference.mutants.honest import honest
from conformance.reference.mutants.model import Mutant
from conformance.reference.mutants.transform import transformed
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


def test_a_stream_that_turns_into_an_error_says_nothing_about_a_parameter(bench):
    """A guard against stuck models breaks off a forced run: that is no limit below max_tokens."""
    plain = honest()
    server = replace(plain, app=wire_variant("repetition-guard", plain.app))

    results = bench("param.max_tokens.*", server=server)

    cut = [each for each in results if "The model is repeating itself" in each.message]
    assert [] == _told(results)
    assert {Verdict.UNTESTABLE} == {each.verdict for each in cut}


def test_a_model_may_end_its_turn_at_once_now_and_then(bench):
    """One empty answer is a model's choice; only a server that never gives text is accused."""

    def first_is_empty(choice, seen):
        if seen.number == 1:
            choice.get("message", choice)["content" if "message" in choice else "text"] = ""
            choice["finish_reason"] = "stop"

    plain = honest()
    mutant = Mutant("empty", "choice", first_is_empty, (), "The first answer is empty.")
    server = replace(plain, app=transformed(plain.app, mutant))

    results = bench("shape.text", server=server)

    assert {Verdict.PASS} == {each.verdict for each in results}


@pytest.mark.parametrize("count", [0, 10])
def test_a_constant_prompt_tokens_does_not_mean_that_the_input_is_ignored(bench, count):
    """Where usage says nothing, the greedy text shows that the input is read."""

    def constant(document, seen):
        if document.get("usage"):
            document["usage"]["prompt_tokens"] = count

    plain = honest()
    mutant = Mutant("constant", "document", constant, (), "A constant number of prompt tokens.")
    server = replace(plain, app=transformed(plain.app, mutant))

    results = bench("param.prompt.effect", "param.messages.effect", server=server)

    assert [] == _told(results)
