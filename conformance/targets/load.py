"""From ``targets.yaml`` and the command line to targets."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import date
from pathlib import Path
from typing import Any

from conformance.errors import ConfigurationError
from conformance.targets.faults import check_schema, nearest
from conformance.targets.model import (
    Declaration,
    Deviation,
    Kind,
    Limits,
    Prices,
    Target,
    Timeouts,
    Undecided,
)
from conformance.targets.secrets import looks_like_key, redact, variable_fault
from conformance.targets.shipped import default_targets_file, targets_schema
from conformance.targets.strictyaml import Document, read
from conformance.targets.urls import base_url
from conformance.verdicts import Mode, Verdict

__all__ = [
    "REFERENCE",
    "adhoc_target",
    "check_requirement_ids",
    "expired_entries",
    "load_targets",
    "mutant_target",
]

#: The default target: always there, unless a file describes it otherwise.
REFERENCE = Target("reference", "", "", "deeptrin", Kind.REFERENCE)

#: RFC 9110 §5.6.2 (token) and §5.5 (visible characters and blanks inside).
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_HEADER_VALUE = re.compile(r"[!-~]([ \t!-~]*[!-~])?\Z")
#: Headers that carry a credential or frame the message: never from a file.
_CREDENTIALS = {"authorization", "proxy-authorization", "api-key", "x-api-key", "cookie"}
_FRAMING = {"host", "content-length", "transfer-encoding", "connection", "content-type", "expect"}


def load_targets(path: Path | str | None = None) -> dict[str, Target]:
    """The targets of the file ``path`` by name, in the file's order, ``reference`` always among
    them.

    Without ``path``: ``./targets.yaml`` if there is one, else the file that comes with the suite.
    Raises ``ConfigurationError`` for the first mistake: file, line, JSON pointer, what instead.
    """
    document = read(Path(path) if path is not None else default_targets_file())
    if document.data is None:
        raise ConfigurationError(
            "the file is empty", where=document.file, instead="start with `targets:`"
        )
    check_schema(document, targets_schema())
    entries: dict[str, Any] = document.data["targets"]
    found = {name: _target(document, name, entry) for name, entry in entries.items()}
    return found if REFERENCE.name in found else {REFERENCE.name: REFERENCE, **found}


def adhoc_target(
    url: str, model: str, api_key_env: str | None = None, profile: str = "openai-core"
) -> Target:
    """The target ``adhoc`` of ``--base-url``, ``--model``, ``--api-key-env`` and ``--profile``."""
    if not model.strip():
        raise ConfigurationError(
            "the model's id is empty", where="--model", instead="write the id the server knows"
        )
    if api_key_env is not None and (fault := variable_fault(api_key_env)):
        raise ConfigurationError(
            fault, where="--api-key-env", instead="export the key and give the variable's name"
        )
    checked = base_url(url, where="--base-url")
    return Target("adhoc", checked, model.strip(), profile, api_key_env=api_key_env)


def mutant_target(
    name: str,
    exists: Callable[[str], bool] | None = None,
    known: Collection[str] = (),
    like: Target = REFERENCE,
) -> Target:
    """The target ``mutant:NAME``: the reference server with one named defect.

    ``exists`` says whether there is such a mutant (``None``: not checked), ``known`` which there
    are. Profile and limits are those of ``like``, its declarations are not.
    """
    mutant = name.removeprefix("mutant:")
    if not mutant or (exists is not None and not exists(mutant)):
        hint = nearest(mutant, known, every=False)
        raise ConfigurationError(
            f"there is no mutant {redact(mutant)!r}",
            where=f"--target {redact(name)}",
            instead=f"{hint} `conformance mutants` lists them".strip(),
        )
    return Target(
        f"mutant:{mutant}",
        "",
        like.model,
        like.profile,
        Kind.MUTANT,
        limits=like.limits,
        timeouts=like.timeouts,
        recovery_seconds=like.recovery_seconds,
        mutant=mutant,
    )


def check_requirement_ids(target: Target, known: Collection[str]) -> None:
    """Raise ``ConfigurationError`` for a declared requirement id that is not ``known``."""
    for entry in (*target.deviations, *target.undecided):
        if entry.requirement not in known:
            hint = nearest(entry.requirement, known, every=False)
            raise ConfigurationError(
                f"there is no requirement {entry.requirement!r}",
                where=entry.where,
                instead=hint or "`conformance plan` lists the ids",
            )


def expired_entries(target: Target, today: date) -> list[str]:
    """One sentence for each declaration of ``target`` that no longer counts."""
    entries: tuple[Declaration, ...] = (*target.deviations, *target.undecided)
    return [
        f"{entry.where}: the entry for {entry.requirement} expired on {entry.expires}"
        for entry in entries
        if entry.expired(today)
    ]


def _target(document: Document, name: str, entry: Mapping[str, Any]) -> Target:
    """One entry, already of the right shape, as a target."""
    at = ("targets", name)
    kind = Kind(entry.get("kind", "http"))
    prices = entry.get("prices")
    return Target(
        name=name,
        base_url=_url(document, at, entry, kind),
        model=_model(document, at, entry, kind),
        profile=entry["profile"],
        kind=kind,
        api_key_env=_variable(document, (*at, "api_key_env"), entry.get("api_key_env")),
        limits=_limits(entry.get("limits", {})),
        timeouts=Timeouts(**entry.get("timeouts", {})),
        recovery_seconds=entry.get("recovery_seconds", 20.0),
        headers=_headers(document, (*at, "headers"), entry.get("headers", {})),
        verify_tls=entry.get("verify_tls", True),
        prices=Prices(**prices) if prices else None,
        deviations=_deviations(document, (*at, "deviations"), entry.get("deviations", [])),
        undecided=_undecided(document, (*at, "undecided"), entry.get("undecided", [])),
    )


def _limits(given: Mapping[str, Any]) -> Limits:
    """Limits; JSON Schema counts 8.0 as a whole number, Python does not."""
    whole = ("max_requests", "max_completion_tokens", "concurrency")
    values = {
        name: int(value) if name in whole and value is not None else value
        for name, value in given.items()
    }
    return Limits(**values)


def _url(document: Document, at: tuple[str, ...], entry: Mapping[str, Any], kind: Kind) -> str:
    """The base URL: needed of a target somebody else runs, refused of one the run starts."""
    url = entry.get("base_url")
    if kind is Kind.REFERENCE:
        if url is not None:
            raise ConfigurationError(
                "the run starts the reference server itself, on a free port",
                where=document.where(*at, "base_url"),
                instead="remove base_url, or remove `kind: reference`",
            )
        return ""
    if url is None:
        raise _missing(document, at, "base_url", "such as http://localhost:8000/v1")
    return base_url(url, where=document.where(*at, "base_url"))


def _model(document: Document, at: tuple[str, ...], entry: Mapping[str, Any], kind: Kind) -> str:
    """The model; the reference server has one of its own."""
    model: str | None = entry.get("model")
    if model is None and kind is Kind.HTTP:
        raise _missing(document, at, "model", "the id the server knows the model by")
    return model or ""


def _missing(
    document: Document, at: tuple[str, ...], member: str, example: str
) -> ConfigurationError:
    return ConfigurationError(
        f"{member!r} is missing", where=document.where(*at), instead=f"add `{member}:`, {example}"
    )


def _variable(document: Document, at: tuple[str, ...], name: str | None) -> str | None:
    """The name of the key's variable; a key in its place is refused without repeating it."""
    if name is not None and (fault := variable_fault(name)):
        raise ConfigurationError(
            fault,
            where=document.where(*at),
            instead="export the key and write the variable's name, such as MY_SERVICE_KEY",
        )
    return name


