"""Streams whose events are sound and whose chunks do not add up to one answer."""

from __future__ import annotations

import copy
from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.choices import finish, set_text, text_of

Chunk = dict[str, Any]
Chunks = list[Chunk]


def _spoken(chunks: Chunks) -> Chunks:
    """The chunks that carry choices."""
    return [chunk for chunk in chunks if chunk.get("choices")]


def _finishing(chunks: Chunks) -> Chunks:
    """The chunks that carry a finish reason."""
    return [chunk for chunk in _spoken(chunks) if any(map(finish, chunk["choices"]))]


def _wants_usage(seen: Seen) -> bool:
    return bool((seen.asked("stream_options") or {}).get("include_usage"))


def _counts(chunks: Chunks) -> dict[str, int]:
    """Counts as a usage object has them, for streams that were not asked for any."""
    return {"prompt_tokens": 9, "completion_tokens": len(chunks), "total_tokens": 9 + len(chunks)}


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
    for chunk in _spoken(chunks):
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
    return chunks if _wants_usage(seen) else [*chunks, {**chunks[-1], "choices": []}]


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
    for chunk in _spoken(chunks):
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
    for chunk in _spoken(chunks):
        for choice in chunk["choices"]:
            choice["delta"]["role"] = "assistant"


# Finish reasons


@mutant(
    "chunk-finish-missing",
    thread="https://github.com/ai-dynamo/dynamo/issues/1856",
    kills=("chunk.finish-once",),
    kind="stream",
)
def finish_missing(chunks: Chunks, seen: Seen) -> None:
    """No chunk carries a finish reason."""
    for chunk in _spoken(chunks):
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
    last = _finishing(chunks)[-1:]
    at = chunks.index(last[0]) + 1 if last else 0
    return [*chunks[:at], *copy.deepcopy(last), *chunks[at:]]


@mutant("chunk-finish-on-every-chunk", kills=("chunk.finish-once",), kind="stream")
def finish_everywhere(chunks: Chunks, seen: Seen) -> None:
    """Every chunk carries the finish reason `stop`."""
    for chunk in _spoken(chunks):
        for choice in chunk["choices"]:
            choice["finish_reason"] = choice["finish_reason"] or "stop"


@mutant("chunk-text-after-finish", kills=("chunk.nothing-after-finish",), kind="stream")
def text_after_finish(chunks: Chunks, seen: Seen) -> Chunks:
    """A piece of held-back text follows the finish reason."""
    late = copy.deepcopy(_finishing(chunks)[-1:])
    for chunk in late:
        for choice in chunk["choices"]:
            choice["finish_reason"] = None
            set_text(choice, "ep|>")
    return [*chunks, *late] if not _wants_usage(seen) else chunks


@mutant(
    "chunk-finish-empty-string",
    thread="https://github.com/ollama/ollama/issues/4357",
    kills=("chunk.finish-reason-null",),
    kind="stream",
)
def finish_empty(chunks: Chunks, seen: Seen) -> None:
    """Before the end the finish reason is an empty string."""
    for chunk in _spoken(chunks):
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
    for chunk in _spoken(chunks):
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
    for chunk in _spoken(chunks):
        for choice in chunk["choices"]:
            if not choice["finish_reason"]:
                del choice["finish_reason"]


# Text


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
    for chunk in _spoken(chunks):
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
    for chunk in _spoken(chunks):
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
    for chunk in _spoken(chunks):
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
    for chunk in _spoken(chunks):
        for choice in chunk["choices"]:
            if not text_of(choice):
                del choice["delta"]


@mutant("chunk-finish-with-text", kills=("chunk.finish-empty",), kind="stream")
def finish_with_text(chunks: Chunks, seen: Seen) -> Chunks:
    """Not a defect: the last text comes with the finish reason."""
    last = _finishing(chunks)
    for chunk in last:
        for choice in chunk["choices"]:
            before = [c for c in _choices(chunks) if c["index"] == choice["index"] and text_of(c)]
            if before and not text_of(choice):
                set_text(choice, text_of(before[-1]))
                set_text(before[-1], "")
    return chunks


def _choices(chunks: Chunks) -> list[Chunk]:
    return [choice for chunk in chunks for choice in chunk.get("choices") or []]


# Usage


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
    if _wants_usage(seen):
        return chunks
    return [*chunks, {**chunks[-1], "choices": [], "usage": _counts(chunks)}]


@mutant("chunk-usage-asked-missing", kills=("chunk.usage-last",), kind="stream")
def usage_asked_missing(chunks: Chunks, seen: Seen) -> Chunks:
    """`include_usage` has no effect."""
    return _spoken(chunks) if _wants_usage(seen) else chunks


@mutant(
    "chunk-usage-with-choices",
    thread="https://github.com/vllm-project/vllm/pull/12394",
    kills=("chunk.usage-last",),
    kind="stream",
)
def usage_with_choices(chunks: Chunks, seen: Seen) -> Chunks:
    """Usage comes with the finishing chunk, not in one of its own."""
    if not _wants_usage(seen) or len(chunks) < 2:
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
    if _wants_usage(seen):
        del chunks[-1]["choices"]


@mutant(
    "chunk-usage-on-asked-chunks",
    thread="https://github.com/InternLM/lmdeploy/issues/3832",
    kills=("chunk.usage-last",),
    kind="stream",
)
def usage_on_asked_chunks(chunks: Chunks, seen: Seen) -> None:
    """With `include_usage` every chunk carries counts, not null."""
    if _wants_usage(seen):
        for number, chunk in enumerate(chunks[:-1]):
            chunk["usage"] = _counts(chunks[: number + 1])


@mutant("chunk-usage-null-missing", kills=("chunk.usage-null",), kind="stream")
def usage_null_missing(chunks: Chunks, seen: Seen) -> None:
    """With `include_usage` the chunks before the last lack the member `usage`."""
    if _wants_usage(seen):
        for chunk in chunks[:-1]:
            chunk.pop("usage", None)
