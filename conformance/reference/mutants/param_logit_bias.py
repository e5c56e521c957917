"""Defects of logit_bias: ignored, of another size, or for other tokens."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Seen, mutant

Body = dict[str, Any]


@mutant("logit-bias-ignored", kills=("param.logit_bias.effect",), kind="request")
def logit_bias_ignored(body: Body, seen: Seen) -> None:
    """logit_bias is accepted and ignored."""
    body.pop("logit_bias", None)


@mutant(
    "logit-bias-ignored-in-stream",
    kills=("param.logit_bias.effect",),
    kind="request",
    only="stream",
)
def logit_bias_ignored_in_stream(body: Body, seen: Seen) -> None:
    """logit_bias is ignored in streams."""
    body.pop("logit_bias", None)


@mutant(
    "logit-bias-ignored-now-and-then",
    kills=("param.logit_bias.effect",),
    kind="request",
    only="stream",
    every=3,
)
def logit_bias_ignored_now_and_then(body: Body, seen: Seen) -> None:
    """logit_bias is ignored in every third stream."""
    body.pop("logit_bias", None)


def _biases(body: Body) -> dict[str, Any]:
    found = body.get("logit_bias")
    return found if isinstance(found, dict) else {}


@mutant("logit-bias-sign-flipped", kills=("param.logit_bias.effect",), kind="request")
def logit_bias_sign_flipped(body: Body, seen: Seen) -> None:
    """The bias is subtracted."""
    bias = _biases(body)
    bias.update({key: -value for key, value in bias.items() if isinstance(value, int)})


@mutant("logit-bias-clamped", kills=("param.logit_bias.effect",), kind="request")
def logit_bias_clamped(body: Body, seen: Seen) -> None:
    """No bias counts for more than 2."""
    bias = _biases(body)
    bias.update({k: max(-2, min(2, v)) for k, v in bias.items() if isinstance(v, int)})


@mutant("logit-bias-without-sign", kills=("param.logit_bias.ban",), kind="request")
def logit_bias_without_sign(body: Body, seen: Seen) -> None:
    """A negative bias counts as a positive one."""
    bias = _biases(body)
    bias.update({key: abs(value) for key, value in bias.items() if isinstance(value, int)})


@mutant("logit-bias-last-entry-only", kills=("param.logit_bias.key-order",), kind="request")
def logit_bias_last_entry_only(body: Body, seen: Seen) -> None:
    """Only the last entry of logit_bias counts."""
    if _biases(body):
        body["logit_bias"] = dict(list(_biases(body).items())[-1:])


@mutant("logit-bias-zero-forces", kills=("param.logit_bias.zero",), kind="request")
def logit_bias_zero_forces(body: Body, seen: Seen) -> None:
    """A bias of 0 counts as 100."""
    bias = _biases(body)
    bias.update({key: 100 for key, value in bias.items() if value == 0})


@mutant("logit-bias-three-entries-at-most", kills=("param.logit_bias.set",), kind="request")
def logit_bias_three_entries_at_most(body: Body, seen: Seen) -> None:
    """More than three entries are too many: none counts then."""
    if len(_biases(body)) > 3:
        del body["logit_bias"]


@mutant("logit-bias-halved", kills=("param.logit_bias.size",), kind="request")
def logit_bias_halved(body: Body, seen: Seen) -> None:
    """Half of the bias counts."""
    bias = body.get("logit_bias")
    if isinstance(bias, dict):
        bias.update({k: v // 2 for k, v in bias.items() if isinstance(v, int)})