def _headers(
    document: Document, at: tuple[str, ...], headers: Mapping[str, str]
) -> tuple[tuple[str, str], ...]:
    """Extra headers, none of which carries a credential or frames the message."""
    for name, value in headers.items():
        fault = _header_fault(name, value)
        if fault:
            raise ConfigurationError(fault[0], where=document.where(*at, name), instead=fault[1])
    return tuple(headers.items())


def _header_fault(name: str, value: str) -> tuple[str, str] | None:
    """What is wrong with one header, and what to do instead."""
    if name.lower() in _CREDENTIALS or looks_like_key(value):
        return (
            "a credential never stands in this file",
            "remove the header; the key goes into the variable that api_key_env names",
        )
    if name.lower() in _FRAMING:
        return "the suite sets this header itself", "remove it"
    if not _HEADER_NAME.match(name):
        return "this is no header name", "write letters, digits and '-'"
    if not _HEADER_VALUE.match(value):
        return "this is no header value", "write visible ASCII characters on one line"
    return None


def _day(document: Document, at: tuple[object, ...], text: str) -> date:
    """A day of the calendar."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ConfigurationError(
            f"{text} is no day of the calendar",
            where=document.where(*at),
            instead="write a day as YYYY-MM-DD",
        ) from None


def _common(document: Document, at: tuple[object, ...], entry: Mapping[str, Any]) -> dict[str, Any]:
    """The members that both kinds of declaration share."""
    return {
        "requirement": entry["requirement"],
        "reason": entry["reason"].strip(),
        "ticket": entry.get("ticket", "").strip(),
        "expires": _day(document, (*at, "expires"), entry["expires"]),
        "endpoint": entry.get("endpoint"),
        "mode": Mode(entry["mode"]) if "mode" in entry else None,
        "where": document.where(*at),
    }


def _deviations(
    document: Document, at: tuple[str, ...], entries: list[Mapping[str, Any]]
) -> tuple[Deviation, ...]:
    """Declared failures, no two for the same thing."""
    found = tuple(
        Deviation(
            **_common(document, (*at, index), entry),
            verdict=Verdict(entry["verdict"]),
            intermittent=entry.get("intermittent", False),
        )
        for index, entry in enumerate(entries)
    )
    _distinct(found)
    return found


def _undecided(
    document: Document, at: tuple[str, ...], entries: list[Mapping[str, Any]]
) -> tuple[Undecided, ...]:
    """Declared undecided requirements, no two for the same thing."""
    found = tuple(
        Undecided(**_common(document, (*at, index), entry)) for index, entry in enumerate(entries)
    )
    _distinct(found)
    return found


def _distinct(entries: tuple[Declaration, ...]) -> None:
    """Raise ``ConfigurationError`` for a second entry for the same requirement and place."""
    seen: dict[tuple[object, ...], Declaration] = {}
    for entry in entries:
        first = seen.setdefault((entry.requirement, entry.endpoint, entry.mode), entry)
        if first is not entry:
            raise ConfigurationError(
                f"{entry.requirement} is declared a second time for the same endpoint and mode",
                where=entry.where,
                instead=f"keep this entry or the one at {first.where}",
            )
