"""One run: engines in a thread of their own, verdicts as futures, files as they fall.

Both the command line and the pytest plugin present a :class:`Session`; neither judges anything.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.checks.catalogue import Item
from conformance.engine.assembly import TargetPlan, open_engine
from conformance.engine.engine import Engine
from conformance.engine.events import Decided, Event, Learned, Minimised, Result
from conformance.engine.shrinking import shrink_failures
from conformance.errors import ConfigurationError, ConformanceError
from conformance.report import records
from conformance.report.results import RESULTS, ResultsWriter
from conformance.rundir import (
    append_finding,
    catalogue_of,
    digest,
    header_of,
    now,
    record_of,
    write_coverage,
    write_json,
)
from conformance.verdicts import Verdict

__all__ = ["OpenEngine", "Session", "TargetTotals"]

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
    #: What is said of the items that the run did not come to.
    verdict: Verdict = Verdict.NOT_RUN


class Session:
    """A run over ``plans``, writing into ``folder``.

    ``listen`` receives every event (in the engine's thread). ``worker`` names the file of one of
    several processes that share the folder. ``engine`` opens the engine of each plan. ``kept`` are
    verdicts of an earlier part of the same run: they stand, and are not written again.
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
        kept: Iterable[records.Result] = (),
    ) -> None:
        self.plans = {plan.name: plan for plan in plans}
        self.folder, self.listen, self._open = folder, listen, engine
        self.totals: dict[str, TargetTotals] = {}
        self.fatal: ConformanceError | None = None
        self._kept = {each.key: each for each in kept}
        self._results: dict[records.Key, records.Result] = {}
        self._futures: dict[records.Key, Future[records.Result]] = {}
        self._began = time.monotonic()
        requirements = catalogue_of(plans)
        self._header = header_of(plans, options, digest(requirements))
        name = f"results-{worker}.jsonl" if worker else RESULTS
        self._writer = ResultsWriter(folder / name, self._header)
        with self._watched():
            write_json(folder / "catalogue.json", requirements)
        for key, result in self._kept.items():
            self._futures[key] = _done(result)
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
            self._futures[_key(plan.name, item)] = Future()
        self.totals[plan.name] = TargetTotals()
        self._tasks.append(
            asyncio.run_coroutine_threadsafe(self._run(plan, items), self._event_loop())
        )

    def started(self, target: str) -> bool:
        """Whether ``target`` is being (or was) judged."""
        return target in self.totals

    def keeps(self, target: str, item: Item) -> bool:
        """Whether an earlier part of the run decided ``item``."""
        return _key(target, item) in self._kept

    def verdict(self, target: str, item: Item) -> Future[records.Result]:
        """The verdict of a started item, once there is one."""
        return self._futures[_key(target, item)]

    def wait(self) -> None:
        """Wait until every started target is through."""
        for task in self._tasks:
            with contextlib.suppress(concurrent.futures.CancelledError):
                task.result()

    def cancel(self) -> None:
        """Stop sending; what is undecided becomes ``not-run``."""
        for task in self._tasks:
            task.cancel()

    def settle(self) -> None:
        """Wait for what is left to do if all verdicts are in; else stop, the rest is not run."""
        try:
            if all(future.done() for future in self._futures.values()):
                self.wait()
        finally:
            self.cancel()
            self._stop_loop()

    @property
    def lines(self) -> list[records.Result]:
        """Every verdict so far, one for each item."""
        return [*self._kept.values(), *self._results.values()]

    @property
    def lost(self) -> bool:
        """Whether a target could not be reached, or stopped answering."""
        return any(each.ended is records.Ended.UNREACHABLE for each in self.totals.values())

    @property
    def troubles(self) -> list[str]:
        """A sentence for each target whose run ended before its plan."""
        return [f"{name}: {each.trouble}" for name, each in self.totals.items() if each.trouble]

    def close(self, exit_code: int) -> None:
        """Write the footer and stop the engines. The run directory is then complete.

        Raises the ``ConfigurationError`` that kept a line from being written, if one did.
        """
        self.settle()
        if isinstance(self.fatal, ConfigurationError):
            raise self.fatal
        totals = self.totals.values()
        self._writer.finish(
            records.Footer(
                finished=now(),
                counts=dict(Counter(each.verdict.value for each in self._results.values())),
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
        verdicts = (e.verdict.value for e in self._results.values() if e.target == name)
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
            if self.fatal is not None:
                raise self.fatal
            async with self._open(plan, self.folder / "evidence", self._emit) as engine:
                try:
                    await engine.run(items)
                    self._ended(plan, engine, totals)
                    await shrink_failures(engine, list(items))
                finally:
                    self._settle(plan, engine, totals)
        except asyncio.CancelledError:
            totals.trouble = totals.trouble or "interrupted"
        except ConformanceError as error:
            self._fail(error)
            totals.trouble, totals.verdict = str(error), Verdict.ERROR
            totals.ended = records.Ended.UNREACHABLE
        except Exception as error:
            totals.trouble = f"the suite itself failed: {type(error).__name__}: {error}"
            totals.verdict, totals.ended = Verdict.ERROR, records.Ended.UNREACHABLE
        finally:
            self._not_run(plan, items, totals)

    def _ended(self, plan: TargetPlan, engine: Engine, totals: TargetTotals) -> None:
        """Note how the run of a target ended, and why early if it did."""
        results = (each for each in self._results.values() if each.target == plan.name)
        undone = any(each.verdict is Verdict.NOT_RUN and not each.reason for each in results)
        spent = engine.budget.spent()
        if engine.sender.ended:
            totals.ended, totals.trouble = records.Ended.UNREACHABLE, engine.sender.ended
        elif spent and undone:
            totals.ended, totals.trouble = records.Ended.BUDGET, spent
        else:
            totals.ended = records.Ended.COMPLETE

    def _settle(self, plan: TargetPlan, engine: Engine, totals: TargetTotals) -> None:
        budget = engine.budget
        totals.requests, totals.seconds = budget.requests, budget.seconds
        totals.prompt_tokens = budget.prompt_tokens
        totals.completion_tokens = budget.completion_tokens
        with self._watched():
            write_coverage(self.folder, plan, engine)

    def _not_run(self, plan: TargetPlan, items: Sequence[Item], totals: TargetTotals) -> None:
        for item in items:
            if not self._futures[_key(plan.name, item)].done():
                reason = totals.trouble or "the run ended before it was decided"
                level = item.requirement.level
                self._decide(Result(plan.name, item, level, totals.verdict, reason))

    def _emit(self, event: Event) -> None:
        match event:
            case Decided(result=result):
                self._decide(result)
            case Learned():
                with self._watched():
                    append_finding(self.folder, event)
            case Minimised(target=target, item=item, evidence=evidence, curl=curl):
                with self._watched():
                    self._writer.amend(
                        records.Amendment(
                            target, item.requirement.id, item.endpoint, item.mode, evidence, curl
                        )
                    )
        self.listen(event)

    def _decide(self, result: Result) -> None:
        """Take a verdict: whoever waits for it hears of it, even if the disk is full."""
        line = record_of(result)
        self._results[line.key] = line
        with self._watched():
            self._writer.write(line)
        future = self._futures.get(line.key)
        if future is not None and not future.done():
            future.set_result(line)

    @contextlib.contextmanager
    def _watched(self) -> Iterator[None]:
        """Writing that does not succeed ends the run, by the sentence that says why."""
        try:
            yield
        except ConformanceError as error:
            self._fail(error)
            self.cancel()
        except OSError as error:
            what = f"the run's files cannot be written ({error.strerror or error})"
            self._fail(ConfigurationError(what, where=str(self.folder), instead="free some space"))
            self.cancel()

    def _fail(self, error: ConformanceError) -> None:
        if self.fatal is None:
            self.fatal = error
            for totals in self.totals.values():
                totals.trouble = totals.trouble or str(error)

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


def _key(target: str, item: Item) -> records.Key:
    return records.Key(target, item.requirement.id, item.endpoint, item.mode)


def _done(result: records.Result) -> Future[records.Result]:
    future: Future[records.Result] = Future()
    future.set_result(result)
    return future
