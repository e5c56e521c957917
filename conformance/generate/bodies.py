"""Request bodies: the minimal one with changes, and drawn ones made sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.generate.hints import ABSENT, CHEAP, companions, conflict
from conformance.schema.contract import Endpoint

__all__ = ["Bodies"]


@dataclass(frozen=True)
class Bodies:
    """Makes bodies for one endpoint, model and mode."""

    endpoint: Endpoint
    model: str
    streamed: bool

    def with_(self, changes: Mapping[str, Any], *, cheap: bool = True) -> dict[str, Any]:
        """The minimal body with ``changes`` and what they need beside them."""
        body = self.endpoint.minimal_body(self.model)
        if self.endpoint.stream_switch and self.streamed:
            body[self.endpoint.stream_switch] = True
        if cheap:
            body |= {name: value for name, value in CHEAP.items() if name in body}
        for name, value in changes.items():
            body |= companions(self.endpoint, name, value)
        body |= changes
        if (body.get("n") or 0) > 4 and "max_tokens" in body:
            body["max_tokens"] = 1
        return {name: value for name, value in body.items() if value is not ABSENT}

    def settled(self, drawn: dict[str, Any]) -> dict[str, Any]:
        """``drawn`` with the mode's switch, a token limit, and without conflicts."""
        if "max_completion_tokens" not in drawn:
            drawn = {**{k: v for k, v in self.with_({}).items() if k in CHEAP}, **drawn}
        if self.streamed and self.endpoint.stream_switch:
            drawn = {**drawn, self.endpoint.stream_switch: True}
        while (why := conflict(drawn)) is not None:
            spare = [name for name in reversed(drawn) if not self._held(name)]
            without = ({k: v for k, v in drawn.items() if k != name} for name in spare)
            drawn = next(each for each in without if conflict(each) != why)
        return _limited(drawn)

    def _held(self, name: str) -> bool:
        """Whether the member is never dropped."""
        return name == self.endpoint.stream_switch or self.endpoint.parameters[name].required


def _limited(body: dict[str, Any]) -> dict[str, Any]:
    """A null limit would mean an answer without end."""
    return {name: (CHEAP[name] if name in CHEAP and v is None else v) for name, v in body.items()}
