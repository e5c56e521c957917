"""Cases for observers: requirements of the final phase that judge everything recorded."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from conformance.checks.api import Case, Phase
from conformance.checks.context import Context
from conformance.verdicts import Mode
from conformance.wire.exchange import Exchange, FailureKind

__all__ = ["about", "recorded_cases", "recorded_here", "valid", "valid_here"]

#: Phases whose exchanges can be sent once more; probes and documented examples are not.
PHASES = frozenset(phase.value for phase in Phase)
#: Phases whose requests are valid; the hostile one sends faults.
VALID = frozenset({Phase.CALIBRATION.value, Phase.ORDINARY.value, Phase.EXCLUSIVE.value})


def recorded_cases(ctx: Context) -> Sequence[Case]:
    """Every recorded exchange that can be sent again, as a case."""
    return _cases(ctx, lambda exchange: True)


def recorded_here(ctx: Context) -> Sequence[Case]:
    """The recorded exchanges of the context's endpoint and mode."""
    return _cases(ctx, lambda exchange: about(ctx, exchange))


def valid_here(ctx: Context) -> Sequence[Exchange]:
    """The recorded answers of the context's endpoint and mode to valid requests."""
    return [each for each in ctx.recorded if valid(each) and about(ctx, each)]


def valid(exchange: Exchange) -> bool:
    """Whether a valid request was answered with 200, and the answer taken to its end."""
    request, failure = exchange.request, exchange.failure
    return (
        exchange.status == 200
        and exchange.phase in VALID
        and request.credential == "key"
        and request.raw is None
        and request.delivery.close_after is None
        and not exchange.closed_by_us
        and not (failure and failure.kind is FailureKind.CANCELLED)
    )


def about(ctx: Context, exchange: Exchange) -> bool:
    """Whether ``exchange`` was asked of the context's endpoint, in its mode."""
    request, endpoint = exchange.request, ctx.endpoint
    if request.method != endpoint.method:
        return False
    if "{" not in endpoint.path and request.path != endpoint.path:
        return False
    if "{" in endpoint.path and not request.path.startswith(endpoint.path.partition("{")[0]):
        return False
    return ctx.mode is None or request.wants_stream is (ctx.mode is Mode.STREAM)


def _cases(ctx: Context, wanted: Callable[[Exchange], bool]) -> Sequence[Case]:
    return [
        Case(f"exchange {exchange.id}", exchange.request, exchange)
        for exchange in ctx.recorded
        if exchange.phase in PHASES and wanted(exchange)
    ]
