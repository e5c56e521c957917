"""Defects of how far a parameter reaches: which of its values, which tokens, which choices, what by
default."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from conformance.reference.logits import Mixture
from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.choices import set_text, stops_of, text_of
from conformance.reference.sampler import Distribution, Sampler, SamplingParameters
from conformance.reference.service import Service

Body = dict[str, Any]

# stop: what is no occurrence, and what is one in every choice


@mutant("stop-in-any-case", kills=("param.stop.absent",), kind="json")
def stop_in_any_case(document: Body, seen: Seen) -> None:
    """Stop sequences are found in the other case too."""
    for choice in document.get("choices", []):
        text = text_of(choice)
        for stop in stops_of(seen.asked("stop")):
            at = text.lower().find(stop.lower())
            if at >= 0:
                set_text(choice, text := text[:at])


@mutant("stop-as-pattern", kills=("param.stop.absent",), kind="json")
def stop_as_pattern(document: Body, seen: Seen) -> None:
    """Stop sequences are regular expressions."""
    for choice in document.get("choices", []):
        for stop in stops_of(seen.asked("stop")):
            set_text(choice, re.split(stop, text_of(choice), maxsplit=1)[0])


@mutant("stop-stripped", kills=("param.stop.absent",), kind="request")
def stop_stripped(body: Body, seen: Seen) -> None:
    """White space around a stop sequence is not part of it."""
    if stops := [stop.strip() for stop in stops_of(body.get("stop"))]:
        body["stop"] = stops


@mutant("stop-ignored-for-several", kills=("param.stop.choices",), kind="request")
def stop_ignored_for_several(body: Body, seen: Seen) -> None:
    """With more than one choice stop is ignored."""
    if isinstance(body.get("n"), int) and body["n"] > 1:
        body.pop("stop", None)


# n


@mutant("n-four-at-most", kills=("param.n.many",), kind="request")
def n_four_at_most(body: Body, seen: Seen) -> None:
    """More than four choices are silently four."""
    if isinstance(body.get("n"), int):
        body["n"] = min(body["n"], 4)


# max_tokens


@mutant("max-tokens-at-most-512", kills=("param.max_tokens.hidden-cap",), kind="request")
def max_tokens_at_most_512(body: Body, seen: Seen) -> None:
    """No answer has more than 512 tokens."""
    if isinstance(body.get("max_tokens"), int):
        body["max_tokens"] = min(body["max_tokens"], 512)


# seed


@mutant("seed-zero-dropped", kills=("param.seed.zero",), kind="request", profile="openai")
def seed_zero_dropped(body: Body, seen: Seen) -> None:
    """A seed of 0 counts as not set."""
    if body.get("seed") == 0:
        del body["seed"]


# messages


@mutant("second-system-message-dropped", kills=("param.messages.system-anywhere",), kind="request")
def second_system_message_dropped(body: Body, seen: Seen) -> None:
    """Only the first system message reaches the model."""
    messages = body.get("messages")
    if not isinstance(messages, list):
        return
    found = [each for each in messages if isinstance(each, dict) and each.get("role") == "system"]
    body["messages"] = [each for each in messages if not any(each is late for late in found[1:])]


# temperature and top_p


@mutant("temperature-whole-numbers", kills=("param.temperature.fraction",), kind="request")
def temperature_whole_numbers(body: Body, seen: Seen) -> None:
    """What comes behind the point of a temperature is cut off."""
    if isinstance(body.get("temperature"), float):
        body["temperature"] = int(body["temperature"])


@mutant("temperature-fixed-seed", kills=("param.temperature.anew",), kind="request")
def temperature_fixed_seed(body: Body, seen: Seen) -> None:
    """Every request without a seed has the same one."""
    body.setdefault("seed", 7)


@mutant("top-p-one-cuts", kills=("param.top_p.wide",), kind="request")
def top_p_one_cuts(body: Body, seen: Seen) -> None:
    """A top_p of 1 counts as 0.5."""
    if body.get("top_p") == 1:
        body["top_p"] = 0.5


@mutant("top-p-default-low", kills=("param.top_p.default",), kind="request", profile="openai")
def top_p_default_low(body: Body, seen: Seen) -> None:
    """Without top_p it is 0.8."""
    body.setdefault("top_p", 0.8)


class _FirstOnly(Sampler):
    """Hot and whole after the first token, whatever was asked."""

    begun = False

    def adjust(
        self,
        logits: list[float],
        parameters: SamplingParameters,
        prompt: Collection[int],
        counts: Mapping[int, int],
    ) -> None:
        """Note whether a token was generated before."""
        self.begun = bool(counts)
        super().adjust(logits, parameters, prompt, counts)

    def prepare(
        self, logits: list[float], parameters: SamplingParameters
    ) -> Distribution | Mixture:
        """Forget the parameter after the first token."""
        return super().prepare(logits, self.changed(parameters) if self.begun else parameters)

    def changed(self, parameters: SamplingParameters) -> SamplingParameters:
        """The parameters of later tokens."""
        return replace(parameters, temperature=1.0)


class _FirstNucleusOnly(_FirstOnly):
    def changed(self, parameters: SamplingParameters) -> SamplingParameters:
        return replace(parameters, top_p=1.0)


@mutant("temperature-of-first-token-only", kills=("param.temperature.later",), kind="service")
class TemperatureOfFirstTokenOnly(Service):
    """After the first token the temperature is 1."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.sampler = _FirstOnly()


