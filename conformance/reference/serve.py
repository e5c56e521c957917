"""The reference server on a port: alone in the foreground, or in a process of its own."""

from __future__ import annotations

import argparse
import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from conformance.errors import ConfigurationError, TargetUnreachable
from conformance.reference.app import create_app
from conformance.reference.service import MODELS, Service
from conformance.reference.variants import VARIANTS

__all__ = ["Running", "serve", "start_reference"]

#: How a child is told its key: never on a command line, which other users can read.
KEY_VARIABLE = "CONFORMANCE_REFERENCE_KEY"
SECONDS_TO_START = 20.0


@dataclass(frozen=True)
class Running:
    """A server that was started: where it is and what it asks for."""

    base_url: str
    model: str
    key: str | None = None


def serve(
    *,
    port: int = 0,
    key: str | None = None,
    variant: str = "plain",
    mutant: str | None = None,
    noise: bool = False,
    parent: bool = False,
) -> None:
    """Serve on loopback until interrupted; prints one line when ready.

    With ``parent`` the process ends when its standard input does, that is with its parent.
    Raises ``ConfigurationError`` for a port that is taken.
    """
    app = _app(key, "noise" if noise else variant, mutant)
    listener = _listen(port)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
    config = uvicorn.Config(
        app, log_level="critical", access_log=False, lifespan="off", timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    if parent:
        threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.stdout.write(f"base_url={address} model={MODELS[0]}\n")
    sys.stdout.flush()
    server.run(sockets=[listener])


def _app(key: str | None, variant: str, mutant: str | None) -> Any:
    if mutant is not None:
        from conformance.reference.mutants import build

        return build(mutant, key=key).app
    return create_app(Service(VARIANTS[variant]), key)


def _listen(port: int) -> socket.socket:
    # With the protocol named asyncio recognises TCP and turns Nagle's algorithm off, which would
    # hold back the second write of an answer until the client's delayed acknowledgement (40 ms).
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except (OSError, OverflowError) as error:
        listener.close()
        raise ConfigurationError(
            f"port {port} cannot be listened on ({error})",
            where="--port",
            instead="choose another, or 0 for a free one",
        ) from None
    listener.listen(256)
    return listener


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


@contextmanager
def start_reference(variant: str = "plain", mutant: str | None = None) -> Iterator[Running]:
    """The server in a process of its own, on a free port and with a key of its own.

    It ends with the block, or with this process, however that ends. Raises
    ``TargetUnreachable`` when it does not start.
    """
    key = f"sk-reference-{secrets.token_hex(16)}"
    command = [sys.executable, "-m", __name__, "--variant", variant]
    command += ["--mutant", mutant] if mutant else []
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, KEY_VARIABLE: key},
    )
    try:
        yield _announced(process, key)
    finally:
        process.terminate()
        try:
            process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe:
                pipe.close()


def _announced(process: subprocess.Popen[bytes], key: str) -> Running:
    """What the child prints when it is ready."""
    timer = threading.Timer(SECONDS_TO_START, process.kill)
    timer.start()
    try:
        line = process.stdout.readline().decode() if process.stdout else ""
    finally:
        timer.cancel()
    values = dict(part.split("=", 1) for part in line.split() if "=" in part)
    if "base_url" not in values:
        raise TargetUnreachable("the reference server did not start; `conformance serve` shows why")
    return Running(values["base_url"], values["model"], key)


def _main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--variant", default="plain")
    parser.add_argument("--mutant")
    given = parser.parse_args()
    key = os.environ.pop(KEY_VARIABLE, None)
    serve(key=key, variant=given.variant, mutant=given.mutant, parent=True)


if __name__ == "__main__":
    _main()
