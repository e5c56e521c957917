"""The corpus: the valid requests that all checks of one endpoint and mode judge together.

Rows cover by construction: what has to be covered is worked out first, as *obligations* (a value
of a parameter, a kind of text, a role, a pair of parameters), then rows are built that discharge
them. Drawn rows follow, from one hypothesis run without input or output. A row about a parameter's
simplest value holds the minimal body and nothing else, so a refusal names its culprit; other
obligations share rows where the shrinker can still tell them apart.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from conformance.generate.bodies import Bodies
from conformance.generate.choice import Choice
from conformance.generate.conversations import carrier_of, speeches
from conformance.generate.draw import draw_distinct
from conformance.generate.hints import ABSENT, CHEAP, conflict, request_hints, request_schema
from conformance.generate.obligations import (
    Corpus,
    Obligation,
    Row,
    of_pair,
    of_part,
    of_value,
    pair_name,
)
from conformance.generate.pairwise import covering_array, pairs_of
from conformance.generate.values import Value, simplest_of, values_of
from conformance.schema.contract import Endpoint
from conformance.schema.keywords import identity
from conformance.schema.strategies import from_schema
from conformance.verdicts import Mode

__all__ = ["Corpus", "Obligation", "Row", "build_corpus"]

#: Drawn rows by depth, regular and streamed.
DRAWN = {"quick": (0, 0), "standard": (2, 2), "deep": (40, 30)}


def build_corpus(
    endpoint: Endpoint, mode: Mode | None, *, model: str, seed: int = 0, depth: str = "standard"
) -> Corpus:
    """The corpus of ``endpoint`` in ``mode``: the same for the same arguments and profile.

    ``depth`` is ``quick`` (a CI gate), ``standard`` or ``deep``.
    """
    maker = _Maker(endpoint, mode, model, depth)
    if endpoint.method == "GET":
        maker.add("no body", {}, [])
    else:
        maker.cover()
        maker.draw(seed)
    return Corpus(
        endpoint.name,
        mode,
        model,
        seed,
        depth,
        tuple(maker.rows.values()),
        tuple(maker.obligations),
        tuple(maker.left_out),
    )


class _Maker:
    def __init__(self, endpoint: Endpoint, mode: Mode | None, model: str, depth: str) -> None:
        self.endpoint, self.model, self.depth = endpoint, model, depth
        self.streamed = mode is Mode.STREAM and endpoint.stream_switch is not None
        self.carrier = carrier_of(endpoint)
        self.body = Bodies(endpoint, model, self.streamed).with_
        self.choice = Choice(
            endpoint, model, depth, self.streamed, self.carrier, request_hints(endpoint, model)
        )
        self.rows: dict[str, Row] = {}
        self.obligations: list[Obligation] = []
        self.left_out: list[tuple[str, str]] = []

    # Rows

    def add(
        self,
        label: str,
        body: dict[str, Any],
        covers: Sequence[Obligation],
        *,
        open_: bool = False,
        origin: str = "covering",
    ) -> None:
        """Add a row, or its tags to the row with the same body."""
        self.obligations += covers
        minimal = self.endpoint.minimal_body(self.model)
        touched = [name for name, value in body.items() if minimal.get(name, ABSENT) != value]
        key, row = identity(body), Row(label, body, origin=origin)
        known = self.rows.get(key)
        tags = [*(known.tags if known else ()), *touched, *(each.name for each in covers)]
        tags = [tag for tag in dict.fromkeys(tags) if tag != "open"]
        if open_ and (known is None or known.open):
            tags.append("open")
        self.rows[key] = replace(known or row, tags=tuple(tags))

    def cover(self) -> None:
        """Everything but the drawn rows."""
        self._simplest()
        self._telling()
        self._texts()
        if self.depth != "quick":
            self._left_away()
            self._pairs()
            self._beside_tools()

    def _simplest(self) -> None:
        minimal = self.body({}, cheap=False)
        needed = [name for name in self.endpoint.parameters if name in minimal]
        self.add(
            "minimal",
            minimal,
            [
                each
                for n in needed
                for each in of_value(Value(n, "simplest", "minimal", minimal[n]))
            ],
        )
        for name in self._optional():
            value = next(iter(values_of(self.endpoint, name, self.model)))
            if not self.choice.of_mode(value):
                continue
            body = self.body({name: value.value}, cheap=False)
            self._unless_conflict(f"{name} {value.label}", body, [value])

    def _optional(self) -> list[str]:
        switch = self.endpoint.stream_switch if self.streamed else None
        carrier = self.carrier.name if self.carrier else None
        names = self.endpoint.parameters
        return [n for n in names if n not in ("model", carrier, switch) and self._applies(n)]

    def _applies(self, name: str) -> bool:
        body = self.body({name: simplest_of(self.endpoint, name, self.model)})
        why = conflict(body)
        if why:
            self.left_out.append((name, why))
        return why is None

    def _unless_conflict(self, label: str, body: dict[str, Any], values: Sequence[Value]) -> None:
        why = conflict(body)
        if why:
            self.left_out += [(name, why) for value in values for name in value.names]
        else:
            covers = [each for value in values for each in of_value(value)]
            self.add(label, body, covers, open_=any(value.open for value in values))

    # Values of parameters

    def _telling(self) -> None:
        together: dict[str, list[Value]] = {}
        for name in self._names_once():
            values, dear = self.choice.of(name)
            self.left_out += [(each, "dear at this depth") for v in dear for each in v.names]
            for value in values:
                shared = self.choice.shared(value)
                if shared:
                    together.setdefault(shared, []).append(value)
                else:
                    body = self.body({name: value.value})
                    self._unless_conflict(f"{name} {value.label}", body, [value])
        for label, values in together.items():
            self._merged(label, values)

    def _names_once(self) -> list[str]:
        before = list(self.left_out)
        names = self._optional()
        self.left_out = before
        carrier = self.carrier.name if self.carrier and not self.carrier.chat else None
        return [*names, carrier] if carrier else names

    def _merged(self, label: str, values: Sequence[Value]) -> None:
        """As few rows as conflicts and equal parameters allow."""
        waiting = list(values)
        number = 1
        while waiting:
            taken: list[Value] = []
            for value in waiting:
                trial = {each.parameter: each.value for each in [*taken, value]}
                if len(trial) > len(taken) and (not taken or conflict(self.body(trial)) is None):
                    taken.append(value)
            changes = {each.parameter: each.value for each in taken}
            self._unless_conflict(
                f"{label} ({number})" if number > 1 else label, self.body(changes), taken
            )
            waiting = [value for value in waiting if value not in taken]
            number += 1

    # Texts, absence, pairs

    def _texts(self) -> None:
        if self.carrier is None:
            return
        name = self.carrier.name
        for speech in speeches(self.carrier, self.depth, self.streamed):
            covers = [
                of_part(name, what, seen, open_=speech.open) for what, seen in speech.covers.items()
            ]
            self.add(speech.label, self.body({name: speech.value}), covers, open_=speech.open)

    def _left_away(self) -> None:
        """Members of the minimal body that are optional, absent one at a time."""
        chat = self.carrier is not None and self.carrier.chat
        for name in self.endpoint.minimal:
            parameter = self.endpoint.parameters.get(name)
            if parameter is None or parameter.required or self.streamed:
                continue
            if name in CHEAP and chat and self.depth != "deep":
                self.left_out.append((f"{name}:absent", "an answer without a limit is dear"))
                continue
            covers = [Obligation(f"{name}:absent", name, lambda body, n=name: n not in body)]  # type: ignore[misc]
            self.add(f"without {name}", self.body({name: ABSENT}), covers, open_=chat)

    def _pairs(self) -> None:
        factors = {
            name: self.choice.levels(name)
            for name in self._names_once()
            if self.choice.interacts(name)
        }
        rows, refused = covering_array(factors, lambda row: conflict(self.body(row)) is None)
        for number, row in enumerate(rows, 1):
            changes = {name: factors[name][level] for name, level in row.items()}
            self.add(f"pairs {number}", self.body(changes), [])
        for pair in pairs_of(factors):
            name = pair_name(pair, factors)
            if pair in refused:
                one, i, other, j = pair
                body = self.body({one: factors[one][i], other: factors[other][j]})
                self.left_out.append((name, conflict(body) or "refused"))
            else:
                self.obligations.append(of_pair(pair, factors))

    def _beside_tools(self) -> None:
        """One row with tools and all that may stand beside them: pairs leave tools out."""
        tools = self.endpoint.parameters.get("tools")
        if tools is None:
            return
        changes: dict[str, Any] = {"tools": tools.simplest}
        for name in filter(self.choice.interacts, self._names_once()):
            more = {**changes, name: self.choice.levels(name)[0]}
            if conflict(self.body(more)) is None:
                changes = more
        self.add("tools beside everything", self.body(changes), [])

    # Drawn rows

    def draw(self, seed: int) -> None:
        """Add what hypothesis draws for ``seed``, made free of conflicts."""
        count = DRAWN[self.depth][self.streamed]
        firm = request_hints(self.endpoint, self.model, firm=True)
        settled = Bodies(self.endpoint, self.model, self.streamed).settled
        strategy = from_schema(request_schema(self.endpoint), hints=firm).map(settled)
        mode = "stream" if self.streamed else "regular"
        own = zlib.crc32(f"{seed}/{self.endpoint.name}/{mode}/{self.depth}".encode())
        drawn = draw_distinct(strategy, count=count, seed_=own, key=identity)
        for number, body in enumerate(drawn, 1):
            self.add(f"drawn {number}", body, [], origin="drawn")
