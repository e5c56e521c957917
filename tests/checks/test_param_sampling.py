"""Sampling parameters: every defect gets its verdict, and no lawful server is accused."""

from __future__ import annotations

import random
from itertools import accumulate

import pytest

from conformance.reference.errors import APIError
from conformance.reference.mutants.honest import honest
from conformance.reference.sampler import Distribution, Sampler
from conformance.reference.service import Service
from conformance.reference.variants import VARIANTS
from conformance.verdicts import Verdict

MINE = (
    *(
        f"param.temperature.{name}"
        for name in ("effect", "high", "low", "default", "fraction", "later")
    ),
    *(f"param.top_p.{name}" for name in ("effect", "tiny", "wide", "later")),
    *(
        f"param.{name}_penalty.{detail}"
        for name in ("presence", "frequency")
        for detail in ("effect", "negative", "size", "generated-only", "neutral")
    ),
    "param.presence_penalty.flat",
    "param.frequency_penalty.grows",
    "param.frequency_penalty.linear",
    *(
        f"param.repetition_penalty.{detail}"
        for detail in ("effect", "generated", "prompt", "size", "neutral")
    ),
    "param.logit_bias.size",
    "param.logit_bias.natural",
)
ACCUSED = {Verdict.FAIL, Verdict.WARN, Verdict.REJECTED, Verdict.IGNORED}
#: What an honest server must never get, whatever it cannot be asked.
BAD = ACCUSED | {Verdict.FLAKY, Verdict.ERROR}


@pytest.mark.parametrize(
    "parameter",
    ["temperature", "top_p", "presence_penalty", "frequency_penalty", "repetition_penalty"],
)
def test_a_parameter_without_effect_is_called_ignored_in_every_place(parameter, bench):
    """Accepted without effect is `ignored`, not merely `fail`, on both endpoints in both modes."""
    name = f"{parameter.replace('_', '-')}-ignored"

    results = bench(f"param.{parameter}.effect", mutant=name)

    assert [Verdict.IGNORED] * 4 == [each.verdict for each in results]


@pytest.mark.parametrize(
    "parameter",
    ["temperature", "top_p", "presence_penalty", "frequency_penalty", "repetition_penalty"],
)
def test_a_parameter_ignored_in_streams_is_accused_there_alone(parameter, bench):
    """A defect of one mode is found in it, and the other mode is cleared."""
    name = f"{parameter.replace('_', '-')}-ignored-in-stream"

    results = bench(f"param.{parameter}.effect", mutant=name)

    assert {("regular", Verdict.PASS), ("stream", Verdict.IGNORED)} == {
        (each.item.mode.value, each.verdict) for each in results
    }


def _accusations(results):
    return [f"{r.verdict} {r.item.name}: {r.message}" for r in results if r.verdict in BAD]


def test_the_reference_honours_every_sampling_parameter(bench):
    """The honest server passes everything, decidedly."""
    results = bench(*MINE)

    assert {Verdict.PASS} == {each.verdict for each in results}


@pytest.mark.parametrize("name", sorted(set(VARIANTS) - {"plain"}))
def test_lawful_variants_are_not_accused(name, bench):
    """Noise, a hidden top_k, refusals, reasoning: none of them is a defect."""
    assert [] == _accusations(bench(*MINE, variant=VARIANTS[name]))


class BiasLast(Sampler):
    """Penalties see the logits before the bias is added."""

    def adjust(self, logits, parameters, prompt, counts):
        if parameters.repetition_penalty != 1:
            self.penalise_repetition(logits, parameters.repetition_penalty, prompt, counts)
        self.penalise_generated(
            logits, parameters.presence_penalty, parameters.frequency_penalty, counts
        )
        self.add_bias(logits, parameters.logit_bias)


class BiasAfterTemperature(BiasLast):
    """The temperature does not divide the bias."""

    def add_bias(self, logits, bias):
        super().add_bias(logits, {token: value * self.factor for token, value in bias.items()})

    def adjust(self, logits, parameters, prompt, counts):
        self.factor = parameters.temperature or 1
        super().adjust(logits, parameters, prompt, counts)


class NucleusFirst(Sampler):
    """The nucleus is cut before the temperature divides."""

    def prepare(self, logits, parameters):
        if parameters.temperature == 0:
            return super().prepare(logits, parameters)
        head = self.nucleus(self.weights(logits, 1.0), parameters.top_p, parameters.top_k)
        weights = self.weights([logits[token] for token in head], parameters.temperature)
        return Distribution(head, tuple(accumulate(weights)))


class Sticky(Sampler):
    """A model that likes to repeat itself, as large ones do in a run."""

    step = 4

    def adjust(self, logits, parameters, prompt, counts):
        for token, count in counts.items():
            logits[token] += self.step * min(count, 3)
        super().adjust(logits, parameters, prompt, counts)


class Shy(Sticky):
    """A model that avoids repetition."""

    step = -3


class Jittery(Sampler):
    """More jitter than any batched GPU has."""

    def adjust(self, logits, parameters, prompt, counts):
        for number, value in enumerate(logits):
            logits[number] = value + random.gauss(0, 0.15)
        super().adjust(logits, parameters, prompt, counts)


@pytest.mark.parametrize(
    "sampler", [BiasLast, BiasAfterTemperature, NucleusFirst, Sticky, Shy, Jittery]
)
def test_every_lawful_order_of_the_formulas_is_accepted(sampler, bench):
    """What no documentation fixes is not judged: the order of steps, and the model itself."""

    class Other(Service):
        def __init__(self, *given):
            super().__init__(*given)
            self.sampler = sampler()

    assert [] == _accusations(bench(*MINE, server=honest(service=Other)))


class FixedSeed(Service):
    """Every request without a seed is answered with the same randomness."""

    def dice(self, values, index):
        return random.Random(f"7/{index}")


class OneChoice(Service):
    """Refuses more than one choice."""

    def check_variant(self, values):
        if values.get("n", 1) > 1:
            raise APIError(400, "Only one completion choice is allowed", param="n")


class Copies(Service):
    """Gives n copies of one draw: a defect of `n`, not of temperature or top_p."""

    def dice(self, values, index):
        self.seed = random.random() if not index else self.seed
        return random.Random(self.seed)


@pytest.mark.parametrize("service", [FixedSeed, OneChoice, Copies])
def test_where_draws_are_not_to_be_had_nothing_is_accused(service, bench):
    """Too few or dependent draws leave sampling undecided; they do not convict it."""
    assert [] == _accusations(bench(*MINE, server=honest(service=service)))
