"""Faulty requests are refused: every documented parameter, one fault at a time.

What is merely wrong is sent among the ordinary requests (``param.<name>.validates``); what has
killed servers comes last, in small batches with a probe after each (``robust.<name>.survives``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cache, partial
from typing import Any

from jsonschema import Draft202012Validator

from conformance.checks.answer import why_unreadable
from conformance.checks.api import (
    MAY,
    MUST,
    REGULAR,
    SHOULD,
    Broken,
    Case,
    Depth,
    NotApplicable,
    Phase,
    Requirement,
    Source,
    check,
    family,
)
from conformance.checks.chapters.accepts import documented, posting
from conformance.checks.context import Context
from conformance.checks.plain import generates, plain_request
from conformance.checks.refusal import (
    ELSEWHERE,
    envelope_problem,
    error_object,
    expect_refusal,
    named_parameter,
    told,
)
from conformance.generate.mutations import Mutation, mutations
from conformance.schema import loader
from conformance.schema.contract import Endpoint, Profile
from conformance.verdicts import Level, Mode
from conformance.wire.jsonbody import parse_json

REFUSED = Source(
    "convention",
    "official clients map 400 and 422 to an error, 5xx to a retry",
    "a faulty request is refused with 4xx before anything is generated",
)
NAMED = Source(
    "observed behaviour",
    "https://github.com/SilasMarvin/lsp-ai/issues/108",
    "Missing required parameter: 'messages'.",
)

#: Hostile faults of one parameter below the deepest depth.
DEADLY = 3
#: Faults of one parameter sent with ``stream: true`` below the deepest depth: the firmest, which
#: come first. The others differ from them in the value, not in the way to the error.
IN_STREAMS = 2
#: What a faulty body is called: anything else says that the fault was not what was found.
FITTING = frozenset({400, 413, 422})


def home_of(profile: Profile, name: str) -> Endpoint:
    """The first endpoint with a body that documents ``name``: there its faults are sent in full."""
    return next(
        each
        for each in profile.endpoints.values()
        if each.method == "POST" and name in each.parameters
    )


def faults(ctx: Context, name: str) -> list[Mutation]:
    """The faults of parameter ``name`` for this endpoint, mode and depth."""
    primary = ctx.endpoint is home_of(ctx.profile, name) and ctx.mode is not Mode.STREAM
    make = partial(
        mutations,
        ctx.endpoint,
        name,
        model=ctx.subject.model,
        depth=ctx.subject.depth.value,
        mode=ctx.mode,
    )
    found = make(primary=primary)
    if not any(not each.hostile for each in found):
        # Even the quickest run sees one fault refused in each place.
        found = [each for each in make(primary=True, depth="deep") if not each.hostile][:1]
    if ctx.subject.depth is Depth.QUICK:
        found = found[:1]
    elif ctx.mode is Mode.STREAM and ctx.subject.depth is not Depth.DEEP:
        found = found[:IN_STREAMS]
    return found


@family
def validates(profile: Profile) -> Iterable[Requirement]:
    """``param.<name>.validates`` and ``robust.<name>.survives`` for every documented parameter."""
    for name in documented(profile):
        yield Requirement(
            id=f"param.{name}.validates",
            level=MUST,
            statement=f"A faulty `{name}` is refused with 4xx, and the next request is answered.",
            source=REFUSED,
            judge=partial(_validated, name),
            cases=partial(_harmless, name),
            endpoints=posting(profile),
            needs=(name,),
            parameter=name,
            aspect="validates",
            phase=Phase.HOSTILE,  # a number where a string belongs has killed servers
            elsewhere=Depth.STANDARD,
        )
        home = home_of(profile, name)
        if any(each.hostile for each in mutations(home, name, model="m", depth="deep")):
            yield Requirement(
                id=f"robust.{name}.survives",
                level=MUST,
                statement=f"The server survives what has killed others in `{name}`, and refuses it.",
                source=REFUSED,
                judge=refused,
                cases=partial(_hostile, name),
                endpoints=(home.name,),
                modes=(REGULAR,),
                needs=(name,),
                parameter=name,
                phase=Phase.HOSTILE,
                depth=Depth.STANDARD,
            )


def fault_case(ctx: Context, fault: Mutation) -> Case:
    """One fault as a case."""
    return Case(fault.label, ctx.post(fault.body), fault)


def _harmless(name: str, ctx: Context) -> Sequence[Case]:
    cases = [fault_case(ctx, each) for each in faults(ctx, name) if not each.hostile]
    if ctx.endpoint is home_of(ctx.profile, name) and ctx.mode is not Mode.STREAM:
        cases.append(Case("the next ordinary request", plain_request(ctx)))
    return cases


def _hostile(name: str, ctx: Context) -> Sequence[Case]:
    """The faults that have killed servers, whatever the depth left of the others."""
    every = mutations(ctx.endpoint, name, model=ctx.subject.model, depth="deep", mode=ctx.mode)
    found = [each for each in every if each.hostile]
    kept = found if ctx.subject.depth is Depth.DEEP else found[:DEADLY]
    return [fault_case(ctx, each) for each in kept]


async def _validated(name: str, ctx: Context, case: Case) -> str | None:
    """A faulty value of one parameter is refused, and the next request is answered."""
    if case.data is not None:
        return await refused(ctx, case)
    # The control comes first, and once: a reproduction may find the server sick for good.
    if ctx.repetition == 0 and not (await ctx.ask(plain_request(ctx))).ok:
        raise NotApplicable("the plainest request is not answered at any time")
    requests = [each.request for each in _harmless(name, ctx) if each.data and each.request]
    await ctx.ask_all(requests)
    after = await ctx.ask(plain_request(ctx), fresh=True)
    if why_unreadable(after) is not None and after.status not in ELSEWHERE:
        raise Broken(f"after the faults an ordinary request got {told(after)}", after)
    return None


async def refused(ctx: Context, case: Case) -> str | None:
    """A faulty request is refused with 4xx, at the level of its fault; never with 5xx."""
    fault: Mutation = case.data
    if case.request is None:
        return None
    exchange = await ctx.ask(case.request)
    level = _level(ctx, fault)
    if level is MAY and exchange.ok:
        return f"{fault.label}: accepted (left open by the documentation)"
    expect_refusal(exchange, fault.label, accepted=level)
    fitting = FITTING | {404} if fault.parameter == "model" else FITTING
    if exchange.status not in fitting and level is MUST:
        message = f"{fault.label}: {told(exchange)} instead of 400 or 422"
        raise Broken(message, exchange, level=SHOULD)
    return None


def _level(ctx: Context, fault: Mutation) -> Level:
    """The level of refusing ``fault``: a MAY where only the profile is narrower than the API.

    A server may know more forms than its documentation names (arrays of prompts, say); what is
    valid under the API's own contract is no fault that it must find.
    """
    schema = _contract(ctx.endpoint.name).get(fault.parameter)
    body = parse_json(fault.body)
    if schema is None or not isinstance(body, dict) or fault.parameter not in body:
        return fault.level
    known = Draft202012Validator(schema).is_valid(body[fault.parameter])
    return MAY if known else fault.level


@cache
def _contract(endpoint: str) -> Mapping[str, Any]:
    """The shipped contract's request members; none for an endpoint that the package does not know."""
    among = loader.roots()
    if endpoint not in loader.contract_names(among):
        return {}
    request = loader.load_contract(endpoint, among).get("request")
    return request.get("properties", {}) if isinstance(request, Mapping) else {}


def _all_faults(ctx: Context) -> Sequence[Case]:
    if not generates(ctx):
        return ()
    return [
        fault_case(ctx, each)
        for name in ctx.endpoint.parameters
        for each in faults(ctx, name)
        if not each.hostile and each.level is MUST
    ]


@check(
    "error.param",
    SHOULD,
    NAMED,
    endpoints=("chat", "completions"),
    cases=_all_faults,
    phase=Phase.HOSTILE,
    elsewhere=Depth.STANDARD,
    cost=0,
)
async def named(ctx: Context, case: Case) -> None:
    """The error about a faulty parameter names it in `param`."""
    fault: Mutation = case.data
    if case.request is None:
        return
    try:
        exchange = await ctx.ask(case.request)
    except Broken as death:
        raise NotApplicable(death.message, *death.evidence) from None
    if (exchange.status or 0) not in FITTING or envelope_problem(exchange):
        raise NotApplicable("not refused with an envelope", exchange)
    if not named_parameter(exchange, fault.parameter):
        param = (error_object(exchange) or {}).get("param")
        raise Broken(f"{fault.label}: param is {str(param)[:60]!r}", exchange)
