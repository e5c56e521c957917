"""The client against honest answers: what is sent, and that every byte and moment is kept."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from typing import Any

import httpcore2
import pytest

from conformance import __version__
from conformance.errors import ConfigurationError
from conformance.wire.client import Wire
from conformance.wire.exchange import Delivery, Exchange, FailureKind, Read, Request
from conformance.wire.outgoing import WRONG_KEY, Address, Keys

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
SSE = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def sent(server: Any, write: Any, request: Request, keys: Any = None) -> tuple[bytes, bytes]:
    """Head and body of ``request`` as the server received them."""

    async def run() -> tuple[bytes, bytes]:
        async with server(write(OK)) as target:
            async with Wire(f"http://127.0.0.1:{target.port}/v1", keys) as wire:
                exchange = await wire.send(request)
            assert exchange.failure is None
            head = target.heads[0].replace(b"127.0.0.1:%d" % target.port, b"HOST")
            return head, target.bodies[0]

    return asyncio.run(run())


def test_a_request_carries_exactly_the_documented_defaults(server: Any, write: Any) -> None:
    """Host, User-Agent, Accept, Authorization, Content-Type, Content-Length and nothing else."""
    request = Request("POST", "/chat/completions", b'{"a":1}')

    head, body = sent(server, write, request, {"key": "sk-1"})

    assert (
        b"POST /v1/chat/completions HTTP/1.1\r\n"
        b"Host: HOST\r\n"
        b"User-Agent: openai-endpoint-conformance/" + __version__.encode() + b"\r\n"
        b"Accept: application/json\r\n"
        b"Authorization: Bearer sk-1\r\n"
        b"Content-Type: application/json\r\n"
        b"Content-Length: 7\r\n\r\n"
    ) == head
    assert b'{"a":1}' == body


def test_headers_replace_add_and_remove_defaults(server: Any, write: Any) -> None:
    """A value replaces the default of that name in any case; ``None`` removes it."""
    changes = (("accept", None), ("content-TYPE", "text/plain"), ("X-New", "é"))

    head, _ = sent(server, write, Request("POST", "/x", b"1", changes))

    assert b"\r\nAccept" not in head
    assert b"application/json" not in head
    assert b"\r\ncontent-TYPE: text/plain\r\nX-New: \xc3\xa9\r\n" in head


@pytest.mark.parametrize(
    ("credential", "expected"),
    [("key", b"Bearer sk-1"), ("wrong", b"Bearer " + WRONG_KEY.encode()), ("none", None)],
)
def test_a_credential_is_sent_by_its_label(
    server: Any, write: Any, credential: Any, expected: bytes | None
) -> None:
    """The label alone decides which secret goes out, or none."""
    request = Request("GET", "/models", credential=credential)

    head, _ = sent(server, write, request, {"key": "sk-1"})

    values = [line[15:] for line in head.split(b"\r\n") if line.startswith(b"Authorization")]
    assert ([] if expected is None else [expected]) == values


def test_without_a_key_no_authorization_is_sent(server: Any, write: Any) -> None:
    """A target without a key gets no Authorization field at all."""
    head, _ = sent(server, write, Request("GET", "/models"))

    assert b"uthorization" not in head


def test_percent_escapes_in_a_path_are_left_alone(server: Any, write: Any) -> None:
    """``%2F`` in a model id is not ``/``, and must arrive as written."""
    head, _ = sent(server, write, Request("GET", "/models/a%2Fb"))

    assert head.startswith(b"GET /v1/models/a%2Fb HTTP/1.1\r\n")


def test_a_regular_answer_is_recorded_whole(ask: Any, write: Any) -> None:
    """Status, fields, body, and every byte of the socket are in the exchange."""
    exchange = ask(write(OK))

    assert (200, "OK", "HTTP/1.1") == (exchange.status, exchange.reason, exchange.http_version)
    assert (("Content-Type", "application/json"), ("Content-Length", "2")) == exchange.headers
    assert (OK, b"{}") == (exchange.raw, exchange.body)
    assert exchange.ok
    assert ("x1", 3, "hostile") == (exchange.id, exchange.repetition, exchange.phase)


def test_each_read_keeps_its_arrival(ask: Any, write: Any) -> None:
    """Three writes apart in time are three reads, and each event has the time of its own."""
    pieces = [chunk(b"data: %d\n\n" % number) for number in range(3)]

    exchange = ask(write(SSE, 0.05, pieces[0], 0.05, pieces[1], 0.05, pieces[2] + b"0\r\n\r\n"))

    assert SSE + b"".join(pieces) + b"0\r\n\r\n" == exchange.raw
    assert [9, 18, 27] == [read.end for read in exchange.body_reads]
    times = [event.at for event in exchange.stream.events]
    assert times == sorted(set(times))
    assert times == [read.at for read in exchange.raw_reads[1:]]


def test_a_character_split_across_reads_is_one_character(ask: Any, write: Any) -> None:
    """The bytes of one character may come in two segments."""
    event = 'data: {"a":"é"}\n\n'.encode()
    head = SSE.replace(b"Transfer-Encoding: chunked", b"Connection: close")

    exchange = ask(write(head, event[:13], 0.05, event[13:], close=True))

    assert [{"a": "é"}] == [each.json for each in exchange.stream.events]
    assert () == exchange.stream.breaches


def test_events_read_at_once_share_their_time(ask: Any, write: Any) -> None:
    """Several chunks in one segment are one arrival."""
    exchange = ask(write(SSE + chunk(b"data: 1\n\n") + chunk(b"data: 2\n\n") + b"0\r\n\r\n"))

    assert (Read(exchange.raw_reads[0].at, 18),) == exchange.body_reads


def test_close_after_closes_behind_that_event(ask: Any, write: Any) -> None:
    """The connection is closed by us as soon as event k is complete."""
    request = Request("POST", "/chat/completions", b"{}", delivery=Delivery(close_after=2))
    pieces = [chunk(b"data: %d\n\n" % number) for number in range(5)]

    exchange = ask(write(SSE, *[each for piece in pieces for each in (piece, 0.05)]), request)

    assert ["0", "1"] == [event.data for event in exchange.stream.events]
    assert exchange.closed_by_us
    assert exchange.failure is None


def test_close_after_zero_closes_behind_the_head(ask: Any, write: Any) -> None:
    """Nothing of the body is waited for."""
    request = Request("POST", "/x", b"{}", delivery=Delivery(close_after=0))

    exchange = ask(write(SSE), request)

    assert (200, b"", True, None) == (
        exchange.status,
        exchange.body,
        exchange.closed_by_us,
        exchange.failure,
    )


def test_an_http_1_0_answer_ends_with_its_connection(ask: Any, write: Any) -> None:
    """Without a length the close of the connection is the end of the body."""
    exchange = ask(write(b"HTTP/1.0 200 OK\r\nServer: x\r\n\r\nhello", close=True))

    assert ("HTTP/1.0", b"hello", None) == (exchange.http_version, exchange.body, exchange.failure)


def test_interim_responses_are_skipped(ask: Any, write: Any) -> None:
    """100 and 103 precede the answer; they are no answer."""
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"

    exchange = ask(write(interim, 0.02, OK))

    assert (200, b"{}", None) == (exchange.status, exchange.body, exchange.failure)
    assert interim + OK == exchange.raw


@pytest.mark.parametrize(
    ("coding", "encoded"),
    [
        ("gzip", gzip.compress(b'{"a":1}', mtime=0)),
        ("x-gzip", gzip.compress(b'{"a"', mtime=0) + gzip.compress(b":1}", mtime=0)),
        ("deflate", zlib.compress(b'{"a":1}')),
        ("deflate", zlib.compress(b'{"a":1}')[2:-4]),
        ("identity", b'{"a":1}'),
        ("deflate, gzip", gzip.compress(zlib.compress(b'{"a":1}'), mtime=0)),
    ],
)
@pytest.mark.parametrize("step", [1, 1000])
def test_content_codings_are_decoded(
    ask: Any, write: Any, coding: str, encoded: bytes, step: int
) -> None:
    """Gzip and deflate (with and without its wrapper), whatever pieces they come in."""
    head = f"HTTP/1.1 200 OK\r\nContent-Encoding: {coding}\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunks = [chunk(encoded[i : i + step]) for i in range(0, len(encoded), step)]

    exchange = ask(write(head.encode(), *chunks, b"0\r\n\r\n"))

    assert ({"a": 1}, None) == (exchange.json, exchange.failure)


def test_redirects_are_answers(ask: Any, write: Any) -> None:
    """A redirect is not followed: the key goes to no other address."""
    head = (
        b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://127.0.0.1:9/v1\r\nContent-Length: 0"
    )

    exchange = ask(write(head + b"\r\n\r\n"), keys={"key": "sk-secret"})

    assert (307, None) == (exchange.status, exchange.failure)
    assert "http://127.0.0.1:9/v1" == exchange.header("location")


def test_connections_are_kept_for_the_next_request(server: Any, write: Any) -> None:
    """Ten requests one after another need one connection."""

    async def run() -> int:
        async with server(write(OK)) as target:
            async with Wire(f"http://127.0.0.1:{target.port}/v1") as wire:
                for _ in range(10):
                    assert (await wire.send(Request("GET", "/models"))).ok
            return int(target.connections)

    assert asyncio.run(run()) == 1


def test_requests_run_side_by_side(server: Any, write: Any) -> None:
    """Eight requests in flight use eight connections, and their records do not mix."""

    async def run() -> tuple[int, list[Exchange]]:
        async def behave(reader: Any, writer: Any) -> None:
            body = target.bodies[-1]
            await asyncio.sleep(0.1)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

        async with server(behave) as target:
            async with Wire(f"http://127.0.0.1:{target.port}/v1") as wire:
                requests = [Request("POST", "/x", b"%d" % number) for number in range(8)]
                answers = await asyncio.gather(*(wire.send(request) for request in requests))
            return int(target.connections), answers

    connections, answers = asyncio.run(run())

    assert 8 == connections
    assert [answer.request.body for answer in answers] == [answer.body for answer in answers]


def test_a_cancelled_request_passes_the_cancellation_on(server: Any, write: Any) -> None:
    """Cancelling is the one exception that ``send`` lets through."""

    async def run() -> None:
        async with (
            server(write(5.0)) as target,
            Wire(f"http://127.0.0.1:{target.port}/v1") as wire,
        ):
            task = asyncio.create_task(wire.send(Request("GET", "/models")))
            await asyncio.sleep(0.05)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(run())


@pytest.mark.parametrize(
    "request_",
    [
        Request("GET", "/x", headers=(("Bad Name", "x"),)),
        Request("GET", "/x", headers=(("X", "a\r\nb"),)),
        Request("GE T", "/x"),
        Request("GET", "/x", headers=(("X", "\ud800"),)),
    ],
    ids=["name", "value", "method", "surrogate"],
)
def test_a_request_that_http_cannot_carry_is_a_failure(
    ask: Any, write: Any, request_: Request
) -> None:
    """What cannot be sent says so in the exchange instead of raising."""
    exchange = ask(write(OK), request_)

    assert exchange.failure.kind is FailureKind.PROTOCOL
    assert exchange.status is None


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:8000",
        "ftp://x/v1",
        "http://",
        "http://u:p@h/v1",
        "http://h:x/",
        "http://h/?q",
    ],
)
def test_a_base_url_that_cannot_be_asked_is_refused(url: str) -> None:
    """A mistake in the base URL is the user's, and said at once."""
    with pytest.raises(ConfigurationError, match="write http"):
        Address.parse(url)


