"""Real clients through the recording proxy: carried faithfully, recorded, without the key."""

from __future__ import annotations

import asyncio
import gzip
import json
import subprocess
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

import openai
import pytest

from conformance.wire.client import Wire
from conformance.wire.exchange import Exchange, Request
from conformance.wire.proxy import PLACEHOLDER_KEY, RecordingProxy

COMPLETION = json.dumps(
    {
        "id": "x",
        "object": "chat.completion",
        "created": 1,
        "model": "m",
        "choices": [
            {
                "index": 0,
                "finish_reason": "stop",
                "message": {"role": "assistant", "content": "hi"},
            }
        ],
    }
).encode()
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
STREAM = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def through(server: Any, behaviour: Any, use: Any) -> tuple[Any, list[Exchange], Any]:
    """What ``use(base_url)`` returns in a thread, with proxy and server running."""

    async def run() -> tuple[Any, list[Exchange], Any]:
        async with server(behaviour) as target:
            url = f"http://127.0.0.1:{target.port}/inference-api/openai/v1"
            async with (
                Wire(url, {"key": "sk-real"}) as wire,
                RecordingProxy(url, wire.send) as proxy,
            ):
                outcome = await asyncio.to_thread(use, proxy.base_url)
                return outcome, proxy.exchanges, target

    return asyncio.run(run())


def client(base_url: str) -> openai.OpenAI:
    return openai.OpenAI(base_url=base_url, api_key=PLACEHOLDER_KEY, max_retries=0)


def ask_sdk(base_url: str, **options: Any) -> Any:
    with client(base_url) as sdk:
        return sdk.chat.completions.create(
            model="m", messages=[{"role": "user", "content": "é"}], **options
        )


def test_the_sdk_speaks_through_the_proxy(server: Any, write: Any) -> None:
    """The answer reaches the SDK; the target sees the SDK's own fields and the real key."""
    answer, exchanges, target = through(server, write(OK % (len(COMPLETION), COMPLETION)), ask_sdk)

    assert "hi" == answer.choices[0].message.content
    assert target.heads[0].startswith(b"POST /inference-api/openai/v1/chat/completions HTTP/1.1")
    assert b"\r\nAuthorization: Bearer sk-real\r\n" in target.heads[0]
    assert b"OpenAI/Python" in target.heads[0]
    assert PLACEHOLDER_KEY.encode() not in target.heads[0]
    assert ["key"] == [each.request.credential for each in exchanges]
    assert "sk-real" not in repr(exchanges[0].request)
    assert {"role": "user", "content": "é"} == exchanges[0].request.json["messages"][0]


