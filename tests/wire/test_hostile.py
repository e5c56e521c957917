"""Servers that misbehave: every one ends, in time, as a named failure with its bytes kept."""

from __future__ import annotations

import asyncio
import gzip
import socket
import ssl
from pathlib import Path
from typing import Any

import pytest

from conformance.errors import ConfigurationError
from conformance.wire.client import Limits, Timeouts, Wire
from conformance.wire.exchange import Exchange, FailureKind, Request

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
HEAD = b"HTTP/1.1 200 OK\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
QUESTION = Request("POST", "/chat/completions", b'{"model":"m"}')
#: The same questions by the pool and by the raw-socket sender.
RAW = Request(
    "POST",
    "/chat/completions",
    raw=b"POST {base_path}/chat/completions HTTP/1.1\r\nHost: {host}\r\nContent-Length: 0\r\n\r\n",
)
either = pytest.mark.parametrize("request_", [QUESTION, RAW], ids=["pool", "raw"])

FAILURES = [
    ("nothing", [10.0], False, FailureKind.FIRST_BYTE_TIMEOUT),
    ("closed at once", [], True, FailureKind.RESET),
    ("closed in the status line", [b"HTTP/1.1 2"], True, FailureKind.RESET),
    ("closed in the head", [HEAD + b"X: y\r\n"], True, FailureKind.RESET),
    ("stalled in the head", [HEAD, 10.0], False, FailureKind.IDLE_TIMEOUT),
    ("closed in the body", [HEAD + b"Content-Length: 9\r\n\r\n{}"], True, FailureKind.RESET),
    ("stalled in the body", [HEAD + b"Content-Length: 9\r\n\r\n{}", 10.0], False, FailureKind.IDLE_TIMEOUT),
    ("closed in a chunk", [CHUNKED + b"9\r\n{}"], True, FailureKind.RESET),
    ("closed between chunks", [CHUNKED + b"2\r\n{}\r\n"], True, FailureKind.RESET),
    ("closed before the last blank line", [CHUNKED + b"2\r\n{}\r\n0\r\n"], True, FailureKind.RESET),
    ("invalid chunk size", [CHUNKED + b"zz\r\n{}\r\n"], False, FailureKind.PROTOCOL),
    ("negative chunk size", [CHUNKED + b"-2\r\n{}\r\n"], False, FailureKind.PROTOCOL),
    ("huge chunk size", [CHUNKED + b"f" * 21 + b"\r\n{}\r\n"], False, FailureKind.PROTOCOL),
    ("chunk without its end", [CHUNKED + b"2\r\n{}xx0\r\n\r\n"], False, FailureKind.PROTOCOL),
    ("garbage", [b"\x00\x01garbage\r\n\r\n"], False, FailureKind.PROTOCOL),
    ("garbage and closed", [b"\x00\x01garbage"], True, FailureKind.PROTOCOL),
    ("no HTTP", [b"220 mail.example ESMTP\r\n"], False, FailureKind.PROTOCOL),
    ("HTTP/2", [b"HTTP/2 200\r\n\r\n"], False, FailureKind.PROTOCOL),
    ("status of two digits", [b"HTTP/1.1 20 OK\r\n\r\n"], False, FailureKind.PROTOCOL),
    ("field without a colon", [HEAD + b"nonsense\r\n\r\n"], False, FailureKind.PROTOCOL),
    ("NUL in a field", [HEAD + b"X: \x00\r\n\r\n"], False, FailureKind.PROTOCOL),
    ("two lengths", [HEAD + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}"], False, FailureKind.PROTOCOL),
    ("length -1", [HEAD + b"Content-Length: -1\r\n\r\n{}"], False, FailureKind.PROTOCOL),
    ("length too small", [HEAD + b"Content-Length: 1\r\n\r\n{}"], False, FailureKind.PROTOCOL),
    ("bytes behind the last chunk", [CHUNKED + b"2\r\n{}\r\n0\r\n\r\nxx"], False, FailureKind.PROTOCOL),
    ("unknown transfer coding", [HEAD + b"Transfer-Encoding: foo\r\n\r\n{}"], False, FailureKind.PROTOCOL),
    ("not gzip", [HEAD + b"Content-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}"], False, FailureKind.DECODE),
    ("cut gzip", [HEAD + b"Content-Encoding: gzip\r\nContent-Length: 15\r\n\r\n" + gzip.compress(b"{}")[:15]], False, FailureKind.DECODE),
    ("unasked coding", [HEAD + b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}"], False, FailureKind.DECODE),
]  # fmt: skip


@either
@pytest.mark.parametrize(
    ("pieces", "close", "kind"), [case[1:] for case in FAILURES], ids=[case[0] for case in FAILURES]
)
def test_every_way_to_fail_has_its_name(
    ask: Any,
    write: Any,
    short: Timeouts,
    request_: Request,
    pieces: list[Any],
    close: bool,
    kind: FailureKind,
) -> None:
    """The failure names what happened, and all that was sent is in the record."""
    options = {"timeouts": short} if 10.0 in pieces else {}

    exchange = ask(write(*pieces, close=close), request_, **options)

    assert kind is exchange.failure.kind
    assert b"".join(piece for piece in pieces if isinstance(piece, bytes)) == exchange.raw
    assert not exchange.complete


@either
def test_one_byte_now_and_then_ends_at_the_total(ask: Any, repeat: Any, request_: Request) -> None:
    """Bytes that keep coming do not keep an exchange alive for ever."""
    times = Timeouts(connect=10, first_byte=10, idle=10, total=0.5)

    for first in (HEAD + b"X: ", HEAD + b"Content-Length: 1000\r\n\r\n", CHUNKED + b"ff\r\n"):
        exchange = ask(repeat(first, b"x", 0.02), request_, timeouts=times)
        assert exchange.failure.kind is FailureKind.TOTAL_TIMEOUT


@either
@pytest.mark.parametrize("piece", [b"X: y\r\n", b"x" * 1000], ids=["fields", "one field"])
def test_an_endless_head_ends_at_its_limit(
    ask: Any, repeat: Any, request_: Request, piece: bytes
) -> None:
    """A head beyond 64 KiB is a failure of its own."""
    exchange = ask(repeat(HEAD + b"X: ", piece), request_)

    assert exchange.failure.kind is FailureKind.HEADERS_TOO_LARGE
    assert exchange.status is None
    assert len(exchange.raw) < 256 << 10


@either
def test_endless_interim_responses_end_at_the_heads_limit(
    ask: Any, repeat: Any, request_: Request
) -> None:
    """Interim responses count as head."""
    exchange = ask(repeat(b"", b"HTTP/1.1 100 Continue\r\n\r\n"), request_)

    assert exchange.failure.kind is FailureKind.HEADERS_TOO_LARGE


@either
def test_a_complete_head_beyond_its_limit_is_too_large(
    ask: Any, write: Any, request_: Request
) -> None:
    """The limit holds for a head that ends, too."""
    head = HEAD + b"X: " + b"y" * (70 << 10) + b"\r\nContent-Length: 2\r\n\r\n{}"

    assert ask(write(head), request_).failure.kind is FailureKind.HEADERS_TOO_LARGE


@either
@pytest.mark.parametrize(
    "first",
    [HEAD + b"\r\n", HEAD + b"Content-Length: 1000000000\r\n\r\n", CHUNKED + b"3fffffff\r\n"],
    ids=["until close", "1 GB declared", "one chunk"],
)
def test_an_endless_body_ends_at_its_limit(
    ask: Any, repeat: Any, request_: Request, first: bytes
) -> None:
    """Beyond the limit the connection is closed and a part kept as evidence."""
    limits = Limits(body=1 << 20, raw=1 << 19, kept=1 << 18)

    exchange = ask(repeat(first, b"x" * 65536), request_, limits=limits)

    assert exchange.failure.kind is FailureKind.BODY_TOO_LARGE
    assert (200, 1 << 18, 1 << 19) == (exchange.status, len(exchange.body), len(exchange.raw))
    assert 1 << 18 == exchange.body_reads[-1].end


@either
@pytest.mark.parametrize("layers", [1, 2])
def test_a_compression_bomb_ends_at_the_limit(
    ask: Any, write: Any, request_: Request, layers: int
) -> None:
    """What counts is the decoded size, at every layer, and it is never built up in memory."""
    bomb, coding = bytes(64 << 20), ", ".join(["gzip"] * layers)
    for _ in range(layers):
        bomb = gzip.compress(bomb, 9)
    head = f"Content-Encoding: {coding}\r\nContent-Length: {len(bomb)}\r\n\r\n".encode()

    exchange = ask(write(HEAD + head, bomb), request_)

    assert exchange.failure.kind is FailureKind.BODY_TOO_LARGE
    assert Limits().kept == len(exchange.body)


@either
def test_a_refused_connection_is_named(request_: Request) -> None:
    """Nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{free.getsockname()[1]}/v1"

        exchange = asyncio.run(one(url, request_))

    assert exchange.failure.kind is FailureKind.CONNECT
    assert exchange.raw == b""


@either
def test_an_unknown_host_is_a_connection_failure(request_: Request) -> None:
    """A name that does not resolve (RFC 6761 reserves ``.invalid``)."""
    exchange = asyncio.run(one("http://nowhere.invalid/v1", request_))

    assert exchange.failure.kind in (FailureKind.CONNECT, FailureKind.CONNECT_TIMEOUT)


async def one(url: str, request: Request, **options: Any) -> Exchange:
    async with Wire(url, timeouts=Timeouts(connect=5, total=20), **options) as wire:
        return await wire.send(request)


@either
def test_a_reset_is_named(ask: Any, request_: Request) -> None:
    """RST instead of an answer."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        writer.close()

    assert ask(behave, request_).failure.kind is FailureKind.RESET


@either
def test_tls_on_a_plain_port_is_named(ask: Any, write: Any, request_: Request) -> None:
    """``https`` where the server speaks plain HTTP."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise AssertionError("no request can arrive")

    exchange = ask(behave, request_, scheme="https", timeouts=Timeouts(connect=0.5))

    assert exchange.failure.kind in (FailureKind.TLS, FailureKind.CONNECT_TIMEOUT)
    assert exchange.status is None


def test_a_plain_answer_to_a_tls_greeting_is_named(ask: Any) -> None:
    """A plain server that answers 400 to the handshake."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    exchange = ask(behave, scheme="https", reads=False)

    assert exchange.failure.kind is FailureKind.TLS


def server_tls(certificate: tuple[Path, Path]) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    return context


@either
def test_plain_http_to_a_tls_port_is_named(
    ask: Any, write: Any, request_: Request, certificate: tuple[Path, Path]
) -> None:
    """``http`` where the server speaks TLS: it closes, or answers with an alert."""
    exchange = ask(write(OK), request_, tls=server_tls(certificate))

    assert exchange.failure.kind in (FailureKind.RESET, FailureKind.PROTOCOL)


@either
def test_certificates_are_verified(
    ask: Any, write: Any, request_: Request, certificate: tuple[Path, Path]
) -> None:
    """A self-signed certificate is refused, unless it is trusted or verification is off."""
    options = {"scheme": "https", "tls": server_tls(certificate), "timeouts": Timeouts()}

    assert ask(write(OK), request_, **options).failure.kind is FailureKind.TLS
    assert ask(write(OK), request_, ca_file=str(certificate[0]), **options).raw == OK
    assert ask(write(OK), request_, verify=False, **options).raw == OK


def test_an_unreadable_ca_file_is_the_users_mistake(tmp_path: Path) -> None:
    """A configuration error, not a target's failure."""
    with pytest.raises(ConfigurationError, match="PEM"):
        Wire("https://example.test/v1", ca_file=str(tmp_path / "missing.pem"))


@pytest.mark.parametrize(
    "answer",
    [OK + OK, CHUNKED + b"2\r\n{}\r\n0\r\n\r\n" + OK, HEAD + b"Content-Length: 0\r\n\r\n{}"],
    ids=["length", "chunked", "empty"],
)
def test_bytes_behind_an_answer_never_answer_the_next_request(
    server: Any, write: Any, answer: bytes
) -> None:
    """A server that sends too much is named itself, and no bystander is accused."""

    async def run() -> list[Exchange]:
        async with server(write(answer)) as target:
            async with Wire(f"http://127.0.0.1:{target.port}/v1") as wire:
                exchanges = [await wire.send(QUESTION) for _ in range(3)]
            assert target.connections == 3
            return exchanges

    exchanges = asyncio.run(run())

    assert [FailureKind.PROTOCOL] * 3 == [each.failure and each.failure.kind for each in exchanges]
    assert [answer] * 3 == [each.raw for each in exchanges]


BIG = Request("POST", "/x", b"x" * (8 << 20))


def test_an_answer_before_the_request_is_read_is_taken(ask: Any) -> None:
    """A server may refuse a large body at its head: what it answers counts."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\n\r\n")
        writer.write_eof()
        while await reader.read(1 << 16):
            pass

    exchange = ask(behave, BIG, reads=False)

    assert (413, None) == (exchange.status, exchange.failure)


def test_a_broken_pipe_is_named(ask: Any) -> None:
    """A server that closes while the request is still being sent."""

    async def behave(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.transport.abort()

    assert ask(behave, BIG, reads=False).failure.kind is FailureKind.RESET


def test_a_failure_never_shows_the_key(ask: Any, write: Any) -> None:
    """Details of failures hold no secret."""
    exchange = ask(write(b"nonsense\r\n\r\n"), keys={"key": "sk-secret"})

    assert "sk-secret" not in str(exchange.failure)
