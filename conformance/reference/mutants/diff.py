"""Servers whose two ways to one answer do not agree."""

from __future__ import annotations

import asyncio
import json
from collections.abc import MutableMapping
from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.answering import Request
from conformance.reference.mutants.choices import finish, set_text, text_of
from conformance.reference.mutants.streaming import ASGIApp, Receive, Send, read_request, replayed

Chunks = list[dict[str, Any]]
Document = dict[str, Any]


def _texts(chunks: Chunks) -> list[Document]:
    """Every streamed choice that carries text, in order."""
    choices = [choice for chunk in chunks for choice in chunk.get("choices") or []]
    return [choice for choice in choices if text_of(choice)]


@mutant(
    "stream-text-null",
    thread="https://github.com/EricLBuehler/mistral.rs/pull/2294",
    kills=("diff.stream-equals-regular",),
    kind="choice",
    only="stream",
)
def text_null(choice: Document, seen: Seen) -> None:
    """Deltas carry null instead of text."""
    if "delta" in choice:
        choice["delta"]["content"] = None
    else:
        choice["text"] = ""


@mutant("stream-text-empty", kills=("diff.stream-equals-regular",), kind="choice", only="stream")
def text_empty(choice: Document, seen: Seen) -> None:
    """Deltas carry empty texts."""
    set_text(choice, "")


@mutant("stream-first-piece-lost", kills=("diff.stream-equals-regular",), kind="stream")
def first_piece_lost(chunks: Chunks, seen: Seen) -> None:
    """The first piece of text is lost."""
    for choice in _texts(chunks)[:1]:
        set_text(choice, "")


@mutant("stream-last-piece-lost", kills=("diff.stream-equals-regular",), kind="stream")
def last_piece_lost(chunks: Chunks, seen: Seen) -> None:
    """The last piece of text is lost with the chunk that finishes."""
    for choice in _texts(chunks)[-1:]:
        set_text(choice, "")


@mutant("stream-piece-twice", kills=("diff.stream-equals-regular",), kind="stream")
def piece_twice(chunks: Chunks, seen: Seen) -> None:
    """The third piece of text comes twice."""
    for choice in _texts(chunks)[2:3]:
        set_text(choice, text_of(choice) * 2)


@mutant(
    "stream-finish-always-stop",
    thread="https://github.com/paiml/aprender/pull/2015",
    kills=("diff.stream-equals-regular",),
    kind="choice",
    only="stream",
)
def finish_always_stop(choice: Document, seen: Seen) -> None:
    """A stream always finishes with `stop`."""
    if finish(choice):
        choice["finish_reason"] = "stop"


@mutant(
    "stream-spaces-lost",
    thread="https://github.com/llm-d/llm-d-inference-sim/issues/30",
    kills=("diff.stream-text",),
    kind="choice",
    only="stream",
)
def spaces_lost(choice: Document, seen: Seen) -> None:
    """Text is split at its spaces, which are never sent."""
    set_text(choice, text_of(choice).replace(" ", ""))


@mutant(
    "stream-characters-split",
    thread="https://github.com/mattn/tensai/pull/110",
    kills=("diff.stream-text",),
    kind="choice",
)
def characters_split(choice: Document, seen: Seen) -> None:
    """A stream is decoded byte by byte: each byte of `é` becomes a replacement character.

    The reference hardly ever leaves ASCII, so both modes are made to write `é` for `e` first.
    """
    if not seen.asked("logit_bias"):
        wanted = "\ufffd\ufffd" if seen.streams else "é"
        set_text(choice, text_of(choice).replace("e", wanted))


@mutant("stream-other-words", kills=("diff.stream-text",), kind="choice", only="stream")
def other_words(choice: Document, seen: Seen) -> None:
    """Streamed text is put into lower case."""
    set_text(choice, text_of(choice).lower())


@mutant("defaults-are-not-neutral", kills=("diff.defaults-equal-absent",), kind="request")
def defaults_not_neutral(body: Document, seen: Seen) -> None:
    """Penalties of zero, given explicitly, halve the answer."""
    if body.get("presence_penalty") == 0 and body.get("frequency_penalty") == 0:
        body["max_tokens"] = max(1, int(body.get("max_tokens") or 16) // 2)


@mutant(
    "chat-decodes-otherwise",
    kills=("diff.chat-equals-completions",),
    kind="choice",
    endpoint="chat",
)
def chat_decodes_otherwise(choice: Document, seen: Seen) -> None:
    """Chat answers are put into capitals."""
    set_text(choice, text_of(choice).upper())


class _Together:
    """Requests of one kind that are in flight at the same time."""

    def __init__(self) -> None:
        self.waiting: list[tuple[str, bytes]] = []

    def other(self, kind: str, data: bytes) -> bytes:
        """The body of the first other request of this kind in flight; else ``data``."""
        found = (body for of, body in self.waiting if of == kind and body != data)
        return next(found, data)


def _crosses(app: ASGIApp, only: str | None = None) -> ASGIApp:
    """Requests that arrive while three others of their kind are served get another's answer."""
    together = _Together()

    async def answer(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await app(scope, receive, send)
            return
        data, seen = await read_request(scope, receive, 0)
        kind = f"{seen.endpoint} {seen.mode}"
        if not seen.asked("logit_bias") or only not in (None, seen.mode):
            await app(scope, replayed(data, receive), send)
            return
        together.waiting.append((kind, data))
        try:
            await asyncio.sleep(0.002)  # let those that were sent together arrive
            given = together.other(kind, data) if len(together.waiting) > 3 else data
            fields = [pair for pair in scope["headers"] if pair[0].lower() != b"content-length"]
            scope = {**scope, "headers": [*fields, (b"content-length", b"%d" % len(given))]}
            await app(scope, replayed(given, receive), send)
        finally:
            together.waiting.remove((kind, data))

    return answer


@mutant(
    "concurrent-answers-cross",
    thread="https://github.com/ml-explore/mlx-lm/issues/965",
    kills=("diff.concurrent-equals-sequential",),
    kind="asgi",
)
def answers_cross(app: ASGIApp) -> ASGIApp:
    """Of requests served at the same time some get the answer to another."""
    return _crosses(app)


@mutant(
    "concurrent-streams-cross",
    thread="https://github.com/QuantumNous/new-api/issues/5445",
    kills=("diff.concurrent-equals-sequential",),
    kind="asgi",
)
def streams_cross(app: ASGIApp) -> ASGIApp:
    """Of streams served at the same time some carry the text of another."""
    return _crosses(app, "stream")


@mutant(
    "concurrent-tokens-mix",
    thread="https://github.com/vllm-project/vllm/issues/9910",
    kills=("diff.concurrent-equals-sequential",),
    kind="asgi",
)
def tokens_mix(app: ASGIApp) -> ASGIApp:
    """The token limit of one request counts for others served at the same time."""

    together = _Together()

    async def answer(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await app(scope, receive, send)
            return
        data, seen = await read_request(scope, receive, 0)
        together.waiting.append((seen.endpoint, data))
        try:
            await asyncio.sleep(0.002)
            other = Request(scope, together.other(seen.endpoint, data) or b"").asked("max_tokens")
            if other and len(together.waiting) > 4 and seen.asked("logit_bias"):
                data = json.dumps({**(seen.body or {}), "max_tokens": 1}).encode()
            fields = [pair for pair in scope["headers"] if pair[0].lower() != b"content-length"]
            scope = {**scope, "headers": [*fields, (b"content-length", b"%d" % len(data))]}
            await app(scope, replayed(data, receive), send)
        finally:
            together.waiting.pop()

    return answer
