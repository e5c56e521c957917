"""Exchanges as lines of ``evidence/<target>.jsonl`` and back, masked on the way out.

The round trip loses nothing but secrets: bytes that are UTF-8 are kept readable, all else in
base64. ``raw_head`` holds the socket's bytes up to the end of the head; ``raw_body`` what came behind
(``null`` where that is the body itself, without chunks or compression).
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.wire.exchange import (
    Attempt,
    Delivery,
    Exchange,
    Failure,
    FailureKind,
    Read,
    Request,
)
from conformance.wire.framing import head_end
from conformance.wire.masking import KEY_MARK, Mask

__all__ = ["exchange_to_record", "masked", "record_to_exchange"]

Record = dict[str, Any]


def exchange_to_record(
    exchange: Exchange, mask: Mask | None = None, *, target: str = "", url: str = ""
) -> Record:
    """The JSON value of one evidence line; ``url`` is the address that was asked."""
    if mask is not None:
        exchange, url = masked(exchange, mask), mask.text(url)
    split = head_end(exchange.raw) or 0 if exchange.status is not None else len(exchange.raw)
    tail = exchange.raw[split:]
    return {
        "id": exchange.id,
        "target": target,
        "repetition": exchange.repetition,
        "phase": exchange.phase,
        "started": exchange.started,
        "elapsed": exchange.elapsed,
        "request": _request_record(exchange.request, url),
        "status": exchange.status,
        "reason": exchange.reason,
        "http_version": exchange.http_version,
        "headers": [list(pair) for pair in exchange.headers],
        "raw_head": _pack(exchange.raw[:split]),
        "raw_body": None if tail == exchange.body else _pack(tail),
        "raw_reads": [[read.at, read.end] for read in exchange.raw_reads],
        "body": _pack(exchange.body),
        "body_reads": [[read.at, read.end] for read in exchange.body_reads],
        "failure": _failure_record(exchange.failure),
        "closed_by_us": exchange.closed_by_us,
        "server_died": exchange.server_died,
        "attempts": [
            {"status": a.status, "failure": _failure_record(a.failure), "waited": a.waited}
            for a in exchange.attempts
        ],
    }


def record_to_exchange(record: Mapping[str, Any]) -> Exchange:
    """The exchange of one evidence line. Raises ``KeyError`` or ``TypeError`` for another thing."""
    body = _unpack(record["body"])
    tail = record.get("raw_body")
    return Exchange(
        request=_request(record["request"]),
        id=record["id"],
        repetition=record["repetition"],
        phase=record["phase"],
        started=record["started"],
        elapsed=record["elapsed"],
        status=record["status"],
        reason=record["reason"],
        http_version=record["http_version"],
        headers=tuple((name, value) for name, value in record["headers"]),
        raw=_unpack(record["raw_head"]) + (body if tail is None else _unpack(tail)),
        raw_reads=tuple(Read(at, end) for at, end in record["raw_reads"]),
        body=body,
        body_reads=tuple(Read(at, end) for at, end in record["body_reads"]),
        failure=_failure(record["failure"]),
        closed_by_us=record["closed_by_us"],
        server_died=record["server_died"],
        attempts=tuple(
            Attempt(a["status"], _failure(a["failure"]), a["waited"]) for a in record["attempts"]
        ),
    )


def _request_record(request: Request, url: str) -> Record:
    return {
        "method": request.method,
        "path": request.path,
        "url": url,
        "headers": [list(pair) for pair in request.headers],
        "credential": request.credential,
        "body": _pack(request.body),
        "close_after": request.delivery.close_after,
        "group": request.delivery.group,
        "raw": None if request.raw is None else _pack(request.raw),
    }


def _request(record: Mapping[str, Any]) -> Request:
    raw = record.get("raw")
    return Request(
        record["method"],
        record["path"],
        _unpack(record["body"]),
        tuple((name, value) for name, value in record["headers"]),
        record["credential"],
        Delivery(record["close_after"], record["group"]),
        None if raw is None else _unpack(raw),
    )


def _failure_record(failure: Failure | None) -> Record | None:
    return None if failure is None else {"kind": failure.kind.value, "detail": failure.detail}


def _failure(record: Mapping[str, Any] | None) -> Failure | None:
    return None if record is None else Failure(FailureKind(record["kind"]), record["detail"])


def _pack(data: bytes) -> Record:
    try:
        return {"text": data.decode("utf-8")}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(data).decode("ascii")}


def _unpack(record: Mapping[str, str]) -> bytes:
    if "text" in record:
        return record["text"].encode("utf-8")
    return base64.b64decode(record["base64"])


def masked(exchange: Exchange, mask: Mask) -> Exchange:
    """``exchange`` without secrets, offsets of its reads moved along."""
    request = exchange.request
    raw = _without_hidden(exchange, mask)
    return exchange.replace(
        request=Request(
            mask.text(request.method),
            mask.text(request.path),
            mask.data(request.body),
            mask.value(request.headers),
            request.credential,
            request.delivery,
            None if request.raw is None else mask.data(request.raw),
        ),
        reason=mask.text(exchange.reason),
        headers=mask.value(exchange.headers),
        raw=mask.data(raw),
        raw_reads=_moved(exchange.raw_reads, mask.spans(raw)),
        body=mask.data(exchange.body),
        body_reads=_moved(exchange.body_reads, mask.spans(exchange.body)),
        failure=_masked_failure(exchange.failure, mask),
        attempts=tuple(
            Attempt(a.status, _masked_failure(a.failure, mask), a.waited) for a in exchange.attempts
        ),
    )


def _masked_failure(failure: Failure | None, mask: Mask) -> Failure | None:
    return failure and Failure(failure.kind, mask.text(failure.detail))


def _without_hidden(exchange: Exchange, mask: Mask) -> bytes:
    """The raw bytes; with the plain body in place of one whose framing hides a secret.

    A key cut by chunk framing, or compressed, is found in the body but not in the socket's bytes.
    """
    in_body = len(mask.spans(exchange.body))
    split = head_end(exchange.raw) or 0
    if in_body > len(mask.spans(exchange.raw[split:])):
        return exchange.raw[:split] + exchange.body
    return exchange.raw


def _moved(reads: Sequence[Read], spans: Sequence[tuple[int, int]]) -> tuple[Read, ...]:
    """``reads`` with their ends moved by the replacement of ``spans``."""
    if not spans:
        return tuple(reads)
    size = len(KEY_MARK.encode())
    moved: list[Read] = []
    shift = position = 0
    for read in reads:
        while position < len(spans) and spans[position][1] <= read.end:
            shift += size - (spans[position][1] - spans[position][0])
            position += 1
        end = read.end
        if position < len(spans) and spans[position][0] < end:  # the read ends within a secret
            end = spans[position][0]
        moved.append(Read(read.at, end + shift))
    return tuple(moved)
