"""Tool calls whose members clients cannot use, whole or in deltas."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.choices import calls_of

Body = dict[str, Any]


def _each_call(
    name: str,
    change: Callable[[Body], None],
    sentence: str,
    kills: tuple[str, ...],
    *,
    only: str | None = None,
    thread: str | None = None,
) -> None:
    """A mutant that changes every tool call, or delta of one."""

    def function(choice: Body, seen: Seen) -> None:
        for call in calls_of(choice):
            change(call)

    function.__doc__ = sentence
    mutant(name, kills=kills, kind="choice", only=only, thread=thread, profile="openai")(function)


def _empty_id(call: Body) -> None:
    if "id" in call:
        call["id"] = ""


def _zero_id(call: Body) -> None:
    if "id" in call:
        call["id"] = "0"


def _no_id(call: Body) -> None:
    call.pop("id", None)


def _no_type(call: Body) -> None:
    call.pop("type", None)


def _object_arguments(call: Body) -> None:
    call["function"]["arguments"] = {"city": "Bern"}


def _no_arguments(call: Body) -> None:
    call.setdefault("function", {})["arguments"] = ""


def _no_index(call: Body) -> None:
    call.pop("index", None)


def _index_from_one(call: Body) -> None:
    call["index"] += 1


def _empty_name(call: Body) -> None:
    call["function"].setdefault("name", "")


def _doubled(call: Body) -> None:
    text = call["function"].get("arguments")
    if isinstance(text, str):
        call["function"]["arguments"] = text + text


def _single_quotes(call: Body) -> None:
    text = call["function"].get("arguments")
    if isinstance(text, str):
        call["function"]["arguments"] = text.replace('"', "'")


_each_call(
    "tool-call-id-empty",
    _empty_id,
    "Tool calls have an empty id.",
    ("param.tools.ids",),
    thread="https://github.com/openai/openai-dotnet/issues/428",
)


_each_call(
    "tool-call-id-zero",
    _zero_id,
    "Every tool call has the id 0.",
    ("param.tools.ids",),
    thread="https://github.com/huggingface/text-generation-inference/issues/2136",
)


_each_call(
    "tool-call-id-missing-in-stream",
    _no_id,
    "Streamed tool calls have no id.",
    ("param.tools.ids",),
    only="stream",
    thread="https://github.com/letta-ai/letta/issues/2761",
)


_each_call("tool-call-type-missing", _no_type, "Tool calls have no type.", ("param.tools.ids",))


_each_call(
    "tool-arguments-object",
    _object_arguments,
    "arguments is an object, not a string.",
    ("param.tools.arguments",),
    only="regular",
)


_each_call(
    "tool-arguments-python",
    _single_quotes,
    "arguments is written with single quotes.",
    ("param.tools.arguments",),
)


_each_call(
    "tool-arguments-twice",
    _doubled,
    "Every fragment of arguments is sent twice.",
    ("param.tools.arguments", "param.tools.stream-equals-regular"),
    only="stream",
    thread="https://github.com/vllm-project/vllm/issues/51697",
)


_each_call(
    "tool-delta-without-index",
    _no_index,
    "Deltas of tool calls have no index.",
    ("param.tools.deltas",),
    only="stream",
    thread="https://github.com/ollama/ollama/issues/7881",
)


_each_call(
    "tool-index-from-one",
    _index_from_one,
    "The first streamed tool call has the index 1.",
    ("param.tools.deltas",),
    only="stream",
    thread="https://github.com/BerriAI/litellm/issues/11407",
)


_each_call(
    "tool-name-empty-in-later-deltas",
    _empty_name,
    "Later deltas of a tool call have an empty name.",
    ("param.tools.deltas",),
    only="stream",
    thread="https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/649",
)


@mutant(
    "tool-indexes-collapsed",
    kills=("param.tools.deltas",),
    kind="choice",
    only="stream",
    thread="https://github.com/SamSaffron/term-llm/pull/314",
    profile="openai",
)
def tool_indexes_collapsed(choice: Body, seen: Seen) -> None:
    """All streamed tool calls have the index 0."""
    for call in calls_of(choice):
        call["index"] = 0


@mutant(
    "tool-calls-object-in-stream",
    kills=("param.tools.deltas",),
    kind="choice",
    only="stream",
    thread="https://github.com/huggingface/text-generation-inference/issues/2794",
    profile="openai",
)
def tool_calls_object_in_stream(choice: Body, seen: Seen) -> None:
    """delta.tool_calls is one object."""
    if calls_of(choice):
        choice["delta"]["tool_calls"] = calls_of(choice)[0]


@mutant(
    "tool-arguments-cut-in-stream",
    kills=("param.tools.arguments", "param.tools.stream-equals-regular"),
    kind="stream",
    thread="https://github.com/vllm-project/vllm/issues/10781",
    profile="openai",
)
def tool_arguments_cut_in_stream(chunks: list[Body], seen: Seen) -> None:
    """The last fragment of a stream's arguments is missing."""
    for chunk in reversed(chunks):
        for choice in chunk.get("choices", []):
            if calls_of(choice):
                chunks.remove(chunk)
                return


@mutant(
    "tool-call-as-text-too",
    kills=("param.tools.effect", "param.tools.stream-equals-regular"),
    kind="stream",
    thread="https://github.com/inferencerlabs/inferencer-feedback/issues/295",
    profile="openai",
)
def tool_call_as_text_too(chunks: list[Body], seen: Seen) -> list[Body]:
    """A stream has the call's markup as content before the call."""
    for position, chunk in enumerate(chunks):
        if any(calls_of(choice) for choice in chunk.get("choices", [])):
            extra = copy.deepcopy(chunk)
            extra["choices"][0]["delta"] = {"content": "<tool_call>{}</tool_call>"}
            return [*chunks[:position], extra, *chunks[position:]]
    return chunks


@mutant(
    "tool-arguments-off-schema",
    kills=("param.tools.arguments", "param.tools.strict"),
    kind="json",
    profile="openai",
)
def tool_arguments_off_schema(document: Body, seen: Seen) -> None:
    """arguments has a member that no function asked for."""
    for choice in document.get("choices", []):
        for call in calls_of(choice):
            call["function"]["arguments"] = json.dumps({"unheard": True})


_each_call(
    "tool-arguments-empty-in-stream",
    _no_arguments,
    "Streamed arguments are empty.",
    ("param.tools.arguments", "param.tools.stream-equals-regular"),
    only="stream",
    thread="https://github.com/vllm-project/vllm/pull/48852",
)
