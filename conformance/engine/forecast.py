"""What a run will cost, found out by a dry run against the honest reference server.

Nothing is sent to the target. What the honest server is asked is the least that a run asks; a
target that fails is asked more (reproductions, shrinking). The completion tokens of a request are
bounded by what it asks for: choices × ``max_tokens``.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from conformance.checks.api import Outcome, Phase
from conformance.checks.catalogue import Item
from conformance.engine.assembly import TargetPlan, open_engine
from conformance.engine.engine import Engine
from conformance.engine.events import Decided, Event
from conformance.engine.shrinking import PER_RUN
from conformance.targets import REFERENCE
from conformance.targets.model import Prices
from conformance.wire.exchange import Exchange, Request

__all__ = ["OPEN_ENDED", "Forecast", "forecast", "token_bound"]

#: A target that breaks everything is asked at most so many times what an honest one is asked.
WORST = 1.5
#: Completion tokens counted for a choice of a request that leaves its length to the target.
OPEN_ENDED = 2048
#: Choices counted where a request asks for more than any target grants.
MOST_CHOICES = 128


@dataclass(frozen=True)
class Forecast:
    """What a run will send to one target and cost there.

    ``items`` and ``requests`` are by chapter (calibration and probes under ``""``); ``fixed`` is
    the part of ``least`` that does not depend on any answer. ``most`` and the two token bounds
    take the target's own limits into account. ``open_ended`` requests leave the length to the
    target, and count :data:`OPEN_ENDED` tokens each.
    """

    items: Counter[str]
    requests: Counter[str]
    fixed: int
    least: int
    most: int
    prompt_tokens: int
    completion_tokens: int
    open_ended: int

    def money(self, prices: Prices) -> float:
        """The most that a run costs, in the currency of ``prices``."""
        prompt = self.prompt_tokens * prices.prompt
        return (prompt + self.completion_tokens * prices.completion) / 1e6


async def forecast(plan: TargetPlan, items: Sequence[Item]) -> Forecast:
    """The forecast for judging ``items`` of ``plan``; runs the reference server for it."""
    requests: Counter[str] = Counter()

    def heard(event: Event) -> None:
        if isinstance(event, Decided):
            requests[event.result.requirement.chapter] += event.result.requests

    async with open_engine(_rehearsal(plan), None, heard) as engine:
        await engine.run(items)
        fixed = len(_listed(engine, items) & {e.request.identity for e in engine.recorded()})
        exchanges, least = engine.recorded(), engine.budget.requests
    requests[""] = least - requests.total()
    limits = plan.target.limits
    most = math.ceil(least * WORST)
    tokens = math.ceil(sum(map(_tokens, exchanges)) * WORST)
    shrinking = PER_RUN * max(map(_tokens, _generated(engine, items, exchanges)), default=0)
    if limits.max_completion_tokens is not None:
        in_flight = limits.concurrency * max(map(_tokens, exchanges), default=0)
        tokens = min(tokens, limits.max_completion_tokens + in_flight)
    return Forecast(
        items=Counter(item.requirement.chapter for item in items),
        requests=+requests,
        fixed=fixed,
        least=min(least, limits.max_requests or least),
        most=min(most, limits.max_requests or most) + PER_RUN,
        prompt_tokens=_prompt(exchanges),
        completion_tokens=tokens + shrinking,
        open_ended=sum(_is_open_ended(each.request) for each in exchanges if each.ok),
    )


def _rehearsal(plan: TargetPlan) -> TargetPlan:
    """``plan`` with the reference server for its target: same promises, same concurrency."""
    from conformance.reference.service import MODELS

    limits = replace(REFERENCE.limits, concurrency=plan.target.limits.concurrency)
    return replace(plan, target=replace(REFERENCE, model=MODELS[0], limits=limits))


def _listed(engine: Engine, items: Iterable[Item]) -> set[str]:
    """The requests that cases name before any answer is known."""
    found: set[str] = set()
    for item in items:
        if item.requirement.phase is Phase.FINAL:
            continue
        try:
            cases = list(item.requirement.cases(engine.context(item, 0)))
        except Outcome:
            continue
        found.update(case.request.identity for case in cases if case.request is not None)
    return found


def _generated(
    engine: Engine, items: Iterable[Item], exchanges: Iterable[Exchange]
) -> list[Exchange]:
    """The exchanges of generated requests: only those are ever shrunk."""
    places = {(item.endpoint, item.mode) for item in items if item.endpoint}
    drawn = {
        case.request.identity
        for endpoint, mode in places
        for case in engine.corpora(endpoint or "", mode)
        if case.request is not None
    }
    return [exchange for exchange in exchanges if exchange.request.identity in drawn]


def _tokens(exchange: Exchange) -> int:
    return token_bound(exchange.request)


def token_bound(request: Request) -> int:
    """The most completion tokens that ``request`` asks for; 0 for what generates nothing."""
    body = request.json
    if request.method != "POST" or not isinstance(body, dict):
        return 0
    limit, choices = _limit(body), body.get("n")
    if not isinstance(choices, int) or isinstance(choices, bool):
        choices = 1
    tokens = OPEN_ENDED if limit is None else max(0, min(limit, OPEN_ENDED))
    return max(1, min(choices, MOST_CHOICES)) * tokens


def _limit(body: dict[str, object]) -> int | None:
    for name in ("max_tokens", "max_completion_tokens"):
        value = body.get(name)
        if isinstance(value, int) and not isinstance(value, bool):
            return value
    return None


def _is_open_ended(request: Request) -> bool:
    body = request.json
    return request.method == "POST" and isinstance(body, dict) and _limit(body) is None


def _prompt(exchanges: Iterable[Exchange]) -> int:
    """A token is at least one byte of the request, whatever the tokenizer."""
    sizes = [len(e.request.body) for e in exchanges if e.status == 200]
    largest = sorted(sizes)[-PER_RUN:]
    return math.ceil(sum(sizes) * WORST) + sum(largest)
