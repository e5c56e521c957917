"""Where schema files live and how they are read: shipped data, overlays, references.

A *root* is a directory with ``contracts/`` and ``profiles/``. The shipped root is ``schemas/`` in a
checkout and ``conformance/_schemas`` in an installed wheel; overlay directories are laid over it,
the last one on top. A file in a higher root hides the file of the same name below it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from conformance.errors import ConfigurationError
from conformance.schema.branches import check_keywords
from conformance.schema.yamlfile import complain, nearest, read_yaml, validator_for

__all__ = ["Roots", "contract_names", "load_contract", "load_error", "roots", "shipped_root"]

#: Directories to look into, the topmost first.
Roots = tuple[Path, ...]
_Chain = tuple[tuple[Path, str], ...]

_PACKAGE = Path(__file__).resolve().parent.parent


@lru_cache(maxsize=1)
def shipped_root() -> Path:
    """The directory of the shipped schema files; ``ConfigurationError`` if it is not there."""
    return find_shipped(_PACKAGE)


def find_shipped(package: Path) -> Path:
    """The schema files that belong to the package in a directory: inside it, or beside it."""
    for candidate in (package / "_schemas", package.parent / "schemas"):
        if (candidate / "contracts").is_dir():
            return candidate
    raise ConfigurationError(
        "the shipped schema files are missing", where=str(package), instead="install again"
    )


def roots(overlays: Iterable[Path | str] = ()) -> Roots:
    """All roots, the last overlay first; ``ConfigurationError`` for an overlay that is no directory."""
    given = [Path(each) for each in overlays]
    for each in given:
        if not each.is_dir():
            raise ConfigurationError(
                "no such directory",
                where=str(each),
                instead="name a directory with contracts/ and profiles/ in it",
            )
    return (*(each.resolve() for each in reversed(given)), shipped_root())


def candidates(kind: str, name: str, among: Roots) -> list[Path]:
    """The files ``kind/name.yaml`` that exist, the topmost first."""
    found = (root / kind / f"{name}.yaml" for root in among)
    return [path for path in found if path.is_file()]


def names(kind: str, among: Roots) -> list[str]:
    """The names of all files of a kind, sorted."""
    return sorted({path.stem for root in among for path in (root / kind).glob("*.yaml")})


def contract_names(among: Roots) -> list[str]:
    """The endpoints that have a contract."""
    return [name for name in names("contracts", among) if name not in ("error", "shared")]


@lru_cache(maxsize=64)
def load_contract(name: str, among: Roots) -> Mapping[str, Any]:
    """The contract of the endpoint ``name``, checked, every ``$ref`` replaced by what it means.

    Raises ``ConfigurationError``: unknown endpoint, a file that breaks the format, an unknown
    keyword, a reference to nowhere.
    """
    found = candidates("contracts", name, among)
    if not found:
        raise ConfigurationError(
            f"no contract for endpoint {name!r}", instead=nearest(name, contract_names(among))
        )
    contract = _checked(found[0], among)
    if contract["endpoint"] != name:
        raise ConfigurationError(
            f"the file is named {name!r} and describes endpoint {contract['endpoint']!r}",
            where=f"{found[0]}#/endpoint",
            instead=f"write endpoint: {name}, or rename the file",
        )
    return contract


@lru_cache(maxsize=8)
def load_error(among: Roots) -> Mapping[str, Any]:
    """The schema of the error envelope, shared by all endpoints."""
    path = candidates("contracts", "error", among)[0]
    schema: Mapping[str, Any] = _checked(path, among)["error"]
    return schema


def _checked(path: Path, among: Roots) -> Mapping[str, Any]:
    document = read_yaml(path)
    complain(meta_schema("contract"), document, path)
    resolver = _Resolver(among)
    parts = {key: value for key, value in document.items() if key != "$defs"}
    for key in ("request", "response", "chunk", "error"):
        if key in parts:
            check_keywords(parts[key], where=str(path), pointer=f"/{key}")
            parts[key] = resolver.inline(parts[key], path, f"/{key}")
    return parts


@lru_cache(maxsize=8)
def meta_schema(kind: str) -> Any:
    """The validator of a kind of file: ``contract``, ``profile`` and so on."""
    return validator_for(read_yaml(shipped_root() / f"{kind}.schema.yaml"))


class _Resolver:
    """Replaces ``$ref`` by the schema meant; keywords beside a ``$ref`` win over its own."""

    def __init__(self, among: Roots) -> None:
        self.among = among

    def inline(self, value: Any, file: Path, pointer: str, chain: _Chain = ()) -> Any:
        """``value`` without references; ``file`` and ``pointer`` say where it stands."""
        if isinstance(value, list):
            return [
                self.inline(each, file, f"{pointer}/{at}", chain) for at, each in enumerate(value)
            ]
        if not isinstance(value, Mapping):
            return value
        reference = value.get("$ref")
        if isinstance(reference, str):
            return self._follow(reference, value, file, pointer, chain)
        return {
            key: self.inline(each, file, f"{pointer}/{key}", chain) for key, each in value.items()
        }

    def _follow(
        self, reference: str, beside: Mapping[str, Any], file: Path, pointer: str, chain: _Chain
    ) -> Any:
        where = f"{file}#{pointer}"
        name, _, target = reference.partition("#")
        home = self._file(name, file, where)
        if (home, target) in chain:
            raise ConfigurationError(f"$ref {reference!r} goes in a circle", where=where)
        chain = (*chain, (home, target))
        meant = self.inline(_at(home, target, reference, where), home, target, chain)
        rest = {key: each for key, each in beside.items() if key != "$ref"}
        if not rest:
            return meant
        return {**meant, **self.inline(rest, file, pointer, chain)}

    def _file(self, name: str, file: Path, where: str) -> Path:
        if not name:
            return file
        found = candidates("contracts", name.removesuffix(".yaml"), self.among)
        if not found:
            raise ConfigurationError(
                f"$ref to {name!r}: no such file in contracts/",
                where=where,
                instead=nearest(name, (f"{each}.yaml" for each in names("contracts", self.among))),
            )
        return found[0]


def _at(file: Path, pointer: str, reference: str, where: str) -> Any:
    value = read_yaml(file)
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        if not isinstance(value, Mapping) or key not in value:
            known = value if isinstance(value, Mapping) else ()
            raise ConfigurationError(
                f"$ref {reference!r} points nowhere: no {key!r}",
                where=where,
                instead=nearest(key, known),
            )
        value = value[key]
    return value
