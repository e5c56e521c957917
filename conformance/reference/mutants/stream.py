"""Streams broken at the level of bytes: media type, event grammar, end marker, arrival."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from conformance.reference.mutants import Head, Seen, mutant
from conformance.reference.mutants.streaming import (
    DONE,
    ASGIApp,
    Leave,
    events,
    is_stream,
    plainest,
    relay,
    with_text,
)

Pieces = list[bytes]


def _each(change: Callable[[bytes], bytes]) -> Callable[[bytes, Seen], Pieces | bytes]:
    """A change of each event that carries JSON; other answers stay as they are."""

    def changed(body: bytes, seen: Seen) -> Pieces | bytes:
        if not is_stream(body):
            return body
        return [event if event == DONE else change(event) for event in events(body)]

    return changed


def _whole(change: Callable[[Pieces], Pieces]) -> Callable[[bytes, Seen], Pieces | bytes]:
    """A change of the list of events, ``[DONE]`` the last."""

    def changed(body: bytes, seen: Seen) -> Pieces | bytes:
        return change(events(body)) if is_stream(body) else body

    return changed


# Media type


@mutant("stream-as-json-type", kills=("stream.content-type",), kind="head", only="stream")
def as_json_type(head: Head, seen: Seen) -> None:
    """A stream is sent as `application/json`."""
    if head.status == 200:
        head.set("content-type", "application/json")


@mutant("stream-without-type", kills=("stream.content-type",), kind="head", only="stream")
def without_type(head: Head, seen: Seen) -> None:
    """A stream is sent without a media type."""
    if head.status == 200:
        head.drop("content-type")


@mutant(
    "stream-as-ndjson",
    thread="https://github.com/hackclub/ai/issues/17",
    kills=("stream.lines", "param.stream.effect"),
    kind="bytes",
    only="stream",
)
def ndjson(body: bytes, seen: Seen) -> bytes:
    """A stream is one JSON document a line, without fields, blank lines and `[DONE]`."""
    if not is_stream(body):
        return body
    lines = [event.removeprefix(b"data: ").strip() for event in events(body) if event != DONE]
    return b"".join(line + b"\n" for line in lines)


@mutant(
    "stream-first-event-bare",
    thread="https://github.com/xorbitsai/inference/issues/523",
    kills=("stream.lines",),
    kind="bytes",
    only="stream",
)
def first_event_bare(body: bytes, seen: Seen) -> Pieces | bytes:
    """The first document of a stream stands on a line of its own, without `data:`."""
    found = events(body)
    return [found[0].removeprefix(b"data: "), *found[1:]] if is_stream(body) else body


mutant("stream-foreign-field", kills=("stream.lines",), kind="bytes", only="stream")(
    _each(lambda event: b"error: none\n" + event)
)


@mutant(
    "stream-error-field",
    thread="https://github.com/ggml-org/llama.cpp/pull/16109",
    kills=("stream.lines",),
    kind="bytes",
    only="stream",
)
def error_field(body: bytes, seen: Seen) -> Pieces | bytes:
    """Half way a stream breaks off with an `error:` field, which readers skip."""
    if not is_stream(body):
        return body
    found = events(body)
    return [*found[: len(found) // 2], b'error: {"code":500,"message":"overflow"}\n\n']


# Encoding


@mutant("stream-invalid-utf-8", kills=("stream.utf-8",), kind="bytes", only="stream")
def invalid_utf_8(body: bytes, seen: Seen) -> Pieces | bytes:
    """Text is cut between the bytes of a character."""
    return [with_text(event, b"\xe2\x82") for event in events(body)] if is_stream(body) else body


@mutant("stream-byte-order-mark", kills=("stream.byte-order-mark",), kind="bytes", only="stream")
def byte_order_mark(body: bytes, seen: Seen) -> bytes:
    """A byte order mark opens the stream."""
    return b"\xef\xbb\xbf" + body if is_stream(body) else body


@mutant("stream-crlf-reported", kills=("stream.unusual",), kind="bytes", only="stream")
def crlf_reported(body: bytes, seen: Seen) -> bytes:
    """Not a defect: lines end with CRLF, which is told and not accused."""
    return body.replace(b"\n", b"\r\n") if is_stream(body) else body


# Fields

mutant(
    "stream-named-events",
    thread="https://github.com/mudler/LocalAI/issues/340",
    kills=("stream.data-only",),
    kind="bytes",
    only="stream",
)(_each(lambda event: b"event: data\n" + event))
mutant("stream-event-ids", kills=("stream.data-only",), kind="bytes", only="stream")(
    _each(lambda event: b"id: 7\n" + event)
)
mutant("stream-retry-time", kills=("stream.data-only",), kind="bytes", only="stream")(
    _whole(lambda found: [b"retry: 3000\n\n", *found])
)
mutant(
    "stream-ping-without-data",
    thread="https://github.com/diegosouzapw/OmniRoute/pull/1146",
    kills=("stream.data-only",),
    kind="bytes",
    only="stream",
)(_whole(lambda found: [b"event: ping\n\n", *found]))
mutant(
    "stream-double-prefix",
    thread="https://github.com/paiml/aprender/pull/2015",
    kills=("stream.event-json",),
    kind="bytes",
    only="stream",
)(_each(lambda event: b"data: " + event))
mutant(
    "stream-comment-as-data",
    thread="https://github.com/mnfst/llm-gateway/issues/2053",
    kills=("stream.event-json",),
    kind="bytes",
    only="stream",
)(_whole(lambda found: [b"data: : PROCESSING\n\n", *found]))
mutant(
    "stream-empty-ping",
    thread="https://github.com/caozhiyuan/copilot-api/pull/88",
    kills=("stream.event-json",),
    kind="bytes",
    only="stream",
)(_whole(lambda found: [found[0], b"data:\n\n", *found[1:]]))
mutant(
    "stream-single-newline",
    kills=("stream.event-json",),
    kind="bytes",
    only="stream",
)(_each(lambda event: event[:-1]))
mutant("stream-python-literals", kills=("stream.event-json",), kind="bytes", only="stream")(
    _each(lambda event: event.replace(b'"', b"'").replace(b"null", b"None"))
)
mutant("stream-arrays", kills=("stream.event-json",), kind="bytes", only="stream")(
    _each(lambda event: b"data: [%s]\n\n" % event[6:-2])
)
mutant("stream-done-lower-case", kills=("stream.event-json",), kind="bytes", only="stream")(
    _whole(lambda found: [*found[:-1], b"data: [done]\n\n"])
)
mutant("stream-done-two-spaces", kills=("stream.event-json",), kind="bytes", only="stream")(
    _whole(lambda found: [*found[:-1], b"data:  [DONE]\n\n"])
)


# The end


@mutant("stream-last-blank-line-missing", kills=("stream.terminated",), kind="bytes", only="stream")
def last_blank_line_missing(body: bytes, seen: Seen) -> bytes:
    """No blank line follows the last event."""
    return body[:-1] if is_stream(body) else body


mutant(
    "stream-done-missing",
    thread="https://github.com/baidubce/bce-qianfan-sdk/pull/457",
    kills=("stream.done-marker",),
    kind="bytes",
    only="stream",
)(_whole(lambda found: found[:-1]))
mutant(
    "stream-done-twice",
    thread="https://github.com/songquanpeng/one-api/issues/1628",
    kills=("stream.done-marker",),
    kind="bytes",
    only="stream",
)(_whole(lambda found: [*found, DONE]))
mutant("stream-event-after-done", kills=("stream.done-marker",), kind="bytes", only="stream")(
    _whole(lambda found: [*found, found[-2]])
)
mutant("stream-done-early", kills=("stream.done-marker",), kind="bytes", only="stream")(
    _whole(lambda found: [*found[:-2], DONE, found[-2]])
)


@mutant("stream-huge-event", kills=("stream.size",), kind="bytes", only="stream")
def huge_event(body: bytes, seen: Seen) -> Pieces | bytes:
    """The plainest request is answered with an event of more than 1 MiB."""
    if not is_stream(body) or not plainest(seen):
        return body
    found = events(body)
    return [b'data: {"padding":"%s",%s' % (b"x" * (1 << 20), found[0][7:]), *found[1:]]


@mutant("stream-cut", kills=("stream.complete",), kind="asgi")
def cut(app: ASGIApp) -> ASGIApp:
    """The connection is cut before the last events of every stream."""
    return relay(app, leave=lambda seen: Leave.CUT)


@mutant("stream-cut-now-and-then", kills=("stream.complete",), kind="asgi")
def cut_now_and_then(app: ASGIApp) -> ASGIApp:
    """The connection is cut before the last events of every second stream."""
    return relay(app, leave=lambda seen: Leave.CUT if seen.number % 2 == 0 else None)


@mutant("stream-stalls", kills=("stream.complete",), kind="asgi")
def stalls(app: ASGIApp) -> ASGIApp:
    """The stream for the plainest request stops half way and never goes on."""
    return relay(app, leave=lambda seen: Leave.STALL if plainest(seen) else None)


@mutant("stream-error-event", kills=("stream.no-error-event",), kind="stream")
def error_event(chunks: list[dict[str, Any]], seen: Seen) -> list[dict[str, Any]]:
    """Half way an error object takes the place of the rest of the answer."""
    error = {"message": "Engine error", "type": "server_error", "param": None, "code": None}
    return [*chunks[: len(chunks) // 2], {"error": error}]


@mutant("stream-flat-error-event", kills=("stream.no-error-event",), kind="stream")
def flat_error_event(chunks: list[dict[str, Any]], seen: Seen) -> list[dict[str, Any]]:
    """Half way a flat error object takes the place of the rest, which clients take for a chunk."""
    error = {"object": "error", "message": "Engine error", "type": "InternalError", "code": 500}
    return [*chunks[: len(chunks) // 2], error]


@mutant(
    "stream-logprobs-error",
    profile="openai",
    thread="https://github.com/BerriAI/litellm/issues/3253",
    kills=("stream.no-error-event",),
    kind="stream",
)
def logprobs_error(chunks: list[dict[str, Any]], seen: Seen) -> list[dict[str, Any]]:
    """With `logprobs` the stream holds nothing but an error with a traceback."""
    if not seen.asked("logprobs"):
        return chunks
    text = "Error serializing to JSON: Traceback (most recent call last)"
    return [{"error": {"message": text, "type": "None", "param": "None", "code": 500}}]


# Arrival


@mutant(
    "stream-in-one-burst",
    thread="https://github.com/madroidmaq/mlx-omni-server/issues/2",
    kills=("stream.incremental",),
    kind="asgi",
)
def one_burst(app: ASGIApp) -> ASGIApp:
    """A stream is held back until the whole answer is made."""
    return relay(app, hold=lambda seen: 0.5 if (seen.asked("max_tokens") or 0) >= 32 else 0.0)


@mutant("stream-in-one-event", kills=("stream.incremental",), kind="stream")
def one_event(chunks: list[dict[str, Any]], seen: Seen) -> list[dict[str, Any]]:
    """The whole text of a single answer comes in one event."""
    from conformance.reference.mutants.choices import set_text, texts_of_stream

    texts = texts_of_stream(chunks)
    if set(texts) != {0}:
        return chunks
    spoken = [chunk for chunk in chunks if chunk["choices"]]
    set_text(spoken[0]["choices"][0], texts[0])
    set_text(spoken[-1]["choices"][0], "")
    middle = {id(chunk) for chunk in spoken[1:-1]}
    return [chunk for chunk in chunks if id(chunk) not in middle]


# Clients that leave


@mutant("stream-disconnect-wedges", kills=("stream.disconnect",), kind="asgi")
def disconnect_wedges(app: ASGIApp) -> ASGIApp:
    """After a client left a stream the next request gets a 500."""
    return relay(app, abandoned=_Refusal())


@mutant("stream-disconnect-cuts-next", kills=("stream.disconnect",), kind="asgi")
def disconnect_cuts_next(app: ASGIApp) -> ASGIApp:
    """After a client left a stream the next answer breaks off."""
    return relay(app, abandoned=_Cut())


class _Refusal:
    """Answers with 500."""

    async def __call__(self, send: Callable[[Any], Any]) -> None:
        error = {"message": "engine is dead", "type": "server_error", "param": None, "code": None}
        fields = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 500, "headers": fields})
        body = json.dumps({"error": error}).encode()
        await send({"type": "http.response.body", "body": body, "more_body": False})


class _Cut:
    """Cuts the connection within an answer."""

    async def __call__(self, send: Callable[[Any], Any]) -> None:
        fields = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": b'{"id"', "more_body": True})
        raise ConnectionResetError("cut")


@mutant(
    "stream-no-space-reported",
    kills=("stream.unusual",),
    kind="bytes",
    only="stream",
    thread="https://github.com/openai/openai-python/issues/498",
)
def no_space(body: bytes, seen: Seen) -> bytes:
    """Not a defect: no space behind the colon, which is told and not accused."""
    return body.replace(b"data: ", b"data:") if is_stream(body) else body
