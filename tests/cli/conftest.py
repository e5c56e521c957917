"""Runs of the command line, and small servers for it to meet."""

import contextlib
import http.server
import json
import threading
from datetime import date, timedelta

import pytest

from conformance.cli.main import main
from conformance.report.results import read_run

from .runs import environment, make, staging  # noqa: F401 - fixtures of this folder


@pytest.fixture
def conformance(tmp_path, capfd, monkeypatch):
    """Run ``conformance run`` in an empty folder; its exit code, output, and run if there is one."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, folder=tmp_path / "run"):
        code = main(["run", "--report-dir", str(folder), *map(str, arguments)])
        out, err = capfd.readouterr()
        assert "Traceback" not in out + err
        found = read_run(folder) if (folder / "results.jsonl").exists() else None
        return code, out + err, found

    return run


@pytest.fixture
def targets_file(tmp_path):
    """Write a targets file with one mutant-like target; entries are laid over it."""

    def write(name="frail", **entry):
        path = tmp_path / "targets.yaml"
        path.write_text(json.dumps({"targets": {name: entry}}, default=str))
        return path

    return write


@pytest.fixture
def in_days():
    """A date from today, as text."""
    return lambda days: (date.today() + timedelta(days=days)).isoformat()


@pytest.fixture
def serve():
    """Serve ``answer(handler)`` on loopback; gives the base URL."""
    with contextlib.ExitStack() as stack:

        def start(answer):
            class Handler(http.server.BaseHTTPRequestHandler):
                protocol_version = "HTTP/1.1"

                def do_POST(self):
                    self.body = self.rfile.read(int(self.headers.get("content-length") or 0))
                    answer(self)

                do_GET = do_POST  # noqa: N815 - the name that http.server calls

                def log_message(self, *_):
                    """Say nothing."""

                def say(self, status, body, kind="application/json"):
                    self.send_response(status)
                    self.send_header("content-type", kind)
                    self.send_header("content-length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)

            server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
            server.daemon_threads = True
            thread = threading.Thread(target=server.serve_forever, args=(0.05,))
            thread.start()
            stack.callback(thread.join)
            stack.callback(server.server_close)
            stack.callback(server.shutdown)
            return f"http://127.0.0.1:{server.server_port}/v1"

        yield start
