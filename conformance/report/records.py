"""The lines of ``results.jsonl`` as values: header, result, amendment, footer.

A line is taken apart strictly (a wrong type names its member) and forward-compatibly (members that
this version does not know are ignored). ``schemas/results.schema.yaml`` says the same as a JSON
Schema; a property test holds the two together.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

from conformance.verdicts import Level, Mode, Verdict

__all__ = [
    "Amendment",
    "Aspect",
    "Ended",
    "Footer",
    "Header",
    "Key",
    "Malformed",
    "Result",
    "Run",
    "TargetFooter",
    "TargetHeader",
]

T = TypeVar("T")


class Malformed(ValueError):
    """A line that is not what its type says; the message names the member."""


class Aspect(StrEnum):
    """What a requirement asks of a documented parameter."""

    ACCEPTS = "accepts"
    VALIDATES = "validates"
    EFFECT = "effect"


class Ended(StrEnum):
    """How the run of one target came to its end."""

    COMPLETE = "complete"
    BUDGET = "budget"
    UNREACHABLE = "unreachable"
    INTERRUPTED = "interrupted"


class Key(NamedTuple):
    """What a verdict is about; one verdict for each key of a run."""

    target: str
    requirement: str
    endpoint: str | None
    mode: str | None

    @property
    def sortable(self) -> tuple[str, ...]:
        """A total order: absent endpoint and mode first."""
        return tuple(part or "" for part in self)

    @property
    def place(self) -> str:
        """Endpoint and mode in words: ``chat stream``, ``models``, ``target``."""
        return " ".join(part for part in (self.endpoint, self.mode) if part) or "target"

    def __str__(self) -> str:
        return f"{self.target} / {self.requirement} / {self.place}"


@dataclass(frozen=True, slots=True)
class TargetHeader:
    """One target of a run, as it was at the start. ``start`` is the command that starts its server
    again, where the run itself started it.
    """

    target: str
    profile: str | None = None
    model: str | None = None
    base_url: str | None = None
    start: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """The first line: what was asked. ``started`` is ISO 8601 in UTC."""

    suite_version: str
    started: str
    catalogue: str
    seed: int = 0
    depth: str = "standard"
    targets: tuple[TargetHeader, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The line as a JSON object."""
        only = self.targets[0] if len(self.targets) == 1 else TargetHeader("")
        return {
            "type": "header",
            "suite_version": self.suite_version,
            "started": self.started,
            "seed": self.seed,
            "depth": self.depth,
            "options": dict(self.options),
            "profile": only.profile,
            "model": only.model,
            "base_url": only.base_url,
            "targets": [_plain(target) for target in self.targets],
            "catalogue": self.catalogue,
        }

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Header:
        """Read the line; raises :class:`Malformed`."""
        return cls(
            suite_version=_member(line, "suite_version", _text),
            started=_member(line, "started", _text),
            catalogue=_member(line, "catalogue", _text),
            seed=_member(line, "seed", _integer),
            depth=_member(line, "depth", _text),
            targets=_member(line, "targets", _items(_target_header)),
            options=_member(line, "options", _object),
        )


@dataclass(frozen=True, slots=True)
class Result:
    """One verdict. ``evidence`` are exchange ids, the telling one first; ``event`` the index of
    the guilty SSE event in it; ``minimal`` the exchange of the smallest failing request found.
    """

    target: str
    requirement: str
    level: Level
    endpoint: str | None
    mode: Mode | None
    verdict: Verdict
    message: str = ""
    requests: int = 0
    evidence: tuple[str, ...] = ()
    event: int | None = None
    seconds: float = 0.0
    parameter: str | None = None
    aspect: Aspect | None = None
    minimal: str | None = None
    curl: str | None = None
    occurrences: str | None = None
    reason: str | None = None

    @property
    def key(self) -> Key:
        """What the verdict is about."""
        return Key(self.target, self.requirement, self.endpoint, self.mode)

    @property
    def chapter(self) -> str:
        """The first word of the requirement's id."""
        return self.requirement.split(".")[0]

    def to_json(self) -> dict[str, Any]:
        """The line as a JSON object."""
        return {"type": "result", **_plain(self), "evidence": list(self.evidence)}

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Result:
        """Read the line; raises :class:`Malformed`."""
        return cls(
            target=_member(line, "target", _text),
            requirement=_member(line, "requirement", _text),
            level=_member(line, "level", _word(Level)),
            endpoint=_member(line, "endpoint", _or_null(_text)),
            mode=_member(line, "mode", _or_null(_word(Mode))),
            verdict=_member(line, "verdict", _word(Verdict)),
            message=_member(line, "message", _text),
            requests=_member(line, "requests", _natural),
            evidence=_member(line, "evidence", _items(_text)),
            event=_optional(line, "event", _natural),
            seconds=_optional(line, "seconds", _seconds) or 0.0,
            parameter=_optional(line, "parameter", _text),
            aspect=_optional(line, "aspect", _word(Aspect)),
            minimal=_optional(line, "minimal", _text),
            curl=_optional(line, "curl", _text),
            occurrences=_optional(line, "occurrences", _text),
            reason=_optional(line, "reason", _text),
        )


