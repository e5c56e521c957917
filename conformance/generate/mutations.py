"""Single-fault mutations: the minimal valid body with exactly one thing wrong.

Each says what was done (operator), where (JSON pointer), the old and the new value, and how firmly
a refusal may be expected: MUST for an unmistakably wrong JSON type, a missing required member and
text that is not JSON; SHOULD for values out of a stated range, unknown enum members and what
lenient parsers coerce ("8", true for 1); MAY where the documentation is silent. "Never a 5xx, and
the next request is answered" holds for every one of them, whatever its level.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from conformance.generate.faults import Fault, Raw, faults_of, nested_faults
from conformance.generate.hints import CHEAP, companions
from conformance.generate.values import simplest_of
from conformance.schema.contract import Endpoint, Profile
from conformance.verdicts import Level, Mode

__all__ = ["Mutation", "encode", "is_primary", "mutations"]

REFUSED = "a 4xx with the JSON error envelope before the first byte of an answer, never a 5xx"
OPEN = "an answer or a 4xx with the JSON error envelope, never a 5xx"
#: Mutations of one parameter by depth: in the primary endpoint and mode, in any other.
LIMITS = {"quick": (2, 0), "standard": (6, 3), "deep": (99, 99)}


@dataclass(frozen=True)
class Mutation:
    """One faulty request body and what to expect of it.

    ``pointer`` is where the fault is ("" for the body as a whole), ``old`` and ``new`` the value
    there before and after (``...`` for none; a ``Raw`` is JSON text that Python has no value for). ``hostile`` mutations have killed servers: they are
    sent last, each small batch followed by a probe.
    """

    operator: str
    pointer: str
    old: Any
    new: Any
    body: bytes
    level: Level
    expectation: str
    hostile: bool = False
    parameter: str = ""

    @property
    def label(self) -> str:
        """One line for people: where, what, and the new value."""
        place = self.pointer or "body"
        return f"{place}: {self.operator}" + ("" if self.new is ... else f": {_shown(self.new)}")


def is_primary(profile: Profile, endpoint: Endpoint, mode: Mode | None) -> bool:
    """Whether this is the combination where mutations are sent in full: the first that takes a body."""
    with_body = (each.name for each in profile.endpoints.values() if each.method == "POST")
    return endpoint.name == next(with_body, None) and mode in (None, Mode.REGULAR)


def mutations(
    endpoint: Endpoint,
    parameter: str,
    *,
    model: str,
    depth: str = "standard",
    mode: Mode | None = None,
    primary: bool = True,
) -> list[Mutation]:
    """The single-fault mutations of ``parameter``, the most telling first.

    As many as ``depth`` allows: fewer outside the ``primary`` combination, since a parameter is
    nearly always read by the same code there.
    """
    limit = LIMITS[depth][0 if primary else 1]
    base = _base(endpoint, parameter, model, mode)
    found = sorted(_faults(endpoint, parameter, base), key=lambda fault: fault.rank)
    if not primary:
        found = [fault for fault in found if not fault.hostile or fault.value is ...]
    return [_mutate(base, parameter, fault) for fault in found[:limit]]


def _base(endpoint: Endpoint, parameter: str, model: str, mode: Mode | None) -> dict[str, Any]:
    body = endpoint.minimal_body(model)
    if endpoint.stream_switch and mode is Mode.STREAM:
        body[endpoint.stream_switch] = True
    body |= companions(endpoint, parameter)
    body = {name: value for name, value in body.items() if value is not ...}
    body |= {name: 1 for name in CHEAP if name in body and name != parameter}
    if parameter not in body:
        body[parameter] = simplest_of(endpoint, parameter, model)
    return body


def _faults(endpoint: Endpoint, name: str, base: dict[str, Any]) -> Iterator[Fault]:
    yield from faults_of(endpoint, endpoint.parameters[name])
    yield from nested_faults(endpoint, endpoint.parameters[name], base[name])


def _mutate(base: dict[str, Any], parameter: str, fault: Fault) -> Mutation:
    body = copy.deepcopy(base)
    steps = [parameter, *fault.steps]
    inside: Any = body
    for step in steps[:-1]:
        inside = inside[step]
    old = _at(inside, steps[-1])
    if fault.value is ...:
        del inside[steps[-1]]
    else:
        inside[steps[-1]] = fault.value
    pointer = "".join(f"/{_escape(str(step))}" for step in steps)
    return Mutation(
        fault.operator,
        pointer,
        old,
        fault.value,
        encode(body),
        fault.level,
        OPEN if fault.level is Level.MAY else REFUSED,
        fault.hostile,
        parameter,
    )


def _at(inside: Any, step: Any) -> Any:
    if isinstance(inside, dict):
        return inside.get(step, ...)
    return inside[step] if step < len(inside) else ...


def encode(body: Any) -> bytes:
    """``body`` as compact JSON, with the text of every :class:`Raw` as it stands."""
    raws: list[Raw] = []

    def mark(value: Any) -> str:
        raws.append(value)
        return f"\ue000{len(raws) - 1}\ue001"

    text = json.dumps(body, ensure_ascii=False, separators=(",", ":"), default=mark)
    for index, raw in enumerate(raws):
        text = text.replace(f'"\ue000{index}\ue001"', raw.text)
    return text.encode("utf-8", "surrogatepass")


def _shown(value: Any, most: int = 60) -> str:
    text = value.text if isinstance(value, Raw) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= most else f"{text[:most]}… ({len(text)} characters)"


def _escape(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
