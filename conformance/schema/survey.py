"""Judging documents by fields: where a member is missing or wrong, each with its JSON pointer.

A member is judged only where its container is what it ought to be: a missing ``usage`` breaks
``usage``, not ``usage.prompt_tokens``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from conformance.schema.yamlfile import pointer_of
from conformance.verdicts import Level

if TYPE_CHECKING:
    from conformance.schema.fields import Field

__all__ = ["EACH", "MEMBER", "Survey", "Violation", "show", "violations"]

#: Steps of a path beside member names: every element of an array, every member of a map.
EACH, MEMBER = "[]", "{}"

#: At most so many violations are told of one field.
_LIMIT = 20
#: Values are shown up to this length.
_LONGEST = 60


class Violation(tuple[str, str]):
    """A JSON pointer and what is wrong there, in one phrase; ``level`` says how much it matters."""

    level: Level

    def __new__(cls, pointer: str, message: str, level: Level) -> Violation:
        self = super().__new__(cls, (pointer, message))
        self.level = level
        return self

    @property
    def pointer(self) -> str:
        """Where it is (RFC 6901)."""
        return self[0]

    @property
    def message(self) -> str:
        """What is wrong."""
        return self[1]


def violations(field: Field, document: Any) -> list[Violation]:
    """Where ``document`` breaks ``field``; empty if the field holds everywhere it occurs.

    At most twenty. Never raises, whatever the document is.
    """
    return field.survey(document).get(field.path, [])


class Survey:
    """Judges a document by many fields in one pass."""

    def __init__(self, among: Iterable[Field]) -> None:
        self.root = _Node()
        self.whole: Field | None = None
        for each in among:
            if each.path:
                self.root.add(each)
            else:
                self.whole = each

    def __call__(self, document: Any) -> dict[tuple[str, ...], list[Violation]]:
        """The violations by the path of the field; fields that hold have no entry."""
        found: dict[tuple[str, ...], list[Violation]] = {}
        if self.whole is not None and not self.whole.accepts(document):
            _tell(found, self.whole, "", document)
        self.root.judge(document, "", found)
        return found


_Found = dict[tuple[str, ...], list[Violation]]


@dataclass
class _Node:
    """What is to be judged below one place of a document."""

    fields: dict[str, Field] = field(default_factory=dict)
    below: dict[str, _Node] = field(default_factory=dict)

    def add(self, one: Field) -> None:
        """Make room for a field at the end of its path."""
        node = self
        for step in one.path[:-1]:
            node = node.below.setdefault(step, _Node())
        node.fields[one.path[-1]] = one

    def judge(self, value: Any, pointer: str, found: _Found) -> None:
        """Judge the members of ``value``, which stands at ``pointer``, and what is below them."""
        if isinstance(value, dict):
            for name, one in self.fields.items():
                if name not in value:
                    _miss(found, one, pointer)
                elif not one.accepts(value[name]):
                    _tell(found, one, pointer + pointer_of([name]), value[name])
            for step, node in self.below.items():
                if step == MEMBER:
                    for key, each in value.items():
                        node.judge(each, pointer + pointer_of([key]), found)
                elif step in value and step != EACH:
                    node.judge(value[step], pointer + pointer_of([step]), found)
        elif isinstance(value, list) and EACH in self.below:
            node = self.below[EACH]
            for at, each in enumerate(value):
                node.judge(each, f"{pointer}/{at}", found)


def _miss(found: _Found, one: Field, pointer: str) -> None:
    if one.presence is not None:
        name = one.path[-1]
        told = found.setdefault(one.path, [])
        if len(told) < _LIMIT:
            here = pointer + pointer_of([name])
            told.append(Violation(here, f"{name!r} is missing", one.presence))


def _tell(found: _Found, one: Field, pointer: str, value: Any) -> None:
    """Explain why ``value`` is not valid."""
    told = found.setdefault(one.path, [])
    for error in Draft202012Validator(one.schema).iter_errors(value):
        if len(told) >= _LIMIT:
            return
        wanted = _wanted(error.validator, error.validator_value)
        here = pointer + pointer_of(error.absolute_path)
        told.append(Violation(here, f"{show(error.instance)} is not {wanted}", one.value))


def _wanted(keyword: Any, value: Any) -> str:
    """A phrase for what a keyword asks."""
    if keyword == "type":
        return " or ".join([value] if isinstance(value, str) else value)
    if keyword == "const":
        return show(value)
    if keyword == "enum":
        return f"one of {', '.join(show(each) for each in value)}"
    if keyword == "anyOf":
        return " or ".join(dict.fromkeys(map(_phrase, value)))
    phrase = {
        "minimum": "at least",
        "maximum": "at most",
        "minLength": "of a length of at least",
        "maxLength": "of a length of at most",
        "minItems": "of at least so many elements:",
        "maxItems": "of at most so many elements:",
    }.get(str(keyword), f"valid under {keyword}")
    return f"{phrase} {show(value)}"


def _phrase(schema: Mapping[str, Any]) -> str:
    for keyword in ("const", "enum", "type"):
        if keyword in schema:
            return _wanted(keyword, schema[keyword])
    return "another form"


def show(value: Any) -> str:
    """A value in a few characters: containers by their kind, texts and numbers cut short."""
    if isinstance(value, Mapping):
        return "an object" if value else "an empty object"
    if isinstance(value, list):
        return f"an array of {len(value)}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and abs(value) >= 10**_LONGEST:
        return "an integer of more than 60 digits"
    text = repr(value[: _LONGEST + 1]) if isinstance(value, str) else str(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
