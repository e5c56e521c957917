"""Every documented parameter is accepted: with its simplest value, and with every other valid one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from conformance.checks.answer import why_unreadable
from conformance.checks.api import (
    MAY,
    MUST,
    SHOULD,
    Broken,
    Case,
    Depth,
    NotApplicable,
    Rejected,
    Requirement,
    Source,
    Untestable,
    check,
    family,
)
from conformance.checks.context import Context
from conformance.checks.plain import generates, plain_request
from conformance.checks.refusal import named_parameter, told, unsent
from conformance.generate.corpus import Row
from conformance.schema.contract import Grade, Parameter, Profile
from conformance.verdicts import Level, Mode
from conformance.wire.exchange import Exchange

ANSWERED = Source(
    "specification text", "openapi.yaml:2151, 3382", "200: the only documented answer but 429"
)

#: Limits whose null may mean an answer without end: not sent for the sake of acceptance.
DEAR = frozenset({"max_tokens", "max_completion_tokens"})
LEVEL_OF_GRADE = {
    Grade.HARD: MUST,
    Grade.DERIVABLE: MUST,
    Grade.SOFT: SHOULD,
    Grade.UNSPECIFIED: MAY,
}


@check("accepts.minimal", MUST, ANSWERED)
async def minimal(ctx: Context, case: Case) -> None:
    """The plainest valid request is answered with status 200 and a readable body."""
    _answered(await ctx.ask(plain_request(ctx)), "the plainest request")


@family
def accepts(profile: Profile) -> Iterable[Requirement]:
    """``param.<name>.accepts`` for every documented parameter of every endpoint."""
    for name, parameter in documented(profile).items():
        yield Requirement(
            id=f"param.{name}.accepts",
            level=MUST,
            statement=f"Every documented value of `{name}` is accepted.",
            source=parameter.source,
            judge=partial(_accepted, name),
            cases=partial(_rows_about, name),
            needs=(name,),
            endpoints=posting(profile),
            parameter=name,
            aspect="accepts",
        )


def documented(profile: Profile) -> dict[str, Parameter]:
    """Every parameter that some endpoint with a body documents and supports, by name."""
    found: dict[str, Parameter] = {}
    for endpoint in profile.endpoints.values():
        if endpoint.method == "POST":
            for name, parameter in endpoint.parameters.items():
                if name not in profile.withdrawn:
                    found.setdefault(name, parameter)
    return found


def posting(profile: Profile) -> tuple[str, ...]:
    """The endpoints that take a body."""
    return tuple(each.name for each in profile.endpoints.values() if each.method == "POST")


def covered(row: Row) -> dict[str, list[str]]:
    """What a row was built to cover: parameter name to kinds of values (``simplest``, ``null`` …)."""
    found: dict[str, list[str]] = {}
    for tag in row.tags:
        name, colon, rest = tag.partition(":")
        if colon and name != "pair":
            found.setdefault(name, []).append(rest)
    return found


def _rows_about(name: str, ctx: Context) -> Sequence[Case]:
    cases = [case for case in ctx.corpus if name in covered(case.data)]
    null = _nulls(ctx)
    if name in null:
        request = ctx.request(**dict.fromkeys(null))
        body = ctx.body(**dict.fromkeys(null))
        tags = tuple(f"{each}:null:null" for each in null)
        cases.append(Case("null for each optional parameter", request, Row("null", body, tags)))
    return cases or _simplest_alone(name, ctx)


def _simplest_alone(name: str, ctx: Context) -> Sequence[Case]:
    """The simplest value on its own, where the corpus of this depth has no row about it."""
    value = ctx.endpoint.parameters[name].simplest
    if name == ctx.endpoint.stream_switch and ctx.mode is not Mode.STREAM:
        value = False
    if value is ...:
        return ()
    row = Row("simplest", ctx.body(**{name: value}), (f"{name}:simplest:simplest",))
    return (Case(f"{name} simplest", ctx.request(**{name: value}), row),)


def _nulls(ctx: Context) -> list[str]:
    """The parameters whose null stands for their absence."""
    switch = ctx.endpoint.stream_switch
    plain = ctx.body()
    return [
        name
        for name, parameter in ctx.endpoint.parameters.items()
        if not parameter.required and name not in plain and name not in DEAR and name != switch
    ]


async def _accepted(name: str, ctx: Context, case: Case) -> str | None:
    """The documented values of one parameter are accepted."""
    row: Row = case.data
    if case.request is None:
        return None
    level = _level(ctx.endpoint.parameters[name], row)
    exchange = await ctx.ask(case.request)
    if why_unreadable(exchange) is None:
        return None
    if reason := unsent(exchange):
        raise Untestable(reason, exchange)
    if name not in ctx.body():
        await _not_for_itself(ctx, exchange)
    if set(covered(row)) - {name} and row.body != ctx.body():
        exchange = await _alone(ctx, name, row)
    if level is MAY and exchange.status is not None and 400 <= exchange.status < 500:
        return f"{_words(name, exchange)}: refused (left open by the documentation)"
    _answered(exchange, _words(name, exchange), level)
    return None


async def _not_for_itself(ctx: Context, refused: Exchange) -> None:
    """Blame no parameter where the plainest request is refused as well."""
    plain = await ctx.ask(plain_request(ctx))
    if why_unreadable(plain) is not None:
        raise Untestable(f"the plainest request is refused too: {told(plain)}", plain, refused)


async def _alone(ctx: Context, name: str, row: Row) -> Exchange:
    """The parameter's value from a row shared with others, sent without them."""
    return await ctx.ask(ctx.request(**{name: row.body.get(name)}))


