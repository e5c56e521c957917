"""The server in a process of its own, over real sockets, with the real SDK."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

import openai
import pytest

from conformance.reference.serve import Running


@pytest.fixture
def client(running: Running) -> openai.OpenAI:
    return openai.OpenAI(base_url=running.base_url, api_key=running.key, max_retries=0)


@dataclass
class Answer:
    """A response read to its end."""

    status: int
    headers: Message
    body: bytes


@contextmanager
def connected(running: Running) -> Iterator[http.client.HTTPConnection]:
    address = urlsplit(running.base_url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port, timeout=20)
    try:
        yield connection
    finally:
        connection.close()


def ask(
    connection: http.client.HTTPConnection, running: Running, body: str, base: str = "/v1"
) -> None:
    headers = {"Authorization": f"Bearer {running.key}", "Content-Type": "application/json"}
    connection.request("POST", f"{base}/chat/completions", body, headers)


def read(connection: http.client.HTTPConnection) -> Answer:
    response = connection.getresponse()
    return Answer(response.status, response.headers, response.read())


def post(running: Running, body: dict[str, Any], base: str = "/v1") -> Answer:
    with connected(running) as connection:
        ask(connection, running, json.dumps(body), base)
        return read(connection)


def question(running: Running, **given: Any) -> dict[str, Any]:
    return {"model": running.model, "messages": [{"role": "user", "content": "Hi"}], **given}


def statistics(running: Running) -> dict[str, int]:
    with connected(running) as connection:
        connection.request("GET", "/_stats")
        seen: dict[str, int] = json.loads(read(connection).body)
        return seen


def test_the_documented_chat_sample_works(running: Running, client: openai.OpenAI) -> None:
    """Both modes of the sample give text."""
    messages: Any = [
        {"role": "system", "content": "Act like you are a helpful assistant."},
        {"role": "user", "content": "Hi there!"},
    ]
    given: Any = {"model": running.model, "messages": messages, "max_tokens": 512}
    reply = client.chat.completions.create(**given, temperature=0)
    stream = client.chat.completions.create(**given, temperature=0, stream=True)

    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert text
    assert reply.choices[0].message.content == text


def test_the_documented_completions_sample_works(running: Running, client: openai.OpenAI) -> None:
    """Both modes of the sample give text."""
    given: Any = {"model": running.model, "prompt": "USER: pasta?\nASSISTANT:", "max_tokens": 512}
    reply = client.completions.create(**given, temperature=0)
    stream = client.completions.create(**given, temperature=0, stream=True)

    assert reply.choices[0].text == "".join(chunk.choices[0].text or "" for chunk in stream)


def test_models_are_listed_and_retrieved(running: Running, client: openai.OpenAI) -> None:
    """Every id of the list can be retrieved."""
    listed = list(client.models.list())

    assert running.model in [each.id for each in listed]
    assert listed == [client.models.retrieve(each.id) for each in listed]


def test_errors_reach_the_sdk_as_their_kind(running: Running, client: openai.OpenAI) -> None:
    """400, 401 and 404 are the SDK's own exceptions with code and param."""
    given: Any = {"model": running.model, "messages": [{"role": "user", "content": "Hi"}]}
    with pytest.raises(openai.BadRequestError) as refused:
        client.chat.completions.create(**given, temperature=3)
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(**{**given, "model": "nothing"})
    with pytest.raises(openai.AuthenticationError):
        client.with_options(api_key="sk-wrong").chat.completions.create(**given)

    assert ("temperature", "decimal_above_max_value") == (refused.value.param, refused.value.code)


def test_both_base_paths_are_served(running: Running) -> None:
    """The usual one and the documented provider's."""
    answer = post(running, question(running, max_tokens=1), "/inference-api/openai/v1")

    assert 200 == answer.status


def test_headers_are_there(running: Running) -> None:
    """Date, media type and a request id."""
    headers = post(running, question(running, max_tokens=1)).headers

    assert headers["date"]
    assert "application/json" == headers["content-type"]
    assert headers["x-request-id"].startswith("req_")


