"""Streams whose finish reasons are missing, repeated, or in the wrong place."""

from __future__ import annotations

import copy
from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.asked import wants_usage
from conformance.reference.mutants.choices import finish, finishing, set_text, spoken, text_of

Chunk = dict[str, Any]
Chunks = list[Chunk]


@mutant(
    "chunk-finish-missing",
    thread="https://github.com/ai-dynamo/dynamo/issues/1856",
    kills=("chunk.finish-once",),
    kind="stream",
)
def finish_missing(chunks: Chunks, seen: Seen) -> None:
    """No chunk carries a finish reason."""
    for chunk in spoken(chunks):
        for choice in chunk["choices"]:
            choice["finish_reason"] = None


@mutant(
    "chunk-finish-chunk-lost",
    thread="https://github.com/foundation-model-stack/fms-guardrails-orchestrator/issues/516",
    kills=("chunk.finish-once",),
    kind="stream",
)
def finish_chunk_lost(chunks: Chunks, seen: Seen) -> Chunks:
    """A chunk without text is dropped, the one with the finish reason too."""
    return [c for c in chunks if not any(finish(e) and not text_of(e) for e in c["choices"])]


@mutant("chunk-finish-twice", kills=("chunk.finish-once",), kind="stream")
def finish_twice(chunks: Chunks, seen: Seen) -> Chunks:
    """The finishing chunk is sent twice."""
    last = finishing(chunks)[-1:]
    at = chunks.index(last[0]) + 1 if last else 0
    return [*chunks[:at], *copy.deepcopy(last), *chunks[at:]]


@mutant("chunk-finish-on-every-chunk", kills=("chunk.finish-once",), kind="stream")
def finish_everywhere(chunks: Chunks, seen: Seen) -> None:
    """Every chunk carries the finish reason `stop`."""
    for chunk in spoken(chunks):
        for choice in chunk["choices"]:
            choice["finish_reason"] = choice["finish_reason"] or "stop"


@mutant("chunk-text-after-finish", kills=("chunk.nothing-after-finish",), kind="stream")
def text_after_finish(chunks: Chunks, seen: Seen) -> Chunks:
    """A piece of held-back text follows the finish reason."""
    late = copy.deepcopy(finishing(chunks)[-1:])
    for chunk in late:
        for choice in chunk["choices"]:
            choice["finish_reason"] = None
            set_text(choice, "ep|>")
    return [*chunks, *late] if not wants_usage(seen) else chunks


@mutant(
    "chunk-finish-empty-string",
    thread="https://github.com/ollama/ollama/issues/4357",
    kills=("chunk.finish-reason-null",),
    kind="stream",
)
def finish_empty(chunks: Chunks, seen: Seen) -> None:
    """Before the end the finish reason is an empty string."""
    for chunk in spoken(chunks):
        for choice in chunk["choices"]:
            choice["finish_reason"] = choice["finish_reason"] or ""


@mutant(
    "chunk-finish-empty-and-no-end",
    thread="https://github.com/qualcomm/GenieX/pull/1246",
    kills=("chunk.finish-reason-null", "chunk.finish-once"),
    kind="stream",
)
def finish_empty_no_end(chunks: Chunks, seen: Seen) -> None:
    """The finish reason is an empty string to the end."""
    for chunk in spoken(chunks):
        for choice in chunk["choices"]:
            choice["finish_reason"] = ""


@mutant(
    "chunk-finish-key-missing",
    thread="https://github.com/vllm-project/vllm/pull/19662",
    kills=("chunk.finish-reason-key",),
    kind="stream",
)
def finish_key_missing(chunks: Chunks, seen: Seen) -> None:
    """Before the end the member `finish_reason` is left out."""
    for chunk in spoken(chunks):
        for choice in chunk["choices"]:
            if not choice["finish_reason"]:
                del choice["finish_reason"]
