"""Every mutant is killed by what it was made for, and every requirement kills a mutant."""

from __future__ import annotations

import json
from fnmatch import fnmatchcase
from pathlib import Path

import pytest
import yaml

from conformance.reference.mutants import Mutant, every
from conformance.verdicts import Verdict

from .killing import (
    PROFILES,
    accusers,
    bench,
    concerning,
    everything,
    judge_mutant,
    killers,
    profile_of,
)
from .parameters import IGNORED, INTERMITTENT, ONE_MODE, PARTLY, WITHOUT_EFFECT, wrong_words

EXEMPT = yaml.safe_load((Path(__file__).parent / "exempt.yaml").read_text())
MUTANTS = every()


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_is_killed_by_its_declared_killers(
    mutant: Mutant,
    request: pytest.FixtureRequest,
    record_property,
    snapshot,
):
    """A defect is found by every requirement that it was made for; the rest is as reviewed."""
    whole = request.config.getoption("--kill-table", False)
    profile = profile_of(mutant)

    results = judge_mutant(mutant, everything(mutant) if whole else concerning(mutant))

    found = killers(profile, results)
    timing = set(EXEMPT["timing"]) - set(mutant.kills)
    accused = [id for id in accusers(profile, results) if id not in timing]
    record_property("accusers", json.dumps({mutant.name: accused}))
    faults = [f"{r.item.name}: {r.message}" for r in results if r.verdict is Verdict.ERROR]
    assert [] == faults
    assert [] == sorted(set(mutant.kills) - found)
    assert [] == wrong_words(mutant, results)
    update = request.config.getoption("--update-accusers", False)
    if whole and not update and not unsteady(mutant):
        assert snapshot.get(mutant.name, "not reviewed") == accused


def test_the_snapshot_knows_every_mutant_and_no_other(request, snapshot):
    """The reviewed accusers are those of today's mutants."""
    if not request.config.getoption("--kill-table", False):
        pytest.skip("compared when the whole kill table is made")
    if request.config.getoption("--update-accusers"):
        pytest.skip("the snapshot is written by this run")

    assert set(snapshot) == {each.name for each in MUTANTS}


def unsteady(mutant: Mutant) -> bool:
    """Whether what accuses it depends on more than the defect."""
    return mutant.every > 1 or mutant.name in EXEMPT["unsteady"]


def test_every_mutant_declares_killers_that_exist():
    """A killer is a requirement of a shipped profile, and every mutant has one."""
    known = set().union(*(bench(profile).ids for profile in PROFILES))

    strangers = {each.name: sorted(set(each.kills) - known) for each in MUTANTS}

    assert {} == {name: ids for name, ids in strangers.items() if ids}
    assert [] == [each.name for each in MUTANTS if not each.kills]


def test_every_requirement_has_a_mutant():
    """A check without a server that breaks it is not known to find anything."""
    known = set().union(*(bench(profile).ids for profile in PROFILES))
    killing = {id for each in MUTANTS for id in each.kills}

    exempt = EXEMPT["requirements"]
    bare = {id for id in known - killing if not any(fnmatchcase(id, each) for each in exempt)}
    needless = [each for each in exempt if not any(fnmatchcase(id, each) for id in known - killing)]

    assert set() == bare
    assert [] == needless


def test_every_documented_parameter_has_its_mutants():
    """Each is ignored by one, and but for the switch of modes honoured in one mode by another."""
    documented = {
        name for each in bench("deeptrin").profile.endpoints.values() for name in each.parameters
    }

    assert documented == set(IGNORED)
    assert documented - {"stream"} == set(ONE_MODE)
    assert set() == {*WITHOUT_EFFECT, *PARTLY, *INTERMITTENT} - {each.name for each in MUTANTS}


def test_what_is_exempt_exists():
    """The list of exceptions holds nothing that is gone, and a reason for each."""
    names = {each.name for each in MUTANTS}

    assert set() == set(EXEMPT["unsteady"]) - names
    assert all(EXEMPT["requirements"].values())
    assert all(EXEMPT["unsteady"].values())
    assert set() == set(EXEMPT["timing"]) - {id for each in MUTANTS for id in each.kills}
    assert all(EXEMPT["timing"].values())
