"""The table of known bugs is true of the catalogue and of the mutants."""

from __future__ import annotations

import pytest

from conformance.reference.bugs import known_bugs
from conformance.reference.mutants import names

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
