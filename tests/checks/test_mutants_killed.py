"""Every mutant of these chapters is accused by the requirements that it breaks."""

from __future__ import annotations

import pytest

from conformance.reference.mutants import Mutant, every
from conformance.verdicts import Verdict

CHAPTERS = ("shape", "error", "auth", "http")
ACCUSED = {Verdict.FAIL, Verdict.WARN, Verdict.REJECTED, Verdict.IGNORED}
#: Requirements that only ever inform.
INFORMING = {"auth.challenge", "model.listed-usable", "shape.model.echo"}
#: Observers judge what others recorded: these ask for something worth looking at.
ASKING = (
    "accepts.minimal",
    "auth.no-key",
    "auth.wrong-key",
    "error.unknown-model",
    "http.head",
    "param.temperature.validates",
)
OBSERVERS = (
    "error.envelope",
    "error.content-type",
    "error.members",
    "error.never-5xx",
    "error.no-internals",
    "auth.key-secret",
    "http.framing",
    "http.rate-limit-fields",
    "http.retry-after",
)
#: Requirements that the deeptrin profile does not promise.
ELSEWHERE = (
    "model.",
    "usage.stream.",
    "message.tool",
    "message.role.developer",
    "shape.data",
    "shape.owned-by",
    "shape.shutdown-date",
)

MUTANTS = [each for each in every() if each.function.__module__.rpartition(".")[2] in CHAPTERS]


def _profile(mutant: Mutant) -> str:
    elsewhere = any(killer.startswith(ELSEWHERE) for killer in mutant.kills)
    return "openai" if elsewhere or mutant.endpoint in ("models", "model") else "deeptrin"


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_accused_by_every_declared_requirement(mutant, bench):
    """A defect that a check is meant for is found by it."""
    asking = ASKING if any(killer in OBSERVERS for killer in mutant.kills) else ()

    results = bench(*mutant.kills, *asking, mutant=mutant.name, profile=_profile(mutant))

    for killer in mutant.kills:
        verdicts = {each.verdict for each in results if each.requirement.id == killer}
        wanted = ACCUSED | {Verdict.INFO} if killer in INFORMING else ACCUSED
        assert verdicts & wanted, (killer, verdicts)
