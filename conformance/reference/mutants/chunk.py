"""Streams whose events are sound and whose chunks do not add up to one answer."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.asked import wants_usage
from conformance.reference.mutants.choices import spoken, text_of

Chunk = dict[str, Any]
Chunks = list[Chunk]


# Identity


@mutant(
    "chunk-ids-differ",
    thread="https://github.com/ggml-org/llama.cpp/issues/5876",
    kills=("chunk.same-id",),
    kind="stream",
)
def ids_differ(chunks: Chunks, seen: Seen) -> None:
    """Every chunk has an id of its own."""
    for number, chunk in enumerate(chunks):
        chunk["id"] += f".{number}"


@mutant(
    "chunk-id-per-choice",
    thread="https://github.com/sgl-project/sglang/issues/39864",
    kills=("chunk.same-id",),
    kind="stream",
)
def id_per_choice(chunks: Chunks, seen: Seen) -> None:
    """With several choices each has an id of its own."""
    for chunk in spoken(chunks):
        chunk["id"] += f"-{chunk['choices'][0]['index']}"


@mutant("chunk-ids-differ-now-and-then", kills=("chunk.same-id",), kind="stream", every=2)
def ids_differ_now_and_then(chunks: Chunks, seen: Seen) -> None:
    """In every second stream the last chunk has another id."""
    chunks[-1]["id"] += "-last"


@mutant(
    "chunk-created-drifts",
    thread="https://github.com/sgl-project/sglang/issues/39864",
    kills=("chunk.same-created",),
    kind="stream",
)
def created_drifts(chunks: Chunks, seen: Seen) -> None:
    """`created` is the time of each chunk."""
    for number, chunk in enumerate(chunks):
        chunk["created"] += number


@mutant("chunk-model-changes", kills=("chunk.same-model",), kind="stream")
def model_changes(chunks: Chunks, seen: Seen) -> None:
    """The first chunk names the alias, the others the file behind it."""
    for chunk in chunks[1:]:
        chunk["model"] += ".gguf"


# Choices


@mutant(
    "chunk-filter-event",
    thread="https://github.com/openai/openai-node/pull/1982",
    kills=("chunk.choices-not-empty", "chunk.same-id"),
    kind="stream",
)
def filter_event(chunks: Chunks, seen: Seen) -> Chunks:
    """A chunk with an empty id and no choices opens the stream."""
    return [{**chunks[0], "id": "", "choices": [], "prompt_filter_results": []}, *chunks]


@mutant(
    "chunk-last-without-choices",
    thread="https://github.com/tenstorrent/tt-inference-server/issues/2592",
    kills=("chunk.choices-not-empty",),
    kind="stream",
)
def last_without_choices(chunks: Chunks, seen: Seen) -> Chunks:
    """A chunk without choices ends the stream though no usage was asked for."""
    return chunks if wants_usage(seen) else [*chunks, {**chunks[-1], "choices": []}]


@mutant("chunk-indexes-from-one", kills=("chunk.indexes",), kind="choice", only="stream")
def indexes_from_one(choice: Chunk, seen: Seen) -> None:
    """Choices of a stream are counted from 1."""
    choice["index"] += 1


@mutant(
    "chunk-indexes-all-zero",
    thread="https://github.com/BerriAI/litellm/issues/3276",
    kills=("chunk.finish-once",),
    kind="choice",
    only="stream",
)
def indexes_all_zero(choice: Chunk, seen: Seen) -> None:
    """All choices of a stream have index 0, so that their texts mix."""
    choice["index"] = 0


@mutant("chunk-choice-lost", kills=("param.n.effect",), kind="stream")
def choice_lost(chunks: Chunks, seen: Seen) -> Chunks:
    """A stream carries the first of several choices only."""
    return [chunk for chunk in chunks if all(choice["index"] == 0 for choice in chunk["choices"])]


# Roles


@mutant(
    "chunk-role-missing",
    thread="https://github.com/langwatch/langwatch/issues/6196",
    kills=("chunk.role-first",),
    kind="stream",
    endpoint="chat",
)
def role_missing(chunks: Chunks, seen: Seen) -> None:
    """No delta names the role."""
    for chunk in spoken(chunks):
        for choice in chunk["choices"]:
            choice["delta"].pop("role", None)


@mutant(
    "chunk-opening-dropped",
    thread="https://github.com/maximhq/bifrost/issues/6523",
    kills=("chunk.role-first",),
    kind="stream",
    endpoint="chat",
)
def opening_dropped(chunks: Chunks, seen: Seen) -> Chunks:
    """The opening chunk is swallowed because its text is empty."""
    return [
        chunk
        for chunk in chunks
        if not any("role" in each["delta"] and not text_of(each) for each in chunk["choices"])
    ]


@mutant(
    "chunk-role-repeated",
    thread="https://github.com/mudler/LocalAI/issues/340",
    kills=("chunk.role-once",),
    kind="stream",
    endpoint="chat",
)
def role_repeated(chunks: Chunks, seen: Seen) -> None:
    """Every delta names the role."""
    for chunk in spoken(chunks):
        for choice in chunk["choices"]:
            choice["delta"]["role"] = "assistant"


# Members


@mutant(
    "chunk-completions-bare",
    kills=("chunk.id", "chunk.created", "chunk.choices.index"),
    kind="stream",
    endpoint="completions",
    thread="https://github.com/mudler/LocalAI/issues/648",
)
def completions_bare(chunks: Chunks, seen: Seen) -> None:
    """Chunks of the completions endpoint have no id, no time and no index."""
    for chunk in chunks:
        del chunk["id"], chunk["created"]
        for choice in chunk.get("choices") or []:
            choice.pop("index", None)
            choice.pop("logprobs", None)


@mutant(
    "chunk-object-of-completions",
    kills=("chunk.object",),
    kind="stream",
    endpoint="chat",
    thread="https://github.com/sgl-project/mini-sglang/issues/51",
)
def object_of_completions(chunks: Chunks, seen: Seen) -> None:
    """Chunks of a chat say that they are of the completions endpoint."""
    for chunk in chunks:
        chunk["object"] = "text_completion.chunk"


@mutant(
    "chunk-role-missing-with-tools",
    kills=("chunk.role-first",),
    kind="stream",
    endpoint="chat",
    profile="openai",
    thread="https://github.com/tensorzero/tensorzero/issues/1265",
)
def role_missing_with_tools(chunks: Chunks, seen: Seen) -> None:
    """No delta names the role where tools are given."""
    if seen.asked("tools"):
        role_missing(chunks, seen)
