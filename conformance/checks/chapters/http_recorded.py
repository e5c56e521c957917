"""HTTP over everything recorded: framing, and the fields that clients act on."""

from __future__ import annotations

import re
from collections.abc import Sequence

from conformance.checks.api import (
    MUST,
    SHOULD,
    Broken,
    Case,
    NotApplicable,
    Phase,
    Source,
    check,
)
from conformance.checks.chapters.http import standard
from conformance.checks.context import Context
from conformance.checks.observed import recorded_cases
from conformance.wire.exchange import FailureKind

#: Failures that say that a response broke the framing of HTTP/1.1.
UNFRAMED = frozenset({FailureKind.RESET, FailureKind.PROTOCOL, FailureKind.DECODE})


def _ordinary(ctx: Context) -> Sequence[Case]:
    return [case for case in recorded_cases(ctx) if case.data.phase != Phase.HOSTILE.value]


@check(
    "http.framing",
    MUST,
    standard(
        "RFC 9112, section 6.3",
        "If a valid Content-Length header field is present without Transfer-Encoding, its decimal "
        "value defines the expected message body length in octets.",
    ),
    endpoints=(),
    modes=(),
    phase=Phase.FINAL,
    cases=_ordinary,
    cost=0,
)
async def framing(ctx: Context, case: Case) -> None:
    """Every response is complete and as long as its framing says."""
    exchange = await ctx.revisit(case)
    if exchange.closed_by_us or exchange.request.delivery.close_after is not None:
        raise NotApplicable("closed early on purpose")
    failure = exchange.failure
    if failure and failure.kind in UNFRAMED and (exchange.status is not None or exchange.raw):
        raise Broken(f"the response is not whole: {failure}", exchange)
    length = exchange.header("content-length")
    coding = exchange.header("transfer-encoding")
    if length is not None and coding is not None:  # RFC 9112, section 6.2
        both = f"Content-Length {length[:20]} and Transfer-Encoding {coding[:20]}"
        raise Broken(f"two framings at once: {both}", exchange)
    if exchange.complete and length is not None and not length.strip().isdecimal():
        raise Broken(f"Content-Length is {length[:40]!r}", exchange)


RATE_LIMITS = ("x-ratelimit-limit-", "x-ratelimit-remaining-", "x-ratelimit-reset-")
#: Durations as they are sent: 12ms, 1s, 6m0s, 1h2m3.5s, or plain seconds.
DURATION = re.compile(
    r"(\d+(\.\d+)?)|(?=\d)(\d+d)?(\d+h)?(\d+m(?!s))?(\d+(\.\d+)?s)?(\d+(\.\d+)?ms)?"
)


@check(
    "http.rate-limit-fields",
    SHOULD,
    Source("observed behaviour", "recorded answers: x-ratelimit-remaining-tokens: 159976"),
    endpoints=(),
    modes=(),
    phase=Phase.FINAL,
    cases=recorded_cases,
    cost=0,
)
async def rate_limit_fields(ctx: Context, case: Case) -> None:
    """Where `x-ratelimit-…` fields are sent, counts are whole numbers and resets are durations."""
    exchange = await ctx.revisit(case)
    for name, value in exchange.headers:
        if not name.lower().startswith(RATE_LIMITS):
            continue
        reset = name.lower().startswith(RATE_LIMITS[2])
        fits = DURATION.fullmatch(value.strip()) if reset else value.strip().isdecimal()
        if not fits:
            raise Broken(f"{name[:60]}: {value[:60]}", exchange)


@check(
    "http.retry-after",
    SHOULD,
    standard("RFC 9110, section 10.2.3", "Retry-After = HTTP-date / delay-seconds"),
    endpoints=(),
    modes=(),
    phase=Phase.FINAL,
    cases=recorded_cases,
    cost=0,
)
async def retry_after(ctx: Context, case: Case) -> None:
    """Where Retry-After is sent, it is a date or a whole number of seconds."""
    exchange = await ctx.revisit(case)
    value = exchange.header("retry-after")
    if value is not None and not re.fullmatch(r"\d+|\w{3}, .+ GMT", value.strip()):
        raise Broken(f"Retry-After: {value[:60]}", exchange)
