"""Honest servers that differ from the reference are never accused of a failure."""

from __future__ import annotations

import asyncio

import pytest

from conformance.checks.api import Depth
from conformance.reference.honest_wire import COMBINATIONS, WIRE_VARIANTS, wire_variant
from conformance.reference.mutants.honest import honest
from conformance.reference.variants import VARIANTS
from conformance.verdicts import Level, Verdict
from conformance.wire.client import Wire

from .http10 import served
from .killing import PROGRAMS, bench, judge_app, judge_wire

ACCUSED = {Verdict.FAIL, Verdict.IGNORED, Verdict.REJECTED, Verdict.ERROR}
#: Chapters that look at how answers are spelt; the others judge what they mean.
SPELLING = ("accepts", "shape", "usage", "stream", "chunk", "diff", "error", "http")


def _items(request: pytest.FixtureRequest, profile: str):
    """Everything for the kill table; else what is about spelling, at quick depth."""
    whole = request.config.getoption("--kill-table", False)
    return [
        item
        for item in bench(profile).items
        if item.requirement.chapter not in PROGRAMS
        and (
            whole
            or (item.requirement.chapter in SPELLING and Depth.QUICK.covers(item.requirement.depth))
        )
    ]


def _accused(results) -> list[str]:
    return sorted(
        f"{each.verdict} {each.item.name}: {each.message}"
        for each in results
        if each.verdict in ACCUSED or (each.verdict is Verdict.FLAKY and each.level is Level.MUST)
    )


@pytest.mark.parametrize("profile", ["deeptrin", "openai"])
def test_the_reference_itself_is_accused_of_nothing(profile, request):
    """The plain server keeps every promise of both profiles."""
    chosen = bench(profile)
    app = chosen.recording.app_of_run()

    results = asyncio.run(judge_app(chosen, app, _items(request, profile)))

    assert [] == _accused(results)


@pytest.mark.parametrize("name", sorted([*WIRE_VARIANTS, *COMBINATIONS]))
def test_a_lawful_spelling_is_not_accused(name, request):
    """The same answers, spelt otherwise as the standards allow."""
    chosen = bench("deeptrin")
    app = wire_variant(name, chosen.recording.app_of_run())

    results = asyncio.run(judge_app(chosen, app, _items(request, "deeptrin")))

    assert [] == _accused(results)


def test_http_1_0_is_not_accused(request):
    """Neither chunks nor connections that stay open: the close ends an answer, over a socket."""
    chosen = bench("deeptrin")

    async def judged():
        async with (
            served(chosen.recording.app_of_run()) as base,
            Wire(base, {"key": chosen.built.key}) as wire,
        ):
            return await judge_wire(chosen, wire, base, _items(request, "deeptrin"))

    assert [] == _accused(asyncio.run(judged()))


@pytest.mark.parametrize(
    ("name", "spelling"),
    [
        ("noise", "every-spelling-of-a-chunk"),
        ("reasoning", "every-spelling-of-a-document"),
        ("no-logit-bias", "a-busy-gateway"),
    ],
)
def test_lawful_behaviour_in_a_lawful_spelling_is_not_accused(name, spelling, request):
    """Behaviour and spelling differ at the same time."""
    chosen = bench("deeptrin")
    app = wire_variant(spelling, honest(variant=name).app)

    results = asyncio.run(judge_app(chosen, app, _items(request, "deeptrin")))

    withdrawn = VARIANTS[name].withdrawn
    assert [] == _accused(r for r in results if r.requirement.parameter not in withdrawn)


@pytest.mark.parametrize("name", sorted(set(VARIANTS) - {"plain"}))
def test_lawful_behaviour_is_not_accused(name, request):
    """Another behaviour that no document forbids (withdrawn parameters are rejected, rightly)."""
    chosen = bench("deeptrin")

    results = asyncio.run(judge_app(chosen, honest(variant=name).app, _items(request, "deeptrin")))

    withdrawn = VARIANTS[name].withdrawn
    told = [each for each in results if each.requirement.parameter not in withdrawn]
    assert [] == _accused(told)