def test_streams_reach_the_sdk(server: Any, write: Any) -> None:
    """Chunked framing is replayed as recorded."""
    chunk = {"id": "x", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    choice = {"index": 0, "delta": {"content": "a"}, "finish_reason": None}
    event = f"data: {json.dumps({**chunk, 'choices': [choice]})}\n\n".encode()
    frame = b"%x\r\n%s\r\n" % (len(event), event)
    end = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"

    def use(base_url: str) -> str:
        return "".join(each.choices[0].delta.content for each in ask_sdk_stream(base_url))

    text, exchanges, _ = through(server, write(STREAM, frame, frame, end), use)

    assert "aa" == text
    assert 3 == len(exchanges[0].stream.events)


def ask_sdk_stream(base_url: str) -> Any:
    sdk = client(base_url)
    with sdk.chat.completions.create(model="m", messages=[], stream=True) as stream:
        yield from stream
    sdk.close()


def test_one_client_connection_serves_many_requests(server: Any, write: Any) -> None:
    """Keep-alive works through the proxy, and errors of the target come out as they are."""
    error = b'{"error":{"message":"no"}}'
    answer = b"HTTP/1.1 404 Not Found\r\nContent-Length: %d\r\n\r\n%s" % (len(error), error)

    def use(base_url: str) -> list[int]:
        with client(base_url) as sdk:
            return [status_of(sdk) for _ in range(3)]

    statuses, exchanges, _ = through(server, write(answer), use)

    assert [404, 404, 404] == statuses
    assert 3 == len(exchanges)


def status_of(sdk: openai.OpenAI) -> int:
    with pytest.raises(openai.APIStatusError) as caught:
        sdk.models.list()
    return caught.value.status_code


def test_compressed_answers_stay_compressed(server: Any, write: Any) -> None:
    """The client decodes what the target encoded; the record is decoded, too."""
    body = gzip.compress(COMPLETION)
    head = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(body)

    answer, exchanges, target = through(server, write(head + body), ask_sdk)

    assert "hi" == answer.choices[0].message.content
    assert COMPLETION == exchanges[0].body
    assert b"accept-encoding: gzip, deflate\r\n" in target.heads[0].lower()


ENDLESS_CHUNK = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"f" * 20 + b"\r\n{}"


@pytest.mark.parametrize(
    "pieces",
    [[], [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"], [ENDLESS_CHUNK]],
    ids=["nothing", "half a body", "half an endless chunk"],
)
def test_a_broken_answer_breaks_for_the_client_as_well(
    server: Any, write: Any, pieces: list[bytes]
) -> None:
    """No answer is made up for a target that gave none."""

    def use(base_url: str) -> str:
        try:
            ask_sdk(base_url)
        except openai.APIConnectionError as error:
            return type(error).__name__
        return "answered"

    outcome, exchanges, _ = through(server, write(*pieces, close=True), use)

    assert "APIConnectionError" == outcome
    assert not exchanges[0].complete


def test_curl_speaks_through_the_proxy(server: Any, write: Any) -> None:
    """Own key, no key and a large body with ``Expect: 100-continue``."""

    def use(base_url: str) -> list[bytes]:
        url = f"{base_url}/models/a%2Fb"
        big = b"x" * (2 << 20)
        key = ["-H", f"Authorization: Bearer {PLACEHOLDER_KEY}"]
        return [
            subprocess.run(["curl", "-sS", url, *extra], input=big, capture_output=True).stdout
            for extra in (key, ["-H", "Authorization: Bearer other"], [], ["--data-binary", "@-"])
        ]

    outputs, exchanges, target = through(server, write(OK % (2, b"{}")), use)

    assert [b"{}"] * 4 == outputs
    assert ["key", "none", "none", "none"] == [each.request.credential for each in exchanges]
    assert b"\r\nAuthorization: Bearer other\r\n" in target.heads[1]
    assert b"uthorization" not in target.heads[2]
    assert "/models/a%2Fb" == exchanges[0].request.path
    assert 2 << 20 == len(target.bodies[3])


@pytest.mark.parametrize(
    ("location", "followed"),
    [
        ("http://localhost:1/v1", "0"),
        ("//localhost:1/", "0"),
        ("/\\localhost:1/", "0"),
        ("/x", "1"),
    ],
)
def test_no_client_is_led_to_another_host(
    server: Any, write: Any, location: str, followed: str
) -> None:
    """A client that follows redirects stays where limits and records are: at the proxy."""
    moved = f"HTTP/1.1 307 Moved\r\nLOCATION: {location}\r\nContent-Length: 0\r\n\r\n"

    def use(base_url: str) -> str:
        command = [
            "curl",
            "-sSL",
            "-o",
            "/dev/null",
            "-w",
            "%{num_redirects}",
            f"{base_url}/models",
        ]
        return subprocess.run(command, capture_output=True, text=True).stdout

    redirects, exchanges, _ = through(server, write(moved.encode()), use)

    assert followed == redirects
    assert location == exchanges[0].header("location")


def test_paths_outside_the_base_are_not_forwarded(server: Any, write: Any) -> None:
    """The proxy is a way to one target only."""

    def use(base_url: str) -> int:
        with pytest.raises(HTTPError) as caught:
            urlopen(base_url.split("/inference")[0] + "/elsewhere")
        caught.value.close()
        return int(caught.value.code)

    status, exchanges, _ = through(server, write(OK % (2, b"{}")), use)

    assert (404, []) == (status, exchanges)


def test_a_client_that_speaks_no_http_is_dropped(server: Any, write: Any) -> None:
    """Garbage ends its own connection and nothing else."""

    async def run() -> tuple[bytes, int]:
        async def forward(request: Request) -> Exchange:
            raise AssertionError("nothing to forward")

        async with RecordingProxy("http://h/v1", forward) as proxy:
            reader, writer = await asyncio.open_connection("127.0.0.1", proxy.port)
            writer.write(b"\x00\x01\r\n\r\n")
            received = await reader.read()
            writer.close()
            return received, len(proxy.exchanges)

    assert asyncio.run(run()) == (b"", 0)
