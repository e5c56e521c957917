"""Defects of repetition_penalty."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.asked import number_in, put
from conformance.reference.sampler import Sampler
from conformance.reference.service import Service

Body = dict[str, Any]


@mutant("repetition-penalty-ignored", kills=("param.repetition_penalty.effect",), kind="request")
def repetition_penalty_ignored(body: Body, seen: Seen) -> None:
    """repetition_penalty is accepted and ignored."""
    body.pop("repetition_penalty", None)


@mutant(
    "repetition-penalty-ignored-in-stream",
    kills=("param.repetition_penalty.effect",),
    kind="request",
    only="stream",
)
def repetition_penalty_ignored_in_stream(body: Body, seen: Seen) -> None:
    """repetition_penalty is ignored in streams."""
    body.pop("repetition_penalty", None)


@mutant(
    "repetition-penalty-sign-flipped", kills=("param.repetition_penalty.effect",), kind="request"
)
def repetition_penalty_sign_flipped(body: Body, seen: Seen) -> None:
    """Logits are multiplied where they are to be divided."""
    value = number_in(body, "repetition_penalty")
    put(body, "repetition_penalty", 1 / value if value else value)


@mutant("repetition-penalty-clamped", kills=("param.repetition_penalty.size",), kind="request")
def repetition_penalty_clamped(body: Body, seen: Seen) -> None:
    """No repetition_penalty counts for more than 1.25."""
    value = number_in(body, "repetition_penalty")
    put(body, "repetition_penalty", None if value is None else min(value, 1.25))


@mutant(
    "repetition-penalty-one-counts", kills=("param.repetition_penalty.neutral",), kind="request"
)
def repetition_penalty_one_counts(body: Body, seen: Seen) -> None:
    """An explicit repetition_penalty of 1 counts as 1.3."""
    if body.get("repetition_penalty") == 1:
        body["repetition_penalty"] = 1.3


class _GeneratedOnly(Sampler):
    def penalise_repetition(
        self,
        logits: list[float],
        penalty: float,
        prompt: Collection[int],
        counts: Mapping[int, int],
    ) -> None:
        super().penalise_repetition(logits, penalty, (), counts)


class _PromptOnly(Sampler):
    def penalise_repetition(
        self,
        logits: list[float],
        penalty: float,
        prompt: Collection[int],
        counts: Mapping[int, int],
    ) -> None:
        super().penalise_repetition(logits, penalty, prompt, {})


@mutant(
    "repetition-penalty-without-prompt", kills=("param.repetition_penalty.prompt",), kind="service"
)
class RepetitionWithoutPrompt(Service):
    """repetition_penalty does not see the prompt."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.sampler = _GeneratedOnly()


@mutant(
    "repetition-penalty-prompt-only", kills=("param.repetition_penalty.generated",), kind="service"
)
class RepetitionPromptOnly(Service):
    """repetition_penalty does not see the generated text."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.sampler = _PromptOnly()
