"""One target, one run: phases in order, checks side by side, verdicts as they fall."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from conformance.checks.answer import error_message
from conformance.checks.api import Phase, single
from conformance.checks.catalogue import Item
from conformance.checks.context import Context, Subject
from conformance.engine.asking import Corpora, ItemAsker, Questions, RunExample
from conformance.engine.budget import Budget, BudgetSpent
from conformance.engine.corpora import encode
from conformance.engine.events import Decided, Event, Progress, Result
from conformance.engine.hostile import HostileQueue
from conformance.engine.judging import Judged, judge
from conformance.engine.memo import Memo
from conformance.engine.sender import Aborted, Sender
from conformance.schema.contract import Profile
from conformance.verdicts import Verdict
from conformance.wire.exchange import Exchange, Request

__all__ = ["Engine"]

#: Judged before anything else: whether an ordinary request is let in, and who else is.
ADMISSION = frozenset({"accepts.minimal", "auth.no-key", "auth.wrong-key"})

#: Judges a verdict against what the owner of the target declared.
Declared = Callable[[Item, Judged], tuple[Verdict, str, str | None]]


@dataclass
class Engine:
    """Judges ``items`` of one target.

    ``emit`` receives every event; ``declared`` applies deviations; ``corpora`` draws valid
    requests; ``recorded`` lists all exchanges and ``load`` reads one of them by its id. After
    :meth:`run`, ``judgements`` holds the raw judgement of each failed item (for shrinking).
    """

    name: str
    subject: Subject
    profile: Profile
    sender: Sender
    corpora: Corpora
    declared: Declared
    emit: Callable[[Event], None]
    example: RunExample
    recovery_seconds: float = 20.0
    recorded: Callable[[], Sequence[Exchange]] = tuple
    load: Callable[[str], Exchange] | None = None

    def __post_init__(self) -> None:
        self.judgements: dict[tuple[str, str | None, str | None], Judged] = {}
        self._decided = 0
        self._total = 0
        self._progress_at = 0.0
        hostile = HostileQueue(
            lambda request, repetition: self.sender.send(
                request, repetition=repetition, phase=Phase.HOSTILE
            ),
            self.sender.alive,
            self._lost,
            recovery_seconds=self.recovery_seconds,
            amend=self.sender.keep,
        )
        self.questions = Questions(
            self.name,
            self.subject,
            self.profile,
            self.sender,
            hostile,
            Memo(self.load),
            self.corpora,
            self.example,
            self.recorded,
            self.emit,
        )

    @property
    def budget(self) -> Budget:
        """What the run has cost so far."""
        return self.sender.budget

    async def run(self, items: Sequence[Item]) -> None:
        """Judge ``items`` phase by phase; every item gets exactly one ``Decided``."""
        self._total = len(items)
        self._draw(items)
        first = [item for item in items if item.requirement.id in ADMISSION]
        await self._side_by_side(first)
        await self._admitted({item.endpoint for item in items if item.endpoint})
        rest = [item for item in items if item not in first]
        for phase in (Phase.ORDINARY, Phase.EXCLUSIVE, Phase.HOSTILE, Phase.FINAL):
            chosen = [item for item in rest if item.requirement.phase is phase]
            if phase is Phase.EXCLUSIVE:
                for item in chosen:
                    await self._decide(item)
            else:
                await self._side_by_side(chosen)

    async def _admitted(self, endpoints: set[str]) -> None:
        """End the run where the credential is refused everywhere: every verdict would say so."""
        contracts = [self.profile.endpoints[name] for name in sorted(endpoints)]
        plain = [
            Request(each.method, each.path, encode(each.minimal_body(self.subject.model)))
            for each in contracts
            if each.method == "POST"
        ]
        try:
            asker = ItemAsker(self.questions)
            answers = [await asker.ask(each, 0, Phase.ORDINARY) for each in plain]
        except (BudgetSpent, Aborted):
            return
        if answers and all(each.status in (401, 403) for each in answers):
            what = "the key is refused" if self.subject.has_key else "a key is asked for"
            said = f"status {answers[0].status}: {error_message(answers[0])}"
            advice = "give the right one (--api-key-env, or api_key_env in the targets file)"
            self.sender.ended = f"{what} ({said}); {advice}"

    def _draw(self, items: Sequence[Item]) -> None:
        """Draw what the cases of ``items`` are made of, before anything is on its way.

        Drawing takes the processor for a while, and answers that come meanwhile would wait.
        """
        for item in items:
            if item.endpoint and item.mode and item.requirement.cases is not single:
                self.corpora(item.endpoint, item.mode)

    async def _side_by_side(self, items: Sequence[Item]) -> None:
        """Judge ``items`` at the same time; the first may send while the last is being set up."""
        async with asyncio.TaskGroup() as group:
            for item in items:
                group.create_task(self._decide(item))
                await asyncio.sleep(0)

    async def _in_contact(self, judged: Judged) -> Judged:
        """``judged`` where somebody is known to be there; what cannot be known is not run."""
        try:
            await self.sender.contact()
        except (BudgetSpent, Aborted) as stop:
            return Judged(Verdict.NOT_RUN, judged.level, str(stop))
        return judged

    async def _decide(self, item: Item) -> None:
        asker = ItemAsker(self.questions, item.key)
        judged = await judge(
            item.requirement,
            lambda repetition: self.questions.context(asker, item, repetition),
            self.budget.check_time,
        )
        if judged.verdict.rule.decided:
            judged = await self._in_contact(judged)
        if self.sender.ended and not self.sender.reached:
            judged = Judged(Verdict.ERROR, judged.level, f"never reached: {self.sender.ended}")
        if not item.promised:
            judged = _unpromised(judged)
        verdict, message, reason = self.declared(item, judged)
        if judged.case is not None:
            self.judgements[item.key] = judged
        result = Result(
            self.name,
            item,
            judged.level,
            verdict,
            message,
            asker.sent,
            tuple(dict.fromkeys(exchange.id for exchange in judged.evidence))[:12],
            judged.event,
            asker.seconds,
            judged.occurrences,
            reason,
        )
        self._decided += 1
        self.emit(Decided(self.name, result))
        self.progress(item.requirement.phase)

    def context(self, item: Item, repetition: int) -> Context:
        """A context for one more judgement of ``item``, outside its verdict."""
        return self.questions.context(ItemAsker(self.questions), item, repetition)

    def progress(self, phase: Phase) -> None:
        """Tell where the run stands, at most five times a second."""
        now = time.monotonic()
        if now - self._progress_at < 0.2 and self._decided < self._total:
            return
        self._progress_at = now
        budget = self.budget
        self.emit(
            Progress(
                self.name,
                phase.value,
                self._decided,
                self._total,
                budget.requests,
                budget.completion_tokens,
                budget.seconds,
                budget.max_requests,
                budget.max_completion_tokens,
                budget.max_seconds,
            )
        )

    def _lost(self, reason: str) -> None:
        self.sender.ended = self.sender.ended or reason


def _unpromised(judged: Judged) -> Judged:
    """What nobody promised cannot be broken: whatever was decided about it is information."""
    if not judged.verdict.rule.decided or judged.verdict is Verdict.INFO:
        return judged
    message = f"not promised; it would be {judged.verdict}"
    if judged.message:
        message = f"{message}: {judged.message}"
    return replace(judged, verdict=Verdict.INFO, message=message)
