"""The run behind the items: plans, the session, the report, the exit code."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.engine.assembly import TargetPlan
from conformance.errors import ConformanceError, ExitCode
from conformance.options import RunOptions
from conformance.planning import (
    exit_code_of,
    open_session,
    plan_run,
    reason_of,
    resume,
    split_items,
)
from conformance.plugin.distributing import is_conformance_run, is_worker
from conformance.progress import Standing
from conformance.report.closing import exchange_text, terminal_text
from conformance.report.records import Ended, Result
from conformance.report.results import RESULTS, WORKERS, read_run, update_latest
from conformance.report.write import write_reports
from conformance.resuming import join_parts, resumed_options
from conformance.rundir import new_run_directory
from conformance.session import Session

if TYPE_CHECKING:
    from conformance.plugin.collecting import ConformanceItem

__all__ = ["RUN", "PytestRun"]

RUN = pytest.StashKey["PytestRun"]()
#: Seconds between two looks at a verdict, so that Ctrl-C is heard.
PATIENCE = 0.2


class PytestRun:
    """The conformance part of one pytest process (of a worker, of the controller, or the only one)."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.trouble = ""
        self.notes: list[str] = []
        self.interrupted = False
        self.foreign_failures = False
        self.standing = Standing()
        self._plans: list[TargetPlan] | None = None
        self._options: RunOptions | None = None
        self._folder: Path | None = None
        self._session: Session | None = None
        self._items: dict[str, list[ConformanceItem]] = {}
        self._markers = {"must", "should", "may", "regular", "stream"}

    @property
    def options(self) -> RunOptions:
        """The options; leaves by exit code 2 for a mistake in them."""
        if self._options is None:
            try:
                options = RunOptions.from_namespace(self.config.option)
                self._options = resumed_options(options) if options.resume else options
            except ConformanceError as error:
                pytest.exit(f"conformance: {error}", returncode=error.exit_code)
        return self._options

    def plans(self) -> Sequence[TargetPlan]:
        """The plans of the run; leaves by exit code 2 for a mistake in the configuration."""
        if self._plans is None:
            try:
                self._plans = plan_run(self.options)
            except ConformanceError as error:
                pytest.exit(f"conformance: {error}", returncode=error.exit_code)
        return self._plans

    def know_marker(self, name: str) -> None:
        """Register the marker of an endpoint or chapter: only the profiles know them all."""
        if name not in self._markers:
            self._markers.add(name)
            self.config.addinivalue_line("markers", f"{name}: requirements about {name}")

    def folder(self) -> Path:
        """Where the run writes; a worker is told by the controller."""
        if self._folder is None:
            told = getattr(self.config, "workerinput", {}).get("conformance_folder")
            given = Path(told) if told else self.options.report_dir
            self._folder = new_run_directory(given, self.config.rootpath / "reports")
        return self._folder

    def selected(self, items: list[ConformanceItem]) -> None:
        """Take the items that are left after deselection."""
        for item in items:
            self._items.setdefault(item.plan.name, []).append(item)

    def verdict(self, item: ConformanceItem) -> Result:
        """Wait for the verdict of ``item``; its target is started by its first item."""
        session = self._begun()
        if not session.started(item.plan.name):
            self._start(session, item.plan)
        return _wait(session.verdict(item.plan.name, item.item), self.announce)

    def announce(self) -> None:
        """Say where the run stands, now and then; a worker's words travel with its reports."""
        if is_worker(self.config) or self.config.option.verbose < 0:
            return
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        capture = self.config.pluginmanager.get_plugin("capturemanager")
        if not reporter or not (lines := self.standing.due()):
            return
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            reporter.ensure_newline()
            for line in lines:
                reporter.write_line(line)

    def _start(self, session: Session, plan: TargetPlan) -> None:
        """Start what is selected of ``plan``, in the order of the items."""
        order = {each.item.key: n for n, each in enumerate(self._items.get(plan.name, []))}
        chosen = split_items(plan, session, lambda each: each.key in order)
        if chosen or order:
            session.start(plan, sorted(chosen, key=lambda each: order[each.key]))

    def _begun(self) -> Session:
        if self._session is None:
            try:
                self._session = open_session(
                    self.plans(),
                    self.options,
                    self.folder(),
                    listen=self.standing.event,
                    worker=getattr(self.config, "workerinput", {}).get("workerid", ""),
                )
            except ConformanceError as error:
                pytest.exit(f"conformance: {error}", returncode=error.exit_code)
        return self._session

    def resume_for_workers(self) -> None:
        """Before any worker writes: what an interrupted run decided becomes a part of this one."""
        if self.options.resume is None:
            return
        try:
            resume(self.plans(), self.options.describe(), self.folder())
        except ConformanceError as error:
            pytest.exit(f"conformance: {error}", returncode=error.exit_code)

    def exchange(self, result: Result, start: str | None) -> str:
        """The telling exchange of a result as text, for pytest's report section."""
        if not result.evidence or not result.verdict.rule.bad:
            return ""
        return exchange_text(self.folder(), result.target, result.evidence[0], start)

    def finish(self, exitstatus: int) -> int | None:
        """Close the run; the exit code, or ``None`` where pytest's own stands."""
        if is_worker(self.config):
            if self._session is not None:
                self._close(self._session, exitstatus)
            return None
        if self._session is not None:
            code = self._close(self._session, exitstatus)
            if self.options.resume is not None:
                join_parts(self.folder(), code)
            return self._report(code)
        if self._folder and list(self._folder.glob(WORKERS)):
            return self._finish_workers(exitstatus)
        if self.interrupted and is_conformance_run(self.config):
            return ExitCode.INTERRUPTED
        empty = exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED
        if empty and is_conformance_run(self.config) and not self.config.option.collectonly:
            self.notes = ["no requirement was selected"]
            return ExitCode.UNDECIDED
        return None

    def _close(self, session: Session, exitstatus: int) -> int:
        try:
            session.settle()
        except KeyboardInterrupt:
            self.interrupted = True
        if not is_worker(self.config):  # a target of which nothing was selected
            for plan in self.plans():
                if not session.started(plan.name):
                    split_items(plan, session, lambda each: False)
        lines = session.lines
        code = self._code(exitstatus, lines, session.lost)
        self.notes = [*session.troubles, reason_of(code, lines, self.plans())]
        session.close(code)
        return code

    def _finish_workers(self, exitstatus: int) -> int:
        """Merge what the workers wrote."""
        run = read_run(self.folder())
        seen = {each.target for each in run.results}
        silent = [plan for plan in self.plans() if plan.name not in seen]
        if silent:
            rest = open_session(self.plans(), self.options, self.folder(), worker="rest")
            for plan in silent:
                split_items(plan, rest, lambda each: False)
            rest.close(0)
            run = read_run(self.folder())
        footers = run.footer.targets.items() if run.footer else ()
        lost = [name for name, each in footers if each.ended is Ended.UNREACHABLE]
        code = self._code(exitstatus, run.results, bool(lost))
        self.notes = [f"{name} stopped answering" for name in lost]
        self.notes.append(reason_of(code, run.results, self.plans()))
        join_parts(self.folder(), code)
        return self._report(code)

    def _code(self, exitstatus: int, results: Sequence[Result], lost: bool) -> int:
        """The exit code: ours, unless Ctrl-C, pytest itself or other tests say something worse."""
        if self.interrupted:
            return ExitCode.INTERRUPTED
        if exitstatus == pytest.ExitCode.INTERNAL_ERROR:
            return exitstatus
        code = exit_code_of(results, lost, self.plans(), self.options)
        if self.foreign_failures and code != ExitCode.CONFIGURATION:
            return ExitCode.FAILURE
        return code

    def _report(self, code: int) -> int:
        write_reports(self.folder())
        if self.options.report_dir is None:
            update_latest(self.folder())
        return code

    def summary(self) -> str:
        """The text of the terminal summary ("" where there is nothing to tell)."""
        lines = [] if self.trouble else [note for note in self.notes if note]
        folder = self._folder
        if self.trouble:
            lines.append(self.trouble)
        elif folder is not None and not is_worker(self.config) and (folder / RESULTS).exists():
            size = shutil.get_terminal_size((100, 40))
            lines.insert(0, terminal_text(folder, width=size.columns, height=size.lines))
        return "\n".join(lines)


def _wait(future: Future[Result], meanwhile: Callable[[], None]) -> Result:
    while True:
        try:
            return future.result(timeout=PATIENCE)
        except TimeoutError:
            meanwhile()
