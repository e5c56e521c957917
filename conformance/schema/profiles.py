"""Profiles: from the files to the promises of one kind of target, for one model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from conformance.errors import ConfigurationError
from conformance.schema import loader
from conformance.schema.contract import Endpoint, Grade, Parameter, Profile, Sentence, Source
from conformance.schema.profilefile import for_model, read_profile
from conformance.schema.promises import build_parameter, request_schema
from conformance.schema.yamlfile import nearest, pointer_of
from conformance.verdicts import Mode

__all__ = ["available_profiles", "load_profile", "widened"]


def available_profiles(overlays: Iterable[Path | str] = ()) -> list[str]:
    """The names of all profiles, sorted."""
    return loader.names("profiles", loader.roots(overlays))


def load_profile(
    name: str, *, overlays: Iterable[Path | str] = (), model: str | None = None
) -> Profile:
    """The profile ``name`` as promised for ``model`` (``None``: for a model nothing is said of).

    ``overlays`` are directories laid over the shipped files, the last on top. Raises
    ``ConfigurationError`` with file, JSON pointer and what to write instead.
    """
    return _load(name, loader.roots(overlays), model)


def widened(profile: Profile) -> Profile:
    """``profile`` with every endpoint, parameter and feature of ``openai`` that it lacks.

    What is tried without being promised is asked by the words of the original.
    """
    whole = load_profile("openai")
    endpoints = dict(whole.endpoints)
    for name, endpoint in profile.endpoints.items():
        known = whole.endpoints[name].parameters if name in whole.endpoints else {}
        endpoints[name] = replace(endpoint, parameters={**known, **endpoint.parameters})
    features = profile.features | whole.features
    return replace(profile, endpoints=endpoints, features=features, withdrawn={})


@lru_cache(maxsize=64)
def _load(name: str, among: loader.Roots, model: str | None) -> Profile:
    data, file = read_profile(name, among)
    data = for_model(data, model)
    document = _document(data, file, among)
    error = loader.load_error(among)
    endpoints = {
        each: _endpoint(each, data, file, among, error) for each in data.get("endpoints", {})
    }
    if not endpoints:
        raise ConfigurationError("no endpoints", where=str(file), instead="promise at least one")
    return Profile(
        name=name,
        title=data.get("title", name),
        endpoints=endpoints,
        document=document,
        roles=tuple(data.get("roles", ("system", "user", "assistant"))),
        features=frozenset(data.get("features", ())),
        sentences=_sentences(data.get("sentences", ()), document, file),
        examples=_examples(data.get("examples", {}), document, file),
        withdrawn={
            parameter: Source("documentation", each["link"], each["sentence"])
            for parameter, each in data.get("withdrawn", {}).items()
        },
    )


# Endpoints


def _endpoint(
    name: str, data: Mapping[str, Any], file: Path, among: loader.Roots, error: Mapping[str, Any]
) -> Endpoint:
    given = data["endpoints"][name]
    where = f"{file}#{pointer_of(('endpoints', name))}"
    try:
        contract = loader.load_contract(name, among)
    except ConfigurationError as problem:
        if problem.what.startswith("no contract"):
            raise ConfigurationError(problem.what, where=where, instead=problem.instead) from None
        raise
    parameters = _parameters(given, data, contract, file, where)
    minimal = given.get("minimal", contract.get("minimal", {}))
    return Endpoint(
        name=name,
        method=contract["method"],
        path=contract["path"],
        modes=_modes(given, contract, where),
        parameters=parameters,
        minimal={key: value for key, value in minimal.items() if key in parameters},
        stream_switch=contract.get("stream_switch"),
        request_schema=request_schema(parameters) if "request" in contract else None,
        response_schema=contract["response"],
        chunk_schema=contract.get("chunk"),
        error_schema=error,
    )


def _modes(given: Mapping[str, Any], contract: Mapping[str, Any], where: str) -> tuple[Mode, ...]:
    possible = contract["modes"]
    wanted = given.get("modes", possible)
    for mode in wanted:
        if mode not in possible:
            raise ConfigurationError(
                f"the contract has no mode {mode!r}",
                where=f"{where}/modes",
                instead=f"choose among {', '.join(possible)}",
            )
    return tuple(Mode(mode) for mode in wanted)


def _parameters(
    given: Mapping[str, Any],
    data: Mapping[str, Any],
    contract: Mapping[str, Any],
    file: Path,
    where: str,
) -> dict[str, Parameter]:
    request = contract.get("request", {})
    known = request.get("properties", {})
    overrides = given.get("overrides", {})
    required = request.get("required", ())
    result: dict[str, Parameter] = {}
    for name in given.get("parameters", ()):
        if name in data["withdrawn"] and name not in required:
            continue
        entry = {**data.get("parameters", {}).get(name, {}), **overrides.get(name, {})}
        if name not in known and "schema" not in entry:
            raise ConfigurationError(
                f"no contract describes parameter {name!r}",
                where=f"{where}/parameters",
                instead=f"give it a schema under parameters, or correct it: {nearest(name, known)}",
            )
        result[name] = build_parameter(
            name,
            known.get(name),
            entry,
            required=name in required and entry.get("required", True),
            nullable=data["nullable"],
            defaults=data["defaults"],
            grade=Grade(data["grade"]),
            where=f"{file}#{pointer_of(('parameters', name))}",
        )
    return result


# Document, sentences, examples


def _document(data: Mapping[str, Any], file: Path, among: loader.Roots) -> str:
    name = data.get("document")
    if name is None:
        return ""
    for root in among:
        path: Path = root / "profiles" / name
        if path.is_file():
            return path.read_text(encoding="utf-8")
    raise ConfigurationError(
        f"no such document {name!r} beside the profile", where=f"{file}#/document"
    )


def _sentences(
    given: Iterable[Mapping[str, Any]], document: str, file: Path
) -> tuple[Sentence, ...]:
    lines = document.split("\n")
    result = []
    for at, each in enumerate(given):
        line, text = each["line"], each["text"]
        if line > len(lines) or text not in lines[line - 1]:
            raise ConfigurationError(
                f"line {line} of the document does not say {text!r}",
                where=f"{file}#/sentences/{at}",
                instead="quote the document exactly, with the number of its line",
            )
        result.append(
            Sentence(line, text, tuple(each.get("requirements", ())), each.get("excluded", ""))
        )
    return tuple(result)


def _examples(given: Mapping[str, Any], document: str, file: Path) -> dict[str, str]:
    lines = document.split("\n")
    result = {}
    for kind, each in given.items():
        if isinstance(each, str):
            result[kind] = each
            continue
        first, last = each["lines"]
        if not first <= last <= len(lines):
            raise ConfigurationError(
                f"the document has no lines {first} to {last}",
                where=f"{file}#{pointer_of(('examples', kind, 'lines'))}",
                instead=f"it has {len(lines)} lines",
            )
        result[kind] = "\n".join(lines[first - 1 : last]) + "\n"
    return result
