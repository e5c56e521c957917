"""JSON from a hostile source: a value or a named problem, never an exception."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from itertools import accumulate
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
    if _too_deep(text):
        return JSONProblem("too-deep", f"nested more than {MAX_DEPTH} levels deep")
    try:
        return json.loads(text, parse_constant=_no_constant, object_pairs_hook=_no_duplicates)
    except _Refused as error:
        return error.problem
    except ValueError as error:
        return JSONProblem("not-json", str(error))


# Possessive quantifiers: a string of 16 MiB must not leave a trail of backtracking positions.
_STRING = re.compile(r'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEP = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}


def _too_deep(text: str) -> bool:
    """Whether brackets nest too deep outside strings; looks no further than where they first do."""
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    brackets = _STRING.sub("", text).encode("ascii", "ignore").translate(None, _NO_BRACKETS)
    for depth in accumulate(map(_STEP.__getitem__, brackets)):
        if depth > MAX_DEPTH:
            return True
        if depth < 0:  # more closed than opened: no JSON, as the parser will say
            return False
    return False


def _no_constant(name: str) -> Any:
    raise _Refused("not-a-number", f"{name} is not JSON")


def _no_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise _Refused("duplicate-member", f"member {twice!r} occurs twice in one object")
    return members
