"""The published kill table says what the snapshot says."""

from __future__ import annotations

from conformance.reference.mutants import Mutant

from .table import kill_table


def _mutant(name: str, *kills: str) -> Mutant:
    return Mutant(name, "json", _mutant, kills, f"{name} is broken.", None)


def test_a_missed_killer_is_said_to_be_missed():
    """A declared killer is bold only where it accused, and counts only then."""
    mutants = [_mutant("one", "shape.id"), _mutant("two", "shape.id", "shape.model")]

    text = kill_table(mutants, {"one": ["shape.id"], "two": ["shape.model"]}, lambda each: "p")

    assert "1 of 2 mutants killed; 2 requirements have a mutant." in text
    assert "| one | one is broken. | p | **shape.id** |  |" in text
    assert "| two | two is broken. | p | shape.id (missed), **shape.model** |  |" in text
    assert "| shape.id | one, two |" in text


def test_other_accusers_are_shown_beside_the_killers():
    """What a defect trips besides is listed, shortened beyond six."""
    others = [f"chunk.{letter}" for letter in "abcdefgh"]

    text = kill_table([_mutant("one", "shape.id")], {"one": ["shape.id", *others]}, lambda each: "")

    assert "chunk.a, chunk.b, chunk.c, chunk.d, chunk.e, chunk.f and 2 more |" in text


def test_a_mutant_that_nobody_reviewed_is_not_in_the_table():
    """The table tells what was seen, and nothing of what was not judged."""
    text = kill_table([_mutant("one", "shape.id")], {}, lambda each: "")

    assert "0 of 0 mutants killed" in text
    assert "one" not in text.splitlines()[-1]
