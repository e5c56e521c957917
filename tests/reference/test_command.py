"""The server as a command."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from conformance.reference.mutants import names
from conformance.reference.serve import start_reference

KEY = "sk-from-the-command-line"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def served(*options: str) -> Iterator[dict[str, str]]:
    """What ``conformance serve`` announces; it is interrupted afterwards."""
    command = [sys.executable, "-m", "conformance", "serve", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            line = process.stdout.readline()
            yield dict(part.split("=", 1) for part in line.split())
        finally:
            process.send_signal(signal.SIGINT)
            rest, _ = process.communicate(timeout=10)
            assert "" == rest  # one line was all


def status(address: str, key: str | None = None, body: object = None) -> int:
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    data = None if body is None else json.dumps(body).encode()
    try:
        with urlopen(Request(address, data=data, headers=headers)) as answer:
            code: int = answer.status
            return code
    except HTTPError as error:
        with error:
            return error.code


def test_port_and_key_are_those_asked_for() -> None:
    """The base URL has the port; without the key the answer is 401."""
    port = free_port()
    with served("--port", str(port), "--api-key", KEY) as line:
        seen = [status(f"{line['base_url']}/models", key) for key in (KEY, None, "sk-other")]

    assert f"http://127.0.0.1:{port}/v1" == line["base_url"]
    assert [200, 401, 401] == seen


@pytest.mark.parametrize("options", [[], ["--noise"], ["--mutant", names()[0]]], ids=str)
def test_every_kind_of_server_starts_on_a_free_port(options: list[str]) -> None:
    """The announced model is served at the announced address."""
    with served(*options) as line:
        address = line["base_url"]

        assert "model" in line
        assert 0 < status(f"{address}/models", KEY) < 500


def test_a_port_that_is_taken_is_one_sentence() -> None:
    """It names the option, and nothing is printed as if the server were ready."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        options = ["serve", "--port", str(taken.getsockname()[1])]
        ended = subprocess.run(
            [sys.executable, "-m", "conformance", *options], capture_output=True, text=True
        )

    assert "" == ended.stdout
    assert "--port" in ended.stderr
    assert "Traceback" not in ended.stderr
    assert ended.returncode not in (0, 1)


def test_the_server_ends_with_its_block() -> None:
    """Afterwards nothing listens, and the key was in no command line."""
    with start_reference() as running:
        address = f"{running.base_url}/models"
        asked = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True).stdout
        before = status(address, running.key)

    assert 200 == before
    assert running.key not in asked
    with pytest.raises(OSError, match=os.strerror(111)):
        status(address)
