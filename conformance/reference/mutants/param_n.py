"""Defects of n: another number of choices, or choices that are mixed up."""

from __future__ import annotations

import copy
from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.choices import set_text

Body = dict[str, Any]


@mutant(
    "n-ignored",
    kills=("param.n.effect",),
    kind="request",
    thread="https://github.com/InternLM/lmdeploy/pull/4419",
)
def n_ignored(body: Body, seen: Seen) -> None:
    """There is one choice, whatever n says."""
    body.pop("n", None)


@mutant("n-ignored-in-stream", kills=("param.n.effect",), kind="request", only="stream")
def n_ignored_in_stream(body: Body, seen: Seen) -> None:
    """A stream has one choice, whatever n says."""
    body.pop("n", None)


@mutant("n-ignored-now-and-then", kills=("param.n.effect",), kind="request", every=3)
def n_ignored_now_and_then(body: Body, seen: Seen) -> None:
    """Every third request has one choice, whatever n says."""
    body.pop("n", None)


@mutant("n-two-at-most", kills=("param.n.effect",), kind="request")
def n_two_at_most(body: Body, seen: Seen) -> None:
    """There are two choices at most."""
    if isinstance(body.get("n"), int):
        body["n"] = min(body["n"], 2)


@mutant("n-one-more", kills=("param.n.effect", "param.n.single"), kind="request")
def n_one_more(body: Body, seen: Seen) -> None:
    """There is one choice more than n."""
    if isinstance(body.get("n"), int):
        body["n"] += 1


@mutant("n-all-index-zero", kills=("param.n.indices",), kind="choice", only="regular")
def n_all_index_zero(choice: Body, seen: Seen) -> None:
    """Every choice has the index 0."""
    choice["index"] = 0


@mutant("n-all-index-zero-in-stream", kills=("param.n.effect",), kind="choice", only="stream")
def n_all_index_zero_in_stream(choice: Body, seen: Seen) -> None:
    """Every choice of a stream has the index 0."""
    choice["index"] = 0


@mutant("n-counts-from-one", kills=("param.n.indices",), kind="choice")
def n_counts_from_one(choice: Body, seen: Seen) -> None:
    """The first index is 1."""
    choice["index"] += 1


@mutant("n-last-choice-empty", kills=("param.n.complete",), kind="choice")
def n_last_choice_empty(choice: Body, seen: Seen) -> None:
    """Every choice but the first two is empty."""
    if choice.get("index", 0) >= 2:
        set_text(choice, "")


@mutant(
    "n-copies",
    kills=("param.n.independent",),
    kind="json",
    thread="https://github.com/npuichigo/openai_trtllm/issues/48",
)
def n_copies(document: Body, seen: Seen) -> None:
    """All choices are copies of the first."""
    choices = document.get("choices", [])
    for choice in choices[1:]:
        choice.update({**copy.deepcopy(choices[0]), "index": choice["index"]})


@mutant("n-copies-in-stream", kills=("param.n.independent",), kind="stream")
def n_copies_in_stream(chunks: list[Body], seen: Seen) -> list[Body]:
    """All choices of a stream are copies of the first."""
    copies = []
    for chunk in chunks:
        if not chunk.get("choices"):
            copies.append(chunk)
        elif chunk["choices"][0]["index"] == 0:
            for index in range(seen.asked("n") or 1):
                copies.append(copy.deepcopy(chunk))
                copies[-1]["choices"][0]["index"] = index
    return copies


@mutant("n-usage-of-first-choice", kills=("param.n.usage",), kind="json")
def n_usage_of_first_choice(document: Body, seen: Seen) -> None:
    """usage counts the tokens of the first choice alone."""
    usage, n = document.get("usage"), seen.asked("n") or 1
    if isinstance(usage, dict) and isinstance(n, int) and n > 1:
        usage["completion_tokens"] //= n
        usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]


@mutant("n-one-less", kills=("param.n.effect",), kind="request")
def n_one_less(body: Body, seen: Seen) -> None:
    """One choice less than n comes, where it is more than one."""
    if isinstance(body.get("n"), int) and body["n"] > 1:
        body["n"] -= 1
