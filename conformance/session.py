"""One run: engines in a thread of their own, verdicts as futures, files as they fall.

Both the command line and the pytest plugin present a :class:`Session`; neither judges anything.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import conformance
from conformance.checks.api import Requirement
from conformance.checks.catalogue import Item
from conformance.engine.assembly import TargetPlan, open_engine
from conformance.engine.engine import Engine
from conformance.engine.events import Decided, Event, Learned, Minimised, Result
from conformance.engine.shrinking import shrink_failures
from conformance.errors import ConformanceError
from conformance.generate.coverage import coverage
from conformance.report import records
from conformance.report.results import RESULTS, ResultsWriter
from conformance.verdicts import Verdict

__all__ = ["OpenEngine", "Session", "TargetTotals", "catalogue_of", "new_run_directory"]

ItemKey = tuple[str, str | None, str | None]
#: Opens the engine of a plan: with the folder for its evidence and a listener to its events.
OpenEngine = Callable[
    [TargetPlan, Path | None, Callable[[Event], None]],
    contextlib.AbstractAsyncContextManager[Engine],
]


@dataclass
class TargetTotals:
    """What one target cost and how its run ended."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    seconds: float = 0.0
    ended: records.Ended = records.Ended.INTERRUPTED
    trouble: str = ""


class Session:
    """A run over ``plans``, writing into ``folder``.

    ``listen`` receives every event (in the engine's thread). ``worker`` names the file of one of
    several processes that share the folder. ``engine`` opens the engine of each plan.
    """

    def __init__(
        self,
        plans: Sequence[TargetPlan],
        folder: Path,
        *,
        options: Mapping[str, Any],
        listen: Callable[[Event], None] = lambda event: None,
        worker: str = "",
        engine: OpenEngine = open_engine,
    ) -> None:
        self.plans = {plan.name: plan for plan in plans}
        self.folder, self.listen, self._open = folder, listen, engine
        self.totals: dict[str, TargetTotals] = {}
        self.results: list[Result] = []
        self.fatal: ConformanceError | None = None
        self._futures: dict[tuple[str, ItemKey], Future[Result]] = {}
        self._began = time.monotonic()
        requirements = catalogue_of(plans)
        self._header = _header(plans, options, digest(requirements))
        name = f"results-{worker}.jsonl" if worker else RESULTS
        self._writer = ResultsWriter(folder / name, self._header)
        _write_json(folder / "catalogue.json", requirements)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._tasks: list[Future[None]] = []

    # Items that are never tried

    def leave_out(
        self, plan: TargetPlan, item: Item, verdict: Verdict, message: str, reason: str | None
    ) -> None:
        """Record an item that does not run (deselected, not promised, not at this depth)."""
        level = item.requirement.level
        self._decide(Result(plan.name, item, level, verdict, message, reason=reason))

    # Items that are

    def start(self, plan: TargetPlan, items: Sequence[Item]) -> None:
        """Start judging ``items``; their verdicts are had by :meth:`verdict`."""
        for item in items:
            self._futures[plan.name, item.key] = Future()
        self.totals[plan.name] = TargetTotals()
        self._tasks.append(
            asyncio.run_coroutine_threadsafe(self._run(plan, items), self._event_loop())
        )

    def started(self, target: str) -> bool:
        """Whether ``target`` is being (or was) judged."""
        return target in self.totals

    def verdict(self, target: str, item: Item) -> Future[Result]:
        """The verdict of a started item, once there is one."""
        return self._futures[target, item.key]

    def wait(self) -> None:
        """Wait until every started target is through."""
        for task in self._tasks:
            task.result()

    def cancel(self) -> None:
        """Stop sending; what is undecided becomes ``not-run``."""
        for task in self._tasks:
            task.cancel()

    def settle(self) -> None:
        """Wait for what is left to do if all verdicts are in; else stop, the rest is not run."""
        if all(future.done() for future in self._futures.values()):
            self.wait()
        self.cancel()
        self._stop_loop()

    @property
    def lines(self) -> list[records.Result]:
        """Every verdict so far, one for each item."""
        found = {(each.target, each.item.key): record_of(each) for each in self.results}
        return list(found.values())

    @property
    def lost(self) -> bool:
        """Whether a target could not be reached, or stopped answering."""
        return any(each.ended is records.Ended.UNREACHABLE for each in self.totals.values())

    def close(self, exit_code: int) -> None:
        """Write the footer and stop the engines. The run directory is then complete."""
        self.settle()
        totals = self.totals.values()
        self._writer.finish(
            records.Footer(
                finished=_now(),
                counts=dict(Counter(result.verdict.value for result in self.results)),
                requests=sum(each.requests for each in totals),
                prompt_tokens=sum(each.prompt_tokens for each in totals),
                completion_tokens=sum(each.completion_tokens for each in totals),
                seconds=time.monotonic() - self._began,
                exit_code=exit_code,
                targets={name: self._footer(name) for name in self.totals},
            )
        )

    def _footer(self, name: str) -> records.TargetFooter:
        totals = self.totals[name]
        verdicts = (each.verdict.value for each in self.results if each.target == name)
        return records.TargetFooter(
            counts=dict(Counter(verdicts)),
            requests=totals.requests,
            prompt_tokens=totals.prompt_tokens,
            completion_tokens=totals.completion_tokens,
            seconds=totals.seconds,
            ended=totals.ended,
        )

    # In the engine's thread

    async def _run(self, plan: TargetPlan, items: Sequence[Item]) -> None:
        totals = self.totals[plan.name]
        try:
            async with self._open(plan, self.folder / "evidence", self._emit) as engine:
                try:
                    await engine.run(items)
                    totals.ended = _ended(engine)
                    await shrink_failures(engine, list(items))
                finally:
                    self._settle(plan, engine, totals)
        except asyncio.CancelledError:
            totals.trouble = "interrupted"
        except ConformanceError as error:
            self.fatal, totals.trouble = error, str(error)
            totals.ended = records.Ended.UNREACHABLE
        except Exception as error:
            totals.trouble = f"the suite itself failed: {type(error).__name__}: {error}"
        finally:
            self._not_run(plan, items, totals)

    def _settle(self, plan: TargetPlan, engine: Engine, totals: TargetTotals) -> None:
        budget = engine.budget
        totals.requests, totals.seconds = budget.requests, budget.seconds
        totals.prompt_tokens = budget.prompt_tokens
        totals.completion_tokens = budget.completion_tokens
        _write_coverage(self.folder, plan, engine)

    def _not_run(self, plan: TargetPlan, items: Sequence[Item], totals: TargetTotals) -> None:
        for item in items:
            if not self._futures[plan.name, item.key].done():
                verdict = Verdict.ERROR if self.fatal else Verdict.NOT_RUN
                reason = totals.trouble or "the run ended before it was decided"
                self._decide(Result(plan.name, item, item.requirement.level, verdict, reason))

    def _emit(self, event: Event) -> None:
        match event:
            case Decided(result=result):
                self._decide(result)
            case Learned():
                self._learn(event)
            case Minimised(target=target, item=item, evidence=evidence, curl=curl):
                self._writer.amend(
                    records.Amendment(
                        target, item.requirement.id, item.endpoint, item.mode, evidence, curl
                    )
                )
        self.listen(event)

    def _decide(self, result: Result) -> None:
        self.results.append(result)
        self._writer.write(record_of(result))
        future = self._futures.get((result.target, result.item.key))
        if future is not None and not future.done():
            future.set_result(result)

    def _learn(self, event: Learned) -> None:
        line = {
            "target": event.target,
            "endpoint": event.endpoint,
            "lesson": event.lesson,
            "finding": event.finding,
            "value": event.value,
        }
        with (self.folder / "learned.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(line, ensure_ascii=False) + "\n")

    # The thread

    def _event_loop(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            self._thread = threading.Thread(
                target=self._loop.run_forever, name="conformance-engine", daemon=True
            )
            self._thread.start()
        return self._loop

    def _stop_loop(self) -> None:
        if self._loop is None or self._thread is None:
            return
        finished = asyncio.run_coroutine_threadsafe(_drain(), self._loop)
        # A task that does not end must not keep the report from being written.
        with contextlib.suppress(TimeoutError):
            finished.result(timeout=10)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=5)
        if not self._thread.is_alive():
            self._loop.close()
        self._loop = None


async def _drain() -> None:
    tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for _ in range(3):  # transports close in the turns of the loop that follow
        await asyncio.sleep(0)


def record_of(result: Result) -> records.Result:
    """The line of ``results.jsonl`` for ``result``."""
    requirement = result.requirement
    return records.Result(
        target=result.target,
        requirement=requirement.id,
        level=result.level,
        endpoint=result.item.endpoint,
        mode=result.item.mode,
        verdict=result.verdict,
        message=result.message,
        requests=result.requests,
        evidence=result.evidence,
        event=result.event,
        seconds=round(result.seconds, 4),
        parameter=requirement.parameter,
        aspect=records.Aspect(requirement.aspect) if requirement.aspect else None,
        occurrences=result.occurrences,
        reason=result.reason,
    )


def catalogue_of(plans: Iterable[TargetPlan]) -> dict[str, Any]:
    """What the report says of each requirement, by id."""
    found: dict[str, Requirement] = {}
    for plan in plans:
        for item in plan.items:
            found.setdefault(item.requirement.id, item.requirement)
    return {
        name: {
            "level": each.level.value,
            "statement": each.statement,
            "source": {
                "kind": each.source.kind,
                "reference": each.source.reference,
                "quote": each.source.quote,
            },
            "chapter": each.chapter,
            "parameter": each.parameter,
            "aspect": each.aspect,
        }
        for name, each in found.items()
    }


def digest(requirements: Mapping[str, Any]) -> str:
    """A short digest of a catalogue: runs may be merged when it is equal."""
    text = json.dumps(requirements, sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def new_run_directory(given: Path | None, root: Path = Path("reports")) -> Path:
    """The folder a run writes into: ``given``, or a new one named by the UTC time."""
    if given:
        return given
    name = datetime.now(UTC).strftime("%Y-%m-%dT%H-%M-%SZ")
    folder, number = root / name, 1
    while folder.exists():
        number += 1
        folder = root / f"{name}-{number}"
    return folder


def _header(
    plans: Sequence[TargetPlan], options: Mapping[str, Any], catalogue: str
) -> records.Header:
    first = plans[0].options if plans else None
    return records.Header(
        suite_version=conformance.__version__,
        started=_now(),
        catalogue=catalogue,
        seed=first.seed if first else 0,
        depth=first.depth if first else "standard",
        targets=tuple(
            records.TargetHeader(
                p.name, p.profile.name, p.target.model or None, p.target.base_url or None
            )
            for p in plans
        ),
        options=options,
    )


def _ended(engine: Engine) -> records.Ended:
    if engine.sender.ended:
        return records.Ended.UNREACHABLE
    return records.Ended.BUDGET if engine.budget.spent() else records.Ended.COMPLETE


def _write_coverage(folder: Path, plan: TargetPlan, engine: Engine) -> None:
    path = folder / "coverage.json"
    table = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    drawn = getattr(engine.corpora, "drawn", {})
    table[plan.name] = {
        f"{endpoint} {mode}" if mode else endpoint: coverage(
            corpus, plan.profile.endpoints[endpoint]
        )
        for (endpoint, mode), corpus in drawn.items()
    }
    _write_json(path, table)


def _write_json(path: Path, value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
