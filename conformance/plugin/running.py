"""The run behind the items: plans, the session, the report, the exit code."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from conformance.engine.assembly import TargetPlan
from conformance.engine.events import Result
from conformance.errors import ConformanceError, ExitCode
from conformance.options import RunOptions
from conformance.planning import exit_code_of, plan_run, split_items
from conformance.plugin.distributing import is_conformance_run, is_worker
from conformance.report.closing import exchange_text, terminal_text, write_run
from conformance.report.merge import merge
from conformance.report.results import RESULTS, WORKERS, read_run, update_latest
from conformance.report.write import write_reports
from conformance.session import Session, new_run_directory

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
                self._options = RunOptions.from_namespace(self.config.option)
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
            wanted = {each.item.key for each in self._items.get(item.plan.name, [])}
            chosen = split_items(item.plan, session, lambda each: each.key in wanted)
            order = [each.item.key for each in self._items[item.plan.name]]
            session.start(item.plan, sorted(chosen, key=lambda each: order.index(each.key)))
        return _wait(session.verdict(item.plan.name, item.item))

    def _begun(self) -> Session:
        if self._session is None:
            worker = getattr(self.config, "workerinput", {}).get("workerid", "")
            try:
                self._session = Session(
                    self.plans(), self.folder(), options=self.options.describe(), worker=worker
                )
            except ConformanceError as error:
                pytest.exit(f"conformance: {error}", returncode=error.exit_code)
        return self._session

    def exchange(self, result: Result) -> str:
        """The telling exchange of a result as text, for pytest's report section."""
        if not result.evidence or not result.verdict.rule.bad:
            return ""
        return exchange_text(self.folder(), result.target, result.evidence[0])

    def finish(self, exitstatus: int) -> int | None:
        """Close the run; the exit code, or ``None`` where pytest's own stands."""
        if self._session is not None:
            return self._finish_session(self._session, exitstatus)
        if not is_worker(self.config) and self._folder and list(self._folder.glob(WORKERS)):
            return self._finish_workers(exitstatus)
        empty = exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED
        if empty and is_conformance_run(self.config) and not self.config.option.collectonly:
            return ExitCode.UNDECIDED
        return None

    def _finish_session(self, session: Session, exitstatus: int) -> int:
        session.settle()
        records = session.lines
        code = self._code(
            exitstatus, exit_code_of(records, session.lost, self.plans(), self.options)
        )
        session.close(code)
        if not is_worker(self.config):
            self._report()
        return code

    def _finish_workers(self, exitstatus: int) -> int:
        """Merge what the workers wrote."""
        merged = merge(
            [read_run(path) for path in sorted(self.folder().glob(WORKERS))], partial=True
        )
        footers = merged.footer.targets.values() if merged.footer else ()
        lost = any(target.ended == "unreachable" for target in footers)
        code = self._code(
            exitstatus, exit_code_of(merged.results, lost, self.plans(), self.options)
        )
        write_run(self.folder(), merged, exit_code=code)
        self._report()
        return code

    def _code(self, exitstatus: int, code: int) -> int:
        if exitstatus == pytest.ExitCode.INTERRUPTED:
            return ExitCode.INTERRUPTED
        if exitstatus == pytest.ExitCode.INTERNAL_ERROR:
            return exitstatus
        return code

    def _report(self) -> None:
        write_reports(self.folder())
        if self.options.report_dir is None:
            update_latest(self.folder())

    def summary(self) -> str:
        """The text of the terminal summary ("" where there is nothing to tell)."""
        if self.trouble:
            return self.trouble
        if self._folder is None or is_worker(self.config) or not (self._folder / RESULTS).exists():
            return ""
        return terminal_text(self._folder)


def _wait(future: Future[Result]) -> Result:
    while True:
        try:
            return future.result(timeout=PATIENCE)
        except TimeoutError:
            continue
