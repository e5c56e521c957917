"""Defects of max_tokens, stop, n, logit_bias, stream, messages, prompt and model.

Threads are public reports of servers that had the defect.
"""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any

from conformance.reference.generation import Choice, Prompt, Settings
from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.choices import finish, set_text, stops_of, text_of
from conformance.reference.service import MODELS, Job, Service
from conformance.reference.stops import StopMatcher, TextStream

Body = dict[str, Any]

LIMIT = 40


# max_tokens


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


# stop


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


# n


@mutant(
    "n-ignored",
    kills=("param.n.effect",),
    kind="request",
    thread="https://github.com/InternLM/lmdeploy/pull/4419",
)
def n_ignored(body: Body, seen: Seen) -> None:
    """There is one choice, whatever n says."""
    body.pop("n", None)


@mutant("n-ignored-in-stream", kills=("param.n.effect",), kind="request", only="stream")
def n_ignored_in_stream(body: Body, seen: Seen) -> None:
    """A stream has one choice, whatever n says."""
    body.pop("n", None)


@mutant("n-ignored-now-and-then", kills=("param.n.effect",), kind="request", every=3)
def n_ignored_now_and_then(body: Body, seen: Seen) -> None:
    """Every third request has one choice, whatever n says."""
    body.pop("n", None)


@mutant("n-two-at-most", kills=("param.n.effect",), kind="request")
def n_two_at_most(body: Body, seen: Seen) -> None:
    """There are two choices at most."""
    if isinstance(body.get("n"), int):
        body["n"] = min(body["n"], 2)


@mutant("n-one-more", kills=("param.n.effect", "param.n.single"), kind="request")
def n_one_more(body: Body, seen: Seen) -> None:
    """There is one choice more than n."""
    if isinstance(body.get("n"), int):
        body["n"] += 1


@mutant("n-all-index-zero", kills=("param.n.indices",), kind="choice", only="regular")
def n_all_index_zero(choice: Body, seen: Seen) -> None:
    """Every choice has the index 0."""
    choice["index"] = 0


@mutant("n-all-index-zero-in-stream", kills=("param.n.effect",), kind="choice", only="stream")
def n_all_index_zero_in_stream(choice: Body, seen: Seen) -> None:
    """Every choice of a stream has the index 0."""
    choice["index"] = 0


@mutant("n-counts-from-one", kills=("param.n.indices",), kind="choice")
def n_counts_from_one(choice: Body, seen: Seen) -> None:
    """The first index is 1."""
    choice["index"] += 1


@mutant("n-last-choice-empty", kills=("param.n.complete",), kind="choice")
def n_last_choice_empty(choice: Body, seen: Seen) -> None:
    """Every choice but the first two is empty."""
    if choice.get("index", 0) >= 2:
        set_text(choice, "")


@mutant(
    "n-copies",
    kills=("param.n.independent",),
    kind="json",
    thread="https://github.com/npuichigo/openai_trtllm/issues/48",
)
def n_copies(document: Body, seen: Seen) -> None:
    """All choices are copies of the first."""
    choices = document.get("choices", [])
    for choice in choices[1:]:
        choice.update({**copy.deepcopy(choices[0]), "index": choice["index"]})


@mutant("n-copies-in-stream", kills=("param.n.independent",), kind="stream")
def n_copies_in_stream(chunks: list[Body], seen: Seen) -> list[Body]:
    """All choices of a stream are copies of the first."""
    copies = []
    for chunk in chunks:
        if not chunk.get("choices"):
            copies.append(chunk)
        elif chunk["choices"][0]["index"] == 0:
            for index in range(seen.asked("n") or 1):
                copies.append(copy.deepcopy(chunk))
                copies[-1]["choices"][0]["index"] = index
    return copies


@mutant("n-usage-of-first-choice", kills=("param.n.usage",), kind="json")
def n_usage_of_first_choice(document: Body, seen: Seen) -> None:
    """usage counts the tokens of the first choice alone."""
    usage, n = document.get("usage"), seen.asked("n") or 1
    if isinstance(usage, dict) and isinstance(n, int) and n > 1:
        usage["completion_tokens"] //= n
        usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]


# logit_bias


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


# stream


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


# messages, prompt, model


def _messages(body: Body) -> list[Any]:
    found = body.get("messages")
    return found if isinstance(found, list) else []


@mutant("messages-last-only", kills=("param.messages.effect",), kind="request", endpoint="chat")
def messages_last_only(body: Body, seen: Seen) -> None:
    """Only the last message reaches the model."""
    if _messages(body):
        body["messages"] = _messages(body)[-1:]


@mutant(
    "messages-last-only-in-stream",
    kills=("param.messages.effect",),
    kind="request",
    endpoint="chat",
    only="stream",
)
def messages_last_only_in_stream(body: Body, seen: Seen) -> None:
    """Only the first word of a conversation reaches the model when it is streamed."""
    for message in _messages(body):
        if isinstance(message, dict) and isinstance(message.get("content"), str):
            message["content"] = "Hello."


@mutant("system-message-dropped", kills=("param.messages.effect",), kind="request", endpoint="chat")
def system_message_dropped(body: Body, seen: Seen) -> None:
    """System messages do not reach the model."""
    kept = [m for m in _messages(body) if not (isinstance(m, dict) and m.get("role") == "system")]
    if kept:
        body["messages"] = kept


