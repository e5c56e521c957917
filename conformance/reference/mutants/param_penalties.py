"""Defects of presence_penalty and frequency_penalty."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import sqrt
from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.asked import number_in, put
from conformance.reference.sampler import Sampler
from conformance.reference.service import Service

Body = dict[str, Any]


def _penalty_mutants(name: str) -> None:
    """The defects that both penalties can have."""
    short = name.replace("_", "-")
    effect, thread = f"param.{name}.effect", None
    if name == "frequency_penalty":
        thread = "https://github.com/transformerlab/transformerlab-app/issues/224"
    else:
        thread = "https://github.com/mudler/LocalAI/issues/1051"

    def ignored(body: Body, seen: Seen) -> None:
        body.pop(name, None)

    def flipped(body: Body, seen: Seen) -> None:
        value = number_in(body, name)
        put(body, name, None if value is None else -value)

    def clamped(body: Body, seen: Seen) -> None:
        value = number_in(body, name)
        put(body, name, None if value is None else max(-1, min(1, value)))

    def halved(body: Body, seen: Seen) -> None:
        value = number_in(body, name)
        put(body, name, None if value is None else value / 2)

    def positive(body: Body, seen: Seen) -> None:
        value = number_in(body, name)
        put(body, name, None if value is None else max(0, value))

    def nonzero(body: Body, seen: Seen) -> None:
        if body.get(name) == 0:
            body[name] = 2

    mutant(f"{short}-ignored", kills=(effect,), kind="request", thread=thread)(ignored)
    mutant(f"{short}-ignored-in-stream", kills=(effect,), kind="request", only="stream")(ignored)
    mutant(f"{short}-sign-flipped", kills=(effect,), kind="request")(flipped)
    mutant(f"{short}-clamped", kills=(f"param.{name}.size",), kind="request")(clamped)
    mutant(f"{short}-halved", kills=(f"param.{name}.size",), kind="request")(halved)
    mutant(f"{short}-never-negative", kills=(f"param.{name}.negative",), kind="request")(positive)
    mutant(f"{short}-zero-counts", kills=(f"param.{name}.neutral",), kind="request")(nonzero)


for _name in ("presence_penalty", "frequency_penalty"):
    _penalty_mutants(_name)


class _Counting(Sampler):
    """Penalizes generated tokens by another function of their count."""

    def taken(self, presence: float, frequency: float, count: int) -> float:
        """What ``count`` occurrences take off."""
        return presence + frequency * count

    def penalise_generated(
        self, logits: list[float], presence: float, frequency: float, counts: Mapping[int, int]
    ) -> None:
        """Subtract what the occurrences take off."""
        for token, count in counts.items():
            logits[token] -= self.taken(presence, frequency, count)


class _Accumulating(_Counting):
    def taken(self, presence: float, frequency: float, count: int) -> float:
        return (presence + frequency) * count


class _Flat(_Counting):
    def taken(self, presence: float, frequency: float, count: int) -> float:
        return presence + frequency


class _Root(_Counting):
    def taken(self, presence: float, frequency: float, count: int) -> float:
        return presence + frequency * sqrt(count)


class _Doubled(_Counting):
    def taken(self, presence: float, frequency: float, count: int) -> float:
        return presence + 2 * frequency * count


@mutant("presence-penalty-accumulates", kills=("param.presence_penalty.flat",), kind="service")
class PresenceAccumulates(Service):
    """presence_penalty is taken off again for every occurrence."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.sampler = _Accumulating()


@mutant(
    "frequency-penalty-flat",
    kills=("param.frequency_penalty.grows",),
    kind="service",
)
class FrequencyFlat(Service):
    """frequency_penalty is taken off once, however often a token came."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.sampler = _Flat()


@mutant("frequency-penalty-root", kills=("param.frequency_penalty.linear",), kind="service")
class FrequencyRoot(Service):
    """frequency_penalty grows with the square root of the count."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.sampler = _Root()


@mutant("frequency-penalty-doubled", kills=("param.frequency_penalty.linear",), kind="service")
class FrequencyDoubled(Service):
    """Twice the frequency_penalty is taken off."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.sampler = _Doubled()


class _PromptToo(Sampler):
    """Penalizes the prompt's tokens as if they had been generated once."""

    def adjust(
        self,
        logits: list[float],
        parameters: Any,
        prompt: Collection[int],
        counts: Mapping[int, int],
    ) -> None:
        """Count the prompt for presence and frequency."""
        both = {token: counts.get(token, 0) + (token in prompt) for token in {*prompt, *counts}}
        super().adjust(logits, parameters, prompt, both)


@mutant(
    "penalties-count-prompt",
    kills=("param.presence_penalty.generated-only", "param.frequency_penalty.generated-only"),
    kind="service",
)
class PenaltiesCountPrompt(Service):
    """presence_penalty and frequency_penalty count the prompt."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.sampler = _PromptToo()
