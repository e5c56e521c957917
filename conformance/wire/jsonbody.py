"""JSON from a hostile source: a value or a named problem, never an exception."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

__all__ = ["MAX_DEPTH", "JSONProblem", "parse_json"]

#: Nesting beyond this is a problem by itself (RFC 8259 §9 lets a parser set a limit).
MAX_DEPTH = 200


@dataclass(frozen=True, slots=True)
class JSONProblem:
    """Why bytes are not a JSON value: ``kind`` is a stable word, ``detail`` one sentence."""

    kind: str
    detail: str


class _Refused(ValueError):
    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(detail)
        self.problem = JSONProblem(kind, detail)


def parse_json(data: bytes) -> Any:
    """Parse ``data`` as one JSON text, or say why it is none.

    Stricter than :func:`json.loads`, as RFC 8259 is: UTF-8 only, no byte order mark, no NaN or
    Infinity, no duplicate member names, at most ``MAX_DEPTH`` levels.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return JSONProblem("not-utf-8", f"byte {error.start} is not valid UTF-8")
    if not text.strip():
        return JSONProblem("empty", "the text is empty")
    if _depth(text) > MAX_DEPTH:
        return JSONProblem("too-deep", f"nested more than {MAX_DEPTH} levels deep")
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
    except _Refused as error:
        return error.problem
    except ValueError as error:
        return JSONProblem("not-json", str(error))


_STRING_OR_BRACKET = re.compile(r'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)


def _depth(text: str) -> int:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    for token in _STRING_OR_BRACKET.finditer(text):
        first = token.group()[0]
        if first in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif first in "]}":
            depth -= 1
    return deepest


def _no_constant(name: str) -> Any:
    raise _Refused("not-a-number", f"{name} is not JSON")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise _Refused("duplicate-member", f"member {twice!r} occurs twice in one object")
    return members
