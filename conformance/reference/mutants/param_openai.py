"""Defects of the parameters that OpenAI documents beyond the common core: log probabilities, seed,
limits, stream options, echo, best_of, suffix, response formats and tools.

Threads are public reports of servers that had the defect.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.choices import finish, set_text, text_of

Body = dict[str, Any]


def _dropped(
    name: str,
    parameter: str,
    kills: tuple[str, ...],
    *,
    only: str | None = None,
    thread: str | None = None,
) -> None:
    """A mutant that accepts ``parameter`` and ignores it."""

    def function(body: Body, seen: Seen) -> None:
        body.pop(parameter, None)
        if parameter == "logprobs":
            body.pop("top_logprobs", None)

    where = f" in a {only} answer" if only else ""
    function.__doc__ = f"{parameter} is accepted and ignored{where}."
    mutant(name, kills=kills, kind="request", only=only, thread=thread, profile="openai")(function)


# Log probabilities

_dropped(
    "logprobs-ignored",
    "logprobs",
    ("param.logprobs.effect",),
    thread="https://github.com/huggingface/text-generation-inference/issues/2211",
)
_dropped("logprobs-ignored-in-stream", "logprobs", ("param.logprobs.effect",), only="stream")
_dropped("top-logprobs-ignored", "top_logprobs", ("param.top_logprobs.effect",))


def _lists(choice: Body) -> Iterator[list[Any]]:
    """The lists of a choice's log probabilities that have one item for each token."""
    given = choice.get("logprobs")
    if isinstance(given, dict):
        for name in ("content", "tokens", "token_logprobs", "top_logprobs", "text_offset"):
            if isinstance(given.get(name), list):
                yield given[name]


@mutant(
    "logprobs-of-first-token-missing",
    kills=("param.logprobs.effect", "param.logprobs.text"),
    kind="json",
    profile="openai",
)
def logprobs_of_first_token_missing(document: Body, seen: Seen) -> None:
    """The first token has no log probability."""
    for choice in document.get("choices", []):
        for each in _lists(choice):
            del each[:1]


def _entries(choice: Body) -> Iterator[Body]:
    given = choice.get("logprobs")
    if isinstance(given, dict):
        yield from given.get("content") or ()


@mutant("logprobs-positive", kills=("param.logprobs.values",), kind="choice", profile="openai")
def logprobs_positive(choice: Body, seen: Seen) -> None:
    """Log probabilities have the wrong sign."""
    for entry in _entries(choice):
        entry["logprob"] = 1 - entry["logprob"]
    given = choice.get("logprobs") or {}
    if isinstance(given.get("token_logprobs"), list):
        given["token_logprobs"] = [1 - (value or 0) for value in given["token_logprobs"]]


@mutant("logprobs-shifted", kills=("param.logprobs.argmax",), kind="choice", profile="openai")
def logprobs_shifted(choice: Body, seen: Seen) -> None:
    """The chosen token's log probability is two nats too low."""
    for entry in _entries(choice):
        entry["logprob"] -= 2
    given = choice.get("logprobs") or {}
    if isinstance(given.get("token_logprobs"), list):
        given["token_logprobs"] = [(value or 0) - 2 for value in given["token_logprobs"]]


@mutant(
    "logprobs-legacy-layout-in-chat",
    kills=("param.logprobs.effect",),
    kind="choice",
    endpoint="chat",
    profile="openai",
)
def logprobs_legacy_layout_in_chat(choice: Body, seen: Seen) -> None:
    """Chat answers have the log probabilities of the completions endpoint."""
    entries = list(_entries(choice))
    if entries:
        choice["logprobs"] = {
            "tokens": [entry["token"] for entry in entries],
            "token_logprobs": [entry["logprob"] for entry in entries],
        }


@mutant(
    "logprobs-zero-is-off",
    kills=("param.logprobs.zero",),
    kind="request",
    thread="https://github.com/vllm-project/vllm/issues/3707",
    profile="openai",
)
def logprobs_zero_is_off(body: Body, seen: Seen) -> None:
    """logprobs 0 counts as not set."""
    if body.get("logprobs") == 0 and body.get("logprobs") is not False:
        del body["logprobs"]


@mutant(
    "top-logprobs-zero-refused",
    kills=("param.logprobs.zero",),
    kind="request",
    endpoint="chat",
    thread="https://github.com/InternLM/lmdeploy/pull/4121",
    profile="openai",
)
def top_logprobs_zero_refused(body: Body, seen: Seen) -> None:
    """top_logprobs 0 is refused."""
    if body.get("top_logprobs") == 0:
        body["top_logprobs"] = -1


@mutant(
    "top-logprobs-always-four",
    kills=("param.top_logprobs.effect", "param.logprobs.alternatives"),
    kind="request",
    profile="openai",
)
def top_logprobs_always_four(body: Body, seen: Seen) -> None:
    """There are always four alternatives."""
    if body.get("top_logprobs"):
        body["top_logprobs"] = 4
    elif type(body.get("logprobs")) is int and body["logprobs"]:
        body["logprobs"] = 4


