"""Keeps one engine running on one port, whatever the suite does to it.

The suite sends requests that kill some servers. A person who runs such a server has something that
starts it again, and only then can recovery be seen; here that is :class:`Supervisor`. It restarts
an engine whose process ended, or whose health path answers 5xx, and keeps a list of every restart.
The engine leads a process group of its own, so that stopping it stops its children as well.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

__all__ = ["EngineFailed", "Restart", "Supervisor", "free_port", "health"]

HOST = "127.0.0.1"
#: Seconds: between two looks at the process, between two probes, and for SIGTERM to be obeyed.
LOOK, PROBE, GRACE = 0.1, 1.0, 10.0
#: An engine that fails to start this often in a row is given up.
ATTEMPTS = 3


class EngineFailed(Exception):
    """An engine that did not become ready; the message ends with the last lines of its log."""


@dataclass(frozen=True)
class Restart:
    """Why an engine was started anew, and when: seconds since its first start."""

    at: float
    reason: str

    def __str__(self) -> str:
        return f"+{self.at:.1f} s: {self.reason}"


def free_port() -> int:
    """A loopback port that nothing listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def health(port: int, path: str, timeout: float = 5.0) -> int | None:
    """The status that ``path`` answers with; None when nobody answers in ``timeout`` seconds."""
    connection = http.client.HTTPConnection(HOST, port, timeout=timeout)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


class Supervisor:
    """A context in which an engine is up.

    ``command`` must serve on ``port``; ``health_path`` answers 200 when it can serve. All that the
    engine prints goes to ``log``. Entering waits until it is ready, at most ``ready_seconds``.

    Raises:
        EngineFailed: on entering, when the engine ended or was not ready in time.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        port: int,
        health_path: str,
        log: Path,
        environment: Mapping[str, str],
        folder: Path,
        ready_seconds: float = 120.0,
    ) -> None:
        self.command, self.port, self.health_path = list(command), port, health_path
        self.log, self.folder, self.environment = log, folder, dict(environment)
        self.ready_seconds = ready_seconds
        self.restarts: list[Restart] = []
        self.given_up = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._file: BinaryIO | None = None
        self._stopping = threading.Event()
        self._watcher = threading.Thread(target=self._watch, name="supervisor", daemon=True)
        self._began = time.monotonic()

    def __enter__(self) -> Self:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._file = self.log.open("ab", buffering=0)
        try:
            self._start()
            if trouble := self._await_ready():
                raise EngineFailed(f"{trouble}\n{self.tail()}")
        except BaseException:
            self._stop_group()
            self._file.close()
            raise
        self._watcher.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stopping.set()
        self._watcher.join()
        self._stop_group()
        if self._file is not None:
            self._file.close()

    @property
    def pid(self) -> int | None:
        """The process at the head of the engine's group."""
        return self._process.pid if self._process else None

    def tail(self, lines: int = 15) -> str:
        """The last ``lines`` of the log."""
        text = self.log.read_text(encoding="utf-8", errors="replace")
        return "\n".join(text.splitlines()[-lines:])

    def _start(self) -> None:
        self._note(f"starting {' '.join(self.command)}")
        self._process = subprocess.Popen(
            self.command,
            stdin=subprocess.DEVNULL,
            stdout=self._file,
            stderr=subprocess.STDOUT,
            env=self.environment,
            cwd=self.folder,
            start_new_session=True,
        )

    def _await_ready(self) -> str:
        """Wait until the engine is healthy; returns what went wrong, or nothing."""
        until = time.monotonic() + self.ready_seconds
        while time.monotonic() < until:
            if (ended := self._ended()) is not None:
                return f"{ended} before it was ready"
            if health(self.port, self.health_path, timeout=1.0) == 200:
                self._note("ready")
                return ""
            if self._stopping.wait(LOOK):
                return ""
        return f"not ready after {self.ready_seconds:g} s"

    def _watch(self) -> None:
        probe_at = time.monotonic() + PROBE
        failures = 0
        while not self._stopping.wait(LOOK):
            reason = self._ended()
            if reason is None and time.monotonic() >= probe_at:
                reason = self._unhealthy()
                probe_at = time.monotonic() + PROBE
            if reason is None:
                continue
            self._restart(reason)
            trouble = self._await_ready()
            failures = failures + 1 if trouble else 0
            if failures == ATTEMPTS:
                self.given_up = f"given up after {ATTEMPTS} failed starts: {trouble}"
                self._note(self.given_up)
                return

    def _restart(self, reason: str) -> None:
        self.restarts.append(Restart(time.monotonic() - self._began, reason))
        self._note(f"restart {len(self.restarts)}: {reason}")
        self._stop_group()
        self._start()

    def _ended(self) -> str | None:
        code = self._process.poll() if self._process else None
        if code is None:
            return None
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"

    def _unhealthy(self) -> str | None:
        """Only an answer counts: a busy engine may be slow to say that it is well."""
        status = health(self.port, self.health_path)
        if status is None or status < 500:
            return None
        return f"{self.health_path} answered {status} while the process lived"

    def _stop_group(self) -> None:
        """End the whole group: SIGTERM, after ``GRACE`` seconds SIGKILL; waits for the leader."""
        if self._process is None:
            return
        group = self._process.pid
        for number, patience in ((signal.SIGTERM, GRACE), (signal.SIGKILL, GRACE)):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(group, number)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(patience)
                if not _alive(group):
                    break
        self._process = None

    def _note(self, text: str) -> None:
        if self._file is not None:
            now = datetime.now(UTC).strftime("%H:%M:%S.%f")[:-3]
            self._file.write(f"--- supervisor {now} {text}\n".encode())


def _alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
