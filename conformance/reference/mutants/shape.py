"""Answers of the wrong shape."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Head, Seen, mutant
from conformance.reference.mutants.answering import ASGIApp, Reply, Request, intercept

Document = dict[str, Any]


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


@mutant(
    "model-missing",
    kills=("shape.model",),
    kind="json",
    thread="https://github.com/traceloop/hub/pull/6",
)
def model_missing(document: Document, seen: Seen) -> None:
    """Answers do not name the model."""
    if "choices" in document:
        del document["model"]


@mutant(
    "json-with-stream-tail",
    kills=("shape.json", "shape.content-type"),
    kind="asgi",
    thread="https://github.com/decolua/9router/issues/3492",
)
def json_with_stream_tail(app: ASGIApp) -> ASGIApp:
    """A regular answer is sent as an event stream: the document, and `data: [DONE]` behind it."""

    def change(request: Request, honest: Reply) -> Reply | None:
        if honest.status != 200 or request.method != "POST" or request.asked("stream"):
            return None
        fields = [(b"content-type", b"text/event-stream")]
        return Reply(200, fields, honest.body + b"\n\ndata: [DONE]\n\n")

    return intercept(change)(app)
