"""Which of a parameter's telling values are sent at a depth, and which may share a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from conformance.generate.conversations import Carrier
from conformance.generate.hints import CHEAP, INERT, SOLITARY, request_schema
from conformance.generate.values import Value, values_of
from conformance.schema.contract import Endpoint
from conformance.schema.plainest import NOTHING, plainest
from conformance.schema.strategies import Hints

__all__ = ["Choice"]


@dataclass(frozen=True)
class Choice:
    """The choices for one endpoint, mode and depth; ``carrier`` is what carries its text."""

    endpoint: Endpoint
    model: str
    depth: str
    streamed: bool
    carrier: Carrier | None
    hints: Hints

    def of(self, name: str) -> tuple[list[Value], list[Value]]:
        """The values of parameter ``name`` to send beside its simplest one, and the dear ones."""
        values = [
            value
            for value in values_of(self.endpoint, name, self.model)
            if value.kind != "simplest" and self.of_mode(value)
        ]
        dear = [value for value in values if self.depth != "deep" and self._dear(value)]
        return self._chosen([value for value in values if value not in dear]), dear

    def of_mode(self, value: Value) -> bool:
        """Whether a body with ``value`` is still answered in this mode."""
        return value.parameter != self.endpoint.stream_switch or value.value is not True

    def _chosen(self, values: list[Value]) -> list[Value]:
        if self.depth == "deep":
            return values
        if self.depth == "quick":
            branches = [v for v in values if v.kind == "branch" and not v.open]
            return [] if self.streamed else branches[-1:]
        firm = [v for v in values if not v.open]
        if not self.streamed:
            return firm + [v for v in values if v.open and (v.falsy or v.kind == "boundary")]
        kept = [
            v
            for v in firm
            if v.kind in ("neutral", "null") or (v.kind == "boundary" and "max" in v.label.lower())
        ]
        branches = [v for v in firm if v.kind == "branch"]
        return [*kept, *branches[:1], *branches[1:][-1:]]

    def _dear(self, value: Value) -> bool:
        """Whether the answer would be long: no limit in chat, or many choices at an open end."""
        if value.kind == "null":
            return value.parameter in CHEAP and self.carrier is not None and self.carrier.chat
        unneeded = value.kind == "inside" or (value.kind == "boundary" and value.open)
        many = value.parameter in ("n", "best_of") and isinstance(value.value, int)
        return unneeded and many and value.value > 4

    def shared(self, value: Value) -> str | None:
        """The label of the row that ``value`` may share with those of other parameters, if any."""
        if self.depth == "deep" or (value.parameter in SOLITARY and value.kind != "null"):
            return None
        if value.kind == "boundary" and value.open:
            end = "least" if "min" in value.label.lower() else "greatest"
            return f"{end} value where the documentation is silent"
        if value.kind == "enum" and not value.open:
            return "members of enums"
        if value.open and value.falsy and value.parameter in INERT:
            return "empty labels"
        if value.kind == "inside":
            return f"{value.label} of each parameter"
        if value.kind == "null":
            return "null for each parameter"
        falsy = value.falsy and not self.streamed
        return "every neutral value" if value.kind == "neutral" and not falsy else None

    def interacts(self, name: str) -> bool:
        """Whether pairs with parameter ``name`` are worth sending."""
        carrier = self.carrier.name if self.carrier else None
        switch = self.endpoint.stream_switch
        return name not in (*SOLITARY, *INERT, carrier, switch, "max_completion_tokens")

    def levels(self, name: str) -> list[Any]:
        """The simplest value and another one that is promised, cheap and not null."""
        if name in CHEAP:
            return [2, 3]
        values = [v for v in values_of(self.endpoint, name, self.model) if not v.open]
        others = [
            v for v in values[1:] if v.value is not None and self._within_hints(name, v.value)
        ]
        kinds = ("branch", "boundary", "enum", "inside", "neutral", "falsy")
        others.sort(key=lambda value: kinds.index(value.kind))
        best = [v.value for v in others if v.kind == others[0].kind][-1:]
        return [values[0].value, *best]

    def _within_hints(self, name: str, value: Any) -> bool:
        schema = {"allOf": [self.endpoint.parameters[name].schema, {"const": value}]}
        root = request_schema(self.endpoint)
        return plainest(schema, hints=self.hints, root=root, path=f"/{name}") is not NOTHING
