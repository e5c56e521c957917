"""The table of known bugs is true of the catalogue and of the mutants."""

from __future__ import annotations

import pytest

from conformance.reference.bugs import known_bugs
from conformance.reference.mutants import every, names

from .killing import PROFILES, bench

BUGS = known_bugs()


def test_bugs_are_named_once_and_linked():
    """Every bug has an id of its own and a public thread."""
    ids = [bug.id for bug in BUGS]

    assert len(set(ids)) == len(ids)
    assert [] == [bug.id for bug in BUGS if not bug.link.startswith("https://")]
    assert {"yes", "partly", "no"} == {bug.detectable for bug in BUGS}


def test_requirements_and_mutants_of_bugs_exist():
    """Nothing is said to be detected by what is not there."""
    known = set().union(*(bench(profile).ids for profile in PROFILES))

    unknown = {bug.id: set(bug.requirements) - known for bug in BUGS}
    strangers = {bug.id: set(bug.mutants) - set(names()) for bug in BUGS}

    assert {} == {id: found for id, found in unknown.items() if found}
    assert {} == {id: found for id, found in strangers.items() if found}


def test_what_a_bug_names_is_connected_by_its_mutants():
    """A mutant stands for a bug by a requirement of the bug that it must be accused by.

    And each requirement that is said to detect a bug is proved by one of the bug's mutants.
    """
    kills = {each.name: set(each.kills) for each in every()}

    beside = {
        bug.id: [name for name in bug.mutants if not kills[name] & set(bug.requirements)]
        for bug in BUGS
    }
    unproved = {
        bug.id: set(bug.requirements) - set().union(*(kills[name] for name in bug.mutants))
        for bug in BUGS
        if bug.mutants
    }

    assert {} == {id: found for id, found in beside.items() if found}
    assert {} == {id: found for id, found in unproved.items() if found}


@pytest.mark.parametrize(
    "bug", [bug for bug in BUGS if bug.detectable == "yes"], ids=lambda b: b.id
)
def test_a_detectable_bug_has_a_reason_or_a_requirement_backed_by_a_mutant(bug):
    """What a client can see is detected, and a mutant shows that; lawful oddities say so."""
    assert bug.requirements or bug.why
    assert bug.mutants or bug.why


def test_what_is_not_detected_says_why():
    """No gap without a reason."""
    assert [] == [bug.id for bug in BUGS if not (bug.requirements and bug.mutants) and not bug.why]