@pytest.mark.parametrize(
    ("url", "authority", "target"),
    [
        ("http://127.0.0.1:80/v1/", "127.0.0.1", "/v1/models"),
        ("http://[::1]:8000/v1", "[::1]:8000", "/v1/models"),
        ("https://Host.example/a%20b", "host.example", "/a%20b/models"),
        ("http://bücher.example", "xn--bcher-kva.example", "/models"),
    ],
)
def test_addresses_are_taken_apart(url: str, authority: str, target: str) -> None:
    """Host field and request target follow from the base URL."""
    address = Address.parse(url)

    assert (authority, target) == (address.authority, address.target("/models"))


def test_no_repr_shows_a_key() -> None:
    """A key never gets into a traceback or a log through a repr."""
    assert "secret" not in repr(Keys({"key": "sk-secret"}))


def test_proxies_of_the_environment_need_consent(
    ask: Any, write: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``HTTP_PROXY`` applies only with ``trust_env``."""
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)

    assert ask(write(OK)).ok
    assert ask(write(OK), trust_env=True).failure.kind is FailureKind.CONNECT


def test_any_backend_of_httpcore_can_carry_the_wire() -> None:
    """The transport is the library's public interface, recorded like a socket."""
    backend = httpcore2.AsyncMockBackend([OK])

    async def run() -> Exchange:
        async with Wire("http://example.test/v1", transport=backend) as wire:
            return await wire.send(Request("GET", "/models"))

    assert asyncio.run(run()).raw == OK
