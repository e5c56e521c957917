"""JSON from a hostile source: a value or a named problem, never an exception."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

__all__ = ["MAX_DEPTH", "MAX_VALUES", "JSONProblem", "parse_json"]

#: Nesting beyond this is a problem by itself (RFC 8259 §9 lets a parser set a limit).
MAX_DEPTH = 200
#: Values beyond this would cost a multiple of the text in memory (16 MiB of ``[],`` are 300 MB).
MAX_VALUES = 500_000


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
    Infinity, no duplicate member names, at most ``MAX_DEPTH`` levels and ``MAX_VALUES`` values.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        return JSONProblem("not-utf-8", f"byte {error.start} is not valid UTF-8")
    if not text.strip():
        return JSONProblem("empty", "the text is empty")
    if sum(map(text.count, "[{,")) > MAX_VALUES:
        return JSONProblem("too-many-values", f"more than about {MAX_VALUES} values")
    if _depth(text) > MAX_DEPTH:
        return JSONProblem("too-deep", f"nested more than {MAX_DEPTH} levels deep")
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
    except _Refused as error:
        return error.problem
    except ValueError as error:
        return JSONProblem("not-json", str(error))


# Possessive quantifiers: a string of 16 MiB must not leave a trail of backtracking positions.
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))


def _depth(text: str) -> int:
    """How deep brackets nest outside strings (0 when there are too few to matter).

    Each round removes the innermost pairs, so the rounds are the depth and the time is linear.
    """
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return 0
    bare = _STRING.sub("", text).encode("ascii", "ignore")
    brackets = bare.translate(_BRACKETS, _NO_BRACKETS)
    for rounds in range(MAX_DEPTH + 1):
        inner = brackets.replace(b"[]", b"")
        if inner == brackets:
            return rounds + inner.count(b"[")
        brackets = inner
    return MAX_DEPTH + 1


def _no_constant(name: str) -> Any:
    raise _Refused("not-a-number", f"{name} is not JSON")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise _Refused("duplicate-member", f"member {twice!r} occurs twice in one object")
    return members