@mutant(
    "top-logprobs-in-reverse", kills=("param.top_logprobs.effect",), kind="choice", profile="openai"
)
def top_logprobs_in_reverse(choice: Body, seen: Seen) -> None:
    """The least likely alternative comes first."""
    for entry in _entries(choice):
        entry["top_logprobs"] = entry["top_logprobs"][::-1]


@mutant(
    "echo-logprobs-of-completion-only",
    kills=("param.echo.logprobs",),
    kind="json",
    endpoint="completions",
    thread="https://github.com/ggml-org/llama.cpp/issues/27174",
    profile="openai",
)
def echo_logprobs_of_completion_only(document: Body, seen: Seen) -> None:
    """With echo there are log probabilities for the completion only."""
    count = document.get("usage", {}).get("completion_tokens", 0)
    for choice in document.get("choices", []):
        for each in _lists(choice):
            if seen.asked("echo"):
                del each[: len(each) - count]


# Seed, limits, usage, completions

_dropped(
    "seed-ignored",
    "seed",
    ("param.seed.effect",),
    thread="https://github.com/ggml-org/llama.cpp/issues/7381",
)
_dropped(
    "echo-ignored",
    "echo",
    ("param.echo.effect",),
    thread="https://github.com/raullenchai/Rapid-MLX/issues/461",
)
_dropped("echo-ignored-in-stream", "echo", ("param.echo.effect",), only="stream")
_dropped("suffix-ignored", "suffix", ("param.suffix.effect",))
_dropped("include-usage-ignored", "stream_options", ("param.stream_options.effect",))
_dropped(
    "max-completion-tokens-ignored",
    "max_completion_tokens",
    ("param.max_completion_tokens.effect",),
    thread="https://github.com/huggingface/text-generation-inference/issues/2844",
)


@mutant(
    "max-completion-tokens-one-more",
    kills=("param.max_completion_tokens.effect",),
    kind="request",
    profile="openai",
)
def max_completion_tokens_one_more(body: Body, seen: Seen) -> None:
    """One token more than max_completion_tokens comes."""
    if isinstance(body.get("max_completion_tokens"), int):
        body["max_completion_tokens"] += 1


@mutant(
    "stream-usage-counts-chunks",
    kills=("param.stream_options.effect",),
    kind="stream",
    profile="openai",
)
def stream_usage_counts_chunks(chunks: list[Body], seen: Seen) -> None:
    """A stream's completion_tokens counts chunks."""
    for chunk in chunks:
        if isinstance(chunk.get("usage"), dict):
            chunk["usage"]["completion_tokens"] = len(chunks)


@mutant("echo-by-presence", kills=("param.echo.off",), kind="request", profile="openai")
def echo_by_presence(body: Body, seen: Seen) -> None:
    """Any echo, even false, echoes."""
    if "echo" in body:
        body["echo"] = True


@mutant("best-of-returns-all", kills=("param.best_of.effect",), kind="request", profile="openai")
def best_of_returns_all(body: Body, seen: Seen) -> None:
    """All of best_of's completions are returned."""
    if isinstance(body.get("best_of"), int):
        body["n"] = body["best_of"]


