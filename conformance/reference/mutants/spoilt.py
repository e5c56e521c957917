"""Every member of another type than is documented."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.choices import usage_of

Document = dict[str, Any]


def _spoilt(value: Any) -> Any:
    """``value`` with every leaf of another type; containers and null stay what they are."""
    if isinstance(value, dict):
        return {name: _spoilt(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_spoilt(each) for each in value]
    if value is None:
        return None
    return 7 if isinstance(value, str) else str(value)


@mutant(
    "leaves-spoilt",
    kills=(
        "shape.choices.index",
        "shape.choices.text",
        "shape.usage.completion-tokens",
        "shape.usage.total-tokens",
        "shape.data.id",
        "shape.data.object",
        "shape.data.created",
        "shape.data.owned-by",
        "shape.owned-by",
        "chunk.choices.index",
        "chunk.choices.text",
        "chunk.choices.delta.role",
        "chunk.choices.delta.content",
    ),
    kind="document",
)
def leaves_spoilt(document: Document, seen: Seen) -> Any:
    """Texts are numbers and numbers are texts."""
    return _spoilt(document)


@mutant(
    "containers-spoilt",
    kills=(
        "shape.usage",
        "shape.choices.message",
        "shape.choices.logprobs",
        "chunk.choices.delta",
        "chunk.choices.logprobs",
        "chunk.usage",
    ),
    kind="document",
)
def containers_spoilt(document: Document, seen: Seen) -> None:
    """Objects inside an answer are texts."""
    if "choices" in document:
        document["usage"] = "cheap"
    for choice in document.get("choices") or []:
        for name in ("message", "delta", "logprobs"):
            if name in choice or name == "logprobs":
                choice[name] = "none"


@mutant("chunk-is-array", kills=("chunk.body",), kind="stream")
def chunk_is_array(chunks: list[Document], seen: Seen) -> Any:
    """Each chunk stands in an array of its own."""
    return [[chunk] for chunk in chunks]


#: Members that a plain answer may lack, by where they belong.
RARE = ("system_fingerprint", "service_tier", "moderation", "metadata", "obfuscation")


RARE_OF_MESSAGE = ("annotations", "audio", "function_call", "refusal")


@mutant(
    "rare-members-spoilt",
    kills=(
        "shape.system-fingerprint",
        "shape.service-tier",
        "shape.moderation",
        "shape.metadata",
        "shape.choices.message.annotations",
        "shape.choices.message.audio",
        "shape.choices.message.function-call",
        "shape.usage.prompt-tokens-details",
        "shape.usage.completion-tokens-details",
        "shape.data.shutdown-date",
        "shape.shutdown-date",
        "chunk.system-fingerprint",
        "chunk.service-tier",
        "chunk.moderation",
        "chunk.obfuscation",
        "chunk.choices.delta.refusal",
        "chunk.choices.delta.function-call",
    ),
    kind="document",
)
def rare_members_spoilt(document: Document, seen: Seen) -> None:
    """Members that are seldom sent are numbers."""
    document |= dict.fromkeys(RARE, 7)
    document["shutdown_date"] = 7
    for entry in document.get("data") or []:
        entry["shutdown_date"] = 7
    if usage := usage_of(document):
        usage |= {"prompt_tokens_details": 7, "completion_tokens_details": 7}
    for choice in document.get("choices") or []:
        for name in ("message", "delta"):
            if isinstance(choice.get(name), dict):
                choice[name] |= dict.fromkeys(RARE_OF_MESSAGE, 7)


@mutant(
    "details-spoilt",
    kills=(
        "shape.usage.prompt-tokens-details.cached-tokens",
        "shape.usage.prompt-tokens-details.audio-tokens",
        "shape.usage.completion-tokens-details.reasoning-tokens",
        "shape.usage.completion-tokens-details.audio-tokens",
        "shape.usage.completion-tokens-details.accepted-prediction-tokens",
        "shape.usage.completion-tokens-details.rejected-prediction-tokens",
        "chunk.usage.prompt-tokens",
        "chunk.usage.completion-tokens",
        "chunk.usage.total-tokens",
        "chunk.usage.prompt-tokens-details.cached-tokens",
        "chunk.usage.prompt-tokens-details.audio-tokens",
        "chunk.usage.completion-tokens-details.reasoning-tokens",
        "chunk.usage.completion-tokens-details.audio-tokens",
        "chunk.usage.completion-tokens-details.accepted-prediction-tokens",
        "chunk.usage.completion-tokens-details.rejected-prediction-tokens",
    ),
    kind="document",
)
def details_spoilt(document: Document, seen: Seen) -> None:
    """The breakdown of the counts is made of texts, and streams count in texts."""
    if "choices" not in document:
        return
    prompt = dict.fromkeys(("cached_tokens", "audio_tokens"), "no")
    completion = dict.fromkeys(
        (
            "reasoning_tokens",
            "audio_tokens",
            "accepted_prediction_tokens",
            "rejected_prediction_tokens",
        ),
        "no",
    )
    details = {"prompt_tokens_details": prompt, "completion_tokens_details": completion}
    if seen.streams:
        counts = dict.fromkeys(("prompt_tokens", "completion_tokens", "total_tokens"), "1")
        document["usage"] = {**counts, **details}
    elif usage := usage_of(document):
        document["usage"] = {**usage, **details}


@mutant(
    "chunk-details-spoilt",
    kills=(
        "chunk.usage.prompt-tokens-details",
        "chunk.usage.completion-tokens-details",
        "chunk.choices.delta.audio",
    ),
    kind="stream",
)
def chunk_details_spoilt(chunks: list[Document], seen: Seen) -> None:
    """In chunks the breakdown of the counts is a text, and so is audio."""
    for chunk in chunks:
        chunk["usage"] = {"prompt_tokens_details": "none", "completion_tokens_details": "none"}
        for choice in chunk.get("choices", []):
            if "delta" in choice:
                choice["delta"]["audio"] = "none"
