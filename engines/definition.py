"""What an engine is: one TOML file, checked member by member before anything is installed.

Strings of ``command`` and ``environment`` may hold these words in braces:

========= ==============================================================
bin       folder of the executables of the engine's environment
model     model id, as clients and the engine's command line name it
model_dir folder of the model's files
host      ``127.0.0.1``
port      a port that was free a moment ago
work      folder of the engine's own: logs, caches, the model
========= ==============================================================
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Formatter
from typing import Any

from conformance.errors import ConfigurationError

__all__ = ["PLACEHOLDERS", "Engine", "available", "load_engine"]

FOLDER = Path(__file__).parent
PLACEHOLDERS = frozenset({"bin", "model", "model_dir", "host", "port", "work"})


@dataclass(frozen=True)
class Engine:
    """One engine: how it is installed, started, probed and judged.

    ``requirements`` are pip requirements with exact versions; ``health`` is a path that answers 200
    when the engine can serve and 5xx when it must be restarted; ``ready_seconds`` bounds a start;
    ``target`` is merged into the engine's entry of the targets file.
    """

    name: str
    command: tuple[str, ...]
    health: str
    requirements: tuple[str, ...]
    title: str = ""
    profile: str = "openai-core"
    base_path: str = "/v1"
    ready_seconds: float = 120.0
    environment: Mapping[str, str] = field(default_factory=dict)
    target: Mapping[str, Any] = field(default_factory=dict)


#: Member of the file -> the type it must have.
_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "command": list,
    "health": str,
    "requirements": list,
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
            wrong type, an unknown word in braces, or a requirement without an exact version.
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
    given: dict[str, Any] = {
        member: tuple(value) if isinstance(value, list) else value
        for member, value in members.items()
    }
    return Engine(name=name, **given)


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
        if not isinstance(value, _TYPES[member]) or isinstance(value, bool):
            raise ConfigurationError(f"`{member}` has the wrong type", where=str(path))
    for text in (*members["command"], *members.get("environment", {}).values()):
        _check_words(text, path)
    for requirement in members["requirements"]:
        if "==" not in requirement:
            raise ConfigurationError(
                f"requirement {requirement!r} is not pinned",
                where=str(path),
                instead="write name==version",
            )


def _check_words(text: object, path: Path) -> None:
    try:
        words = {word for _, word, _, _ in Formatter().parse(str(text)) if word is not None}
    except ValueError as error:
        raise ConfigurationError(f"{text!r}: {error}", where=str(path)) from None
    if unknown := words - PLACEHOLDERS:
        raise ConfigurationError(
            f"{text!r} holds unknown words: {', '.join(sorted(unknown))}",
            where=str(path),
            instead=f"one of: {', '.join(sorted(PLACEHOLDERS))}",
        )