@dataclass(frozen=True, slots=True)
class Amendment:
    """What shrinking found after a verdict was written; it never changes the verdict."""

    target: str
    requirement: str
    endpoint: str | None
    mode: Mode | None
    minimal: str | None = None
    curl: str | None = None

    @property
    def key(self) -> Key:
        """The verdict that is amended."""
        return Key(self.target, self.requirement, self.endpoint, self.mode)

    def of(self, result: Result) -> Result:
        """``result`` with what was found."""
        return replace(
            result, minimal=self.minimal or result.minimal, curl=self.curl or result.curl
        )

    def to_json(self) -> dict[str, Any]:
        """The line as a JSON object."""
        return {"type": "amend", **_plain(self)}

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Amendment:
        """Read the line; raises :class:`Malformed`."""
        return cls(
            target=_member(line, "target", _text),
            requirement=_member(line, "requirement", _text),
            endpoint=_member(line, "endpoint", _or_null(_text)),
            mode=_member(line, "mode", _or_null(_word(Mode))),
            minimal=_optional(line, "minimal", _text),
            curl=_optional(line, "curl", _text),
        )


@dataclass(frozen=True, slots=True)
class TargetFooter:
    """What one target cost, and how its run ended."""

    counts: Mapping[str, int] = field(default_factory=dict)
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    ended: Ended = Ended.COMPLETE


@dataclass(frozen=True, slots=True)
class Footer:
    """The last line: counts per verdict and what the run cost. ``finished`` is ISO 8601 in UTC."""

    finished: str
    counts: Mapping[str, int] = field(default_factory=dict)
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    exit_code: int = 0
    targets: Mapping[str, TargetFooter] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """The line as a JSON object."""
        targets = {name: _plain(each) for name, each in self.targets.items()}
        return {"type": "footer", **_plain(self, "targets"), "targets": targets}

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Footer:
        """Read the line; raises :class:`Malformed`."""
        return cls(
            finished=_member(line, "finished", _text),
            **_costs(line),
            exit_code=_member(line, "exit_code", _natural),
            targets=_member(line, "targets", _values(_target_footer)),
        )


@dataclass(frozen=True, slots=True)
class Run:
    """A whole results file; ``footer`` is ``None`` when the run was interrupted."""

    header: Header
    results: tuple[Result, ...] = ()
    footer: Footer | None = None

    @property
    def complete(self) -> bool:
        """Whether the run came to its end, for every target."""
        return self.footer is not None and all(
            target.ended is Ended.COMPLETE for target in self.footer.targets.values()
        )

    @property
    def targets(self) -> tuple[TargetHeader, ...]:
        """The header's targets, then any other that has results."""
        known = {target.target for target in self.header.targets}
        others = dict.fromkeys(r.target for r in self.results if r.target not in known)
        return (*self.header.targets, *map(TargetHeader, others))

    def to_json(self) -> list[dict[str, Any]]:
        """Every line in order."""
        lines = [self.header.to_json(), *(result.to_json() for result in self.results)]
        return [*lines, self.footer.to_json()] if self.footer else lines


def _plain(value: Any, *without: str) -> dict[str, Any]:
    names = [name for name in value.__slots__ if name not in without]
    return {
        name: dict(member) if isinstance(member := getattr(value, name), Mapping) else member
        for name in names
    }


def _target_header(value: Any) -> TargetHeader:
    line = _object(value)
    return TargetHeader(
        _member(line, "target", _text),
        *(_optional(line, name, _text) for name in ("profile", "model", "base_url", "start")),
    )


def _target_footer(value: Any) -> TargetFooter:
    line = _object(value)
    return TargetFooter(**_costs(line), ended=_member(line, "ended", _word(Ended)))


def _costs(line: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "counts": _member(line, "counts", _counts),
        "requests": _member(line, "requests", _natural),
        "prompt_tokens": _member(line, "prompt_tokens", _natural),
        "completion_tokens": _member(line, "completion_tokens", _natural),
        "seconds": _member(line, "seconds", _seconds),
    }


# Readers of one member: a value, or Malformed with what was expected instead.


def _member(line: Mapping[str, Any], name: str, read: Callable[[Any], T]) -> T:
    if name not in line:
        raise Malformed(f'the member "{name}" is missing')
    try:
        return read(line[name])
    except Malformed as error:
        raise Malformed(f'the member "{name}" is {error}') from None


def _optional(line: Mapping[str, Any], name: str, read: Callable[[Any], T]) -> T | None:
    return _member(line, name, _or_null(read)) if name in line else None


def _or_null(read: Callable[[Any], T]) -> Callable[[Any], T | None]:
    return lambda value: None if value is None else read(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise Malformed(f"{_shown(value)}, not a string")
    return value


def _integer(value: Any) -> int:
    # JSON Schema: 1.0 is an integer; true is not.
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, float) and value.is_integer():
        return int(value)
    raise Malformed(f"{_shown(value)}, not an integer")


def _natural(value: Any) -> int:
    if (number := _integer(value)) < 0:
        raise Malformed(f"{number}, less than zero")
    return number


def _seconds(value: Any) -> float:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if not number or not math.isfinite(value) or value < 0:
        raise Malformed(f"{_shown(value)}, not a number of seconds")
    return float(value)


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Malformed(f"{_shown(value)}, not an object")
    return value


def _word(kind: Callable[[str], T]) -> Callable[[Any], T]:
    def read(value: Any) -> T:
        try:
            return kind(_text(value))
        except Malformed:
            raise
        except ValueError:
            raise Malformed(f"{_shown(value)}, an unknown word") from None

    return read


def _items(read: Callable[[Any], T]) -> Callable[[Any], tuple[T, ...]]:
    def each(value: Any) -> tuple[T, ...]:
        if not isinstance(value, list):
            raise Malformed(f"{_shown(value)}, not an array")
        return tuple(map(read, value))

    return each


def _values(read: Callable[[Any], T]) -> Callable[[Any], dict[str, T]]:
    return lambda value: {name: read(member) for name, member in _object(value).items()}


def _counts(value: Any) -> dict[str, int]:
    return {_word(Verdict)(name).value: _natural(n) for name, n in _object(value).items()}


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"
