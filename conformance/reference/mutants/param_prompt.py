"""Prompts that do not reach the model, and batches that are mixed up."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Seen, mutant

Body = dict[str, Any]


@mutant("prompt-ignored", kills=("param.prompt.effect",), kind="request", endpoint="completions")
def prompt_ignored(body: Body, seen: Seen) -> None:
    """Every prompt is the same to the model."""
    if isinstance(body.get("prompt"), str):
        body["prompt"] = "Hello."


@mutant(
    "prompt-ignored-in-stream",
    kills=("param.prompt.effect",),
    kind="request",
    endpoint="completions",
    only="stream",
)
def prompt_ignored_in_stream(body: Body, seen: Seen) -> None:
    """Every streamed prompt is the same to the model."""
    prompt_ignored(body, seen)


@mutant("prompt-cut-at-end", kills=("param.prompt.effect",), kind="request", endpoint="completions")
def prompt_cut_at_end(body: Body, seen: Seen) -> None:
    """Only the last 30 characters of a prompt reach the model."""
    if isinstance(body.get("prompt"), str):
        body["prompt"] = body["prompt"][-30:]


@mutant(
    "batch-first-prompt-only",
    kills=("param.prompt.batch",),
    kind="request",
    thread="https://github.com/openai/openai-python/issues/90",
)
def batch_first_prompt_only(body: Body, seen: Seen) -> None:
    """Only the first prompt of a batch is answered."""
    prompt = body.get("prompt")
    if isinstance(prompt, list) and prompt and isinstance(prompt[0], str):
        body["prompt"] = prompt[0]


@mutant("batch-in-reverse", kills=("param.prompt.batch-order",), kind="request")
def batch_in_reverse(body: Body, seen: Seen) -> None:
    """The prompts of a batch are answered in reverse order."""
    prompt = body.get("prompt")
    if isinstance(prompt, list) and prompt and isinstance(prompt[0], str):
        body["prompt"] = prompt[::-1]


@mutant("batch-usage-of-one-prompt", kills=("param.prompt.batch-usage",), kind="json")
def batch_usage_of_one_prompt(document: Body, seen: Seen) -> None:
    """usage counts one prompt of a batch."""
    prompt, usage = seen.asked("prompt"), document.get("usage")
    if isinstance(prompt, list) and isinstance(prompt[0], str) and isinstance(usage, dict):
        usage["prompt_tokens"] //= len(prompt)
        usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]


@mutant(
    "token-array-as-text",
    kills=("param.prompt.tokens",),
    kind="request",
    thread="https://github.com/sgl-project/sglang/pull/736",
)
def token_array_as_text(body: Body, seen: Seen) -> None:
    """An array of token ids is read as their digits."""
    prompt = body.get("prompt")
    if isinstance(prompt, list) and prompt and isinstance(prompt[0], int):
        body["prompt"] = " ".join(map(str, prompt))


@mutant(
    "batch-last-prompt-only",
    kills=("param.prompt.batch",),
    kind="json",
    thread="https://github.com/openai/openai-python/issues/90",
)
def batch_last_prompt_only(document: Body, seen: Seen) -> None:
    """Of a batch only the choices of the last prompt are returned, counted on from the others."""
    prompt = seen.asked("prompt")
    if isinstance(prompt, list) and len(prompt) > 1 and isinstance(prompt[0], str):
        document["choices"] = document["choices"][-(seen.asked("n") or 1) :]
