"""In-process exchanges show what the same application shows behind a real server."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.routing import Route

from conformance.wire.asgi import ASGIWire
from conformance.wire.client import Limits, Timeouts, Wire
from conformance.wire.exchange import Delivery, Exchange, FailureKind, Request


def send(app: Any, request: Request, **options: Any) -> Exchange:
    async def run() -> Exchange:
        async with ASGIWire(app, **options) as wire:
            return await wire.send(request, id="x1", repetition=2, phase="hostile")

    return asyncio.run(run())


async def stream(request: Any) -> StreamingResponse:
    async def events() -> Any:
        for number in range(3):
            yield f"data: {number}\n\n"
            await asyncio.sleep(0.02)

    return StreamingResponse(events(), media_type="text/event-stream")


async def echo(request: Any) -> JSONResponse:
    return JSONResponse(
        {
            "path": request.url.path,
            "body": (await request.body()).decode(),
            "headers": [[k, v] for k, v in request.headers.items() if k != "host"],
        }
    )


async def broken(request: Any) -> PlainTextResponse:
    raise ValueError("boom")


async def cut(request: Any) -> StreamingResponse:
    async def events() -> Any:
        yield "data: 1\n\n"
        raise ValueError("boom")

    return StreamingResponse(events(), media_type="text/event-stream")


async def long(request: Any) -> PlainTextResponse:
    return PlainTextResponse("abc", headers={"content-length": "2"})


async def short(request: Any) -> PlainTextResponse:
    return PlainTextResponse("abc", headers={"content-length": "4"})


async def nothing(request: Any) -> PlainTextResponse:
    return PlainTextResponse("", status_code=204)


routes = (stream, echo, broken, cut, long, short, nothing)
APP = Starlette(
    routes=[Route(f"/v1/{each.__name__}", each, methods=["GET", "POST", "HEAD"]) for each in routes]
)


@pytest.fixture(scope="module")
def served() -> Iterator[str]:
    """The same application behind uvicorn."""
    with serving(APP) as url:
        yield url


@contextmanager
def serving(app: Any) -> Iterator[str]:
    config = uvicorn.Config(
        app, port=0, log_level="critical", server_header=False, date_header=False
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/v1"
    server.should_exit = True
    thread.join()


def names(exchange: Exchange) -> set[str]:
    """The fields' names; how its own error pages are framed depends on uvicorn's parser."""
    framing = {"content-length", "transfer-encoding"} if exchange.status in (400, 500) else set()
    return {name.lower() for name, _ in exchange.headers} - framing


HEADERS = "Host: {host}\r\nAuthorization: {authorization}\r\n"
ALIKE = [
    Request("POST", "/stream", b"{}"),
    Request("POST", "/echo", b'{"a": "\xc3\xa9"}'),
    Request("GET", "/echo?x=1"),
    Request("GET", "/echo", headers=(("X-A", "1"), ("Accept", None)), credential="wrong"),
    Request("HEAD", "/echo"),
    Request("GET", "/missing%2Fpath"),
    Request("DELETE", "/echo"),
    Request("GET", "/nothing"),
    Request("GET", "/broken"),
    Request("GET", "/cut"),
    Request("GET", "/short"),
    Request("GET", "/echo", raw=f"GET {{base_path}}/echo HTTP/1.1\r\n{HEADERS}\r\n".encode()),
    Request("GET", "/echo", raw=b"GET {base_path}/echo HTTP/1.1\r\n\r\n"),
    Request("GET", "/echo", raw=b"nonsense\r\n\r\n"),
]


@pytest.mark.parametrize("request_", ALIKE, ids=range(len(ALIKE)))
def test_in_process_and_served_answers_are_alike(served: str, request_: Request) -> None:
    """Status, header names, body and failure do not depend on the transport."""

    async def over_socket() -> Exchange:
        async with Wire(served, {"key": "sk-1"}) as wire:
            return await wire.send(request_)

    theirs = asyncio.run(over_socket())
    ours = send(APP, request_, base_url=served, keys={"key": "sk-1"})

    assert (theirs.status, theirs.body) == (ours.status, ours.body)
    assert names(theirs) == names(ours)
    assert (theirs.failure and theirs.failure.kind) == (ours.failure and ours.failure.kind)
    assert len(theirs.stream.events) == len(ours.stream.events)


def test_each_body_message_is_one_read_with_its_time() -> None:
    """Three messages 20 ms apart are three reads in order of time, never joined."""
    exchange = send(APP, Request("POST", "/stream", b"{}"))

    times = [event.at for event in exchange.stream.events]
    assert [9, 18, 27] == [read.end for read in exchange.body_reads]
    assert times == sorted(set(times))
    assert exchange.raw.startswith(b"HTTP/1.1 200 OK\r\n")
    assert exchange.raw.endswith(b"9\r\ndata: 2\n\n\r\n0\r\n\r\n")
    assert len(exchange.raw) == exchange.raw_reads[-1].end
    assert ("x1", 2, "hostile") == (exchange.id, exchange.repetition, exchange.phase)


def test_an_early_close_tells_the_application() -> None:
    """After event k the application receives ``http.disconnect``."""
    heard: list[str] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for number in range(3):
            body = b"data: %d\n\n" % number
            await send({"type": "http.response.body", "body": body, "more_body": True})
        heard.append((await receive())["type"])

    async def run() -> Exchange:
        async with ASGIWire(app) as wire:
            exchange = await wire.send(Request("POST", "/x", delivery=Delivery(close_after=2)))
            await asyncio.sleep(0.02)
            return exchange

    exchange = asyncio.run(run())

    assert ["0", "1"] == [event.data for event in exchange.stream.events]
    assert (True, None, ["http.disconnect"]) == (exchange.closed_by_us, exchange.failure, heard)


async def silent(scope: Any, receive: Any, send: Any) -> None:
    await asyncio.sleep(30)


async def stalls(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await asyncio.sleep(30)


async def drips(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": b"x", "more_body": True})
        await asyncio.sleep(0.05)


async def floods(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    while True:
        await send({"type": "http.response.body", "body": bytes(1 << 18), "more_body": True})


async def boasts(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"x", b"y" * (70 << 10))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


async def returns(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})


async def resets(scope: Any, receive: Any, send: Any) -> None:
    raise ConnectionResetError("cut on purpose")


async def lies(scope: Any, receive: Any, send: Any) -> None:
    headers = [(b"content-encoding", b"gzip"), (b"content-length", b"2")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"{}"})


@pytest.mark.parametrize(
    ("app", "kind"),
    [
        (floods, FailureKind.BODY_TOO_LARGE),
        (boasts, FailureKind.HEADERS_TOO_LARGE),
        (returns, FailureKind.RESET),
        (resets, FailureKind.RESET),
        (lies, FailureKind.DECODE),
    ],
)
def test_misbehaving_applications_are_failures(app: Any, kind: FailureKind) -> None:
    """The same names as over a socket, and always an end."""
    exchange = send(app, Request("POST", "/x", b"{}"), limits=Limits(body=1 << 20))

    assert exchange.failure is not None
    assert kind is exchange.failure.kind


@pytest.mark.parametrize(
    ("app", "times", "kind"),
    [
        (silent, Timeouts(first_byte=0.1), FailureKind.FIRST_BYTE_TIMEOUT),
        (stalls, Timeouts(idle=0.1), FailureKind.IDLE_TIMEOUT),
        (drips, Timeouts(total=0.3), FailureKind.TOTAL_TIMEOUT),
    ],
)
def test_every_clock_ends_an_application(app: Any, times: Timeouts, kind: FailureKind) -> None:
    """First byte, idle and total are kept in-process, too."""
    exchange = send(app, Request("POST", "/x", b"{}"), timeouts=times)

    assert exchange.failure is not None
    assert kind is exchange.failure.kind


def test_an_application_that_returns_nothing_is_a_500() -> None:
    """As uvicorn answers for it."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        return

    exchange = send(app, Request("POST", "/x", b"{}"))

    assert (500, b"Internal Server Error", None) == (
        exchange.status,
        exchange.body,
        exchange.failure,
    )


def test_half_a_raw_request_is_waited_for() -> None:
    """A server waits for the rest of a request; no answer comes."""
    raw = b"POST {base_path}/echo HTTP/1.1\r\nHost: {host}\r\nContent-Length: 9\r\n\r\n{"

    exchange = send(APP, Request("POST", "/echo", raw=raw))

    assert exchange.failure is not None
    assert exchange.failure.kind is FailureKind.FIRST_BYTE_TIMEOUT


def test_requests_run_side_by_side() -> None:
    """Concurrent requests interleave as they would on two connections."""

    async def run() -> list[Exchange]:
        async with ASGIWire(APP) as wire:
            request = Request("POST", "/stream", b"{}")
            return list(await asyncio.gather(*(wire.send(request) for _ in range(8))))

    exchanges = asyncio.run(run())

    latest_start = max(each.started for each in exchanges)
    assert all(latest_start < each.started + each.elapsed for each in exchanges)
