"""The shape of answers: every documented member, in regular bodies and in streamed events.

One requirement for each member of the contract (``shape.<path>``, ``chunk.<path>``), judged over all
valid requests that were answered, and those that no schema can state.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from conformance.checks.api import (
    REGULAR,
    STREAM,
    Broken,
    Case,
    NotApplicable,
    Requirement,
    family,
)
from conformance.checks.context import Context
from conformance.checks.plain import answered, document_of
from conformance.schema.contract import Endpoint, Profile
from conformance.schema.fields import BODY, Field, Survey, Violation, fields, violations
from conformance.verdicts import Mode
from conformance.wire.exchange import Exchange
from conformance.wire.jsonbody import JSONProblem


@dataclass(frozen=True)
class _Member:
    """One member of the answers of several endpoints: the same id, a field for each endpoint."""

    id: str
    mode: Mode
    of: dict[str, Field]


@family
def shape(profile: Profile) -> Iterable[Requirement]:
    """``shape.…`` for each member of a regular answer."""
    return _requirements(profile, "shape", REGULAR, lambda endpoint: endpoint.response_schema)


@family
def chunk(profile: Profile) -> Iterable[Requirement]:
    """``chunk.…`` for each member of a streamed event."""
    return _requirements(profile, "chunk", STREAM, lambda endpoint: endpoint.chunk_schema)


def _requirements(
    profile: Profile, chapter: str, mode: Mode, schema_of: Callable[[Endpoint], Any]
) -> Iterable[Requirement]:
    members: dict[str, _Member] = {}
    for endpoint in profile.endpoints.values():
        if mode not in endpoint.modes:
            continue
        for field in fields(schema_of(endpoint) or {}):
            id = f"{chapter}.{field.name}"
            known = members.setdefault(id, _Member(id, mode, {}))
            # Two members of one name (an element and its array) are judged as the outer one.
            known.of.setdefault(endpoint.name, field)
    for member in members.values():
        yield _requirement(member)


def _requirement(member: _Member) -> Requirement:
    field = next(iter(member.of.values()))
    levels = [each.level for each in member.of.values()]
    return Requirement(
        id=member.id,
        level=min(levels, key=list(type(levels[0])).index),
        statement=_statement(field, member.mode),
        source=field.source,
        judge=partial(_judge, member),
        cases=answered,
        endpoints=tuple(member.of),
        modes=(member.mode,),
        cost=0,
    )


def _statement(field: Field, mode: Mode) -> str:
    where = "chunk" if mode is STREAM else "answer"
    if field.name == BODY:
        return f"Every {where} is an object."
    names = [step for step in field.path if step not in ("[]", "{}")]
    path, parent = ".".join(names), ".".join(names[:-1])
    if field.presence is None:
        return (
            f"`{path}`, where a{'n' * (where[0] == 'a')} {where} has it, is of the documented type."
        )
    if parent:
        return f"Wherever `{parent}` is an object, it has `{names[-1]}`, of the documented type."
    return f"Every {where} has `{path}`, of the documented type."


async def _judge(member: _Member, ctx: Context, case: Case) -> None:
    """One member of the answer is as documented."""
    field = member.of[ctx.endpoint.name]
    exchange = await document_of(ctx, case)
    for event, document in documents(exchange):
        for violation in violations(field, document):
            raise _broken(violation, exchange, event)


def _broken(violation: Violation, exchange: Exchange, event: int | None) -> Broken:
    place = f"{violation.pointer or 'the document'}: {violation.message}"
    return Broken(place, exchange, event=event, level=violation.level)


class Members:
    """All members of the answers of one endpoint in one mode, judged in one pass."""

    def __init__(self, endpoint: Endpoint, mode: Mode | None) -> None:
        schema = endpoint.chunk_schema if mode is STREAM else endpoint.response_schema
        self._chapter = "chunk" if mode is STREAM else "shape"
        self._fields = {each.path: each for each in fields(schema or {})}
        self._survey = Survey(self._fields.values())

    def problems(self, exchange: Exchange) -> dict[str, Broken]:
        """The first problem of each member that is not as documented, by requirement id."""
        found: dict[str, Broken] = {}
        for event, document in documents(exchange):
            for path, broken in self._survey(document).items():
                id = f"{self._chapter}.{self._fields[path].name}"
                found.setdefault(id, _broken(broken[0], exchange, event))
        return found


def documents(exchange: Exchange) -> Sequence[tuple[int | None, Any]]:
    """The JSON documents of an answer with the event each came in (``None``: the body).

    Raises ``NotApplicable`` where there is none: that is judged apart.
    """
    found: list[tuple[int | None, Any]] = []
    if exchange.request.wants_stream:
        for number, event in enumerate(exchange.stream.events):
            if not _aside(event.json):
                found.append((number, event.json))
    elif isinstance(exchange.json, (dict, list)):
        found.append((None, exchange.json))
    if not found:
        raise NotApplicable("no JSON document to judge", exchange)
    return found


def _aside(value: Any) -> bool:
    """Whether an event's data is no chunk: not JSON (the framing's affair), or an error."""
    return isinstance(value, JSONProblem) or (isinstance(value, dict) and bool(value.get("error")))
