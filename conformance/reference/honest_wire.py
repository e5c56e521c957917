"""Honest variants on the wire: lawful spellings of the same answers.

Like a mutant each is a function of a few lines that changes what the plain server sends; unlike
one it breaks nothing, so no requirement may accuse it of a failure. Variants of behaviour (noise,
reasoning, withdrawn parameters) are in :mod:`conformance.reference.variants`.
"""

from __future__ import annotations

import asyncio
import gzip
import itertools
import json
from collections.abc import Callable, MutableMapping
from typing import Any

from conformance.reference.mutants.answering import Reply, Request, error_reply, intercept
from conformance.reference.mutants.choices import set_text, text_of
from conformance.reference.mutants.model import Head, Mutant, Seen
from conformance.reference.mutants.streaming import DONE, events, is_stream
from conformance.reference.mutants.transform import ASGIApp, Receive, Send, transformed

__all__ = ["WIRE_VARIANTS", "wire_variant"]

Document = dict[str, Any]
Chunks = list[Document]

#: Name → the variant, in the form of a mutant without killers.
WIRE_VARIANTS: dict[str, Mutant] = {}


def wire_variant(name: str, app: ASGIApp) -> ASGIApp:
    """``app`` in the lawful variant ``name``. Raises ``KeyError`` for an unknown one."""
    return transformed(app, WIRE_VARIANTS[name])


def _variant(name: str, kind: str, **limits: Any) -> Callable[[Any], Any]:
    def register(function: Any) -> Any:
        told = " ".join((function.__doc__ or name.replace("-", " ")).split())
        WIRE_VARIANTS[name] = Mutant(name, kind, function, (), told, **limits)
        return function

    return register


# Event streams, as WHATWG HTML §9.2.5 allows them


