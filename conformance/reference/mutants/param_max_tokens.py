"""Defects of max_tokens, and of the finish reason that tells whether it cut."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.choices import finish, set_text, text_of

Body = dict[str, Any]


LIMIT = 40


@mutant("max-tokens-ignored", kills=("param.max_tokens.effect",), kind="request")
def max_tokens_ignored(body: Body, seen: Seen) -> None:
    """Whatever max_tokens says, 40 tokens come."""
    body["max_tokens"] = LIMIT


@mutant(
    "max-tokens-ignored-in-stream",
    kills=("param.max_tokens.effect",),
    kind="request",
    only="stream",
)
def max_tokens_ignored_in_stream(body: Body, seen: Seen) -> None:
    """A stream has 40 tokens, whatever max_tokens says."""
    body["max_tokens"] = LIMIT


@mutant(
    "max-tokens-ignored-now-and-then",
    kills=("param.max_tokens.effect",),
    kind="request",
    every=3,
)
def max_tokens_ignored_now_and_then(body: Body, seen: Seen) -> None:
    """Every third request has 40 tokens, whatever max_tokens says."""
    body["max_tokens"] = LIMIT


@mutant("max-tokens-one-more", kills=("param.max_tokens.effect",), kind="request")
def max_tokens_one_more(body: Body, seen: Seen) -> None:
    """One token more than max_tokens comes."""
    if isinstance(body.get("max_tokens"), int):
        body["max_tokens"] += 1


@mutant("max-tokens-one-less", kills=("param.max_tokens.effect",), kind="request")
def max_tokens_one_less(body: Body, seen: Seen) -> None:
    """One token less than max_tokens comes, where it is more than one."""
    if isinstance(body.get("max_tokens"), int) and body["max_tokens"] > 1:
        body["max_tokens"] -= 1


@mutant("max-tokens-capped", kills=("param.max_tokens.hidden-cap",), kind="request")
def max_tokens_capped(body: Body, seen: Seen) -> None:
    """No answer is longer than 64 tokens."""
    if isinstance(body.get("max_tokens"), int):
        body["max_tokens"] = min(body["max_tokens"], 64)


@mutant(
    "usage-exceeds-max-tokens",
    kills=("param.max_tokens.usage",),
    kind="json",
    thread="https://github.com/stuartleeks/aoai-simulated-api/issues/34",
)
def usage_exceeds_max_tokens(document: Body, seen: Seen) -> None:
    """completion_tokens is two more than were generated."""
    if isinstance(document.get("usage"), dict):
        document["usage"]["completion_tokens"] += 2
        document["usage"]["total_tokens"] += 2


@mutant(
    "length-is-called-stop",
    kills=("param.max_tokens.finish-reason",),
    kind="choice",
    thread="https://github.com/PaddlePaddle/FastDeploy/pull/4543",
)
def length_is_called_stop(choice: Body, seen: Seen) -> None:
    """An answer that its limit cut finishes with stop."""
    if finish(choice) == "length":
        choice["finish_reason"] = "stop"


@mutant(
    "length-is-called-stop-in-stream",
    kills=("param.max_tokens.finish-reason",),
    kind="choice",
    only="stream",
    thread="https://github.com/paiml/aprender/pull/2015",
)
def length_is_called_stop_in_stream(choice: Body, seen: Seen) -> None:
    """A stream always finishes with stop."""
    length_is_called_stop(choice, seen)


@mutant(
    "length-is-called-stop-on-completions",
    kills=("param.max_tokens.finish-reason",),
    kind="choice",
    endpoint="completions",
    thread="https://github.com/ROCm/FastFlowLM/pull/728",
)
def length_is_called_stop_on_completions(choice: Body, seen: Seen) -> None:
    """The completions endpoint always finishes with stop."""
    length_is_called_stop(choice, seen)


@mutant(
    "stop-is-called-length",
    kills=("param.stop.effect", "param.max_tokens.finish-reason"),
    kind="choice",
)
def stop_is_called_length(choice: Body, seen: Seen) -> None:
    """An answer that ended by itself finishes with length."""
    if finish(choice) == "stop":
        choice["finish_reason"] = "length"


@mutant(
    "large-max-tokens-empties-answer",
    kills=("param.max_tokens.large",),
    kind="choice",
    thread="https://github.com/oobabooga/textgen/issues/4921",
)
def large_max_tokens_empties_answer(choice: Body, seen: Seen) -> None:
    """A large max_tokens leaves no room for an answer."""
    if (seen.asked("max_tokens") or 0) > 1000 and text_of(choice):
        set_text(choice, "")


@mutant(
    "large-max-tokens-shortens-prompt",
    kills=("param.max_tokens.large",),
    kind="json",
    thread="https://github.com/LostRuins/koboldcpp/issues/2481",
)
def large_max_tokens_shortens_prompt(document: Body, seen: Seen) -> None:
    """A large max_tokens takes its room from the prompt."""
    if (seen.asked("max_tokens") or 0) > 1000:
        document["usage"]["prompt_tokens"] -= 1
        document["usage"]["total_tokens"] -= 1


@mutant("default-of-five-tokens", kills=("param.max_tokens.default",), kind="request")
def default_of_five_tokens(body: Body, seen: Seen) -> None:
    """Without max_tokens an answer has five tokens."""
    body.setdefault("max_tokens", 5)


@mutant("missing-max-tokens-is-one", kills=("param.max_tokens.null",), kind="request")
def missing_max_tokens_is_one(body: Body, seen: Seen) -> None:
    """max_tokens null means no token but the first letter."""
    if body.get("max_tokens", 0) is None:
        body["max_tokens"] = 16
        body["stop"] = ""


@mutant("missing-max-tokens-is-empty", kills=("param.max_tokens.omitted",), kind="choice")
def missing_max_tokens_is_empty(choice: Body, seen: Seen) -> None:
    """Without max_tokens the answer is empty."""
    if "max_tokens" not in (seen.body or {}):
        set_text(choice, "")
