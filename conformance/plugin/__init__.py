"""The pytest plugin: pytest presents what the engine decides.

One item for each target, requirement, endpoint and mode. Without conformance items the plugin does
nothing, exit codes included.
"""

from __future__ import annotations

import copy
from collections.abc import Generator
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

import pytest

from conformance.errors import ConformanceError, ExitCode
from conformance.options import add_long_names, add_short_names
from conformance.plugin.collecting import ChapterFile, ConformanceItem
from conformance.plugin.distributing import (
    distribute,
    is_chapter,
    is_conformance_run,
    is_controller,
    mistaken_path,
    refusal,
    scheduler,
)
from conformance.plugin.running import RUN, PytestRun

MARKERS = (
    "must: a requirement that an endpoint has to keep",
    "should: a requirement that is recommended",
    "may: information only",
    "regular: the answer comes in one body",
    "stream: the answer comes as server-sent events",
)


#: Parsers that have the short names, with the notices about those that another plugin has.
_NOTICES: WeakKeyDictionary[pytest.Parser, list[str]] = WeakKeyDictionary()
NOTICES = pytest.StashKey[list[str]]()


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the ``--conformance-…`` spellings."""
    add_long_names(parser)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(
    early_config: pytest.Config, parser: pytest.Parser, args: list[str]
) -> None:
    """Register the short names that no other plugin took, once all plugins are loaded."""
    early_config.stash[NOTICES] = register_short_names(parser)
    early_config.known_args_namespace = parser.parse_known_args(
        args, namespace=copy.copy(early_config.option)
    )


def register_short_names(parser: pytest.Parser) -> list[str]:
    """Register the short names, once; for a ``conftest.py`` that loads this plugin, too."""
    if parser not in _NOTICES:
        _NOTICES[parser] = add_short_names(parser)
    return _NOTICES[parser]


def pytest_configure(config: pytest.Config) -> None:
    """Register the markers and this run's state."""
    for line in MARKERS:
        config.addinivalue_line("markers", line)
    run = config.stash[RUN] = PytestRun(config)
    config.pluginmanager.register(_ThisRun(run), "conformance-run")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """With ``-n``: one target's items stay in one worker."""
    if is_conformance_run(config):
        distribute(config)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Leave by exit code 2 for a mistake in the configuration, before anything is collected."""
    config = session.config
    if path := mistaken_path(config):
        text = f"conformance: pytest takes {path} for a place of tests; write --option={path}"
        pytest.exit(text, returncode=ExitCode.CONFIGURATION)
    if is_conformance_run(config):
        if reason := refusal(config):
            pytest.exit(reason, returncode=ExitCode.CONFIGURATION)
        run = config.stash[RUN]
        run.plans()
        if is_controller(config) and not config.option.collectonly:
            run.resume_for_workers()


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Name the seed, and options that another plugin owns."""
    if not is_conformance_run(config):
        return []
    seed = config.getoption("conformance_seed", default=None) or 0
    return [f"conformance: seed {seed}", *config.stash.get(NOTICES, [])]


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
    """Collect a chapter of checks."""
    if not is_chapter(file_path):
        return None
    node: pytest.Collector = ChapterFile.from_parent(parent, path=file_path)
    return node


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what the run does not try; put chapters in order, cheapest evidence first."""
    ours = [item for item in items if isinstance(item, ConformanceItem)]
    left_out = {item for item in ours if item.plan.excluded(item.item) is not None}
    if left_out:
        config.hook.pytest_deselected(items=list(left_out))
    order = {id(item): number for number, item in enumerate(_ordered(ours))}
    kept = [item for item in items if item not in left_out]
    kept.sort(key=lambda item: order.get(id(item), -1))
    items[:] = kept


def _ordered(items: list[ConformanceItem]) -> list[ConformanceItem]:
    targets = list(dict.fromkeys(item.plan.name for item in items))
    return sorted(items, key=lambda item: (targets.index(item.plan.name), item.number))


@pytest.hookimpl(trylast=True)
def pytest_collection_finish(session: pytest.Session) -> None:
    """Remember what is left after deselection."""
    ours = [item for item in session.items if isinstance(item, ConformanceItem)]
    session.config.stash[RUN].selected(ours)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show the check's own duration instead of the time pytest waited for it.

    The report takes along where the run stands: a worker cannot write to the terminal.
    """
    report = yield
    if isinstance(item, ConformanceItem) and item.result is not None:
        report.duration = item.result.seconds if call.when == "call" else 0.0
        report.__dict__["conformance_standing"] = item.config.stash[RUN].standing.texts
    return report


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Write the report and turn verdicts into the exit code."""
    run = session.config.stash.get(RUN, None)
    if run is None:
        return
    try:
        code = run.finish(exitstatus)
    except ConformanceError as error:
        run.trouble = str(error)
        code = error.exit_code
    if code is not None:
        session.exitstatus = code


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Say what is wrong, what it cost, and where the page is."""
    text = config.stash[RUN].summary()
    if text:
        terminalreporter.section("conformance")
        terminalreporter.write_line(text)


class _ThisRun:
    """Hooks that are told neither the session nor its configuration."""

    def __init__(self, run: PytestRun) -> None:
        self._run = run

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Remember a Ctrl-C; ``pytest.exit`` passes here, too."""
        self._run.interrupted = isinstance(excinfo.value, KeyboardInterrupt)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember failures of tests that are none of ours; say where the run stands."""
        self._run.standing.take(getattr(report, "conformance_standing", {}))
        self._run.announce()
        if report.failed and "verdict" not in dict(report.user_properties):
            self._run.foreign_failures = True

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell a worker of pytest-xdist which folder the run writes into."""
        node.workerinput["conformance_folder"] = str(self._run.folder())

    @pytest.hookimpl(optionalhook=True, tryfirst=True)
    def pytest_xdist_make_scheduler(self, config: pytest.Config, log: Any) -> Any:
        """With ``-n``: one target's items stay in one worker."""
        if not is_conformance_run(config):
            return None
        return scheduler(config, log, {plan.name for plan in self._run.plans()})
