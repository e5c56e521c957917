"""Chunks that carry the same text in other pieces."""

from __future__ import annotations

import json
from typing import Any

from conformance.reference.honest_wire.registry import variant
from conformance.reference.mutants.choices import set_text, text_of
from conformance.reference.mutants.model import Seen

Document = dict[str, Any]
Chunks = list[Document]


@variant("empty-deltas", "stream")
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


@variant("role-without-content", "stream", endpoint="chat")
def role_without_content(chunks: Chunks, seen: Seen) -> None:
    """The opening delta names the role and nothing else."""
    for chunk in chunks:
        for choice in chunk.get("choices") or []:
            if choice["delta"].get("role") and not text_of(choice):
                choice["delta"] = {"role": "assistant"}


@variant("role-with-null-content", "stream", endpoint="chat")
def role_with_null(chunks: Chunks, seen: Seen) -> None:
    """The opening delta has content null."""
    for chunk in chunks:
        for choice in chunk.get("choices") or []:
            if choice["delta"].get("role") and not text_of(choice):
                choice["delta"]["content"] = None


@variant("role-with-text", "stream", endpoint="chat")
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


@variant("finish-with-text", "stream")
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


@variant("finish-with-null", "stream", endpoint="chat")
def finish_with_null(chunks: Chunks, seen: Seen) -> None:
    """The delta beside the finish reason has content null."""
    for chunk in chunks:
        for choice in chunk.get("choices") or []:
            if choice["finish_reason"] and not text_of(choice):
                choice["delta"]["content"] = None


@variant("letter-by-letter", "stream")
def letter_by_letter(chunks: Chunks, seen: Seen) -> Chunks:
    """Every character of the text comes in a chunk of its own."""
    if seen.asked("logprobs") is not None:
        return chunks
    out: Chunks = []
    for chunk in chunks:
        choices = chunk.get("choices") or []
        text = text_of(choices[0]) if len(choices) == 1 else ""
        for letter in text[:-1]:
            early = json.loads(json.dumps(chunk))
            set_text(early["choices"][0], letter)
            early["choices"][0]["finish_reason"] = None
            out.append(early)
            choices[0].get("delta", {}).pop("role", None)
        if text:
            set_text(choices[0], text[-1])
        out.append(chunk)
    return out


#: Equal pieces in a row that a guard takes for a model that is stuck.
STUCK = 100


@variant("repetition-guard", "stream")
def repetition_guard(chunks: Chunks, seen: Seen) -> Chunks:
    """A stream that repeats one piece a hundred times is taken for stuck and ends in an error."""
    texts = [text_of(each) for chunk in chunks for each in chunk.get("choices") or []]
    pieces = [text for text in texts if text]
    if len(pieces) < STUCK or len(set(pieces[:STUCK])) > 1:
        return chunks
    return [*chunks[:STUCK], {"error": {"message": "The model is repeating itself", "code": 500}}]
