"""Bodies that are not one JSON object, and combinations that have killed servers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any

from conformance.checks.api import (
    MUST,
    REGULAR,
    Case,
    Depth,
    Phase,
    Requirement,
    Source,
    check,
    family,
)
from conformance.checks.chapters.accepts import posting
from conformance.checks.chapters.validates import REFUSED, fault_case, refused
from conformance.checks.context import Context
from conformance.checks.plain import generates
from conformance.checks.refusal import (
    expect_refusal,
)
from conformance.generate.malformed import malformed_bodies
from conformance.generate.mutations import Mutation
from conformance.schema.contract import Profile

JSON_TEXT = Source("standard", "RFC 8259, section 2", "A JSON text is a serialized value.")


def _malformed(ctx: Context) -> list[Mutation]:
    if not generates(ctx):
        return []
    posts = [each for each in ctx.profile.endpoints.values() if each.method == "POST"]
    depth = ctx.subject.depth.value if ctx.endpoint is posts[0] else "quick"
    return malformed_bodies(ctx.endpoint, model=ctx.subject.model, mode=ctx.mode, depth=depth)


def _malformed_cases(hostile: bool, ctx: Context) -> Sequence[Case]:
    return [fault_case(ctx, each) for each in _malformed(ctx) if each.hostile is hostile]


@family
def malformed(profile: Profile) -> Iterable[Requirement]:
    """Bodies that are not one JSON object, for every endpoint that takes one."""
    if not posting(profile):
        return
    yield Requirement(
        id="error.malformed",
        level=MUST,
        statement="A body that is not one JSON object is refused with 4xx.",
        source=JSON_TEXT,
        judge=refused,
        cases=partial(_malformed_cases, False),
        endpoints=posting(profile),
        modes=(REGULAR,),
        phase=Phase.HOSTILE,  # a syntax error alone has aborted servers
        elsewhere=Depth.STANDARD,
    )
    yield Requirement(
        id="robust.body.survives",
        level=MUST,
        statement="The server survives bodies that have killed others, and refuses them.",
        source=JSON_TEXT,
        judge=refused,
        cases=partial(_malformed_cases, True),
        endpoints=posting(profile),
        modes=(REGULAR,),
        phase=Phase.HOSTILE,
        depth=Depth.STANDARD,
    )


#: Combinations whose fate no documentation settles, and that have killed servers.
COMBINATIONS: tuple[dict[str, Any], ...] = (
    {"n": 2, "temperature": 0},
    {"echo": True, "logprobs": 1, "max_tokens": 0},
    {"best_of": 1, "n": 2},
    {"logprobs": False, "top_logprobs": 2},
)


def _combinations(ctx: Context) -> Sequence[Case]:
    return [
        Case(
            " with ".join(f"{name}={value!r}" for name, value in each.items()), ctx.request(**each)
        )
        for each in COMBINATIONS
        if all(ctx.promises(name) for name in each)
    ]


@check(
    "robust.combinations.survive",
    MUST,
    REFUSED,
    endpoints=("chat", "completions"),
    modes=(REGULAR,),
    needs=("n", "temperature"),
    cases=_combinations,
    phase=Phase.HOSTILE,
    depth=Depth.STANDARD,
)
async def combinations(ctx: Context, case: Case) -> str | None:
    """Combinations that are left open are answered or refused with 4xx, never with a server error."""
    if case.request is None:
        return None
    exchange = await ctx.ask(case.request)
    if exchange.ok:
        return None
    expect_refusal(exchange, case.label)
    return f"{case.label}: refused"
