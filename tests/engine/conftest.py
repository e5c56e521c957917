"""A server that dies of one input, and a supervisor that may start it again."""

import contextlib
import socket
import subprocess
import sys
import time

import pytest

DEADLY = """
import os, socket, sys, uvicorn
from conformance.reference.app import create_app
from conformance.reference.service import Service

fd, trigger = int(sys.argv[1]), sys.argv[2].encode()
app = create_app(Service(), None)

async def deadly(scope, receive, send):
    messages, body = [], b""
    while scope["type"] == "http":
        messages.append(await receive())
        body += messages[-1].get("body", b"")
        if not messages[-1].get("more_body"):
            break
    if trigger in body:
        os._exit(1)
    async def again():
        return messages.pop(0) if messages else await receive()
    await app(scope, again, send)

uvicorn.Server(
    uvicorn.Config(deadly, log_level="critical", access_log=False, lifespan="off")
).run(sockets=[socket.socket(fileno=fd)])
"""

#: Starts the server again ``lives`` times, after ``pause`` seconds without anybody listening.
SUPERVISOR = """
import socket, subprocess, sys, time
code, trigger, port, lives, pause = sys.argv[1], sys.argv[2], *map(float, sys.argv[3:])
for life in range(int(lives)):
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", int(port)))
    listener.listen(256)
    fd = listener.fileno()
    child = subprocess.Popen([sys.executable, "-c", code, str(fd), trigger], pass_fds=[fd])
    listener.close()
    print(child.pid, flush=True)
    child.wait()
    time.sleep(pause)
sys.stdin.read()
"""


@pytest.fixture
def deadly():
    """Start a server that dies of requests with ``trigger`` in them; gives its base URL."""
    with contextlib.ExitStack() as stack:

        def start(trigger, *, lives=100, pause=0.3):
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-c",
                    SUPERVISOR,
                    DEADLY,
                    trigger,
                    str(port),
                    str(lives),
                    str(pause),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                text=True,
            )
            stack.callback(stop, process)
            process.stdout.readline()
            _reachable(port)
            return f"http://127.0.0.1:{port}/v1"

        yield start


def stop(process):
    """End a supervisor and the server it started last."""
    children = subprocess.run(
        ["ps", "-o", "pid=", "--ppid", str(process.pid)], capture_output=True, text=True
    ).stdout.split()
    process.kill()
    for child in children:
        subprocess.run(["kill", "-9", child], capture_output=True)
    process.wait()
    process.stdin.close()
    process.stdout.close()


def _reachable(port):
    until = time.monotonic() + 20
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1) as s:
            s.sendall(b"GET /v1/models HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n")
            if s.recv(100):
                return
        time.sleep(0.05)
    raise AssertionError("the server did not start")
