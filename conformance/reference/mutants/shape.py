"""Answers of the wrong shape, and counts that are not true."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Head, Seen, mutant

Document = dict[str, Any]


def _usage(document: Document) -> dict[str, int]:
    usage: dict[str, int] = document.get("usage") or {}
    return usage


# Members


@mutant(
    "created-milliseconds",
    kills=("shape.created.plausible",),
    kind="document",
    thread="https://github.com/PawanOsman/OpenCursor/issues/67",
)
def created_milliseconds(document: Document, seen: Seen) -> None:
    """`created` counts milliseconds."""
    if "created" in document and "choices" in document:
        document["created"] *= 1000


@mutant(
    "created-decimal",
    kills=("shape.created", "chunk.created"),
    kind="document",
    thread="https://github.com/Mintplex-Labs/anything-llm/issues/2920",
)
def created_decimal(document: Document, seen: Seen) -> None:
    """`created` is a decimal number."""
    if "created" in document:
        document["created"] += 0.25


@mutant("created-stuck", kills=("shape.created.plausible",), kind="document")
def created_stuck(document: Document, seen: Seen) -> None:
    """`created` is 0."""
    if "created" in document and "choices" in document:
        document["created"] = 0


@mutant(
    "object-empty",
    kills=("shape.object", "chunk.object"),
    kind="document",
    thread="https://github.com/langgenius/dify/pull/3506",
)
def object_empty(document: Document, seen: Seen) -> None:
    """`object` is an empty string."""
    if "choices" in document:
        document["object"] = ""


@mutant(
    "model-null",
    kills=("shape.model", "chunk.model"),
    kind="document",
    thread="https://github.com/microsoft/foundry-local/issues/144",
)
def model_null(document: Document, seen: Seen) -> None:
    """`model` is null."""
    if "choices" in document:
        document["model"] = None


@mutant(
    "id-missing",
    kills=("shape.id", "chunk.id"),
    kind="document",
    thread="https://github.com/mudler/LocalAI/issues/648",
)
def id_missing(document: Document, seen: Seen) -> None:
    """There is no `id`."""
    if "choices" in document:
        del document["id"]


@mutant("id-constant", kills=("shape.id.unique",), kind="document")
def id_constant(document: Document, seen: Seen) -> None:
    """Every answer has the same `id`."""
    if "choices" in document:
        document["id"] = "chatcmpl-1"


@mutant(
    "choices-null",
    kills=("shape.choices", "chunk.choices"),
    kind="document",
    thread="https://github.com/qualcomm/GenieX/pull/801",
)
def choices_null(document: Document, seen: Seen) -> None:
    """`choices` is null."""
    if "choices" in document:
        document["choices"] = None


@mutant(
    "choices-missing",
    kills=("shape.choices",),
    kind="json",
    thread="https://github.com/langchain-ai/langchainjs/issues/11417",
)
def choices_missing(document: Document, seen: Seen) -> None:
    """An answer with status 200 has no `choices`."""
    document.pop("choices", None)


@mutant(
    "choice-index-from-one",
    kills=("shape.choices.indices",),
    kind="choice",
    thread="https://github.com/BerriAI/litellm/issues/3678",
)
def index_from_one(choice: Document, seen: Seen) -> None:
    """Choices are counted from 1."""
    choice["index"] += 1


@mutant("choice-lost", kills=("shape.choices.count",), kind="json")
def choice_lost(document: Document, seen: Seen) -> None:
    """Only the first of several choices is returned."""
    document["choices"] = document.get("choices", [])[:1]


@mutant(
    "finish-reason-error",
    kills=("shape.choices.finish-reason", "chunk.choices.finish-reason"),
    kind="choice",
    thread="https://github.com/raullenchai/Rapid-MLX/pull/433",
)
def finish_reason_error(choice: Document, seen: Seen) -> None:
    """An answer ends with the reason `error`."""
    if choice.get("finish_reason"):
        choice["finish_reason"] = "error"


@mutant("finish-reason-tool-calls", kills=("shape.finish-reason.cause",), kind="choice")
def finish_reason_tool_calls(choice: Document, seen: Seen) -> None:
    """A plain answer ends with the reason `tool_calls`."""
    if choice.get("finish_reason") and not seen.asked("tools"):
        choice["finish_reason"] = "tool_calls"


@mutant("role-missing", kills=("shape.choices.message.role",), kind="choice", endpoint="chat")
def role_missing(choice: Document, seen: Seen) -> None:
    """A message has no `role`."""
    choice.get("message", {}).pop("role", None)


@mutant("content-missing", kills=("shape.choices.message.content",), kind="choice", endpoint="chat")
def content_missing(choice: Document, seen: Seen) -> None:
    """A message has no `content`."""
    choice.get("message", {}).pop("content", None)


@mutant(
    "refusal-missing",
    kills=("shape.choices.message.refusal",),
    kind="choice",
    thread="https://github.com/mlcommons/endpoints/issues/133",
    endpoint="chat",
)
def refusal_missing(choice: Document, seen: Seen) -> None:
    """A message has no `refusal`."""
    choice.get("message", {}).pop("refusal", None)


@mutant(
    "tool-calls-empty",
    kills=("shape.tool-calls.unasked",),
    kind="choice",
    thread="https://github.com/lmstudio-ai/lmstudio-bug-tracker/issues/1318",
    endpoint="chat",
)
def tool_calls_empty(choice: Document, seen: Seen) -> None:
    """A plain answer has an empty array of tool calls."""
    if "message" in choice:
        choice["message"]["tool_calls"] = []


@mutant("logprobs-unasked", kills=("shape.logprobs.unasked",), kind="json")
def logprobs_unasked(document: Document, seen: Seen) -> None:
    """Log probabilities are returned although nobody asked."""
    for choice in document.get("choices", []):
        choice["logprobs"] = {"content": []}


@mutant(
    "delta-in-answer", kills=("shape.no-delta",), kind="choice", only="regular", endpoint="chat"
)
def delta_in_answer(choice: Document, seen: Seen) -> None:
    """A regular answer has the `delta` of a chunk beside its message."""
    choice["delta"] = {"content": "hello"}


@mutant("text-empty", kills=("shape.text",), kind="choice", only="regular")
def text_empty(choice: Document, seen: Seen) -> None:
    """Answers have no text, and end with `stop`."""
    holder = choice.get("message", choice)
    holder["content" if holder is not choice else "text"] = ""
    choice["finish_reason"] = "stop"


@mutant("json-as-text", kills=("shape.content-type",), kind="head", only="regular")
def json_as_text(head: Head, seen: Seen) -> None:
    """Answers are sent as text/plain."""
    if head.status == 200:
        head.set("content-type", "text/plain; charset=utf-8")


@mutant("json-trailing", kills=("shape.json",), kind="bytes", only="regular")
def json_trailing(body: bytes, seen: Seen) -> bytes:
    """Something follows the JSON document."""
    return body + b"\nnull" if seen.status == 200 else body


# Counts


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
    if usage := _usage(document):
        usage["total_tokens"] += 17


@mutant(
    "usage-one-token",
    kills=("usage.length",),
    kind="json",
    thread="https://github.com/abetlen/llama-cpp-python/issues/1344",
)
def usage_one_token(document: Document, seen: Seen) -> None:
    """`completion_tokens` is 1 whatever the answer."""
    if usage := _usage(document):
        usage["completion_tokens"] = 1
        usage["total_tokens"] = usage["prompt_tokens"] + 1


@mutant("usage-no-tokens", kills=("usage.text",), kind="json")
def usage_no_tokens(document: Document, seen: Seen) -> None:
    """`completion_tokens` is 0 whatever the answer."""
    if usage := _usage(document):
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
    if usage := _usage(document):
        usage["completion_tokens"] //= max(1, len(document.get("choices", [])))
        usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]


@mutant("usage-beyond-limit", kills=("usage.limit",), kind="json")
def usage_beyond_limit(document: Document, seen: Seen) -> None:
    """`completion_tokens` is more than the limit allows."""
    if usage := _usage(document):
        usage["completion_tokens"] += 1
        usage["total_tokens"] += 1


@mutant("usage-prompt-zero", kills=("usage.prompt",), kind="json")
def usage_prompt_zero(document: Document, seen: Seen) -> None:
    """`prompt_tokens` is 0."""
    if usage := _usage(document):
        usage["prompt_tokens"] = 0
        usage["total_tokens"] = usage["completion_tokens"]


@mutant("usage-prompt-constant", kills=("usage.prompt-grows",), kind="json")
def usage_prompt_constant(document: Document, seen: Seen) -> None:
    """`prompt_tokens` is the same for every prompt."""
    if usage := _usage(document):
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
    if usage := _usage(document):
        usage["prompt_tokens"] += len(seen.body or {})
        usage["total_tokens"] += len(seen.body or {})


@mutant("usage-strings", kills=("shape.usage.prompt-tokens",), kind="json")
def usage_strings(document: Document, seen: Seen) -> None:
    """Token counts are strings."""
    if usage := _usage(document):
        document["usage"] = {name: str(count) for name, count in usage.items()}


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


# Models


def _entries(document: Document) -> list[Document]:
    data: list[Document] = document.get("data") or []
    return data


@mutant(
    "models-bare-array",
    kills=("shape.body",),
    kind="json",
    thread="https://github.com/songquanpeng/one-api/issues/128",
    endpoint="models",
)
def models_bare_array(document: Document, seen: Seen) -> Any:
    """The list of models is a bare array."""
    return _entries(document)


@mutant(
    "models-other-member",
    kills=("shape.data",),
    kind="json",
    thread="https://github.com/vllm-project/router/issues/133",
    endpoint="models",
)
def models_other_member(document: Document, seen: Seen) -> Any:
    """The list of models is `{"models": ["a", "b"]}`."""
    return {"models": [each["id"] for each in _entries(document)]}


@mutant(
    "models-no-object",
    kills=("shape.object",),
    kind="json",
    thread="https://github.com/tarasglek/chatcraft.org/issues/515",
    endpoint="models",
)
def models_no_object(document: Document, seen: Seen) -> None:
    """The list of models has no `object`."""
    document.pop("object", None)


@mutant("model-unlisted", kills=("model.listed",), kind="json", endpoint="models")
def model_unlisted(document: Document, seen: Seen) -> None:
    """The list lacks the model that answers."""
    for entry in _entries(document):
        entry["id"] = "another-model"


@mutant("model-listed-twice", kills=("model.distinct",), kind="json", endpoint="models")
def model_listed_twice(document: Document, seen: Seen) -> None:
    """A model is listed twice."""
    document["data"] = _entries(document) * 2


@mutant(
    "model-entry-differs", kills=("model.retrieve-equals-entry",), kind="json", endpoint="model"
)
def model_entry_differs(document: Document, seen: Seen) -> None:
    """A model alone has another owner than in the list."""
    document["owned_by"] = "somebody-else"


@mutant(
    "model-ghosts-listed",
    kills=("model.listed-retrievable", "model.listed-usable"),
    kind="json",
    thread="https://github.com/decolua/9router/issues/1512",
    endpoint="models",
)
def model_ghosts_listed(document: Document, seen: Seen) -> None:
    """The list has a model that is not there."""
    document["data"] = [*_entries(document), {**_entries(document)[0], "id": "gone-model"}]


# Every member at once


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
    if usage := _usage(document):
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
    elif usage := _usage(document):
        document["usage"] = {**usage, **details}


def _call(spoilt: bool) -> Document:
    if spoilt:
        return {"index": "0", "id": 7, "type": 7, "function": {"name": 7, "arguments": {}}}
    return {"index": 0, "id": "call_1", "type": "function", "function": "get_time"}


def _speech(choice: Document) -> Document:
    """The message or delta of a choice."""
    found: Document = choice.get("message") or choice.setdefault("delta", {})
    return found


_CALLS = ("id", "type", "function.name", "function.arguments")


@mutant(
    "tool-calls-spoilt",
    kills=(
        *(f"shape.choices.message.tool-calls.{name}" for name in _CALLS),
        *(f"chunk.choices.delta.tool-calls.{name}" for name in ("index", *_CALLS)),
    ),
    kind="choice",
    endpoint="chat",
)
def tool_calls_spoilt(choice: Document, seen: Seen) -> None:
    """The members of tool calls are of other types; arguments are an object."""
    _speech(choice)["tool_calls"] = [_call(spoilt=True)]


@mutant(
    "tool-function-spoilt",
    kills=(
        "shape.choices.message.tool-calls.function",
        "chunk.choices.delta.tool-calls.function",
    ),
    kind="choice",
    endpoint="chat",
)
def tool_function_spoilt(choice: Document, seen: Seen) -> None:
    """The function of a tool call is its name alone."""
    _speech(choice)["tool_calls"] = [_call(spoilt=False)]


@mutant(
    "tool-calls-object",
    kills=("shape.choices.message.tool-calls", "chunk.choices.delta.tool-calls"),
    kind="choice",
    endpoint="chat",
)
def tool_calls_object(choice: Document, seen: Seen) -> None:
    """Tool calls are an object by index."""
    _speech(choice)["tool_calls"] = {"0": {}}


_ENTRY = ("token", "logprob", "bytes")
_LISTS = ("content", "refusal")


def _places(*names: str) -> tuple[str, ...]:
    return tuple(
        f"{chapter}.choices.logprobs.{name}" for chapter in ("shape", "chunk") for name in names
    )


@mutant(
    "logprobs-leaves-spoilt",
    kills=_places(
        *(f"{each}.{name}" for each in _LISTS for name in _ENTRY),
        *(f"{each}.top-logprobs.{name}" for each in _LISTS for name in _ENTRY),
    ),
    kind="choice",
    endpoint="chat",
)
def logprobs_leaves_spoilt(choice: Document, seen: Seen) -> None:
    """In log probabilities texts are numbers and numbers are texts."""
    leaf = {"token": 7, "logprob": "-0.5", "bytes": "none"}
    choice["logprobs"] = {each: [{**leaf, "top_logprobs": [leaf]}] for each in _LISTS}


@mutant(
    "logprobs-lists-spoilt",
    kills=_places(*(f"{each}.top-logprobs" for each in _LISTS)),
    kind="choice",
    endpoint="chat",
)
def logprobs_lists_spoilt(choice: Document, seen: Seen) -> None:
    """The alternatives of a token are an object by token."""
    entry = {"token": "a", "logprob": -0.5, "bytes": None, "top_logprobs": {"a": -0.5}}
    choice["logprobs"] = {each: [entry] for each in _LISTS}


@mutant(
    "logprobs-of-the-other-endpoint",
    kills=("shape.choices.logprobs.content",),
    kind="choice",
    thread="https://github.com/vllm-project/vllm/issues/3179",
    endpoint="chat",
)
def logprobs_of_the_other_endpoint(choice: Document, seen: Seen) -> None:
    """Chat answers have the log probabilities of the completions endpoint."""
    choice["logprobs"] = {
        "tokens": ["a"],
        "token_logprobs": [-0.5],
        "top_logprobs": None,
        "text_offset": [0],
    }


@mutant("logprobs-as-text", kills=_places(*_LISTS), kind="choice", endpoint="chat")
def logprobs_as_text(choice: Document, seen: Seen) -> None:
    """The log probabilities of content and refusal are texts."""
    choice["logprobs"] = dict.fromkeys(_LISTS, "none")


@mutant(
    "logprobs-arrays-spoilt",
    kills=_places("tokens", "token-logprobs", "top-logprobs", "text-offset"),
    kind="choice",
    endpoint="completions",
)
def logprobs_arrays_spoilt(choice: Document, seen: Seen) -> None:
    """Each array of log probabilities is a text."""
    names = ("tokens", "token_logprobs", "top_logprobs", "text_offset")
    choice["logprobs"] = dict.fromkeys(names, "none")


@mutant(
    "model-other",
    kills=("shape.model.echo",),
    kind="json",
    thread="https://github.com/vllm-project/vllm/issues/15845",
)
def model_other(document: Document, seen: Seen) -> None:
    """Answers name another model than the one that was asked for."""
    if "choices" in document:
        document["model"] = "gpt-3.5-turbo"


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
            choice.setdefault("delta", {})["audio"] = "none"
