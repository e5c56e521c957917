"""Defects that show in many answers together, or in answers that no drawn request gets."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.choices import set_text, text_of, texts_of_stream

Document = dict[str, Any]
Chunks = list[Document]


def _texts(document: Document) -> list[str]:
    return [text_of(choice) for choice in document.get("choices") or []]


@mutant(
    "empty-answer-without-choices",
    kills=("shape.throughout", "param.stop.first-token"),
    kind="json",
)
def empty_without_choices(document: Document, seen: Seen) -> None:
    """An answer that is over before its first token has no choices."""
    if seen.asked("stop") and not any(_texts(document)):
        document["choices"] = []


@mutant(
    "finish-lost-when-empty",
    kills=("stream.throughout", "param.stop.first-token"),
    kind="stream",
    thread="https://github.com/llm-d/llm-d-inference-sim/pull/545",
)
def finish_lost_when_empty(chunks: Chunks, seen: Seen) -> None:
    """A stream that is over before its first token ends without a finish reason."""
    if seen.asked("stop") and not any(texts_of_stream(chunks).values()):
        for chunk in chunks:
            for choice in chunk.get("choices") or []:
                choice["finish_reason"] = None


@mutant(
    "ids-come-back",
    kills=("shape.id.unique",),
    kind="document",
    thread="https://github.com/ollama/ollama/pull/14225",
)
def ids_come_back(document: Document, seen: Seen) -> None:
    """Ids are drawn from so few that they come back."""
    if "choices" in document:
        document["id"] = f"chatcmpl-{seen.number % 5}"


@mutant("ids-of-requests", kills=("shape.id.unique",), kind="document")
def ids_of_requests(document: Document, seen: Seen) -> None:
    """The id is a digest of the request, so that the same request has the same one again."""
    if "choices" in document:
        document["id"] = f"chatcmpl-{abs(hash(str(seen.body)))}"


@mutant("created-runs-ahead", kills=("shape.created.clock",), kind="document")
def created_runs_ahead(document: Document, seen: Seen) -> None:
    """`created` is made of a counter of requests instead of the clock."""
    if "choices" in document:
        document["created"] += 3 * (seen.number % 80)


@mutant(
    "template-mark-in-text",
    kills=("shape.template-marks",),
    kind="choice",
    only="regular",
    thread="https://github.com/mzau/mlx-knife/issues/20",
)
def template_mark_in_text(choice: Document, seen: Seen) -> None:
    """An answer shows the mark of the template that opened it."""
    set_text(choice, "<|assistant|>\n" + text_of(choice))


@mutant(
    "second-of-two-tokens-lost",
    kills=("diff.forced-throughout", "param.max_tokens.effect"),
    kind="request",
)
def second_of_two_lost(body: Document, seen: Seen) -> None:
    """Answers that may have two tokens have one."""
    if body.get("max_tokens") == 2:
        body["max_tokens"] = 1


@mutant("prompt-before-text", kills=("shape.no-echo",), kind="json", endpoint="completions")
def prompt_before_text(document: Document, seen: Seen) -> None:
    """The text of a completion is the whole text, prompt included."""
    if isinstance(seen.asked("prompt"), str):
        for choice in document.get("choices") or []:
            set_text(choice, seen.asked("prompt") + text_of(choice))
