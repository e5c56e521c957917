"""Defects of stop: ignored, found too late, let out, or found where it is not."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from conformance.reference.generation import Choice, Prompt, Settings
from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.choices import finish, set_text, stops_of, text_of
from conformance.reference.service import Job, Service
from conformance.reference.stops import StopMatcher, TextStream

Body = dict[str, Any]


@mutant(
    "stop-ignored",
    kills=("param.stop.effect",),
    kind="request",
    thread="https://github.com/jundot/omlx/pull/1054",
)
def stop_ignored(body: Body, seen: Seen) -> None:
    """Stop sequences are accepted and ignored."""
    body.pop("stop", None)


@mutant(
    "stop-ignored-in-stream",
    kills=("param.stop.effect",),
    kind="request",
    only="stream",
    thread="https://github.com/mzau/mlx-knife/issues/68",
)
def stop_ignored_in_stream(body: Body, seen: Seen) -> None:
    """Stop sequences are ignored in streams."""
    body.pop("stop", None)


@mutant("stop-ignored-in-regular", kills=("param.stop.effect",), kind="request", only="regular")
def stop_ignored_in_regular(body: Body, seen: Seen) -> None:
    """Stop sequences are ignored unless the answer is streamed."""
    body.pop("stop", None)


@mutant("stop-ignored-now-and-then", kills=("param.stop.effect",), kind="request", every=3)
def stop_ignored_now_and_then(body: Body, seen: Seen) -> None:
    """Every third request has its stop sequences ignored."""
    body.pop("stop", None)


@mutant(
    "stop-array-ignored",
    kills=("param.stop.array",),
    kind="request",
    thread="https://github.com/Blaizzy/mlx-vlm/pull/1069",
)
def stop_array_ignored(body: Body, seen: Seen) -> None:
    """Only a stop string counts, not an array."""
    if isinstance(body.get("stop"), list):
        del body["stop"]


@mutant("stop-string-ignored", kills=("param.stop.inside-token",), kind="request")
def stop_string_ignored(body: Body, seen: Seen) -> None:
    """Only an array of stop sequences counts, not a string."""
    if isinstance(body.get("stop"), str):
        del body["stop"]


@mutant("stop-three-at-most", kills=("param.stop.fourth-place",), kind="request")
def stop_three_at_most(body: Body, seen: Seen) -> None:
    """Only the first three stop sequences count."""
    if isinstance(body.get("stop"), list):
        body["stop"] = body["stop"][:3]


@mutant(
    "stop-first-only",
    kills=("param.stop.fourth-place", "param.stop.earliest", "param.stop.order"),
    kind="request",
)
def stop_first_only(body: Body, seen: Seen) -> None:
    """Only the first stop sequence counts."""
    if isinstance(body.get("stop"), list):
        body["stop"] = body["stop"][:1]


@mutant("stop-last-only", kills=("param.stop.first-place",), kind="request")
def stop_last_only(body: Body, seen: Seen) -> None:
    """Only the last stop sequence counts."""
    if isinstance(body.get("stop"), list):
        body["stop"] = body["stop"][-1:]


def _stopped(choice: Body, seen: Seen) -> list[str]:
    """The stop sequences, if one of them may have ended this choice."""
    return stops_of(seen.asked("stop")) if finish(choice) == "stop" else []


@mutant("stop-in-text", kills=("param.stop.effect", "param.stop.inside-token"), kind="choice")
def stop_in_text(choice: Body, seen: Seen) -> None:
    """The text ends with the stop sequence instead of before it."""
    if stops := _stopped(choice, seen):
        set_text(choice, text_of(choice) + stops[-1])


@mutant(
    "stop-in-text-of-stream",
    kills=("param.stop.effect",),
    kind="choice",
    only="stream",
    thread="https://github.com/vllm-project/vllm/issues/3574",
)
def stop_in_text_of_stream(choice: Body, seen: Seen) -> None:
    """A stream lets the stop sequence out."""
    stop_in_text(choice, seen)


@mutant(
    "stop-prefix-leaks-in-stream",
    kills=("param.stop.across-tokens", "param.stop.held-back"),
    kind="choice",
    only="stream",
    thread="https://github.com/sgl-project/sglang/pull/11462",
)
def stop_prefix_leaks_in_stream(choice: Body, seen: Seen) -> None:
    """A stream lets out all but the last character of a stop sequence."""
    if stops := _stopped(choice, seen):
        set_text(choice, text_of(choice) + stops[-1][:-1])


@mutant("stop-cuts-one-early", kills=("param.stop.effect",), kind="json")
def stop_cuts_one_early(document: Body, seen: Seen) -> None:
    """The character before the stop sequence is lost."""
    for choice in document.get("choices", []):
        if _stopped(choice, seen):
            set_text(choice, text_of(choice)[:-1])


@mutant("stop-without-occurrence", kills=("param.stop.absent",), kind="json")
def stop_without_occurrence(document: Body, seen: Seen) -> None:
    """An answer with a stop sequence loses its second half even if the sequence never occurs."""
    for choice in document.get("choices", []):
        if seen.asked("stop") and finish(choice) == "length":
            set_text(choice, text_of(choice)[: len(text_of(choice)) // 2])


@mutant("stop-empties-first-token", kills=("param.stop.first-token",), kind="choice")
def stop_empties_first_token(choice: Body, seen: Seen) -> None:
    """Where the first token is a stop sequence it is let out."""
    stops = _stopped(choice, seen)
    if len(stops) == 1 and not text_of(choice) and seen.asked("max_tokens") == 8:
        set_text(choice, stops[0])


@mutant("stop-holds-text-forever", kills=("param.stop.limit-first",), kind="json")
def stop_holds_text_forever(document: Body, seen: Seen) -> None:
    """What is held back as a possible stop sequence is lost when the limit ends the answer."""
    for choice in document.get("choices", []):
        text, stops = text_of(choice), stops_of(seen.asked("stop"))
        if text and finish(choice) == "length" and any(s.startswith(text) for s in stops):
            set_text(choice, "")


@mutant(
    "empty-stop-string-stops",
    kills=("param.stop.empty-string",),
    kind="choice",
    thread="https://github.com/mlc-ai/mlc-llm/pull/2070",
)
def empty_stop_string_stops(choice: Body, seen: Seen) -> None:
    """An empty stop string is found before the first character."""
    if seen.asked("stop") == "":
        set_text(choice, "")


@mutant("empty-stop-array-stops", kills=("param.stop.empty-array",), kind="request")
def empty_stop_array_stops(body: Body, seen: Seen) -> None:
    """An empty array of stop sequences stops at the first vowel."""
    if body.get("stop") == []:
        body["stop"] = list("aeio")


class _OneTokenStream(TextStream):
    """Looks for stop sequences in each token by itself."""

    def __init__(self, stops: Collection[str]) -> None:
        super().__init__(stops)
        self._stops = stops

    def feed(self, data: bytes) -> str:
        """The text of one token."""
        alone = TextStream(self._stops)
        text = alone.feed(data)
        self._matcher.stopped = alone.stopped
        return text if alone.stopped else text + alone.flush()


@mutant(
    "stop-inside-one-token-only",
    kills=("param.stop.across-tokens", "param.stop.effect"),
    kind="service",
    thread="https://github.com/mzau/mlx-knife/issues/68",
)
class StopInsideOneTokenOnly(Service):
    """A stop sequence that spans two tokens is not found."""

    def choice(self, job: Job, settings: Settings, prompt: Prompt, index: int) -> Choice:
        """The honest choice with a short-sighted matcher."""
        choice = super().choice(job, settings, prompt, index)
        choice._stream = _OneTokenStream(settings.stops)
        return choice


class _InOrderMatcher(StopMatcher):
    """Stops at the sequence that is listed first."""

    def feed(self, text: str) -> str:
        """Forget the other sequences as soon as one is found."""
        found = [stop for stop in self.stops if stop in self._held + text]
        self.stops = tuple(found[:1]) or self.stops
        return super().feed(text)


@mutant(
    "stop-in-order-of-list",
    kills=("param.stop.earliest", "param.stop.order"),
    kind="service",
)
class StopInOrderOfList(Service):
    """Of several stop sequences in one token the first of the list counts, not of the text."""

    def choice(self, job: Job, settings: Settings, prompt: Prompt, index: int) -> Choice:
        """The honest choice with a matcher that goes by the list."""
        choice = super().choice(job, settings, prompt, index)
        choice._stream._matcher = _InOrderMatcher(settings.stops)
        return choice
