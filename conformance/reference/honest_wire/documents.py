"""JSON documents with more, fewer or otherwise written members."""

from __future__ import annotations

import json
from typing import Any

from conformance.reference.honest_wire.registry import variant
from conformance.reference.mutants.model import Seen

Document = dict[str, Any]


def _strewn(value: Any) -> Any:
    """``value`` with members that nobody documented in every object."""
    if isinstance(value, list):
        return [_strewn(each) for each in value]
    if isinstance(value, dict):
        return {**{name: _strewn(each) for name, each in value.items()}, "x_extra": {"a": [1]}}
    return value


@variant("extra-members", "document")
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


@variant("optional-members-absent", "document")
def optional_absent(document: Document, seen: Seen) -> None:
    """Only what is required is sent."""
    for name in ("system_fingerprint", "service_tier"):
        document.pop(name, None)
    if document.get("usage"):
        for name in ("prompt_tokens_details", "completion_tokens_details"):
            document["usage"].pop(name, None)


@variant("ids-without-prefix", "document")
def ids_without_prefix(document: Document, seen: Seen) -> None:
    """Ids are plain letters and digits."""
    if "choices" in document:
        document["id"] = document["id"].partition("-")[2]


@variant("dated-model-names", "document")
def dated_model(document: Document, seen: Seen) -> None:
    """The model is named with the date of its snapshot."""
    if "choices" in document:
        document["model"] += "-2024-07-18"


@variant("null-members", "choice", endpoint="chat")
def null_members(choice: Document, seen: Seen) -> None:
    """Members that do not apply are null."""
    for holder in ("message", "delta"):
        if isinstance(choice.get(holder), dict):
            for name in ("refusal", "function_call", "tool_calls", "reasoning_content", "audio"):
                choice[holder].setdefault(name, None)


@variant("usage-in-detail", "document")
def usage_in_detail(document: Document, seen: Seen) -> None:
    """Counts come with their breakdown."""
    if isinstance(document.get("usage"), dict):
        document["usage"] |= {
            "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": 0, "audio_tokens": 0},
        }


@variant("more-models", "json", endpoint="models")
def more_models(document: Document, seen: Seen) -> None:
    """Entries of the list say more than the document does."""
    for entry in document["data"]:
        entry |= {"root": entry["id"], "parent": None, "max_model_len": 4096, "permission": []}


@variant("json-indented", "bytes", only="regular")
def json_indented(body: bytes, seen: Seen) -> bytes:
    """Documents are indented, and begin and end with blank lines."""
    if not body.startswith(b"{"):
        return body
    return b"\n" + json.dumps(json.loads(body), indent=2, ensure_ascii=False).encode() + b"\n"


@variant("json-escaped", "bytes", only="regular")
def json_escaped(body: bytes, seen: Seen) -> bytes:
    """Whatever is not ASCII is escaped, and so is the slash."""
    if not body.startswith(b"{"):
        return body
    return json.dumps(json.loads(body)).replace("/", "\\/").encode()
