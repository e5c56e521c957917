"""The lines of ``results.jsonl`` as values: header, result, amendment, footer.

A line is taken apart strictly (a wrong type names its member) and forward-compatibly (members that
this version does not know are ignored). ``schemas/results.schema.yaml`` says the same as a JSON
Schema; a property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, NamedTuple

from conformance.report.members import (
    Malformed,
    an_object,
    as_integer,
    as_natural,
    as_seconds,
    as_text,
    as_word,
    items,
    member,
    optional,
    or_null,
    values,
)
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
            suite_version=member(line, "suite_version", as_text),
            started=member(line, "started", as_text),
            catalogue=member(line, "catalogue", as_text),
            seed=member(line, "seed", as_integer),
            depth=member(line, "depth", as_text),
            targets=member(line, "targets", items(_target_header)),
            options=member(line, "options", an_object),
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
            target=member(line, "target", as_text),
            requirement=member(line, "requirement", as_text),
            level=member(line, "level", as_word(Level)),
            endpoint=member(line, "endpoint", or_null(as_text)),
            mode=member(line, "mode", or_null(as_word(Mode))),
            verdict=member(line, "verdict", as_word(Verdict)),
            message=member(line, "message", as_text),
            requests=member(line, "requests", as_natural),
            evidence=member(line, "evidence", items(as_text)),
            event=optional(line, "event", as_natural),
            seconds=optional(line, "seconds", as_seconds) or 0.0,
            parameter=optional(line, "parameter", as_text),
            aspect=optional(line, "aspect", as_word(Aspect)),
            minimal=optional(line, "minimal", as_text),
            curl=optional(line, "curl", as_text),
            occurrences=optional(line, "occurrences", as_text),
            reason=optional(line, "reason", as_text),
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
            target=member(line, "target", as_text),
            requirement=member(line, "requirement", as_text),
            endpoint=member(line, "endpoint", or_null(as_text)),
            mode=member(line, "mode", or_null(as_word(Mode))),
            minimal=optional(line, "minimal", as_text),
            curl=optional(line, "curl", as_text),
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
            finished=member(line, "finished", as_text),
            **_costs(line),
            exit_code=member(line, "exit_code", as_natural),
            targets=member(line, "targets", values(_target_footer)),
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
        name: dict(each) if isinstance(each := getattr(value, name), Mapping) else each
        for name in names
    }


def _target_header(value: Any) -> TargetHeader:
    line = an_object(value)
    return TargetHeader(
        member(line, "target", as_text),
        *(optional(line, name, as_text) for name in ("profile", "model", "base_url", "start")),
    )


def _target_footer(value: Any) -> TargetFooter:
    line = an_object(value)
    return TargetFooter(**_costs(line), ended=member(line, "ended", as_word(Ended)))


def _costs(line: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "counts": member(line, "counts", _counts),
        "requests": member(line, "requests", as_natural),
        "prompt_tokens": member(line, "prompt_tokens", as_natural),
        "completion_tokens": member(line, "completion_tokens", as_natural),
        "seconds": member(line, "seconds", as_seconds),
    }


def _counts(value: Any) -> dict[str, int]:
    return {as_word(Verdict)(name).value: as_natural(n) for name, n in an_object(value).items()}
