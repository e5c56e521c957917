"""Answers that are not in the format that was asked for."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.choices import set_text, text_of
from conformance.reference.mutants.dropping import dropped

Body = dict[str, Any]


dropped(
    "response-format-ignored",
    "response_format",
    ("param.response_format.effect", "param.response_format.json-object"),
    thread="https://github.com/ggml-org/llama.cpp/issues/11988",
)


dropped(
    "response-format-ignored-in-stream",
    "response_format",
    ("param.response_format.effect",),
    only="stream",
)


@mutant(
    "json-schema-is-json-object",
    kills=("param.response_format.effect",),
    kind="request",
    profile="openai",
)
def json_schema_is_json_object(body: Body, seen: Seen) -> None:
    """A schema is not followed: any JSON object will do."""
    if isinstance(body.get("response_format"), dict) and "json_schema" in body["response_format"]:
        body["response_format"] = {"type": "json_object"}


@mutant(
    "json-in-fences",
    kills=("param.response_format.json-object", "param.response_format.effect"),
    kind="json",
    profile="openai",
)
def json_in_fences(document: Body, seen: Seen) -> None:
    """JSON comes inside of a code fence."""
    wanted = seen.asked("response_format") or {}
    for choice in document.get("choices", []):
        if str(wanted.get("type")).startswith("json"):
            set_text(choice, f"```json\n{text_of(choice)}\n```")


@mutant(
    "response-format-text-is-empty",
    kills=("param.response_format.text",),
    kind="choice",
    profile="openai",
)
def response_format_text_is_empty(choice: Body, seen: Seen) -> None:
    """An explicit text format empties the answer."""
    if seen.asked("response_format") == {"type": "text"}:
        set_text(choice, "")
