"""The option that judges all sins, and the table that is printed when they are through."""

from __future__ import annotations

import json
import ssl
import subprocess
from typing import Any

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Known wherever this folder is named on the command line."""
    parser.getgroup("hostile").addoption(
        "--hostile", action="store_true", help="judge every hostile server, not only a few"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Collect the rows in the process that reports."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Table(), "hostile-table")


class _Table:
    """Gathers a row a trial and prints them in the end."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take the row that a test left."""
        if report.when == "call":
            rows = (json.loads(value) for name, value in report.user_properties if name == "sin")
            self.rows += rows

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """One line a sin: what it cost, how the run ended, what was accused."""
        if not self.rows:
            return
        terminalreporter.section("hostile servers")
        terminalreporter.line("seconds  exit    MB  requests  server: what was said of it")
        for row in sorted(self.rows, key=lambda row: row["name"]):
            terminalreporter.line(
                "{seconds:7.1f}  {code!s:>4}  {megabytes:4d}  {requests:8d}  {name}: {verdicts}".format(
                    **row
                )
            )


@pytest.fixture(scope="session")
def tls(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """A server's side of TLS, with a certificate that nobody trusts."""
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
    command += ["-nodes", "-days", "2", "-subj", "/CN=127.0.0.1"]
    subprocess.run([*command, "-keyout", key, "-out", cert], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context
