"""Options of the kill table, and what is written once all chosen mutants are through."""

from __future__ import annotations

import gc
import json
from pathlib import Path

import pytest

from conformance.reference.mutants import every, names

from .killing import profile_of
from .table import kill_table

HERE = Path(__file__).parent
ACCUSERS = HERE / "accusers.json"
TABLE = HERE.parents[1] / "docs" / "kill-table.md"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options; known wherever this folder is named on the command line."""
    group = parser.getgroup("kill table")
    group.addoption(
        "--kill-table",
        action="store_true",
        help="judge every mutant and every honest variant by the whole catalogue",
    )
    group.addoption(
        "--update-accusers",
        action="store_true",
        help="take the accusers that --kill-table finds into the snapshot and docs/kill-table.md; "
        "with -k those of the chosen mutants only",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect what the workers find, in the process that reports."""
    if not config.getoption("--kill-table", False):
        return
    # A recording holds many small objects for good: looking through them often is a waste.
    gc.set_threshold(100_000, 50, 100)
    if config.getoption("--update-accusers") and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Collector(), "kill-table-collector")


class _Collector:
    """Merges the accusers of each mutant into what is known of the others, as they come."""

    def __init__(self) -> None:
        self.known = {name: row for name, row in read_snapshot().items() if name in names()}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Write the snapshot: an interrupted run keeps what it found."""
        found = [value for name, value in report.user_properties if name == "accusers"]
        if report.when == "call" and found:
            self.known |= json.loads(found[0])
            ACCUSERS.write_text(json.dumps(self.known, indent=1, sort_keys=True) + "\n")

    def pytest_sessionfinish(self) -> None:
        """Write the table."""
        TABLE.write_text(kill_table(every(), self.known, profile_of))


def read_snapshot() -> dict[str, list[str]]:
    """The reviewed accusers of each mutant; none before the first review."""
    found: dict[str, list[str]] = json.loads(ACCUSERS.read_text()) if ACCUSERS.exists() else {}
    return found


@pytest.fixture(scope="session")
def snapshot() -> dict[str, list[str]]:
    """The reviewed accusers of each mutant."""
    return read_snapshot()
