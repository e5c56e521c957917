"""Secrets never reach a file: every form of a key is replaced before anything is written."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import quote, quote_plus

__all__ = ["KEY_MARK", "Mask"]

#: What stands where a key was. Its presence in a response proves a leak.
KEY_MARK = "⟦KEY⟧"

#: Shorter secrets would blank out ordinary text.
MIN_SECRET = 4


class Mask:
    """Replaces every known secret, as it is and JSON-escaped, URL-encoded, in base64 or in hex.

    Apply it to whole texts: a key may be cut by two socket reads, never by one joined text.
    """

    def __init__(self, secrets: Iterable[str | None] = ()) -> None:
        self._secrets = sorted({s for s in secrets if s and len(s) >= MIN_SECRET})
        forms = sorted({form for s in self._secrets for form in _forms(s)}, key=len, reverse=True)
        self._forms = forms
        self._encoded = [form.encode("utf-8", "surrogatepass") for form in forms]

    def __repr__(self) -> str:
        return f"Mask(<{len(self._secrets)} secrets>)"

    def text(self, text: str) -> str:
        """``text`` without secrets."""
        # Plain searches first: an alternation of all forms is far slower where nothing is found.
        found = [re.escape(form) for form in self._forms if form in text]
        return re.sub("|".join(found), KEY_MARK, text) if found else text

    def data(self, data: bytes) -> bytes:
        """``data`` without secrets (the mark in UTF-8)."""
        found = self._found(data)
        return found.sub(KEY_MARK.encode(), data) if found else data

    def spans(self, data: bytes) -> list[tuple[int, int]]:
        """Where in ``data`` secrets stand, in order."""
        found = self._found(data)
        return [match.span() for match in found.finditer(data)] if found else []

    def _found(self, data: bytes) -> re.Pattern[bytes] | None:
        found = [re.escape(form) for form in self._encoded if form in data]
        return re.compile(b"|".join(found)) if found else None

    def value(self, value: Any) -> Any:
        """A JSON-like value with every string in it masked, member names included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, bytes):
            return self.data(value)
        if isinstance(value, dict):
            return {self.value(key): self.value(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self.value(item) for item in value)
        return value


def _forms(secret: str) -> Iterator[str]:
    """The ways a secret is commonly written."""
    yield secret
    for ensure_ascii in (True, False):
        escaped = json.dumps(secret, ensure_ascii=ensure_ascii)[1:-1]
        yield escaped
        yield escaped.replace("/", "\\/")
        yield json.dumps(escaped)[1:-1]  # JSON within a JSON string
    yield quote(secret, safe="")
    yield quote(secret, safe="").lower()
    yield quote(secret)
    yield quote_plus(secret)
    yield from _base64_forms(secret.encode("utf-8", "surrogatepass"))


def _base64_forms(data: bytes) -> Iterator[str]:
    """Base64 of the secret at each of the three alignments within a longer text."""
    yield data.hex()
    yield data.hex().upper()
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + data + bytes(2)).decode("ascii")
        first = (before * 8 + 5) // 6  # characters that also hold bits of what stands before
        last = (before + len(data)) * 8 // 6  # … and of what stands behind
        core = encoded[first:last]
        if len(core) >= 2 * MIN_SECRET:
            yield core
            yield core.translate(str.maketrans("+/", "-_"))
