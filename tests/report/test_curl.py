from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.report.curl import curl_line, shell_quote
from conformance.report.evidence import Record
from conformance.report.snippet import python_snippet

from .fakes import INJECTIONS, json_values

SH = shutil.which("sh")
CURL = shutil.which("curl")
few = settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


class Echo(BaseHTTPRequestHandler):
    """Keeps what arrives."""

    seen: list[dict[str, Any]]
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        length = int(self.headers.get("content-length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = {"method": self.command, "path": self.path, "headers": headers}
        self.seen.append(request | {"body": self.rfile.read(length)})
        body = b'{"object":"list","data":[],"choices":[]}'
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = answer  # noqa: N815 - names that http.server fixes

    def log_message(self, *args: object) -> None:
        """Silence."""


@pytest.fixture(scope="module")
def server() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    seen: list[dict[str, Any]] = []
    handler = type("Handler", (Echo,), {"seen": seen})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        threading.Thread(target=httpd.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{httpd.server_port}/v1", seen
        httpd.shutdown()


def record(base: str, body: bytes = b"", path: str = "/chat/completions", **more: Any) -> Record:
    method = more.pop("method", "POST" if body else "GET")
    return Record("x1", "t", method, path, base + path, body=body, **more)


def run_line(line: str, folder: Path) -> None:
    environment = {"PATH": os.environ["PATH"], "API_KEY": "sk-secret $x"}
    subprocess.run(
        [SH or "sh", "-c", line], env=environment, cwd=folder, check=True, capture_output=True
    )


def arrived(line: str, folder: Path, seen: list[dict[str, Any]]) -> dict[str, Any]:
    seen.clear()
    run_line(line, folder)
    (request,) = seen
    return request


needs_curl = pytest.mark.skipif(not (SH and CURL), reason="no sh or no curl on this machine")


@needs_curl
@few
@given(
    body=st.one_of(
        st.binary(min_size=1, max_size=200),
        st.sampled_from(INJECTIONS).map(lambda t: t.encode("utf-8", "replace")),
    )
)
def test_curl_sends_the_same_bytes(server: Any, tmp_path: Path, body: bytes) -> None:
    """Any body: text in quotes, controls and binary through a pipe, and no shell code runs."""
    request = arrived(curl_line(record(server[0], body)), tmp_path, server[1])

    assert ("POST", "/v1/chat/completions", body) == (
        request["method"],
        request["path"],
        request["body"],
    )
    assert "application/json" == request["headers"]["content-type"]
    assert [] == list(tmp_path.iterdir())


@needs_curl
@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "Bearer sk-secret $x"),
        ({"credential": "none"}, None),
        ({"request_headers": (("Authorization", "Basic ⟦KEY⟧!"),)}, "Basic sk-secret $x!"),
        ({"request_headers": (("Authorization", None),)}, None),
    ],
)
def test_the_key_comes_from_the_environment(
    server: Any, tmp_path: Path, more: dict[str, Any], expected: str | None
) -> None:
    """The line holds the variable's name, whatever the key's characters."""
    line = curl_line(record(server[0], b"{}", **more))

    assert expected == arrived(line, tmp_path, server[1])["headers"].get("authorization")
    assert "sk-secret" not in line


@needs_curl
@pytest.mark.parametrize(
    "path", ["/models/a%2Fb", "/models/{x}[1-3]", "/models/../x", "/models?a=1&b=$(id)"]
)
@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_the_address_is_sent_as_it_is(server: Any, tmp_path: Path, path: str, method: str) -> None:
    """curl neither expands brackets nor folds dots; the shell expands nothing."""
    request = arrived(curl_line(record(server[0], path=path, method=method)), tmp_path, server[1])

    assert (method, "/v1" + path) == (request["method"], request["path"])


@needs_curl
def test_headers_are_sent_removed_and_emptied(server: Any, tmp_path: Path) -> None:
    """A value of None removes a default; an empty value is sent empty."""
    headers = (("X-One", "a'b\"c"), ("Content-Type", None), ("X-Empty", ""))
    line = curl_line(record(server[0], b"{}", request_headers=headers))

    seen = arrived(line, tmp_path, server[1])["headers"]

    assert ("a'b\"c", None, "") == (seen["x-one"], seen.get("content-type"), seen["x-empty"])


