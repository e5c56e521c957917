"""Counts that are not true, or not there."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.choices import usage_of

Document = dict[str, Any]


@mutant("usage-missing", kills=("usage.present",), kind="json")
def usage_missing(document: Document, seen: Seen) -> None:
    """Regular answers have no `usage`."""
    document.pop("usage", None)


@mutant(
    "usage-total-more",
    kills=("usage.total",),
    kind="json",
    thread="https://github.com/Clarifai/clarifai-python/pull/978",
)
def usage_total_more(document: Document, seen: Seen) -> None:
    """`total_tokens` counts tokens that neither prompt nor completion does."""
    if usage := usage_of(document):
        usage["total_tokens"] += 17


@mutant(
    "usage-one-token",
    kills=("usage.length",),
    kind="json",
    thread="https://github.com/abetlen/llama-cpp-python/issues/1344",
)
def usage_one_token(document: Document, seen: Seen) -> None:
    """`completion_tokens` is 1 whatever the answer."""
    if usage := usage_of(document):
        usage["completion_tokens"] = 1
        usage["total_tokens"] = usage["prompt_tokens"] + 1


@mutant("usage-no-tokens", kills=("usage.text",), kind="json")
def usage_no_tokens(document: Document, seen: Seen) -> None:
    """`completion_tokens` is 0 whatever the answer."""
    if usage := usage_of(document):
        usage["completion_tokens"] = 0
        usage["total_tokens"] = usage["prompt_tokens"]


@mutant(
    "usage-first-choice",
    kills=("usage.length",),
    kind="json",
    thread="https://github.com/ggml-org/llama.cpp/pull/27318",
)
def usage_first_choice(document: Document, seen: Seen) -> None:
    """`completion_tokens` counts one of `n` choices."""
    if usage := usage_of(document):
        usage["completion_tokens"] //= max(1, len(document.get("choices", [])))
        usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]


@mutant("usage-beyond-limit", kills=("usage.limit",), kind="json")
def usage_beyond_limit(document: Document, seen: Seen) -> None:
    """`completion_tokens` is more than the limit allows."""
    if usage := usage_of(document):
        usage["completion_tokens"] += 1
        usage["total_tokens"] += 1


@mutant("usage-prompt-zero", kills=("usage.prompt",), kind="json")
def usage_prompt_zero(document: Document, seen: Seen) -> None:
    """`prompt_tokens` is 0."""
    if usage := usage_of(document):
        usage["prompt_tokens"] = 0
        usage["total_tokens"] = usage["completion_tokens"]


@mutant("usage-prompt-constant", kills=("usage.prompt-grows",), kind="json")
def usage_prompt_constant(document: Document, seen: Seen) -> None:
    """`prompt_tokens` is the same for every prompt."""
    if usage := usage_of(document):
        usage["prompt_tokens"] = 9
        usage["total_tokens"] = 9 + usage["completion_tokens"]


@mutant(
    "usage-prompt-per-parameter",
    kills=("usage.prompt-constant",),
    kind="json",
    thread="https://github.com/SamSaffron/term-llm/pull/424",
)
def usage_prompt_per_parameter(document: Document, seen: Seen) -> None:
    """`prompt_tokens` grows with every sampling parameter that is given."""
    if usage := usage_of(document):
        usage["prompt_tokens"] += len(seen.body or {})
        usage["total_tokens"] += len(seen.body or {})


@mutant("usage-strings", kills=("shape.usage.prompt-tokens",), kind="json")
def usage_strings(document: Document, seen: Seen) -> None:
    """Token counts are strings."""
    if usage := usage_of(document):
        document["usage"] = {
            name: str(count) if isinstance(count, int) else count for name, count in usage.items()
        }


def _stream_usage(chunks: list[Document], name: str, more: int) -> None:
    for chunk in chunks:
        if isinstance(chunk.get("usage"), dict):
            chunk["usage"][name] += more


@mutant("stream-usage-total", kills=("usage.stream.total",), kind="stream")
def stream_usage_total(chunks: list[Document], seen: Seen) -> None:
    """In streams `total_tokens` is not the sum."""
    _stream_usage(chunks, "total_tokens", 3)


@mutant("stream-usage-prompt", kills=("usage.stream.prompt",), kind="stream")
def stream_usage_prompt(chunks: list[Document], seen: Seen) -> None:
    """In streams the prompt is counted with two tokens more."""
    _stream_usage(chunks, "prompt_tokens", 2)
    _stream_usage(chunks, "total_tokens", 2)


@mutant("stream-usage-completion", kills=("usage.stream.length",), kind="stream")
def stream_usage_completion(chunks: list[Document], seen: Seen) -> None:
    """In streams the last token is not counted."""
    _stream_usage(chunks, "completion_tokens", -1)
    _stream_usage(chunks, "total_tokens", -1)


@mutant(
    "usage-cache-apart",
    kills=("usage.total", "usage.prompt-constant"),
    kind="json",
    thread="https://github.com/SamSaffron/term-llm/pull/424",
)
def usage_cache_apart(document: Document, seen: Seen) -> None:
    """`prompt_tokens` leaves out what was cached, `total_tokens` counts what is written there."""
    if usage := usage_of(document):
        cached = usage["prompt_tokens"] // 2 if seen.number % 2 else 0
        usage["prompt_tokens"] -= cached
        usage["total_tokens"] += 3


@mutant(
    "cached-tokens-beyond-prompt",
    kills=("usage.details",),
    kind="document",
    thread="https://github.com/AstrBotDevs/AstrBot/issues/9905",
)
def cached_beyond_prompt(document: Document, seen: Seen) -> None:
    """More tokens come from the cache than the prompt has."""
    if isinstance(document.get("usage"), dict):
        cached = document["usage"]["prompt_tokens"] + 64
        document["usage"]["prompt_tokens_details"] = {"cached_tokens": cached}
