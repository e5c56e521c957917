"""Streams whose usage comes unasked, in the wrong place, or not at all."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.asked import wants_usage
from conformance.reference.mutants.choices import spoken

Chunk = dict[str, Any]
Chunks = list[Chunk]


def _counts(chunks: Chunks) -> dict[str, int]:
    """Counts as a usage object has them, for streams that were not asked for any."""
    return {"prompt_tokens": 9, "completion_tokens": len(chunks), "total_tokens": 9 + len(chunks)}


@mutant(
    "chunk-usage-on-every-chunk",
    thread="https://github.com/lbjlaq/Antigravity-Manager/issues/1915",
    kills=("chunk.usage-unasked",),
    kind="stream",
)
def usage_everywhere(chunks: Chunks, seen: Seen) -> None:
    """Every chunk carries usage, asked for or not."""
    for number, chunk in enumerate(chunks):
        chunk["usage"] = _counts(chunks[: number + 1])


@mutant(
    "chunk-usage-empty-object",
    thread="https://github.com/BerriAI/litellm/issues/1571",
    kills=("chunk.usage-unasked",),
    kind="stream",
)
def usage_empty_object(chunks: Chunks, seen: Seen) -> None:
    """Every chunk carries an empty usage object."""
    for chunk in chunks:
        chunk["usage"] = chunk.get("usage") or {}


@mutant(
    "chunk-usage-chunk-unasked",
    thread="https://github.com/raullenchai/Rapid-MLX/pull/803",
    kills=("chunk.usage-unasked", "chunk.choices-not-empty"),
    kind="stream",
)
def usage_chunk_unasked(chunks: Chunks, seen: Seen) -> Chunks:
    """A usage chunk ends streams for which none was asked."""
    if wants_usage(seen):
        return chunks
    return [*chunks, {**chunks[-1], "choices": [], "usage": _counts(chunks)}]


@mutant("chunk-usage-asked-missing", kills=("chunk.usage-last",), kind="stream")
def usage_asked_missing(chunks: Chunks, seen: Seen) -> Chunks:
    """`include_usage` has no effect."""
    return spoken(chunks) if wants_usage(seen) else chunks


@mutant(
    "chunk-usage-with-choices",
    thread="https://github.com/vllm-project/vllm/pull/12394",
    kills=("chunk.usage-last",),
    kind="stream",
)
def usage_with_choices(chunks: Chunks, seen: Seen) -> Chunks:
    """Usage comes with the finishing chunk, not in one of its own."""
    if not wants_usage(seen) or len(chunks) < 2:
        return chunks
    chunks[-2]["usage"] = chunks[-1]["usage"]
    return chunks[:-1]


@mutant(
    "chunk-usage-without-choices",
    profile="openai",
    thread="https://github.com/ROCm/ATOM/pull/1711",
    kills=("chunk.choices",),
    kind="stream",
)
def usage_without_choices(chunks: Chunks, seen: Seen) -> None:
    """The usage chunk has no member `choices`."""
    if wants_usage(seen):
        del chunks[-1]["choices"]


@mutant(
    "chunk-usage-on-asked-chunks",
    thread="https://github.com/InternLM/lmdeploy/issues/3832",
    kills=("chunk.usage-last",),
    kind="stream",
)
def usage_on_asked_chunks(chunks: Chunks, seen: Seen) -> None:
    """With `include_usage` every chunk carries counts, not null."""
    if wants_usage(seen):
        for number, chunk in enumerate(chunks[:-1]):
            chunk["usage"] = _counts(chunks[: number + 1])


@mutant("chunk-usage-null-missing", kills=("chunk.usage-null",), kind="stream")
def usage_null_missing(chunks: Chunks, seen: Seen) -> None:
    """With `include_usage` the chunks before the last lack the member `usage`."""
    if wants_usage(seen):
        for chunk in chunks[:-1]:
            chunk.pop("usage", None)
