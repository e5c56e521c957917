"""Hostile text made harmless to read: what a target sent may hold any character.

Escaping for a format (HTML, XML, Markdown, a shell) is the business of that format's module; this
one only keeps control characters from acting on whoever looks: terminal escapes, text that runs
backwards, line breaks that forge a line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

__all__ = ["clip", "count", "joined", "one_line", "plural", "visible"]

# C0 and C1 controls but tab and newline, the bidirectional controls (UAX #9), the line and
# paragraph separators, the byte order mark, lone surrogates and the two non-characters XML forbids.
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)


def visible(text: str) -> str:
    """``text`` with characters that act rather than show written as ``⟨U+202E⟩``."""
    return _INVISIBLE.sub(lambda match: f"⟨U+{ord(match.group()):04X}⟩", text)


def one_line(text: str) -> str:
    """``text`` made visible on a single line, runs of white space folded."""
    return visible(" ".join(text.split()))


def clip(text: str, width: int) -> str:
    """At most ``width`` characters, the last an ellipsis where something was cut."""
    return text if len(text) <= width else text[: max(width - 1, 0)].rstrip() + "…"


def count(number: float) -> str:
    """A number for people: ``12,345``; seconds below 100 keep one decimal."""
    return f"{number:,}" if isinstance(number, int) else f"{number:,.1f}"


def plural(number: int, noun: str) -> str:
    """``1 request``, ``2 requests``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def joined(parts: Iterable[str]) -> str:
    """The non-empty ``parts`` with middle dots between them."""
    return " · ".join(part for part in parts if part)
