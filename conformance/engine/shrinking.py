"""Smaller failing requests, looked for once all verdicts are in.

Shrinking explains a verdict and never changes one: it has an allowance of its own, and running out
of it only means that the request shown is not minimised.
"""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

from conformance.checks.api import Broken, Case, Ignored, Rejected
from conformance.checks.catalogue import Item
from conformance.checks.context import Context
from conformance.engine.budget import BudgetSpent
from conformance.engine.corpora import encode
from conformance.engine.engine import Engine
from conformance.engine.events import Minimised
from conformance.engine.judging import Judged
from conformance.engine.sender import Aborted
from conformance.generate.hints import request_hints
from conformance.generate.shrink import simpler
from conformance.wire.exchange import Exchange, Request

__all__ = ["PER_FAILURE", "PER_RUN", "shrink_failures"]

#: Requests that may be spent on one failure, and on all of a run.
PER_FAILURE, PER_RUN = 25, 150
#: Repetition numbers of shrinking, far from those of judging.
FIRST_REPETITION = 1000


async def shrink_failures(engine: Engine, items: list[Item]) -> None:
    """Emit a ``Minimised`` for each failed item whose request could be made smaller.

    Items with the same message fail for the same reason: one of them is shrunk for all.
    """
    if engine.sender.ended:
        return
    engine.budget.lift(PER_RUN)
    spent_before = engine.budget.requests
    smallest: dict[tuple[str, str], str | None] = {}
    for item in items:
        judged = engine.judgements.get(item.key)
        if judged is None or judged.case is None or not judged.case.generated:
            continue
        cause = (item.requirement.id, judged.message)
        if cause not in smallest:
            left = PER_RUN - (engine.budget.requests - spent_before)
            smallest[cause] = await _shrink(engine, item, judged, min(PER_FAILURE, left))
        evidence = smallest[cause]
        if evidence is not None:
            engine.emit(Minimised(engine.name, item, evidence))


async def _shrink(engine: Engine, item: Item, judged: Judged, allowance: int) -> str | None:
    case = judged.case
    if allowance <= 0 or case is None or case.request is None or item.endpoint is None:
        return None
    body = case.request.json
    if not isinstance(body, dict):
        return None
    loop = asyncio.get_running_loop()
    numbers = itertools.count(FIRST_REPETITION)
    best: list[str] = []

    def still_fails(candidate: dict[str, Any]) -> bool:
        future = asyncio.run_coroutine_threadsafe(
            _fails(engine, item, case, candidate, next(numbers)), loop
        )
        exchange = future.result()
        if exchange is not None:
            best[:] = [exchange.id]
        return exchange is not None

    contract = engine.profile.endpoints[item.endpoint]
    hints = request_hints(contract, engine.subject.model)
    schema = contract.request_schema or {}
    await asyncio.to_thread(simpler, schema, hints, body, still_fails, calls=allowance)
    return best[0] if best else None


async def _fails(
    engine: Engine, item: Item, case: Case, body: dict[str, Any], repetition: int
) -> Exchange | None:
    assert case.request is not None
    request = Request(
        case.request.method,
        case.request.path,
        encode(body),
        case.request.headers,
        case.request.credential,
        case.request.delivery,
    )
    ctx: Context = engine.context(item, repetition)
    try:
        await item.requirement.judge(ctx, Case(case.label, request, case.data, case.generated))
    except (Broken, Ignored, Rejected) as outcome:
        return outcome.evidence[0] if outcome.evidence else (ctx.seen[-1] if ctx.seen else None)
    except (BudgetSpent, Aborted):
        return None
    except Exception:
        return None
    return None
