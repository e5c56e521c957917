"""Options of the kill table, and what is written once all mutants are through."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from conformance.reference.mutants import names

from .table import write_table

HERE = Path(__file__).parent
ACCUSERS = HERE / "accusers.json"
TABLE = HERE.parents[1] / "docs" / "kill-table.md"


def pytest_addoption(parser: pytest.Parser) -> None:
    """The options; known wherever this folder is named on the command line."""
    group = parser.getgroup("kill table")
    group.addoption(
        "--kill-table",
        action="store_true",
        help="judge every mutant by the whole catalogue and write docs/kill-table.md",
    )
    group.addoption(
        "--update-accusers",
        action="store_true",
        help="with --kill-table: take what was found as the reviewed snapshot",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect what the workers find, in the process that reports."""
    if config.getoption("--kill-table", False) and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Collector(config), "kill-table-collector")


class _Collector:
    """Gathers the rows of the table and writes it at the end."""

    def __init__(self, config: pytest.Config) -> None:
        self.config = config
        self.rows: dict[str, dict[str, Any]] = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the row that a test left."""
        if report.when == "call":
            rows = (json.loads(value) for name, value in report.user_properties if name == "row")
            self.rows |= {row["mutant"]: row for row in rows}

    def pytest_sessionfinish(self) -> None:
        """Write the table, and the snapshot if that was asked for."""
        if not self.rows:
            return
        if self.config.getoption("--update-accusers"):
            known = json.loads(ACCUSERS.read_text()) if ACCUSERS.exists() else {}
            found = {name: row["accusers"] for name, row in self.rows.items()}
            text = json.dumps(known | found, indent=1, sort_keys=True)
            ACCUSERS.write_text(text + "\n")
        if set(self.rows) == set(names()):  # a part of the mutants makes no table
            write_table(TABLE, self.rows)


@pytest.fixture(scope="session")
def snapshot() -> dict[str, list[str]]:
    """The reviewed accusers of each mutant."""
    found: dict[str, list[str]] = json.loads(ACCUSERS.read_text()) if ACCUSERS.exists() else {}
    return found
