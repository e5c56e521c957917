"""Traceability: every sentence has its requirements or its reason, and every line is accounted for."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.checks.catalogue import catalogue
from conformance.schema.contract import Profile, Sentence
from conformance.schema.profiles import available_profiles, load_profile
from conformance.schema.trace import trace, unclaimed_lines

DEEPTRIN = load_profile("deeptrin")
PAGE = Profile(
    "p",
    "P",
    {},
    document="Title\n\nIt streams. It ends.\n  • run\n  it\n",
    sentences=(
        Sentence(1, "Title", excluded="heading"),
        Sentence(3, "It streams.", ("stream.*", "chunk.id")),
        Sentence(3, "It ends.", ("stream.done-marker", "stream.gone")),
    ),
    examples={"shell": "  it\n"},
)


@pytest.mark.parametrize(
    "name", [each for each in available_profiles() if load_profile(each).document]
)
def test_every_line_of_the_document_is_accounted_for(name: str) -> None:
    """No word of the document is left without a requirement, a reason or an example."""
    assert [] == unclaimed_lines(load_profile(name))


@pytest.mark.parametrize("sentence", DEEPTRIN.sentences, ids=lambda each: f"line-{each.line}")
def test_each_sentence_is_mapped_or_excluded(sentence: Sentence) -> None:
    """A sentence has requirements or a reason why it has none, never both."""
    assert bool(sentence.requirements) != bool(sentence.excluded)


@pytest.mark.parametrize(
    "name",
    sorted(DEEPTRIN.endpoints["chat"].parameters | DEEPTRIN.endpoints["completions"].parameters),
)
def test_each_parameter_is_reached_from_its_sentence(name: str) -> None:
    """The line that documents a parameter is mapped to its accepts, validates and effect."""
    parameters = (
        DEEPTRIN.endpoints["chat"].parameters | DEEPTRIN.endpoints["completions"].parameters
    )
    line = int(parameters[name].source.reference.rpartition(":")[2])
    ids = [f"param.{name}.{aspect}" for aspect in ("accepts", "validates", "effect")]

    found = trace(DEEPTRIN, ids)

    lines = [{each.line for each in found.by_requirement[one]} for one in ids]
    assert all(line in each for each in lines)


@pytest.mark.parametrize("name", available_profiles())
def test_every_promise_is_answered_by_the_catalogue(name: str) -> None:
    """No promising sentence is without a requirement, no pattern without a match."""
    profile = load_profile(name)

    found = trace(profile, catalogue(profile))

    assert [] == [(each.line, each.text) for each in found.unmapped]
    assert [] == [(each.line, pattern) for each, pattern in found.dangling]


def test_a_line_without_sentence_is_told_with_what_is_left() -> None:
    """What no sentence covers is reported; examples and bullets are not."""
    assert [(4, "  • run")] == unclaimed_lines(PAGE)


def test_sentences_and_requirements_are_mapped_both_ways() -> None:
    """Patterns reach ids, ids reach sentences, and what reaches nothing is told."""
    found = trace(PAGE, ["stream.done-marker", "stream.framing", "shape.id"])

    assert ("stream.done-marker", "stream.framing") == found.by_sentence[1][1]
    assert (3, 3) == tuple(each.line for each in found.by_requirement["stream.done-marker"])
    assert () == found.by_requirement["shape.id"]
    assert [("It streams.", "chunk.id"), ("It ends.", "stream.gone")] == [
        (sentence.text, pattern) for sentence, pattern in found.dangling
    ]


def test_a_promise_that_no_requirement_answers_is_unmapped() -> None:
    """An excluded sentence needs no requirement; a promise does."""
    assert ["It ends."] == [each.text for each in trace(PAGE, ["chunk.id"]).unmapped]
    assert () == trace(replace(PAGE, sentences=PAGE.sentences[:1]), []).unmapped