@mutant("top-p-of-first-token-only", kills=("param.top_p.later",), kind="service")
class TopPOfFirstTokenOnly(Service):
    """After the first token top_p is 1."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.sampler = _FirstNucleusOnly()


# penalties


class _Late(Sampler):
    """Penalties that hold from the third token on."""

    def adjust(
        self,
        logits: list[float],
        parameters: SamplingParameters,
        prompt: Collection[int],
        counts: Mapping[int, int],
    ) -> None:
        """Leave a token out that came alone."""
        super().adjust(logits, parameters, prompt, counts if sum(counts.values()) > 1 else {})


@mutant(
    "penalties-late-by-a-token",
    kills=("param.presence_penalty.effect", "param.frequency_penalty.effect"),
    kind="service",
)
class PenaltiesLateByAToken(Service):
    """The second token is chosen without penalties."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.sampler = _Late()


class _TwicePresent(Sampler):
    def penalise_generated(
        self, logits: list[float], presence: float, frequency: float, counts: Mapping[int, int]
    ) -> None:
        super().penalise_generated(logits, 2 * presence, frequency, counts)


@mutant("presence-penalty-doubled", kills=("param.presence_penalty.effect",), kind="service")
class PresencePenaltyDoubled(Service):
    """Twice the presence_penalty is taken off."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.sampler = _TwicePresent()


def _default_mutant(name: str) -> None:
    short = name.replace("_", "-")

    def default(body: Body, seen: Seen) -> None:
        body.setdefault(name, 1)

    default.__doc__ = f"Without {name} it is 1."
    mutant(
        f"{short}-default-one", kills=(f"param.{name}.default",), kind="request", profile="openai"
    )(default)


for _name in ("presence_penalty", "frequency_penalty"):
    _default_mutant(_name)


# logit_bias


@mutant("logit-bias-16-entries-at-most", kills=("param.logit_bias.key-order",), kind="request")
def logit_bias_16_entries_at_most(body: Body, seen: Seen) -> None:
    """Only the first 16 entries of logit_bias count."""
    if isinstance(body.get("logit_bias"), dict):
        body["logit_bias"] = dict(list(body["logit_bias"].items())[:16])


@mutant("logit-bias-never-negative", kills=("param.logit_bias.natural",), kind="request")
def logit_bias_never_negative(body: Body, seen: Seen) -> None:
    """A negative bias counts as 0."""
    if isinstance(body.get("logit_bias"), dict):
        body["logit_bias"] = {
            key: max(0, value) if isinstance(value, int) else value
            for key, value in body["logit_bias"].items()
        }


class _Replacing(Sampler):
    def add_bias(self, logits: list[float], bias: Mapping[int, float]) -> None:
        for token, value in bias.items():
            logits[token] = value


@mutant("logit-bias-replaces", kills=("param.logit_bias.natural",), kind="service")
class LogitBiasReplaces(Service):
    """The bias takes the logit's place."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.sampler = _Replacing()
