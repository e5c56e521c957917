"""Defects of temperature, top_p, the three penalties, and the size of logit_bias.

Threads are public reports of servers that had the defect.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import sqrt
from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.sampler import Sampler
from conformance.reference.service import Service

Body = dict[str, Any]


def _number(body: Body, name: str) -> float | None:
    """The parameter's value if it is a number."""
    value = body.get(name)
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _change(body: Body, name: str, value: float | None) -> None:
    if value is not None:
        body[name] = value


# temperature


@mutant(
    "temperature-ignored",
    kills=("param.temperature.effect",),
    kind="request",
    thread="https://github.com/ggml-org/llama.cpp/issues/9842",
)
def temperature_ignored(body: Body, seen: Seen) -> None:
    """Everything is sampled at temperature 1."""
    body.pop("temperature", None)


@mutant(
    "temperature-ignored-in-stream",
    kills=("param.temperature.effect",),
    kind="request",
    only="stream",
)
def temperature_ignored_in_stream(body: Body, seen: Seen) -> None:
    """Streams are sampled at temperature 1."""
    body.pop("temperature", None)


@mutant("temperature-always-zero", kills=("param.temperature.effect",), kind="request")
def temperature_always_zero(body: Body, seen: Seen) -> None:
    """Output is always greedy."""
    body["temperature"] = 0


@mutant(
    "temperature-zero-dropped",
    kills=("param.temperature.effect",),
    kind="request",
    thread="https://github.com/SamSaffron/term-llm/pull/278",
)
def temperature_zero_dropped(body: Body, seen: Seen) -> None:
    """Temperature 0 counts as not set."""
    if body.get("temperature") == 0:
        del body["temperature"]


@mutant("temperature-clamped-to-one", kills=("param.temperature.high",), kind="request")
def temperature_clamped_to_one(body: Body, seen: Seen) -> None:
    """Temperatures above 1 count as 1."""
    value = _number(body, "temperature")
    _change(body, "temperature", None if value is None else min(value, 1))


@mutant("temperature-clamped-from-below", kills=("param.temperature.low",), kind="request")
def temperature_clamped_from_below(body: Body, seen: Seen) -> None:
    """Temperatures between 0 and 1 count as 1."""
    value = _number(body, "temperature")
    _change(body, "temperature", max(value, 1) if value else value)


@mutant(
    "temperature-inverted",
    kills=("param.temperature.high", "param.temperature.low"),
    kind="request",
)
def temperature_inverted(body: Body, seen: Seen) -> None:
    """Logits are multiplied by the temperature."""
    value = _number(body, "temperature")
    _change(body, "temperature", min(2, 1 / value) if value else value)


@mutant(
    "temperature-halved",
    kills=("param.temperature.high", "param.logit_bias.size"),
    kind="request",
)
def temperature_halved(body: Body, seen: Seen) -> None:
    """Half of the temperature counts."""
    value = _number(body, "temperature")
    _change(body, "temperature", None if value is None else value / 2)


@mutant(
    "temperature-default-low",
    kills=("param.temperature.default",),
    kind="request",
    thread="https://github.com/paiml/aprender/pull/2015",
    profile="openai",
)
def temperature_default_low(body: Body, seen: Seen) -> None:
    """Without temperature it is 0.1."""
    body.setdefault("temperature", 0.1)


# top_p


@mutant("top-p-ignored", kills=("param.top_p.effect", "param.top_p.tiny"), kind="request")
def top_p_ignored(body: Body, seen: Seen) -> None:
    """top_p is accepted and ignored."""
    body.pop("top_p", None)


@mutant("top-p-ignored-in-stream", kills=("param.top_p.effect",), kind="request", only="stream")
def top_p_ignored_in_stream(body: Body, seen: Seen) -> None:
    """top_p is ignored in streams."""
    body.pop("top_p", None)


@mutant("top-p-clamped-from-below", kills=("param.top_p.effect",), kind="request")
def top_p_clamped_from_below(body: Body, seen: Seen) -> None:
    """A top_p below 0.99 counts as 0.99, unless it is tiny."""
    value = _number(body, "top_p")
    _change(body, "top_p", max(value, 0.99) if value is not None and value > 0.1 else value)


@mutant("top-p-half-at-most", kills=("param.top_p.wide",), kind="request")
def top_p_half_at_most(body: Body, seen: Seen) -> None:
    """A top_p below 1 counts as 0.5 at most."""
    value = _number(body, "top_p")
    _change(body, "top_p", min(value, 0.5) if value is not None and value < 1 else value)


@mutant("top-p-tiny-dropped", kills=("param.top_p.tiny",), kind="request")
def top_p_tiny_dropped(body: Body, seen: Seen) -> None:
    """A top_p below 0.1 counts as not set."""
    value = _number(body, "top_p")
    if value is not None and value < 0.1:
        del body["top_p"]


@mutant("top-p-complement", kills=("param.top_p.wide", "param.top_p.tiny"), kind="request")
def top_p_complement(body: Body, seen: Seen) -> None:
    """1 - top_p is the mass that counts."""
    value = _number(body, "top_p")
    _change(body, "top_p", 1 - value if value is not None and value < 1 else value)


# presence and frequency penalties


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
        value = _number(body, name)
        _change(body, name, None if value is None else -value)

    def clamped(body: Body, seen: Seen) -> None:
        value = _number(body, name)
        _change(body, name, None if value is None else max(-1, min(1, value)))

    def halved(body: Body, seen: Seen) -> None:
        value = _number(body, name)
        _change(body, name, None if value is None else value / 2)

    def positive(body: Body, seen: Seen) -> None:
        value = _number(body, name)
        _change(body, name, None if value is None else max(0, value))

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


# repetition_penalty


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
    value = _number(body, "repetition_penalty")
    _change(body, "repetition_penalty", 1 / value if value else value)


@mutant("repetition-penalty-clamped", kills=("param.repetition_penalty.size",), kind="request")
def repetition_penalty_clamped(body: Body, seen: Seen) -> None:
    """No repetition_penalty counts for more than 1.25."""
    value = _number(body, "repetition_penalty")
    _change(body, "repetition_penalty", None if value is None else min(value, 1.25))


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


# logit_bias


@mutant("logit-bias-halved", kills=("param.logit_bias.size",), kind="request")
def logit_bias_halved(body: Body, seen: Seen) -> None:
    """Half of the bias counts."""
    bias = body.get("logit_bias")
    if isinstance(bias, dict):
        bias.update({k: v // 2 for k, v in bias.items() if isinstance(v, int)})
