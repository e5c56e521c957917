"""The supervisor: an engine that dies comes back, and nothing of it is left afterwards."""

from __future__ import annotations

import http.client
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from engines.supervisor import EngineFailed, Supervisor, free_port, health

SERVER = Path(__file__).with_name("dying_server.py")


def supervise(folder: Path, *extra: str, script: str = "", seconds: float = 20.0) -> Supervisor:
    port = free_port()
    program = ["-c", script] if script else [str(SERVER), str(port), *extra]
    return Supervisor(
        [sys.executable, *program],
        port=port,
        health_path="/health",
        log=folder / "server.log",
        environment=dict(os.environ),
        folder=folder,
        ready_seconds=seconds,
    )


def post(port: int, path: str) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("POST", path)
        connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        pass  # it died of it
    finally:
        connection.close()


def eventually(holds: Callable[[], bool], seconds: float = 20.0) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if holds():
            return True
        time.sleep(0.05)
    return False


def gone(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return True
    stat = Path(f"/proc/{process}/stat")
    return stat.exists() and stat.read_text().rsplit(")", 1)[1].split()[0] == "Z"


def test_is_ready_inside_the_context_and_gone_after_it(tmp_path: Path) -> None:
    """Inside the context the engine answers; after it nobody listens on its port."""
    with supervise(tmp_path) as engine:
        inside = health(engine.port, "/health")

    assert 200 == inside
    assert health(engine.port, "/health") is None
    assert [] == engine.restarts


def test_brings_back_an_engine_whose_process_ended(tmp_path: Path) -> None:
    """A process that ended is started again on the same port, and the reason is kept."""
    with supervise(tmp_path) as engine:
        post(engine.port, "/die")
        back = eventually(lambda: bool(engine.restarts) and health(engine.port, "/health") == 200)

    assert back
    assert ["ended with code 7"] == [restart.reason for restart in engine.restarts]
    assert "restart 1: ended with code 7" in engine.tail()


def test_brings_back_an_engine_that_lives_but_cannot_serve(tmp_path: Path) -> None:
    """A process that says 503 of itself is replaced, though it never ended."""
    with supervise(tmp_path) as engine:
        post(engine.port, "/sicken")
        back = eventually(lambda: bool(engine.restarts) and health(engine.port, "/health") == 200)

    assert back
    assert ["/health answered 503 while the process lived"] == [
        restart.reason for restart in engine.restarts
    ]


def test_stops_the_children_of_an_engine_as_well(tmp_path: Path) -> None:
    """The whole process group ends, also when the code inside the context raises."""
    found: list[int] = []

    def interrupted() -> None:
        with supervise(tmp_path, "--child") as engine:
            lines = engine.tail().splitlines()
            found.extend(int(each.split()[1]) for each in lines if each.startswith("child "))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()

    assert 1 == len(found)
    assert eventually(lambda: gone(found[0]))


def test_says_why_an_engine_did_not_start(tmp_path: Path) -> None:
    """An engine that ends before it is ready is an error with the end of its log."""
    engine = supervise(tmp_path, script="print('no such model'); raise SystemExit(3)")

    with pytest.raises(EngineFailed, match=r"(?s)ended with code 3.*no such model"):
        engine.__enter__()


def test_does_not_wait_for_ever_for_an_engine_that_never_listens(tmp_path: Path) -> None:
    """The wait for readiness is bounded, and the engine is stopped when it is over."""
    engine = supervise(tmp_path, script="import time; time.sleep(600)", seconds=0.5)

    with pytest.raises(EngineFailed, match=r"not ready after 0\.5 s"):
        engine.__enter__()

    assert engine.pid is None
