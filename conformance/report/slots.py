"""The places a verdict can be about, in one order everywhere: endpoints, then modes."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from conformance.report.records import Key, Result
from conformance.report.text import visible

__all__ = ["Slot", "permalink", "place_slot", "slot"]

_ENDPOINTS = ("chat", "completions", "models", "model")
_MODES = ("regular", "stream")


@dataclass(frozen=True, order=True)
class Slot:
    """A place a verdict is about: an endpoint and mode, or the target as a whole."""

    rank: tuple[Any, ...]
    endpoint: str | None = field(compare=False)
    mode: str | None = field(compare=False)

    @property
    def label(self) -> str:
        """In words: ``chat stream``."""
        return visible(Key("", "", self.endpoint, self.mode).place)

    @property
    def anchor(self) -> str:
        """In a permalink: ``chat-stream``."""
        return "-".join(part for part in (self.endpoint, self.mode) if part) or "target"


def slot(result: Result) -> Slot:
    """The place of ``result``."""
    return place_slot(result.endpoint, result.mode)


def place_slot(endpoint: str | None, mode: str | None) -> Slot:
    place = _ENDPOINTS.index(endpoint) if endpoint in _ENDPOINTS else len(_ENDPOINTS)
    turn = _MODES.index(mode) if mode in _MODES else len(_MODES)
    return Slot((endpoint is None, place, endpoint or "", turn, mode or ""), endpoint, mode)


def permalink(*parts: str) -> str:
    """The fragment that opens a cell: target, requirement and place, percent-encoded."""
    return "/".join(quote(visible(part), safe="") for part in parts)