def test_a_chunked_request_body_is_read(running: Running) -> None:
    """Transfer-Encoding in a request, and Expect: 100-continue."""
    body = json.dumps(question(running, max_tokens=1)).encode()
    address = urlsplit(running.base_url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as raw:
        raw.sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n"
            b"Authorization: Bearer %b\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
            % (running.key or "").encode()
        )
        assert raw.recv(100).startswith(b"HTTP/1.1 100")
        for at in range(0, len(body), 10):
            part = body[at : at + 10]
            raw.sendall(b"%x\r\n%b\r\n" % (len(part), part))
        raw.sendall(b"0\r\n\r\n")
        answer = raw.makefile("rb").read()

    assert answer.startswith(b"HTTP/1.1 200")


def test_a_connection_survives_a_refusal(running: Running) -> None:
    """400 and then 200 on the same connection."""
    statuses = []
    with connected(running) as connection:
        for body in ("{", json.dumps(question(running, max_tokens=1))):
            ask(connection, running, body)
            statuses.append(read(connection).status)

    assert [400, 200] == statuses


def test_every_event_is_written_by_itself(running: Running) -> None:
    """Each chunk of the transfer coding holds exactly one event."""
    body = json.dumps(question(running, max_tokens=5, stream=True, logit_bias={"400": 100}))
    address = urlsplit(running.base_url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as raw:
        raw.sendall(
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            f"Authorization: Bearer {running.key}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        _, _, rest = raw.makefile("rb").read().partition(b"\r\n\r\n")
    writes = []
    while rest:
        size, _, rest = rest.partition(b"\r\n")
        writes.append(rest[: int(size, 16)])
        rest = rest[int(size, 16) + 2 :]

    assert 5 + 2 + 1 == len(writes) - 1
    assert all(write.startswith(b"data: ") and write.endswith(b"\n\n") for write in writes[:-1])


@pytest.mark.parametrize("stream", [True, False])
def test_generation_ends_when_the_client_leaves(running: Running, stream: bool) -> None:
    """Nobody pays for what nobody reads: far fewer tokens than asked for."""
    before = statistics(running)["completion_tokens"]
    wanted = question(running, n=100, max_tokens=2000, stream=stream, logit_bias={"400": 100})
    body = json.dumps(wanted)
    address = urlsplit(running.base_url)
    with socket.create_connection((address.hostname, address.port), timeout=10) as raw:
        raw.sendall(
            f"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {running.key}"
            f"\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        if stream:
            raw.recv(1000)
    deadline = time.monotonic() + 10
    while statistics(running)["in_flight"] and time.monotonic() < deadline:
        time.sleep(0.02)

    seen = statistics(running)
    assert 0 == seen["in_flight"]
    assert seen["completion_tokens"] - before < 100_000


def test_a_short_request_is_served_beside_a_long_one(running: Running) -> None:
    """A long regular generation does not hold up others until it is done."""
    wanted = question(running, n=10, max_tokens=1000, logit_bias={"400": 100})
    with connected(running) as long:
        ask(long, running, json.dumps(wanted))
        while not statistics(running)["in_flight"]:
            pass
        short = post(running, question(running, max_tokens=1))
        still = statistics(running)["in_flight"]
        finished = read(long)

    assert (200, 1) == (short.status, still)
    assert 10_000 == json.loads(finished.body)["usage"]["completion_tokens"]


def test_the_server_ends_with_a_killed_parent() -> None:
    """SIGKILL of the process that started it ends the server too."""
    program = (
        "import sys, time\n"
        "from conformance.reference.serve import start_reference\n"
        "with start_reference() as server:\n"
        "    print(server.base_url, flush=True)\n"
        "    time.sleep(60)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        address = urlsplit(parent.stdout.readline().strip())
        with socket.create_connection((address.hostname, address.port), timeout=5):
            pass
        os.kill(parent.pid, signal.SIGKILL)
        parent.wait()

    deadline = time.monotonic() + 10
    gone = False
    while not gone and time.monotonic() < deadline:
        try:
            socket.create_connection((address.hostname, address.port), timeout=1).close()
            time.sleep(0.05)
        except OSError:
            gone = True
    assert gone
