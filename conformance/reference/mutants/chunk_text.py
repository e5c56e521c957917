"""Streams whose deltas do not add up to the text."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.choices import (
    choices_of_stream,
    finish,
    finishing,
    set_text,
    spoken,
    text_of,
)

Chunk = dict[str, Any]
Chunks = list[Chunk]


@mutant(
    "chunk-message-beside-delta",
    thread="https://github.com/perplexityai/api-discussion/issues/209",
    kills=("chunk.no-message",),
    kind="stream",
    endpoint="chat",
)
def message_beside_delta(chunks: Chunks, seen: Seen) -> None:
    """Beside each delta stands a message with the whole text so far."""
    texts: dict[int, str] = {}
    for chunk in spoken(chunks):
        for choice in chunk["choices"]:
            index = choice["index"]
            texts[index] = texts.get(index, "") + text_of(choice)
            choice["message"] = {"role": "assistant", "content": texts[index]}


@mutant(
    "chunk-texts-accumulate",
    kills=("chunk.not-cumulative", "diff.stream-equals-regular"),
    kind="stream",
)
def texts_accumulate(chunks: Chunks, seen: Seen) -> None:
    """Every delta repeats the whole text so far."""
    texts: dict[int, str] = {}
    for chunk in spoken(chunks):
        for choice in chunk["choices"]:
            index = choice["index"]
            texts[index] = texts.get(index, "") + text_of(choice)
            if not finish(choice):
                set_text(choice, texts[index])


@mutant(
    "chunk-whole-text-at-end",
    thread="https://github.com/NVIDIA/TensorRT-LLM/issues/3280",
    kills=("diff.stream-equals-regular",),
    kind="stream",
)
def whole_text_at_end(chunks: Chunks, seen: Seen) -> None:
    """The finishing chunk repeats the whole text."""
    texts: dict[int, str] = {}
    for chunk in spoken(chunks):
        for choice in chunk["choices"]:
            index = choice["index"]
            texts[index] = texts.get(index, "") + text_of(choice)
            if finish(choice):
                set_text(choice, texts[index])


@mutant(
    "chunk-delta-missing",
    thread="https://github.com/QwenLM/qwen-code/pull/1448",
    kills=("chunk.choices.delta",),
    kind="stream",
    endpoint="chat",
)
def delta_missing(chunks: Chunks, seen: Seen) -> None:
    """A chunk without text has a choice without a delta."""
    for chunk in spoken(chunks):
        for choice in chunk["choices"]:
            if not text_of(choice):
                del choice["delta"]


@mutant("chunk-finish-with-text", kills=("chunk.finish-empty",), kind="stream")
def finish_with_text(chunks: Chunks, seen: Seen) -> Chunks:
    """Not a defect: the last text comes with the finish reason."""
    last = finishing(chunks)
    for chunk in last:
        for choice in chunk["choices"]:
            before = [
                c for c in choices_of_stream(chunks) if c["index"] == choice["index"] and text_of(c)
            ]
            if before and not text_of(choice):
                set_text(choice, text_of(before[-1]))
                set_text(before[-1], "")
    return chunks
