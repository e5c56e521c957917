"""Log probabilities whose members are of other types."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Seen, mutant

Document = dict[str, Any]


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
