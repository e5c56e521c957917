"""Contracts and profiles as values: what the documentation promises, with its sentences."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import quote

from conformance.verdicts import Mode

__all__ = ["Bound", "Endpoint", "Grade", "Parameter", "Profile", "Sentence", "Source"]


class Grade(StrEnum):
    """How firmly the documentation states a bound: MUST only inside hard or derivable ones."""

    HARD = "hard"
    SOFT = "soft"
    DERIVABLE = "derivable"
    UNSPECIFIED = "unspecified"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a requirement comes from.

    ``kind`` is one of: documentation, specification text, specification schema, observed
    behaviour, SDK requirement, standard, convention, arithmetic. ``reference`` is a file and line,
    a section or a URL; ``quote`` the exact sentence ("" where the source is not a sentence).
    """

    kind: str
    reference: str
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Bound:
    """One limit of a parameter: a JSON Schema keyword, its value and its grade."""

    keyword: str
    value: Any
    grade: Grade
    sentence: str = ""


@dataclass(frozen=True)
class Parameter:
    """One documented parameter of one endpoint.

    ``schema`` is what the documentation allows (used to generate valid values); ``simplest`` the
    value whose refusal means that the parameter is rejected; ``neutral`` a value documented to
    have no effect, if any (``...`` where none is).
    """

    name: str
    schema: Mapping[str, Any]
    source: Source
    required: bool = False
    nullable: bool = False
    bounds: tuple[Bound, ...] = ()
    simplest: Any = ...
    neutral: Any = ...
    default: Any = ...


@dataclass(frozen=True)
class Endpoint:
    """The contract of one endpoint under one profile.

    ``path`` may contain ``{model}``. ``stream_switch`` names the request parameter that turns
    streaming on (``None``: the endpoint does not stream). ``minimal`` is a smallest valid body
    without ``model``. The schemas are JSON Schema 2020-12 with ``x-`` annotations.
    """

    name: str
    method: str
    path: str
    modes: tuple[Mode, ...]
    parameters: Mapping[str, Parameter]
    minimal: Mapping[str, Any] = field(default_factory=dict)
    stream_switch: str | None = None
    request_schema: Mapping[str, Any] | None = None
    response_schema: Mapping[str, Any] | None = None
    chunk_schema: Mapping[str, Any] | None = None
    error_schema: Mapping[str, Any] | None = None

    def minimal_body(self, model: str) -> dict[str, Any]:
        """A fresh smallest valid body for ``model``."""
        body = copy.deepcopy(dict(self.minimal))
        return {"model": model, **body} if "model" in self.parameters else body

    def path_for(self, model: str) -> str:
        """The path with ``{model}`` filled in, percent-encoded."""
        return self.path.replace("{model}", quote(model, safe=""))


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of the profile's document: what it is mapped to, or why it is left out."""

    line: int
    text: str
    requirements: tuple[str, ...] = ()
    excluded: str = ""


@dataclass(frozen=True)
class Profile:
    """What a target's documentation promises.

    ``withdrawn`` are parameters that it says are not supported, in its own words. One that the API
    requires is still sent, and nothing is judged by it.
    """

    name: str
    title: str
    endpoints: Mapping[str, Endpoint]
    document: str = ""
    roles: tuple[str, ...] = ("system", "user", "assistant")
    features: frozenset[str] = frozenset()
    sentences: tuple[Sentence, ...] = ()
    examples: Mapping[str, str] = field(default_factory=dict)
    withdrawn: Mapping[str, Source] = field(default_factory=dict)

    def promises(self, need: str, endpoint: Endpoint | None) -> bool:
        """Whether ``need`` (a parameter, ``feature:…`` or ``endpoint:…``) is promised."""
        kind, _, name = need.rpartition(":")
        if kind == "feature":
            return name in self.features
        if kind == "endpoint":
            return name in self.endpoints
        withdrawn = name in self.withdrawn
        return endpoint is not None and name in endpoint.parameters and not withdrawn