@mutant(
    "assistant-message-dropped", kills=("param.messages.effect",), kind="request", endpoint="chat"
)
def assistant_message_dropped(body: Body, seen: Seen) -> None:
    """Earlier answers do not reach the model."""
    kept = [
        m for m in _messages(body) if not (isinstance(m, dict) and m.get("role") == "assistant")
    ]
    if kept:
        body["messages"] = kept


@mutant("messages-truncated", kills=("param.messages.effect",), kind="request", endpoint="chat")
def messages_truncated(body: Body, seen: Seen) -> None:
    """Only the first 20 characters of a message reach the model."""
    for message in _messages(body):
        if isinstance(message, dict) and isinstance(message.get("content"), str):
            message["content"] = message["content"][:20]


@mutant("assistant-role-refused", kills=("param.messages.roles",), kind="request", endpoint="chat")
def assistant_role_refused(body: Body, seen: Seen) -> None:
    """A conversation with an earlier answer is refused."""
    for message in _messages(body):
        if isinstance(message, dict) and message.get("role") == "assistant":
            message["role"] = "unheard-of"


@mutant(
    "second-system-message-refused",
    kills=("param.messages.system-anywhere",),
    kind="request",
    endpoint="chat",
    thread="https://github.com/BerriAI/litellm/issues/26879",
)
def second_system_message_refused(body: Body, seen: Seen) -> None:
    """A system message is only taken at the beginning, once."""
    for message in _messages(body)[1:]:
        if isinstance(message, dict) and message.get("role") == "system":
            message["role"] = "unheard-of"


@mutant(
    "assistant-parts-blanked",
    kills=("param.messages.parts",),
    kind="request",
    endpoint="chat",
    thread="https://github.com/CommandCodeAI/command-code/issues/820",
)
def assistant_parts_blanked(body: Body, seen: Seen) -> None:
    """An assistant message given as parts is empty for the model."""
    for message in _messages(body):
        if not isinstance(message, dict) or message.get("role") != "assistant":
            continue
        if isinstance(message.get("content"), list):
            message["content"] = "-"


@mutant("prompt-ignored", kills=("param.prompt.effect",), kind="request", endpoint="completions")
def prompt_ignored(body: Body, seen: Seen) -> None:
    """Every prompt is the same to the model."""
    if isinstance(body.get("prompt"), str):
        body["prompt"] = "Hello."


@mutant(
    "prompt-ignored-in-stream",
    kills=("param.prompt.effect",),
    kind="request",
    endpoint="completions",
    only="stream",
)
def prompt_ignored_in_stream(body: Body, seen: Seen) -> None:
    """Every streamed prompt is the same to the model."""
    prompt_ignored(body, seen)


@mutant("prompt-cut-at-end", kills=("param.prompt.effect",), kind="request", endpoint="completions")
def prompt_cut_at_end(body: Body, seen: Seen) -> None:
    """Only the last 30 characters of a prompt reach the model."""
    if isinstance(body.get("prompt"), str):
        body["prompt"] = body["prompt"][-30:]


@mutant(
    "batch-first-prompt-only",
    kills=("param.prompt.batch",),
    kind="request",
    thread="https://github.com/openai/openai-python/issues/90",
)
def batch_first_prompt_only(body: Body, seen: Seen) -> None:
    """Only the first prompt of a batch is answered."""
    prompt = body.get("prompt")
    if isinstance(prompt, list) and prompt and isinstance(prompt[0], str):
        body["prompt"] = prompt[0]


@mutant("batch-in-reverse", kills=("param.prompt.batch-order",), kind="request")
def batch_in_reverse(body: Body, seen: Seen) -> None:
    """The prompts of a batch are answered in reverse order."""
    prompt = body.get("prompt")
    if isinstance(prompt, list) and prompt and isinstance(prompt[0], str):
        body["prompt"] = prompt[::-1]


@mutant("batch-usage-of-one-prompt", kills=("param.prompt.batch-usage",), kind="json")
def batch_usage_of_one_prompt(document: Body, seen: Seen) -> None:
    """usage counts one prompt of a batch."""
    prompt, usage = seen.asked("prompt"), document.get("usage")
    if isinstance(prompt, list) and isinstance(prompt[0], str) and isinstance(usage, dict):
        usage["prompt_tokens"] //= len(prompt)
        usage["total_tokens"] = usage["prompt_tokens"] + usage["completion_tokens"]


@mutant(
    "token-array-as-text",
    kills=("param.prompt.tokens",),
    kind="request",
    thread="https://github.com/sgl-project/sglang/pull/736",
)
def token_array_as_text(body: Body, seen: Seen) -> None:
    """An array of token ids is read as their digits."""
    prompt = body.get("prompt")
    if isinstance(prompt, list) and prompt and isinstance(prompt[0], int):
        body["prompt"] = " ".join(map(str, prompt))


@mutant(
    "unknown-model-served-in-stream",
    kills=("param.model.effect",),
    kind="request",
    only="stream",
)
def unknown_model_served_in_stream(body: Body, seen: Seen) -> None:
    """An unknown model is silently replaced by the one that is there when the answer streams."""
    if isinstance(body.get("model"), str) and body["model"] not in MODELS:
        body["model"] = MODELS[0]
