"""Defects of temperature and top_p."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.asked import number_in, put

Body = dict[str, Any]


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
    value = number_in(body, "temperature")
    put(body, "temperature", None if value is None else min(value, 1))


@mutant("temperature-clamped-from-below", kills=("param.temperature.low",), kind="request")
def temperature_clamped_from_below(body: Body, seen: Seen) -> None:
    """Temperatures between 0 and 1 count as 1."""
    value = number_in(body, "temperature")
    put(body, "temperature", max(value, 1) if value else value)


@mutant(
    "temperature-inverted",
    kills=("param.temperature.high", "param.temperature.low"),
    kind="request",
)
def temperature_inverted(body: Body, seen: Seen) -> None:
    """Logits are multiplied by the temperature."""
    value = number_in(body, "temperature")
    put(body, "temperature", min(2, 1 / value) if value else value)


@mutant(
    "temperature-halved",
    kills=("param.temperature.high", "param.logit_bias.size"),
    kind="request",
)
def temperature_halved(body: Body, seen: Seen) -> None:
    """Half of the temperature counts."""
    value = number_in(body, "temperature")
    put(body, "temperature", None if value is None else value / 2)


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
    value = number_in(body, "top_p")
    put(body, "top_p", max(value, 0.99) if value is not None and value > 0.1 else value)


@mutant("top-p-half-at-most", kills=("param.top_p.wide",), kind="request")
def top_p_half_at_most(body: Body, seen: Seen) -> None:
    """A top_p below 1 counts as 0.5 at most."""
    value = number_in(body, "top_p")
    put(body, "top_p", min(value, 0.5) if value is not None and value < 1 else value)


@mutant("top-p-tiny-dropped", kills=("param.top_p.tiny",), kind="request")
def top_p_tiny_dropped(body: Body, seen: Seen) -> None:
    """A top_p below 0.1 counts as not set."""
    value = number_in(body, "top_p")
    if value is not None and value < 0.1:
        del body["top_p"]


@mutant("top-p-complement", kills=("param.top_p.wide", "param.top_p.tiny"), kind="request")
def top_p_complement(body: Body, seen: Seen) -> None:
    """1 - top_p is the mass that counts."""
    value = number_in(body, "top_p")
    put(body, "top_p", 1 - value if value is not None and value < 1 else value)
