"""``-k`` without pytest: words with ``and``, ``or``, ``not`` and parentheses."""

from __future__ import annotations

import re
from collections.abc import Callable

from conformance.errors import ConfigurationError

__all__ = ["matcher"]

_TOKEN = re.compile(r"\s*([()]|[^\s()]+)")
Match = Callable[[str], bool]


def matcher(expression: str) -> Match:
    """A predicate over names for ``expression``; everything matches an empty one.

    Grammar: ``or`` binds weaker than ``and``, ``and`` weaker than ``not``; a word matches a name
    that contains it, whatever the case. Raises ``ConfigurationError`` for a malformed expression.
    """
    tokens = _TOKEN.findall(expression)
    if not tokens:
        return lambda name: True
    parser = _Parser(tokens, expression)
    found = parser.alternatives()
    if parser.tokens:
        raise parser.fault()
    return found


class _Parser:
    def __init__(self, tokens: list[str], expression: str) -> None:
        self.tokens, self._expression = tokens, expression

    def fault(self) -> ConfigurationError:
        return ConfigurationError(
            f"{self._expression!r} is not an expression",
            where="-k",
            instead="write words joined by and, or, not",
        )

    def alternatives(self) -> Match:
        found = self._joint()
        while self._take("or"):
            found = _either(found, self._joint())
        return found

    def _joint(self) -> Match:
        found = self._single()
        while self._take("and"):
            found = _both(found, self._single())
        return found

    def _single(self) -> Match:
        if self._take("not"):
            inner = self._single()
            return lambda name: not inner(name)
        if self._take("("):
            inner = self.alternatives()
            if not self._take(")"):
                raise self.fault()
            return inner
        if not self.tokens or self.tokens[0] in {"and", "or", ")"}:
            raise self.fault()
        word = self.tokens.pop(0).lower()
        return lambda name: word in name.lower()

    def _take(self, token: str) -> bool:
        if self.tokens and self.tokens[0] == token:
            self.tokens.pop(0)
            return True
        return False


def _either(left: Match, right: Match) -> Match:
    return lambda name: left(name) or right(name)


def _both(left: Match, right: Match) -> Match:
    return lambda name: left(name) and right(name)
