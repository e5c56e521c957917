"""Telling a key from the name of a variable, so that no key is ever printed.

A file or an option names an environment variable; people paste the key itself. Whatever looks
like a key is refused, and nothing that might be one is repeated in a message.
"""

from __future__ import annotations

import re

__all__ = ["looks_like_key", "redact", "variable_fault"]

#: Prefixes that key issuers print, and opaque runs: 20 characters or more that mix digits with
#: letters of both cases or digits with lower case, without a separator a person would write.
_PREFIX = (
    r"(?:sk|pk|rk|gsk|hf|xai|nvapi|ghp|pat|key|tok|api)[-_](?=[A-Za-z0-9_-]*[0-9])[A-Za-z0-9_-]{8,}"
)
_OPAQUE = r"(?=[A-Za-z_+=-]*[0-9])(?=[A-Z0-9_+=-]*[a-z])[A-Za-z0-9_+=-]{32,}"
_KEY = re.compile(rf"(?<![A-Za-z0-9])(?:{_PREFIX}|sk-[A-Za-z0-9_-]{{6,}}|{_OPAQUE})")
_BEARER = re.compile(r"(?i)\b(?:bearer|basic)\s+\S+")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,127}\Z")


def looks_like_key(text: str) -> bool:
    """Whether ``text`` contains what looks like a secret rather than a word of a configuration."""
    return bool(_KEY.search(text) or _BEARER.search(text))


def redact(text: str, limit: int = 80) -> str:
    """``text`` cut to ``limit`` characters, printable, with whatever looks like a key left out."""
    text = _KEY.sub("⟦KEY⟧", _BEARER.sub("⟦KEY⟧", text))
    text = "".join(char if char.isprintable() else " " for char in text)
    return text if len(text) <= limit else text[: limit - 1] + "…"


def variable_fault(name: str) -> str | None:
    """What is wrong with ``name`` as the name of an environment variable; ``None`` if nothing.

    The answer never repeats the name.
    """
    if looks_like_key(name) or _mostly_random(name):
        return "this looks like a key; only the name of an environment variable may stand here"
    if not _VARIABLE.match(name):
        return "this is not the name of an environment variable"
    return None


def _mostly_random(name: str) -> bool:
    """Long, with digits and both cases: nobody names a variable so."""
    kinds = (str.isdigit, str.islower, str.isupper)
    return len(name) >= 16 and all(any(map(kind, name)) for kind in kinds)
