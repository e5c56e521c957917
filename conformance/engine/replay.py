"""A recording in place of a wire: the same questions are answered as they were, nothing is sent.

A request is looked up by what makes two requests identical and its repetition number; several
exchanges of one key (samples sent anew on purpose) are handed out in the order of the recording.
What the recording lacks ends the judgement that asked for it as ``not-run``.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import groupby, takewhile
from pathlib import Path

from conformance.checks.api import Phase
from conformance.checks.context import Subject
from conformance.engine.assembly import TargetPlan, declared_by
from conformance.engine.budget import Budget
from conformance.engine.corpora import Corpora
from conformance.engine.engine import Engine
from conformance.engine.events import Event
from conformance.engine.hostile import LOST
from conformance.engine.sender import Aborted, Sender
from conformance.engine.shrinking import FIRST_REPETITION
from conformance.wire.exchange import Exchange, Request

__all__ = ["EXAMPLE", "Recording", "evidence_of", "open_replay"]

MISSING = "the recording lacks a request that this check needs today"
EXAMPLE = "examples are programs: a recording cannot run them again"

#: Repetition numbers of shrinking are those of contexts from ``FIRST_REPETITION`` on.
_SHRINKING = FIRST_REPETITION * 1000


class Recording(Sender):
    """Stands where the sender stands, and answers from ``exchanges``.

    ``extra`` is how many header fields the target itself adds in front of each request's own.
    """

    def __init__(self, exchanges: Iterable[Exchange], *, extra: int | None = None) -> None:
        super().__init__(_NoWire(), Budget(), lambda exchange: exchange)
        stripped = _without_extra(list(exchanges), extra)
        known = list(_deaths(stripped))
        self.exchanges: Sequence[Exchange] = [e for e in known if e.repetition < _SHRINKING]
        self._waiting: dict[tuple[str, int], deque[Exchange]] = defaultdict(deque)
        for exchange in known:
            if exchange.phase not in ("probe", LOST):
                # Samples sent anew have numbers of their own below 0; any of them serves.
                number = max(exchange.repetition, -1)
                self._waiting[exchange.request.identity, number].append(exchange)
        self.reached = any(exchange.status is not None for exchange in known)

    async def send(
        self, request: Request, *, repetition: int | None = 0, phase: str = "ordinary"
    ) -> Exchange:
        """The next recorded exchange for ``request``; raises :class:`Aborted` if there is none."""
        waiting = self._waiting.get((request.identity, -1 if repetition is None else repetition))
        if not waiting:
            raise Aborted(MISSING)
        exchange = waiting.popleft()
        self.budget.requests += 1
        self.budget.settle(exchange)
        return exchange

    async def alive(self) -> bool:
        """Deaths are read from the recording itself."""
        return True


class _NoWire:
    """Nothing is sent."""

    async def send(self, request: Request, *, id: str, repetition: int, phase: str) -> Exchange:
        """Never called."""
        raise Aborted(MISSING)


def _without_extra(exchanges: list[Exchange], extra: int | None) -> list[Exchange]:
    """The exchanges of the requests as the checks meant them.

    Where nobody knows how many fields the target adds: those that every request begins with.
    """
    if extra is None:
        lists = [exchange.request.headers for exchange in exchanges]
        shared = takewhile(lambda fields: len(set(fields)) == 1, zip(*lists, strict=False))
        extra = len(list(shared)) if len(lists) > 1 else 0
    if not extra:
        return exchanges
    return [
        each.replace(request=replace(each.request, headers=each.request.headers[extra:]))
        for each in exchanges
    ]


def _deaths(exchanges: Sequence[Exchange]) -> Iterator[Exchange]:
    """The exchanges that count, those that killed the server marked.

    A batch of the hostile phase that was followed by a dead probe was sent again one by one: the
    second sending decides, and the first is left out.
    """
    batches = [
        (hostile, list(group))
        for hostile, group in groupby(
            (e for e in exchanges if e.phase in ("probe", Phase.HOSTILE)),
            key=lambda e: e.phase == Phase.HOSTILE,
        )
    ]
    dropped: set[str] = set()
    died: set[str] = set()
    for index, (hostile, batch) in enumerate(batches[:-1]):
        if not hostile or _answered(batches[index + 1][1][0]):
            continue
        later = {e.request.identity for other, g in batches[index + 1 :] if other for e in g}
        silent = [e.id for e in batch if e.status is None]
        if len(batch) == 1:
            died.add(batch[0].id)
        elif any(e.request.identity in later for e in batch):
            dropped.update(e.id for e in batch)
        elif len(silent) == 1:
            died.update(silent)
        else:
            dropped.update(silent)
    for exchange in exchanges:
        if exchange.id not in dropped:
            yield exchange.replace(server_died=True) if exchange.id in died else exchange


def _answered(probe: Exchange) -> bool:
    return probe.status is not None and probe.status < 500


async def _no_example(kind: str, code: str, phase: Phase) -> tuple[object, list[Exchange]]:
    raise Aborted(EXAMPLE)


@asynccontextmanager
async def open_replay(
    plan: TargetPlan,
    exchanges: Sequence[Exchange],
    emit: Callable[[Event], None],
    *,
    has_key: bool = True,
) -> AsyncIterator[Engine]:
    """An engine for ``plan`` that judges what was recorded of it.

    ``has_key`` says whether the recorded requests could carry a key.
    """
    target = plan.target
    subject = Subject(
        target.base_url,
        target.model,
        has_key=has_key,
        concurrency=target.limits.concurrency,
        seed=plan.options.seed,
        depth=plan.depth,
    )
    recording = Recording(exchanges, extra=len(target.headers) or None)
    yield Engine(
        target.name,
        subject,
        plan.profile,
        recording,
        Corpora(plan.profile, subject),
        declared_by(target),
        emit,
        _no_example,
        recorded=lambda: tuple(recording.exchanges),
    )


def evidence_of(folder: Path, target: str) -> Path:
    """The file in which a run keeps the exchanges of ``target``."""
    return folder / f"{''.join(c if c.isalnum() or c in '-_.' else '_' for c in target)}.jsonl"
