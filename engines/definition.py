"""What an engine is: one TOML file, checked member by member before anything is installed.

Strings of ``command``, ``prepare``, ``environment`` and ``files`` may hold these words in braces:

========= ==============================================================
bin       folder of the executables of the engine's environment
tools     this folder, with its scripts
model     model id, as clients and the engine's command line name it
model_dir folder of the model's files
host      ``127.0.0.1``
port      a port that was free a moment ago
work      folder of the engine's own: logs, caches, the model
upstream  base URL of the engine behind this one (``upstream``)
========= ==============================================================

Those of ``environment`` and ``files`` may also hold ``key``, a key made for this run, and
``upstream_key``, that of the engine behind: not a command line, which is logged.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter
from typing import Any

from conformance.errors import ConfigurationError

__all__ = ["FOLDER", "PLACEHOLDERS", "Engine", "available", "load_engine", "words_of"]

FOLDER = Path(__file__).parent
PLACEHOLDERS = frozenset({"bin", "tools", "model", "model_dir", "host", "port", "work", "upstream"})
SECRETS = frozenset({"key", "upstream_key"})


@dataclass(frozen=True)
class Engine:
    """One engine: how it is installed, prepared, started, probed and judged.

    ``requirements`` are pip requirements with exact versions, the engine's own package first;
    ``alone`` are installed after them without what they depend on; ``constraints`` names a file of
    this folder that pins everything else. ``prepare`` are command lines that run once before the
    start; ``files`` are written into the work folder. ``health`` is a path that answers 200 when
    the engine can serve and 5xx when it must be restarted; ``ready_seconds`` bounds a start.
    ``upstream`` is the engine that this one forwards to; an instance of its own is started.
    ``target`` is merged into the engine's entry of the targets file.
    """

    name: str
    command: tuple[str, ...]
    health: str
    requirements: tuple[str, ...]
    alone: tuple[str, ...] = ()
    constraints: str = ""
    prepare: tuple[tuple[str, ...], ...] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    upstream: str = ""
    needs_model: bool = True
    title: str = ""
    profile: str = "openai-core"
    base_path: str = "/v1"
    ready_seconds: float = 120.0
    environment: Mapping[str, str] = field(default_factory=dict)
    target: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_key(self) -> bool:
        """Whether it asks its clients for the key of this run."""
        texts = (*self.environment.values(), *self.files.values())
        return any("key" in words_of(text) for text in texts)

    @property
    def version(self) -> str:
        """Name and version of its package, as pinned."""
        return (self.alone or self.requirements)[0].replace("==", " ")


#: Member of the file -> the type it must have.
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "command": list,
    "health": str,
    "requirements": list,
    "alone": list,
    "constraints": str,
    "prepare": list,
    "files": dict,
    "upstream": str,
    "needs_model": bool,
    "title": str,
    "profile": str,
    "base_path": str,
    "ready_seconds": (int, float),
    "environment": dict,
    "target": dict,
}
_REQUIRED = ("command", "health", "requirements")


def available(folder: Path = FOLDER) -> list[str]:
    """Names of the engines that have a file in ``folder``, sorted."""
    return sorted(path.stem for path in folder.glob("*.toml"))


def load_engine(name: str, folder: Path = FOLDER) -> Engine:
    """The engine ``name`` of ``folder``.

    Raises:
        ConfigurationError: no such file, not TOML, a member that is missing, unknown or of the
            wrong type, an unknown word in braces, a requirement without an exact version, or an
            ``upstream`` or ``constraints`` file that is not there.
    """
    path = folder / f"{name}.toml"
    if not path.is_file():
        raise ConfigurationError(
            f"there is no engine {name!r}",
            where=str(folder),
            instead=f"one of: {', '.join(available(folder))}",
        )
    try:
        members = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"not TOML: {error}", where=str(path)) from None
    _check(members, path)
    return Engine(name=name, **{member: _frozen(value) for member, value in members.items()})


def words_of(text: str) -> set[str]:
    """The words in braces; raises ``ValueError`` when a brace is left open."""
    return {word for _, word, _, _ in Formatter().parse(text) if word is not None}


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _check(members: Mapping[str, Any], path: Path) -> None:
    for member in _REQUIRED:
        if member not in members:
            raise ConfigurationError(f"`{member}` is missing", where=str(path))
    for member, value in members.items():
        if member not in _TYPES:
            raise ConfigurationError(
                f"unknown member `{member}`",
                where=str(path),
                instead=f"one of: {', '.join(sorted(_TYPES))}",
            )
        wanted = _TYPES[member]
        if not isinstance(value, wanted) or isinstance(value, bool) != (wanted is bool):
            raise ConfigurationError(f"`{member}` has the wrong type", where=str(path))
    for text, allowed in _texts(members, path):
        _check_words(text, allowed, path)
    for requirement in (*members["requirements"], *members.get("alone", ())):
        if "==" not in str(requirement):
            raise ConfigurationError(
                f"requirement {requirement!r} is not pinned",
                where=str(path),
                instead="write name==version",
            )
    _check_files(members, path)


def _check_files(members: Mapping[str, Any], path: Path) -> None:
    constraints, upstream = members.get("constraints"), members.get("upstream")
    if constraints and not (path.parent / constraints).is_file():
        raise ConfigurationError(f"there is no file {constraints!r}", where=str(path))
    if upstream == path.stem or (upstream and upstream not in available(path.parent)):
        raise ConfigurationError(
            f"there is no engine {upstream!r} to stand behind it", where=str(path)
        )


def _texts(members: Mapping[str, Any], path: Path) -> Iterator[tuple[object, frozenset[str]]]:
    """Every string that may hold words in braces, and the words that it may hold."""
    for line in (members["command"], *members.get("prepare", ())):
        if not isinstance(line, list):
            raise ConfigurationError("`prepare` is a list of command lines", where=str(path))
        for word in line:
            yield word, PLACEHOLDERS
    for member in ("environment", "files"):
        for text in members.get(member, {}).values():
            yield text, PLACEHOLDERS | SECRETS


def _check_words(text: object, allowed: frozenset[str], path: Path) -> None:
    if not isinstance(text, str):
        raise ConfigurationError(f"{text!r} is no string", where=str(path))
    try:
        words = words_of(text)
    except ValueError as error:
        raise ConfigurationError(f"{text!r}: {error}", where=str(path)) from None
    if unknown := words - allowed:
        raise ConfigurationError(
            f"{text!r} holds unknown words: {', '.join(sorted(unknown))}",
            where=str(path),
            instead=f"one of: {', '.join(sorted(allowed))}",
        )
