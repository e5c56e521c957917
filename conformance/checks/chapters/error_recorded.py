"""Errors over everything recorded: the envelope, no server error, no internals."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from conformance.checks.api import (
    MUST,
    SHOULD,
    Broken,
    Case,
    NotApplicable,
    Phase,
    Requirement,
    Source,
    check,
    family,
    statement_of,
)
from conformance.checks.context import Context
from conformance.checks.observed import recorded_cases, recorded_here
from conformance.checks.refusal import (
    envelope_problem,
    error_object,
    told,
    unsent,
)
from conformance.schema.contract import Profile
from conformance.wire.exchange import Exchange

ENVELOPE = Source("specification schema", "openapi.yaml:38286, 38249", "ErrorResponse: error")
SERVER = Source(
    "standard",
    "RFC 9110, section 15.6",
    "The 5xx (Server Error) class of status code indicates that the server is aware that it has "
    "erred or is incapable of performing the requested method.",
)


def _errors(ctx: Context) -> Sequence[Case]:
    return [case for case in recorded_here(ctx) if case.data.complete and case.data.status >= 400]


#: Statuses that front ends answer before the API sees the request.
FRONT_END = frozenset({405, 407, 408, 411, 413, 414, 415, 417, 429, 431, 502, 503, 504})


async def envelope(ctx: Context, case: Case) -> None:
    """Every error is a JSON object `{"error": {…}}` with a message and a type."""
    exchange = await _error(ctx, case)
    if problem := envelope_problem(exchange):
        shown = f"status {exchange.status}: {problem}"
        raise Broken(shown, exchange, level=SHOULD if _outside(exchange) else None)


async def content_type(ctx: Context, case: Case) -> None:
    """Every error body is of the media type application/json."""
    exchange = await _error(ctx, case)
    kind = exchange.media_type
    if kind != "application/json":
        weaker = _outside(exchange) or kind.endswith("+json")
        shown = f"status {exchange.status}: Content-Type {kind or 'absent'}"
        raise Broken(shown, exchange, level=SHOULD if weaker else None)


async def members(ctx: Context, case: Case) -> None:
    """Every error has `param` and `code`, each a string or null."""
    exchange = await _error(ctx, case)
    error = error_object(exchange)
    if error is None:
        raise NotApplicable("no envelope", exchange)
    for name in ("param", "code"):
        if name not in error:
            raise Broken(f"status {exchange.status}: error.{name} is missing", exchange)
        if error[name] is not None and not isinstance(error[name], str):
            shown = f"error.{name} is {str(error[name])[:40]}, a {type(error[name]).__name__}"
            raise Broken(f"status {exchange.status}: {shown}", exchange)


async def _error(ctx: Context, case: Case) -> Exchange:
    exchange = await ctx.revisit(case)
    if not exchange.complete or (exchange.status or 0) < 400:
        raise NotApplicable("not an error this time", exchange)
    return exchange


def _outside(exchange: Exchange) -> bool:
    """Whether a front end may have answered in place of the API."""
    return exchange.status in FRONT_END or exchange.request.raw is not None


OBSERVED = (
    ("error.envelope", MUST, envelope),
    ("error.content-type", MUST, content_type),
    ("error.members", SHOULD, members),
)


@family
def observed(profile: Profile) -> Iterable[Requirement]:
    """What every error must be like, for the endpoints that can be asked something faulty."""
    faulty = [e.name for e in profile.endpoints.values() if e.method == "POST" or "{" in e.path]
    for id, level, judge in OBSERVED:
        yield Requirement(
            id=id,
            level=level,
            statement=statement_of(judge),
            source=ENVELOPE,
            judge=judge,
            cases=_errors,
            endpoints=tuple(faulty),
            phase=Phase.FINAL,
            cost=0,
        )


@check(
    "error.never-5xx",
    MUST,
    SERVER,
    endpoints=(),
    modes=(),
    phase=Phase.FINAL,
    cases=recorded_cases,
    cost=0,
)
async def never_5xx(ctx: Context, case: Case) -> None:
    """No request of the whole run, valid or faulty, is answered with a server error."""
    exchange = await ctx.revisit(case)
    status = exchange.status
    if status is None or status < 500:
        return
    if status == 501 and exchange.request.method not in ("GET", "POST"):
        return  # a method that the server does not know (RFC 9110 §15.6.2)
    # 503 and its kin speak of the moment: they were retried, and may still be honest.
    level = SHOULD if unsent(exchange) else None
    path = f"{exchange.request.method} {exchange.request.path}"
    raise Broken(f"{path}: {told(exchange)}", exchange, level=level)


#: What only the server's own programmers can use, and attackers.
INTERNALS = re.compile(
    r"Traceback \(most recent call last\)"
    r'|File "[^"\n]+\.py", line \d+'
    r"|/(?:usr|opt|home|root|app|srv|var|workspace)/[\w./-]+\.(?:py|js|ts|go|rs|java|cpp|cc|h)\b"
    r"|site-packages/"
    r"|\bat [\w.$<>]+\([\w$]+\.(?:java|kt|scala):\d+\)"
    r"|\bat \S+ \(?(?:file://)?/\S+\.(?:js|ts|mjs):\d+"
    r"|goroutine \d+ \[running\]"
    r"|thread '[^'\n]+' panicked at"
)


def _all_errors(ctx: Context) -> Sequence[Case]:
    return [case for case in recorded_cases(ctx) if (case.data.status or 0) >= 400]


@check(
    "error.no-internals",
    SHOULD,
    Source("convention", "OWASP, Improper Error Handling; CWE-209"),
    endpoints=(),
    modes=(),
    phase=Phase.FINAL,
    cases=_all_errors,
    cost=0,
)
async def no_internals(ctx: Context, case: Case) -> None:
    """Error texts show neither stack traces nor paths of the server's files."""
    exchange = await ctx.revisit(case)
    found = INTERNALS.search(exchange.body[:65_536].decode("utf-8", "replace"))
    if found:
        shown = " ".join(found.group().split())[:80]
        raise Broken(f"status {exchange.status} shows {shown!r}", exchange)
