"""Separate views of one answer: what the wire says, and what client libraries made of it. Pure.

The same recorded bytes were shown to every client. What one forgives breaks another, so a view of
a client is never a verdict on the wire; the page puts them side by side. All of it is what a target
or a foreign program said: any shape may come, and none breaks the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from conformance.report.text import clip, one_line

__all__ = ["Column", "Readers", "Reading", "ShownAnswer", "readers"]

#: Characters of one line.
WIDTH = 200


@dataclass(frozen=True)
class Reading:
    """What some versions of one client saw alike: ``lines`` in words, ``problems`` where it differs
    from the wire.
    """

    versions: tuple[str, ...]
    lines: tuple[str, ...]
    problems: tuple[str, ...]


@dataclass(frozen=True)
class Column:
    """The view of one language: its readings, versions that saw the same together."""

    title: str
    readings: tuple[Reading, ...]


@dataclass(frozen=True)
class ShownAnswer:
    """One answer (by its evidence ``id``) as the wire says it and as each language reads it."""

    name: str
    id: str
    wire: tuple[str, ...]
    columns: tuple[Column, ...]

    @property
    def differs(self) -> bool:
        """Whether any client reads something else than the wire says."""
        return any(reading.problems for column in self.columns for reading in column.readings)


@dataclass(frozen=True)
class Readers:
    """All views of one target's answers. ``topics``: a row for each requirement, a cell for each
    client: ``None`` where it had nothing to compare, else the differences in two words each.
    """

    target: str
    clients: tuple[tuple[str, str], ...]
    topics: tuple[tuple[str, tuple[tuple[str, ...] | None, ...]], ...]
    answers: tuple[ShownAnswer, ...]

    @property
    def differing(self) -> int:
        """How many clients differ from the wire somewhere."""
        columns = zip(*(cells for _, cells in self.topics), strict=True)
        return sum(any(column) for column in columns)


def readers(target: str, values: Sequence[Mapping[str, Any]]) -> Readers:
    """The views of ``values``, one for each client, older versions first."""
    known = sorted(values, key=lambda value: (_language(value) != "python", *_order(value)))
    topics = dict.fromkeys(name for value in known for name in _mapping(value, "marks"))
    probes = dict.fromkeys(name for value in known for name in _mapping(value, "views"))
    answers = [_answer(name, known) for name in probes]
    return Readers(
        target,
        tuple((_language(value), str(value["version"])) for value in known),
        tuple((name, tuple(_marks(value, name) for value in known)) for name in topics),
        tuple(sorted(answers, key=lambda answer: not answer.differs)),
    )


def _language(value: Mapping[str, Any]) -> str:
    return str(value["language"])


def _order(value: Mapping[str, Any]) -> tuple[str, list[int]]:
    parts = str(value["version"]).split(".")
    return _language(value), [int(part) if part.isdecimal() else 0 for part in parts]


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    found = value.get(name) if isinstance(value, dict) else None
    return found if isinstance(found, dict) else {}


def _list(value: Mapping[str, Any], name: str) -> list[Any]:
    found = value.get(name)
    return found if isinstance(found, list) else []


def _marks(value: Mapping[str, Any], topic: str) -> tuple[str, ...] | None:
    marks = _mapping(value, "marks")
    if topic not in marks:
        return None
    return tuple(dict.fromkeys(one_line(str(each))[:60] for each in _list(marks, topic)))


def _answer(probe: str, values: Sequence[Mapping[str, Any]]) -> ShownAnswer:
    languages: dict[str, dict[Any, list[str]]] = {}
    for value in values:
        views = _mapping(_mapping(value, "views"), probe)
        problems = tuple(_problems(value, probe))
        lines = [line for line in _ways(views) if not (problems and _told(line))]
        seen = tuple(lines), problems
        groups = languages.setdefault(_language(value), {})
        groups.setdefault(seen, []).append(str(value["version"]))
    columns = tuple(
        Column(
            f"{language.title()} SDK",
            tuple(Reading(tuple(versions), *seen) for seen, versions in groups.items()),
        )
        for language, groups in languages.items()
    )
    first = values[0]
    wire = _mapping(_mapping(first, "wire"), probe)
    id = _mapping(first, "shown").get(probe)
    return ShownAnswer(probe, str(id or ""), tuple(_words(wire)) if wire else (), columns)


def _problems(value: Mapping[str, Any], probe: str) -> Iterator[str]:
    for texts in _mapping(value, "problems").values():
        for text in texts if isinstance(texts, list) else ():
            for separator in (": ", ", "):
                if str(text).startswith(probe + separator):
                    yield clip(one_line(str(text)[len(probe) + 2 :]), WIDTH)


def _told(line: str) -> bool:
    """Whether a problem says the same."""
    return line.startswith(("raises ", "ends after ")) or line.endswith(":")


def _ways(views: Mapping[str, Any]) -> Iterator[str]:
    """What each way of asking shows; ways that show the same are told together."""
    told: dict[tuple[str, ...], list[str]] = {}
    for way, view in views.items():
        if isinstance(view, dict) and not view.get("absent"):
            told.setdefault(tuple(_words(view)), []).append(way)
    for lines, ways in told.items():
        if len(told) > 1:
            yield f"{', '.join(ways)}:"
        yield from lines


def _words(view: Mapping[str, Any]) -> Iterator[str]:
    """One view in lines: texts, ends, calls, usage, or what was raised."""
    choices = _mapping(view, "choices")
    for index, choice in sorted(choices.items()):
        if isinstance(choice, dict):
            yield from _choice(f"choice {index}: " if len(choices) > 1 else "", choice)
    error = view.get("error")
    if isinstance(error, dict):
        kind, message = error.get("class"), one_line(str(error.get("message")))
        said = f"raises {kind}: {message}" if kind else f"status {view.get('status')}: {message}"
        yield clip(said, WIDTH)
    elif not choices:
        chunks = view.get("chunks")
        yield "no choice" if chunks is None else f"ends after {chunks} chunks without a choice"
    usage = view.get("usage")
    if isinstance(usage, dict):
        names = ("prompt_tokens", "completion_tokens", "total_tokens")
        prompt, completion, total = (_short(usage.get(name)) for name in names)
        yield f"usage: {prompt} + {completion} = {total}"


def _choice(prefix: str, choice: Mapping[str, Any]) -> Iterator[str]:
    text = choice.get("text")
    calls = [call for call in _list(choice, "tools") if isinstance(call, dict)]
    if text or not calls:
        said = "no text" if text is None else f"“{clip(one_line(str(text)), WIDTH - 40)}”"
        yield f"{prefix}{said}"
    for call in calls:
        yield f"{prefix}{_short(call.get('name'))}({_short(call.get('arguments'))})"
    yield f"{prefix}finish reason: {_short(choice.get('finish'))}"


def _short(value: Any) -> str:
    return clip(one_line("none" if value is None else str(value)), 80)
