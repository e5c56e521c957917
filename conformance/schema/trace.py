"""Traceability: from the sentences of a document to requirements, and back.

A sentence is mapped to requirement ids (``*`` stands for anything in them) or excluded with a
reason. A line of the document is accounted for if sentences cover all its words or if it belongs to
one of the profile's examples, which are run as they stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from conformance.schema.contract import Profile, Sentence

__all__ = ["Trace", "matches", "trace", "unclaimed_lines"]

#: What a line may hold beside its sentences: space, list bullets and numbers.
_ORNAMENT = " \t•*-0123456789."


@dataclass(frozen=True)
class Trace:
    """Both directions of a profile's map, for one catalogue of requirement ids.

    ``unmapped`` are sentences that promise something to which no requirement answers; ``dangling``
    the patterns, with their sentence, that match no requirement.
    """

    by_sentence: tuple[tuple[Sentence, tuple[str, ...]], ...]
    by_requirement: Mapping[str, tuple[Sentence, ...]]
    unmapped: tuple[Sentence, ...]
    dangling: tuple[tuple[Sentence, str], ...]


def matches(pattern: str, requirement: str) -> bool:
    """Whether a sentence's pattern means the requirement."""
    return fnmatchcase(requirement, pattern)


def trace(profile: Profile, requirements: Iterable[str]) -> Trace:
    """The map of ``profile`` over the ids in ``requirements``."""
    ids = list(dict.fromkeys(requirements))
    by_sentence: list[tuple[Sentence, tuple[str, ...]]] = []
    by_requirement: dict[str, list[Sentence]] = {each: [] for each in ids}
    dangling: list[tuple[Sentence, str]] = []
    for sentence in profile.sentences:
        found: dict[str, None] = {}
        for pattern in sentence.requirements:
            hits = [each for each in ids if matches(pattern, each)]
            found.update(dict.fromkeys(hits))
            if not hits:
                dangling.append((sentence, pattern))
        by_sentence.append((sentence, tuple(found)))
        for each in found:
            by_requirement[each].append(sentence)
    return Trace(
        tuple(by_sentence),
        {each: tuple(sentences) for each, sentences in by_requirement.items()},
        tuple(each for each, found in by_sentence if not found and not each.excluded),
        tuple(dangling),
    )


def unclaimed_lines(profile: Profile) -> list[tuple[int, str]]:
    """Lines of the document that nobody accounts for, with what is left of them."""
    lines = profile.document.split("\n")
    claimed = _example_lines(profile, lines)
    left = {at: line for at, line in enumerate(lines, 1) if line.strip() and at not in claimed}
    for sentence in profile.sentences:
        if sentence.line in left:
            left[sentence.line] = left[sentence.line].replace(sentence.text, " ", 1)
    return [(at, rest) for at, rest in left.items() if rest.strip(_ORNAMENT)]


def _example_lines(profile: Profile, lines: list[str]) -> set[int]:
    claimed: set[int] = set()
    for text in profile.examples.values():
        example = text.rstrip("\n").split("\n")
        for start in range(len(lines) - len(example) + 1):
            if lines[start : start + len(example)] == example:
                claimed.update(range(start + 1, start + len(example) + 1))
    return claimed
