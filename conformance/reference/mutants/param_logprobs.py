"""Defects of logprobs and top_logprobs: missing, out of order, or not true."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.choices import set_text, text_of
from conformance.reference.mutants.dropping import dropped

Body = dict[str, Any]


dropped(
    "logprobs-ignored",
    "logprobs",
    ("param.logprobs.effect",),
    thread="https://github.com/huggingface/text-generation-inference/issues/2211",
)


dropped("logprobs-ignored-in-stream", "logprobs", ("param.logprobs.effect",), only="stream")


dropped("top-logprobs-ignored", "top_logprobs", ("param.top_logprobs.effect",))


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


@mutant(
    "leading-space-trimmed",
    kills=("param.logprobs.text",),
    kind="choice",
    endpoint="completions",
    profile="openai",
    thread="https://github.com/ml-explore/mlx-lm/pull/1754",
)
def leading_space_trimmed(choice: Body, seen: Seen) -> None:
    """A space that the text begins with is lost; the list of its tokens still has it."""
    if text_of(choice):
        set_text(choice, text_of(choice).lstrip(" "))