def _bytes(name: str, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """A variant of the reads of a stream, from its events."""

    def changed(body: bytes, seen: Seen) -> bytes | list[bytes]:
        return change(events(body)) if is_stream(body) else body

    _variant(name, "bytes", only="stream")(changed)


def _lines(event: bytes) -> bytes:
    """One event with its JSON spread over several `data` fields."""
    if event == DONE:
        return event
    text = json.dumps(json.loads(event[6:]), indent=1, ensure_ascii=False)
    return b"".join(b"data: %s\n" % line.encode() for line in text.splitlines()) + b"\n"


_bytes("sse-comments", lambda found: [b": keep-alive\n\n" + event for event in found])
_bytes("sse-comment-lines", lambda found: [b":\n" + event for event in found])
_bytes("sse-crlf", lambda found: [event.replace(b"\n", b"\r\n") for event in found])
_bytes("sse-cr", lambda found: [event.replace(b"\n", b"\r") for event in found])
_bytes("sse-no-space", lambda found: [event.replace(b"data: ", b"data:", 1) for event in found])
_bytes("sse-blank-lines", lambda found: [b"\n\n" + event + b"\n" for event in found])
_bytes("sse-data-in-lines", lambda found: [_lines(event) for event in found])
_bytes("sse-byte-by-byte", lambda found: [bytes([byte]) for byte in b"".join(found)])
_bytes("sse-all-at-once", lambda found: [b"".join(found)])
_bytes(
    "sse-events-torn",
    lambda found: [b"".join(found)[at : at + 7] for at in range(0, len(b"".join(found)), 7)],
)


@_variant("sse-charset", "head", only="stream")
def sse_charset(head: Head, seen: Seen) -> None:
    """The media type of streams has a charset and other letters."""
    if head.status == 200:
        head.set("content-type", "Text/Event-Stream; charset=UTF-8")


# Documents


def _strewn(value: Any) -> Any:
    """``value`` with members that nobody documented in every object."""
    if isinstance(value, list):
        return [_strewn(each) for each in value]
    if isinstance(value, dict):
        return {**{name: _strewn(each) for name, each in value.items()}, "x_extra": {"a": [1]}}
    return value


@_variant("extra-members", "document")
def extra_members(document: Document, seen: Seen) -> Document:
    """Unknown members everywhere but among the counts of a mapping from tokens."""
    choices = document.pop("choices", None)
    document = {**_strewn(document)}
    if choices is not None:
        for choice in choices:
            choice["x_extra"] = {"b": None}
            for holder in ("message", "delta"):
                if isinstance(choice.get(holder), dict):
                    choice[holder]["x_extra"] = "c"
        document["choices"] = choices
    return document


@_variant("optional-members-absent", "document")
def optional_absent(document: Document, seen: Seen) -> None:
    """Only what is required is sent."""
    for name in ("system_fingerprint", "service_tier"):
        document.pop(name, None)
    if document.get("usage"):
        for name in ("prompt_tokens_details", "completion_tokens_details"):
            document["usage"].pop(name, None)


@_variant("ids-without-prefix", "document")
def ids_without_prefix(document: Document, seen: Seen) -> None:
    """Ids are plain letters and digits."""
    if "choices" in document:
        document["id"] = document["id"].partition("-")[2]


@_variant("dated-model-names", "document")
def dated_model(document: Document, seen: Seen) -> None:
    """The model is named with the date of its snapshot."""
    if "choices" in document:
        document["model"] += "-2024-07-18"


@_variant("empty-deltas", "stream")
def empty_deltas(chunks: Chunks, seen: Seen) -> Chunks:
    """Between the pieces of text come deltas without any."""
    out = []
    for chunk in chunks:
        out.append(chunk)
        choices = chunk.get("choices") or []
        if choices and not any(each["finish_reason"] for each in choices):
            quiet = json.loads(json.dumps(chunk))
            for choice in quiet["choices"]:
                if "delta" in choice:
                    choice["delta"] = {"content": ""}
                else:
                    choice["text"] = ""
                choice["logprobs"] = None
            out.append(quiet)
    return out


@_variant("role-without-content", "stream", endpoint="chat")
def role_without_content(chunks: Chunks, seen: Seen) -> None:
    """The opening delta names the role and nothing else."""
    for chunk in chunks:
        for choice in chunk.get("choices") or []:
            if choice["delta"].get("role") and not text_of(choice):
                choice["delta"] = {"role": "assistant"}


@_variant("role-with-null-content", "stream", endpoint="chat")
def role_with_null(chunks: Chunks, seen: Seen) -> None:
    """The opening delta has content null."""
    for chunk in chunks:
        for choice in chunk.get("choices") or []:
            if choice["delta"].get("role") and not text_of(choice):
                choice["delta"]["content"] = None


@_variant("role-with-text", "stream", endpoint="chat")
def role_with_text(chunks: Chunks, seen: Seen) -> Chunks:
    """The role comes with the first piece of text."""
    openings = [
        chunk
        for chunk in chunks
        if any(e["delta"].get("role") and not text_of(e) for e in chunk.get("choices") or [])
    ]
    rest = [chunk for chunk in chunks if chunk not in openings]
    first: set[int] = set()
    for chunk in rest:
        for choice in chunk.get("choices") or []:
            if choice["index"] not in first:
                first.add(choice["index"])
                choice["delta"]["role"] = "assistant"
    return rest


@_variant("finish-with-text", "stream")
def finish_with_text(chunks: Chunks, seen: Seen) -> None:
    """The last piece of text comes with the finish reason."""
    if seen.asked("logprobs"):
        return
    last: dict[int, Document] = {}
    for chunk in chunks:
        for choice in chunk.get("choices") or []:
            before = last.get(choice["index"])
            if choice["finish_reason"] and before and not text_of(choice):
                set_text(choice, text_of(before))
                set_text(before, "")
            elif text_of(choice):
                last[choice["index"]] = choice


# Errors


@_variant("other-wordings", "error")
def other_wordings(document: Document, seen: Seen) -> None:
    """Errors are told in other words, with other codes."""
    error = document["error"]
    error["message"] = "La requête n'est pas valable."
    error["code"] = "bad_request" if seen.status == 400 else error.get("code")
    error["type"] = "BadRequestError" if seen.status == 400 else error.get("type")


@_variant("status-422", "head")
def status_422(head: Head, seen: Seen) -> None:
    """Faulty requests are answered with 422, unless they are no JSON."""
    if head.status == 400 and seen.body is not None:
        head.status = 422


# HTTP


def _now_and_then(every: int, reply: Reply) -> Callable[[ASGIApp], ASGIApp]:
    counter = itertools.count(1)
    return intercept(
        lambda request, honest: (
            reply if request.method == "POST" and next(counter) % every == 0 else None
        )
    )


@_variant("429-now-and-then", "asgi")
def too_many(app: ASGIApp) -> ASGIApp:
    """Every ninth request is one too many and may come again at once."""
    reply = error_reply(429, "Rate limit reached")
    reply.headers.append((b"retry-after", b"0"))
    return _now_and_then(9, reply)(app)


@_variant("503-now-and-then", "asgi")
def unavailable(app: ASGIApp) -> ASGIApp:
    """Every eleventh request finds the engine overloaded and may come again at once."""
    reply = error_reply(503, "The engine is overloaded")
    reply.headers.append((b"retry-after", b"0"))
    return _now_and_then(11, reply)(app)


@_variant("origins-listed", "asgi")
def origins_listed(app: ASGIApp) -> ASGIApp:
    """Browsers of other origins than those on a list are turned away."""
    refusal = Reply(400, [(b"content-type", b"text/plain"), (b"vary", b"Origin")], b"Disallowed")
    return intercept(lambda request, honest: refusal if request.method == "OPTIONS" else None)(app)


@_variant("gzip", "asgi")
def gzipped(app: ASGIApp) -> ASGIApp:
    """Regular answers are compressed for clients that take that."""

    def change(request: Request, honest: Reply) -> Reply | None:
        takes = "gzip" in (request.header("accept-encoding") or "")
        if not takes or not honest.body or is_stream(honest.body):
            return None
        fields = [*honest.headers, (b"content-encoding", b"gzip"), (b"vary", b"Accept-Encoding")]
        return Reply(honest.status, fields, gzip.compress(honest.body, mtime=0))

    return intercept(change)(app)


@_variant("connection-close", "head")
def connection_close(head: Head, seen: Seen) -> None:
    """Every connection is closed behind its answer."""
    head.set("connection", "close")


@_variant("no-chunked-bodies", "asgi")
def no_chunked(app: ASGIApp) -> ASGIApp:
    """Request bodies without a length are refused with 411."""
    refusal = error_reply(411, "Content-Length is required")
    return intercept(
        lambda request, honest: refusal if request.header("transfer-encoding") else None
    )(app)


@_variant("latency", "asgi")
def latency(app: ASGIApp) -> ASGIApp:
    """Every answer begins a little later."""

    async def answer(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        await asyncio.sleep(0.02)
        await app(scope, receive, send)

    return answer
