"""YAML as JSON data with places: no duplicate keys, no exotic types, bounded in size and depth.

YAML maps onto JSON only partly (keys of any type, sets, binary, infinities, recursive aliases).
Whatever has no JSON counterpart is refused here, so that later stages meet plain data alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from conformance.errors import ConfigurationError
from conformance.targets.secrets import redact

__all__ = ["Document", "pointer", "read"]

MAX_BYTES = 1 << 20
MAX_DEPTH = 32
MAX_NODES = 50_000  # counted with aliases expanded


@dataclass(frozen=True)
class Document:
    """Plain JSON data and the line of each value, by JSON pointer."""

    file: str
    data: Any
    lines: dict[str, int]

    def where(self, *path: object) -> str:
        """``file:line (pointer)`` of the value at ``path``, or of the nearest that has a line."""
        for end in range(len(path), -1, -1):
            line = self.lines.get(pointer(*path[:end]))
            if line is not None:
                return f"{self.file}:{line} ({pointer(*path) or 'the whole file'})"
        return self.file


def pointer(*path: object) -> str:
    """The JSON pointer (RFC 6901) of ``path``, with keys that look like secrets left out."""
    return "".join("/" + redact(str(step)).replace("~", "~0").replace("/", "~1") for step in path)


def read(path: Path) -> Document:
    """The document in the file ``path``; raises ``ConfigurationError`` for whatever is amiss."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        reason = (error.strerror or "cannot be read").lower()
        raise ConfigurationError(
            f"the file cannot be read ({reason})",
            where=str(path),
            instead="give the path of a targets file",
        ) from None
    return parse(raw, str(path))


def parse(raw: bytes, file: str) -> Document:
    """The document in ``raw``; ``file`` names it in messages."""
    if len(raw) > MAX_BYTES:
        raise ConfigurationError(
            "the file is larger than 1 MiB", where=file, instead="split it or drop entries"
        )
    loader = _composed(raw, file)
    lines: dict[str, int] = {}
    walk = _Walk(file, loader, lines)
    root = loader.get_single_node_safely(file)
    return Document(file, None if root is None else walk.value(root, ()), lines)


class _Loader(yaml.SafeLoader):
    """The safe loader, with syntax errors as one sentence."""

    def get_single_node_safely(self, file: str) -> yaml.Node | None:
        """The only document's root node."""
        try:
            return self.get_single_node()
        except yaml.MarkedYAMLError as error:
            raise _syntax(error, file) from None
        except yaml.YAMLError as error:
            raise _not_yaml(error, file) from None
        except RecursionError:
            raise _too_deep(file) from None


def _composed(raw: bytes, file: str) -> _Loader:
    """A loader over ``raw``; an undecodable file is refused."""
    try:
        return _Loader(raw)
    except yaml.YAMLError as error:
        raise _not_yaml(error, file) from None
    except UnicodeError:
        raise ConfigurationError(
            "the file is not UTF-8 text", where=file, instead="save it as UTF-8"
        ) from None


def _syntax(error: yaml.MarkedYAMLError, file: str) -> ConfigurationError:
    """The sentence for a syntax error, with line and column counted from 1."""
    mark = error.problem_mark or error.context_mark
    place = f":{mark.line + 1}:{mark.column + 1}" if mark else ""
    problem = redact(error.problem or error.context or "malformed")
    return ConfigurationError(
        f"not valid YAML: {problem}",
        where=f"{file}{place}",
        instead="look at the indentation, colons and quotes of this line and the one above",
    )


def _not_yaml(error: yaml.YAMLError, file: str) -> ConfigurationError:
    """The sentence for bytes that are no YAML stream."""
    reason = getattr(error, "reason", None) or "malformed"
    return ConfigurationError(
        f"not a YAML text: {redact(str(reason))}", where=file, instead="save it as UTF-8 text"
    )


def _too_deep(file: str) -> ConfigurationError:
    return ConfigurationError(
        f"nested deeper than {MAX_DEPTH} levels", where=file, instead="flatten it"
    )


