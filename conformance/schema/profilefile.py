"""Profile files: read, checked, extended, and narrowed to one model; still plain data.

A profile may extend another one. Members replace the inherited ones, but ``endpoints`` and
``parameters`` are merged by name, each with its keys; null withdraws an inherited name. In an
overlay, a profile may extend its own name: the file below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from conformance.errors import ConfigurationError
from conformance.schema import loader
from conformance.schema.branches import check_keywords
from conformance.schema.yamlfile import complain, nearest, pointer_of, read_yaml

__all__ = ["for_model", "read_profile"]

_MERGED = ("endpoints", "parameters")
_DEFAULTS: Mapping[str, Any] = {"nullable": False, "defaults": False, "grade": "soft"}


def read_profile(name: str, among: loader.Roots) -> tuple[dict[str, Any], Path]:
    """The profile's data with all it extends, and its topmost file."""
    found = loader.candidates("profiles", name, among)
    if not found:
        raise ConfigurationError(
            f"unknown profile {name!r}", instead=nearest(name, loader.names("profiles", among))
        )
    return _extended(found[0], among, ()), found[0]


def _extended(file: Path, among: loader.Roots, chain: tuple[Path, ...]) -> dict[str, Any]:
    own: dict[str, Any] = read_yaml(file)
    complain(loader.meta_schema("profile"), own, file)
    if own["profile"] != file.stem:
        raise ConfigurationError(
            f"the file is named {file.stem!r} and describes profile {own['profile']!r}",
            where=f"{file}#/profile",
            instead=f"write profile: {file.stem}, or rename the file",
        )
    _check_schemas(own, file)
    if "extends" not in own:
        return {**_DEFAULTS, **{key: _without_null(key, value) for key, value in own.items()}}
    base = _extended(_base(file, own["extends"], among, chain), among, (*chain, file))
    return {**base, **{key: _over(base.get(key), key, value) for key, value in own.items()}}


def _check_schemas(own: Mapping[str, Any], file: Path) -> None:
    """Refuse unknown keywords where they stand."""
    places: list[tuple[tuple[str | int, ...], Any]] = [(("parameters",), own.get("parameters"))]
    for name, each in own.get("endpoints", {}).items():
        places.append((("endpoints", name, "overrides"), (each or {}).get("overrides")))
    for at, each in enumerate(own.get("models", ())):
        places.append((("models", at, "parameters"), each.get("parameters")))
    for place, entries in places:
        for name, entry in (entries or {}).items():
            if entry and "schema" in entry:
                pointer = pointer_of((*place, name, "schema"))
                check_keywords(entry["schema"], where=str(file), pointer=pointer)


def _base(file: Path, name: str, among: loader.Roots, chain: tuple[Path, ...]) -> Path:
    where = f"{file}#/extends"
    found = loader.candidates("profiles", name, among)
    if name == file.stem:
        found = found[found.index(file) + 1 :]
    if not found:
        raise ConfigurationError(
            f"extends unknown profile {name!r}",
            where=where,
            instead=nearest(name, loader.names("profiles", among)),
        )
    if found[0] in chain or found[0] == file:
        raise ConfigurationError(f"extending {name!r} goes in a circle", where=where)
    return found[0]


def _without_null(key: str, value: Any) -> Any:
    if key not in _MERGED:
        return value
    return {name: each for name, each in value.items() if each is not None}


def _over(base: Any, key: str, value: Any) -> Any:
    if key not in _MERGED or base is None:
        return _without_null(key, value)
    merged = {name: {**base.get(name, {}), **(each or {})} for name, each in value.items()}
    kept = {name: each for name, each in base.items() if name not in value}
    return {**kept, **{name: each for name, each in merged.items() if value[name] is not None}}


def for_model(data: dict[str, Any], model: str | None) -> dict[str, Any]:
    """What remains promised for ``model``, after every entry of ``models`` that speaks of it.

    ``withdrawn`` collects what is not supported, by this model or by any: name → sentence and link.
    """
    entries = [{"unsupported": data.get("unsupported", {})}]
    if model is not None:
        entries += [each for each in data.get("models", ()) if _speaks_of(each, model)]
    for entry in entries:
        data = _narrowed(data, entry)
    return data


def _speaks_of(entry: Mapping[str, Any], model: str) -> bool:
    given = entry["pattern"]
    meant = [given] if isinstance(given, str) else given
    return _any_matches(model, meant) and not _any_matches(model, entry.get("except", ()))


def _any_matches(model: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(model, each) for each in patterns)


def _narrowed(data: dict[str, Any], entry: Mapping[str, Any]) -> dict[str, Any]:
    """What remains promised for the models that ``entry`` speaks of."""
    lost = entry.get("unsupported_endpoints", {})
    minimal = entry.get("minimal", {})
    endpoints = {
        name: {
            **each,
            **({"minimal": minimal[name]} if name in minimal else {}),
        }
        for name, each in data.get("endpoints", {}).items()
        if name not in lost
    }
    return {
        **data,
        "endpoints": endpoints,
        "withdrawn": {**data.get("withdrawn", {}), **entry.get("unsupported", {})},
        "roles": entry.get("roles", data.get("roles", ("system", "user", "assistant"))),
        "features": [
            each
            for each in data.get("features", ())
            if each not in entry.get("unsupported_features", {})
        ],
        "parameters": _over(data.get("parameters"), "parameters", entry.get("parameters", {})),
    }
