"""Secrets never reach a file, and evidence loses nothing but them."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from conformance.wire.exchange import (
    Attempt,
    Delivery,
    Exchange,
    Failure,
    FailureKind,
    Read,
    Request,
)
from conformance.wire.masking import KEY_MARK, Mask
from conformance.wire.record import exchange_to_record, masked, record_to_exchange

#: A slow machine is not a failure of the law.
steady = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

SECRET = 'sk-a"b/c+d=é&f\\g'


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps(SECRET))[3:-3],
        quote(SECRET),
        quote(SECRET, safe=""),
        SECRET.encode().hex(),
    ],
)
def test_every_common_form_of_a_secret_is_masked(text: str) -> None:
    """Plain, JSON-escaped once or twice, URL-encoded, hexadecimal; in text and in bytes."""
    mask = Mask([SECRET])

    assert f"<{KEY_MARK}>" == mask.text(f"<{text}>")
    assert f"<{KEY_MARK}>".encode() == mask.data(f"<{text}>".encode())


secrets = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=60)


@steady
@given(secrets, st.binary(max_size=20), st.binary(max_size=20))
def test_base64_of_a_secret_is_masked_wherever_it_stands(
    secret: str, before: bytes, behind: bytes
) -> None:
    """A secret inside a longer text has three base64 forms; none of them survives."""
    encoded = base64.b64encode(before + secret.encode() + behind).decode()

    text = Mask([secret]).text(encoded)

    assert KEY_MARK in text


@steady
@given(secrets, st.text(max_size=30), st.text(max_size=30))
def test_no_secret_survives(secret: str, before: str, behind: str) -> None:
    """Whatever stands around it, and the same in bytes."""
    assume(secret not in KEY_MARK)
    mask = Mask([secret, None, ""])

    assert secret not in mask.text(before + secret + behind)
    assert secret.encode() not in mask.data((before + secret + behind).encode())


def test_text_without_secrets_is_untouched() -> None:
    """No secret, no change; words shorter than a secret are no secrets."""
    assert "an ok text" == Mask(["ok", "", None]).text("an ok text")


def test_the_longest_secret_wins() -> None:
    """One key that begins with another is masked as a whole."""
    assert KEY_MARK == Mask(["sk-abc", "sk-abcdef"]).text("sk-abcdef")


def test_values_are_masked_at_every_depth() -> None:
    """Names and values of nested JSON."""
    value = {"sk-secret": ["sk-secret", {"a": "xsk-secret"}, 1, None]}

    assert {KEY_MARK: [KEY_MARK, {"a": f"x{KEY_MARK}"}, 1, None]} == Mask(["sk-secret"]).value(
        value
    )


def test_no_repr_of_a_mask_shows_a_secret() -> None:
    """Not even in a traceback."""
    assert "sk-secret" not in repr(Mask(["sk-secret"]))


HEAD = b"HTTP/1.1 200 OK\r\nX: sk-secret\r\n\r\n"


def leaky(raw_body: bytes, body: bytes) -> Exchange:
    return Exchange(
        Request("POST", "/sk-secret", b"sk-secret", (("A", "sk-secret"),), raw=b"sk-secret"),
        status=200,
        reason="sk-secret",
        headers=(("X", "sk-secret"),),
        raw=HEAD + raw_body,
        raw_reads=(Read(0.1, 5), Read(0.2, len(HEAD + raw_body))),
        body=body,
        body_reads=(Read(0.1, 4), Read(0.2, len(body))),
        failure=Failure(FailureKind.RESET, "sk-secret"),
        attempts=(Attempt(None, Failure(FailureKind.RESET, "sk-secret"), 1.0),),
    )


@pytest.mark.parametrize(
    "raw_body",
    [b"ab sk-secret c", b"5\r\nab sk\r\n9\r\n-secret c\r\n0\r\n\r\n", b"\x1f\x8bcompressed"],
    ids=["plain", "cut by a chunk", "compressed"],
)
def test_a_key_anywhere_in_an_exchange_is_masked(raw_body: bytes) -> None:
    """Request, head, body, failure; also where reads, chunks or compression hide it."""
    record = exchange_to_record(
        leaky(raw_body, b"ab sk-secret c"), Mask(["sk-secret"]), url="http://h/?k=sk-secret"
    )

    text = json.dumps(record)
    assert "secret" not in text
    assert {"text": f"ab {KEY_MARK} c"} == record["body"]


def test_read_boundaries_move_with_the_mask() -> None:
    """After masking, ``body[:end]`` is still what had arrived, a half key counting as nothing."""
    exchange = masked(leaky(b"ab sk-secret c", b"ab sk-secret c"), Mask(["sk-secret"]))

    assert [b"ab ", f"ab {KEY_MARK} c".encode()] == [
        exchange.body[: read.end] for read in exchange.body_reads
    ]


words = st.text(max_size=12)
reads = st.lists(st.builds(Read, st.floats(0, 9), st.integers(0, 99)), max_size=4).map(tuple)
failures = st.none() | st.builds(Failure, st.sampled_from(FailureKind), words)
requests = st.builds(
    Request,
    words,
    words,
    st.binary(max_size=20),
    st.lists(st.tuples(words, words | st.none()), max_size=3).map(tuple),
    st.sampled_from(["key", "none", "wrong"]),
    st.builds(Delivery, st.none() | st.integers(0, 9), words),
    st.none() | st.binary(max_size=20),
)
bodies = st.binary(max_size=30) | words.map(str.encode)
exchanges = st.builds(
    Exchange,
    request=requests,
    id=words,
    repetition=st.integers(0, 9),
    phase=words,
    started=st.floats(0, 2e9),
    elapsed=st.floats(0, 99),
    status=st.none() | st.integers(100, 999),
    reason=words,
    http_version=words,
    headers=st.lists(st.tuples(words, words), max_size=3).map(tuple),
    raw=st.builds(bytes.__add__, st.sampled_from([b"", b"HTTP/1.1 200 OK\r\n\r\n"]), bodies),
    raw_reads=reads,
    body=bodies,
    body_reads=reads,
    failure=failures,
    closed_by_us=st.booleans(),
    server_died=st.booleans(),
    attempts=st.lists(
        st.builds(Attempt, st.none() | st.integers(100, 599), failures, st.floats(0, 9)), max_size=2
    ).map(tuple),
)


@steady
@given(exchanges)
def test_a_recorded_exchange_comes_back_whole(exchange: Exchange) -> None:
    """Through a line of JSON and back, nothing is lost."""
    line = json.dumps(exchange_to_record(exchange, Mask(), target="t"))

    assert exchange == record_to_exchange(json.loads(line))