class _Walk:
    """Turns nodes into plain data, noting the line of each value."""

    def __init__(self, file: str, loader: _Loader, lines: dict[str, int]) -> None:
        self.file, self.loader, self.lines, self.nodes = file, loader, lines, 0

    def refuse(
        self, what: str, node: yaml.Node, path: tuple[object, ...], instead: str
    ) -> ConfigurationError:
        """The error for ``node``, placed by line and pointer."""
        line = node.start_mark.line + 1
        at = pointer(*path)
        return ConfigurationError(
            what, where=f"{self.file}:{line}" + (f" ({at})" if at else ""), instead=instead
        )

    def value(self, node: yaml.Node, path: tuple[object, ...]) -> Any:
        """The plain value of ``node``. Depth and size are bounded with aliases expanded, which
        also ends recursive ones."""
        self.nodes += 1
        if len(path) > MAX_DEPTH:
            raise _too_deep(self.file)
        if self.nodes > MAX_NODES:
            raise ConfigurationError(
                f"more than {MAX_NODES} values", where=self.file, instead="drop entries or aliases"
            )
        self.lines.setdefault(pointer(*path), node.start_mark.line + 1)
        if isinstance(node, yaml.MappingNode):
            return self.mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            self.plain_tag(node, path, "tag:yaml.org,2002:seq")
            return [self.value(each, (*path, at)) for at, each in enumerate(node.value)]
        return self.scalar(node, path)

    def mapping(self, node: yaml.MappingNode, path: tuple[object, ...]) -> dict[str, Any]:
        """A mapping with distinct string keys; ``<<`` merges are applied, own keys win."""
        self.plain_tag(node, path, "tag:yaml.org,2002:map")
        own: dict[str, Any] = {}
        merged: dict[str, Any] = {}
        for key_node, value_node in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                for part in self.merged(value_node, path):
                    merged = {**part, **merged}
                continue
            key = self.key(key_node, path)
            if key in own:
                raise self.refuse(
                    f"the key {redact(key)!r} is given twice", key_node, path, "keep one of the two"
                )
            own[key] = self.value(value_node, (*path, key))
        return {**merged, **own}

    def merged(self, node: yaml.Node, path: tuple[object, ...]) -> list[dict[str, Any]]:
        """The mappings that a ``<<`` key merges, the one that wins first."""
        parts = node.value if isinstance(node, yaml.SequenceNode) else [node]
        if not all(isinstance(part, yaml.MappingNode) for part in parts):
            raise self.refuse(
                "`<<` merges something that is no mapping", node, path, "merge a mapping"
            )
        return [self.value(part, (*path, "<<")) for part in parts]

    def key(self, node: yaml.Node, path: tuple[object, ...]) -> str:
        """A key, which must be a string (``1:``, ``on:`` and ``? [a]`` are not)."""
        if not isinstance(node, yaml.ScalarNode) or node.tag != "tag:yaml.org,2002:str":
            raise self.refuse("a key is not a text", node, path, "put the key in quotes")
        return node.value if isinstance(node.value, str) else str(node.value)

    def plain_tag(self, node: yaml.Node, path: tuple[object, ...], tag: str) -> None:
        """Refuse sets, ordered maps and foreign types."""
        if node.tag != tag:
            raise self.refuse("a YAML tag (`!…`) has no meaning here", node, path, "remove the tag")

    def scalar(self, node: yaml.Node, path: tuple[object, ...]) -> Any:
        """A JSON scalar; a date becomes its ISO text."""
        try:
            value = self.loader.construct_object(node)
        # An explicit tag on a text that does not fit it ends in any of these (`!!bool x`).
        except (yaml.YAMLError, ValueError, LookupError, AttributeError, TypeError, OverflowError):
            if node.tag == "tag:yaml.org,2002:timestamp":
                what, instead = "this is no day of the calendar", "write a day as YYYY-MM-DD"
            else:
                what, instead = "this value cannot be read", "put it in quotes"
            raise self.refuse(what, node, path, instead) from None
        if isinstance(value, datetime):
            raise self.refuse(
                "a time of day is given where at most a day can stand",
                node,
                path,
                "write a day as YYYY-MM-DD",
            )
        if isinstance(value, date):
            return value.isoformat()
        if isinstance(value, float) and not math.isfinite(value):
            raise self.refuse(
                "infinity and NaN are no numbers here",
                node,
                path,
                "write a number, or null for no limit",
            )
        if isinstance(value, int) and abs(value) >= 2**63:
            raise self.refuse("the number is too large", node, path, "write a smaller one")
        if value is not None and not isinstance(value, (str, bool, int, float)):
            raise self.refuse("this value has no JSON counterpart", node, path, "put it in quotes")
        return value