@mutant(
    "suffix-is-an-error",
    kills=("param.suffix.effect",),
    kind="asgi",
    thread="https://github.com/docker/model-runner/issues/403",
    profile="openai",
)
def suffix_is_an_error(app: Any) -> Any:
    """A suffix leads to an internal error."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        parts = []
        while True:
            received = await receive()
            parts.append(received.get("body", b""))
            if not received.get("more_body"):
                break
        body, sent = b"".join(parts), False

        async def again() -> Any:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        if b'"suffix"' not in body:
            await app(scope, again, send)
            return
        data = b'{"error": {"message": "Unsupported param: suffix", "type": "server_error"}}'
        head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(data))]
        await send({"type": "http.response.start", "status": 500, "headers": head})
        await send({"type": "http.response.body", "body": data})

    return answer


# Response formats

_dropped(
    "response-format-ignored",
    "response_format",
    ("param.response_format.effect", "param.response_format.json-object"),
    thread="https://github.com/ggml-org/llama.cpp/issues/11988",
)
_dropped(
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


# Tools


def _holder(choice: Body) -> Body:
    for name in ("message", "delta"):
        if isinstance(choice.get(name), dict):
            return choice[name]  # type: ignore[no-any-return]
    return {}


def _calls(choice: Body) -> list[Body]:
    return _holder(choice).get("tool_calls") or []


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
        for call in _calls(choice):
            change(call)

    function.__doc__ = sentence
    mutant(name, kills=kills, kind="choice", only=only, thread=thread, profile="openai")(function)


@mutant("tools-ignored", kills=("param.tools.effect",), kind="request", profile="openai")
def tools_ignored(body: Body, seen: Seen) -> None:
    """tools and tool_choice are accepted and ignored."""
    for name in ("tools", "tool_choice", "parallel_tool_calls"):
        body.pop(name, None)


@mutant(
    "tools-ignored-in-stream",
    kills=("param.tools.stream-equals-regular", "param.tools.effect"),
    kind="request",
    only="stream",
    thread="https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/1066",
    profile="openai",
)
def tools_ignored_in_stream(body: Body, seen: Seen) -> None:
    """A stream never calls a tool."""
    tools_ignored(body, seen)


@mutant(
    "tool-choice-ignored",
    kills=("param.tool_choice.effect",),
    kind="request",
    thread="https://github.com/Blaizzy/mlx-vlm/issues/1045",
    profile="openai",
)
def tool_choice_ignored(body: Body, seen: Seen) -> None:
    """Whatever tool_choice says, the model decides."""
    body.pop("tool_choice", None)


@mutant(
    "tool-choice-required-is-auto",
    kills=("param.tool_choice.effect",),
    kind="request",
    thread="https://github.com/vllm-project/vllm/issues/44216",
    profile="openai",
)
def tool_choice_required_is_auto(body: Body, seen: Seen) -> None:
    """required counts as auto."""
    if body.get("tool_choice") == "required":
        body["tool_choice"] = "auto"


@mutant(
    "tool-choice-none-is-auto",
    kills=("param.tool_choice.effect",),
    kind="request",
    thread="https://github.com/tenstorrent/tt-inference-server/pull/3084",
    profile="openai",
)
def tool_choice_none_is_auto(body: Body, seen: Seen) -> None:
    """none counts as auto."""
    if body.get("tool_choice") == "none":
        body["tool_choice"] = "auto"


@mutant(
    "tool-choice-named-is-required",
    kills=("param.tool_choice.named",),
    kind="request",
    profile="openai",
)
def tool_choice_named_is_required(body: Body, seen: Seen) -> None:
    """A named function counts as required."""
    if isinstance(body.get("tool_choice"), dict):
        body["tool_choice"] = "required"


@mutant(
    "tool-choice-none-needs-tools",
    kills=("param.tool_choice.none-without-tools",),
    kind="request",
    thread="https://github.com/vllm-project/vllm/issues/9426",
    profile="openai",
)
def tool_choice_none_needs_tools(body: Body, seen: Seen) -> None:
    """tool_choice none is refused without tools."""
    if body.get("tool_choice") == "none" and "tools" not in body:
        body["tool_choice"] = "required"


_dropped(
    "parallel-tool-calls-ignored",
    "parallel_tool_calls",
    ("param.parallel_tool_calls.effect",),
    thread="https://github.com/sgl-project/sglang/issues/9696",
)


@mutant(
    "tool-calls-finish-stop",
    kills=("param.tools.finish-reason",),
    kind="choice",
    thread="https://github.com/ollama/ollama/pull/5995",
    profile="openai",
)
def tool_calls_finish_stop(choice: Body, seen: Seen) -> None:
    """An answer with tool calls finishes with stop."""
    if finish(choice) == "tool_calls":
        choice["finish_reason"] = "stop"


@mutant(
    "tool-calls-finish-singular",
    kills=("param.tools.finish-reason",),
    kind="choice",
    thread="https://github.com/ml-explore/mlx-lm/pull/782",
    profile="openai",
)
def tool_calls_finish_singular(choice: Body, seen: Seen) -> None:
    """The finish reason is tool_call."""
    if finish(choice) == "tool_calls":
        choice["finish_reason"] = "tool_call"


@mutant(
    "cut-tool-call-called-complete",
    kills=("param.tools.cut",),
    kind="choice",
    thread="https://github.com/ROCm/FastFlowLM/pull/728",
    profile="openai",
)
def cut_tool_call_called_complete(choice: Body, seen: Seen) -> None:
    """A call that the limit cut finishes with tool_calls."""
    if finish(choice) == "length" and seen.asked("tools"):
        choice["finish_reason"] = "tool_calls"


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
    for call in _calls(choice):
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
    if _calls(choice):
        _holder(choice)["tool_calls"] = _calls(choice)[0]


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
            if _calls(choice):
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
        if any(_calls(choice) for choice in chunk.get("choices", [])):
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
        for call in _calls(choice):
            call["function"]["arguments"] = json.dumps({"unheard": True})


# Parameters without effect


@mutant("user-in-text", kills=("param.user.effect",), kind="choice", profile="openai")
def user_in_text(choice: Body, seen: Seen) -> None:
    """The user's identifier shows in the text."""
    if seen.asked("user") and text_of(choice):
        set_text(choice, f"{seen.asked('user')}: {text_of(choice)}")


@mutant(
    "metadata-shortens-answer", kills=("param.metadata.effect",), kind="request", profile="openai"
)
def metadata_shortens_answer(body: Body, seen: Seen) -> None:
    """metadata halves max_tokens."""
    if body.get("metadata") and isinstance(body.get("max_tokens"), int):
        body["max_tokens"] //= 2