@pytest.mark.skipif(not (SH and shutil.which("nc")), reason="no netcat on this machine")
def test_a_malformed_request_goes_through_netcat(tmp_path: Path) -> None:
    """Exact bytes, placeholders filled in."""
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=lambda: got.append(_all(listener)))
        thread.start()
        base = f"http://127.0.0.1:{listener.getsockname()[1]}/v1"
        raw = b"POST {base_path}/x HTTP/1.1\r\nHost: {host}\r\nAuthorization: {authorization}\r\n\r\n\x00\xff"
        run_line(
            "timeout 5 sh -c " + shell_quote(curl_line(record(base, path="/x", raw=raw)), "X"),
            tmp_path,
        )
        thread.join(10)

    assert got[0].startswith(b"POST /v1/x HTTP/1.1\r\nHost: 127.0.0.1:")
    assert got[0].endswith(b"\r\nAuthorization: Bearer sk-secret $x\r\n\r\n\x00\xff")


def _all(listener: socket.socket) -> bytes:
    connection, _ = listener.accept()
    with connection:
        connection.settimeout(2)
        data = connection.recv(65536)
        try:
            while more := connection.recv(65536):
                data += more
        except TimeoutError:
            pass
    return data


@few
@given(
    text=st.one_of(
        st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"])),
        st.sampled_from(INJECTIONS[:15]),
    )
)
def test_a_quoted_word_is_one_word(text: str) -> None:
    """The shell gives back exactly the text."""
    line = f"printf %s {shell_quote(text)}"

    done = subprocess.run([SH or "sh", "-c", line], capture_output=True, check=True)

    assert text.encode() == done.stdout


def run_snippet(snippet: str) -> None:
    environment = {**os.environ, "API_KEY": "sk-secret"}
    subprocess.run(
        [sys.executable, "-c", snippet], env=environment, check=True, capture_output=True
    )


EXTRA = {"top_k": 3, "weird": [None, True, {"a": "</script>\n'\"\\"}], "stop": ["a", ""]}


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (
            "/chat/completions",
            {"model": "m/x", "messages": [{"role": "user", "content": "hé 'q'"}], **EXTRA},
        ),
        (
            "/completions",
            {"model": "m", "prompt": [1, 2], "logit_bias": {"5": 100}, "max_tokens": None},
        ),
        ("/chat/completions", {"messages": "not a list", "n": -1.5e300}),
        ("/embeddings", {"model": "m", "input": ""}),
    ],
)
def test_the_sdk_sends_an_equal_body(server: Any, path: str, body: dict[str, Any]) -> None:
    """Documented arguments by name, all else through extra_body; null stays null."""
    snippet = python_snippet(record(server[0], json.dumps(body).encode(), path))
    server[1].clear()

    run_snippet(snippet or "")

    (request,) = server[1]
    assert (f"/v1{path}", body) == (request["path"], json.loads(request["body"]))
    assert "Bearer sk-secret" == request["headers"]["authorization"]


@pytest.mark.parametrize("path", ["/models", "/models/a%2Fb"])
def test_the_sdk_lists_models(server: Any, path: str) -> None:
    """Model list and retrieve have methods of their own."""
    server[1].clear()

    run_snippet(python_snippet(record(server[0], path=path)) or "")

    assert f"/v1{path}" == server[1][0]["path"]


@given(body=json_values)
def test_a_snippet_is_always_python(body: Any) -> None:
    """Any JSON body gives a program that compiles, or none."""
    snippet = python_snippet(
        record("http://x/v1", json.dumps({"model": body, "messages": body}).encode())
    )

    assert snippet is None or compile(snippet, "snippet", "exec")


@pytest.mark.parametrize(
    "more", [{"raw": b"x"}, {"credential": "none"}, {"body": b"{not json"}, {"body": b"[]"}]
)
def test_what_the_sdk_cannot_send_has_no_snippet(more: dict[str, Any]) -> None:
    """Rather none than one that sends something else."""
    assert python_snippet(record("http://x/v1", more.pop("body", b"{}"), **more)) is None