def _level(parameter: Parameter, row: Row) -> Level:
    """MUST for what the documentation promises, less for what it wishes or leaves open."""
    kinds = covered(row)[parameter.name]
    if any(kind.startswith("simplest:") for kind in kinds):
        return MUST
    if any(kind.startswith("null:") for kind in kinds):
        return MUST if parameter.nullable else SHOULD
    if row.open:
        return MAY
    if any(kind.startswith("order:") for kind in kinds):
        # Roles are promised, their order is not: templates of many models know only some.
        return SHOULD
    grades = [
        bound.grade
        for bound in parameter.bounds
        for kind in kinds
        if kind.split(":", 1)[-1] in (bound.keyword, str(bound.value))
    ]
    return max((LEVEL_OF_GRADE[grade] for grade in grades), key=list(Level).index, default=MUST)


def _words(name: str, exchange: Exchange) -> str:
    body = exchange.request.json
    value = body.get(name) if isinstance(body, dict) else None
    shown = repr(value)
    return f"{name}={shown if len(shown) <= 80 else shown[:77] + '…'}"


def _answered(exchange: Exchange, what: str, level: Level | None = None) -> None:
    """Hold if ``exchange`` is a readable answer; else say how the refusal went."""
    why = why_unreadable(exchange)
    if why is None:
        return
    if reason := unsent(exchange):
        raise Untestable(reason, exchange)
    status = exchange.status
    if status is not None and 400 <= status < 500:
        raise Rejected(f"{what}: refused cleanly, {told(exchange)}", exchange, level=level)
    if status is not None and status >= 500:
        raise Rejected(f"{what}: not refused cleanly, {told(exchange)}", exchange, level=MUST)
    raise Broken(f"{what}: {why}", exchange, level=level)


def _together(ctx: Context) -> Sequence[Case]:
    if not generates(ctx):
        return ()
    return [case for case in ctx.corpus if len(_optional(ctx, case.data.body)) > 1]


def _optional(ctx: Context, body: dict[str, Any]) -> list[str]:
    plain = ctx.body()
    return [name for name in body if name in ctx.endpoint.parameters and name not in plain]


@check(
    "accepts.together",
    SHOULD,
    ANSWERED,
    endpoints=("chat", "completions"),
    cases=_together,
    depth=Depth.STANDARD,
)
async def together(ctx: Context, case: Case) -> None:
    """Documented parameters that are accepted one by one are accepted together."""
    if case.request is None or case.data.open:
        raise NotApplicable("the documentation leaves the request open")
    exchange = await ctx.ask(case.request)
    if why_unreadable(exchange) is None:
        return
    names = _optional(ctx, case.data.body)
    for name in names:
        if named_parameter(exchange, name) or await _simplest_refused(ctx, name):
            raise NotApplicable(f"{name} is refused alone", exchange)
    _answered(exchange, " with ".join(names), SHOULD)


async def _simplest_refused(ctx: Context, name: str) -> bool:
    rows = [each for each in ctx.corpus if f"{name}:simplest:simplest" in each.data.tags]
    for row in rows[:1]:
        if row.request and why_unreadable(await ctx.ask(row.request)) is not None:
            return True
    return False
