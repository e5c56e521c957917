"""Defects of the parameter stream: it does not say whether the answer is a stream."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Seen, mutant

Body = dict[str, Any]


@mutant("stream-ignored", kills=("param.stream.effect",), kind="request")
def stream_ignored(body: Body, seen: Seen) -> None:
    """stream: true is answered with one JSON document."""
    if body.get("stream") is True:
        body["stream"] = False
        body.pop("stream_options", None)


@mutant(
    "stream-ignored-now-and-then",
    kills=("param.stream.effect",),
    kind="request",
    only="stream",
    every=3,
)
def stream_ignored_now_and_then(body: Body, seen: Seen) -> None:
    """Every third stream is one JSON document."""
    stream_ignored(body, seen)


@mutant("stream-by-default", kills=("param.stream.off",), kind="request")
def stream_by_default(body: Body, seen: Seen) -> None:
    """Without stream the answer is streamed."""
    body.setdefault("stream", True)


@mutant("stream-false-streams", kills=("param.stream.off",), kind="request")
def stream_false_streams(body: Body, seen: Seen) -> None:
    """The presence of stream turns streaming on, whatever its value."""
    if body.get("stream") is False:
        body["stream"] = True
