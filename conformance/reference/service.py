"""What the server does with a checked request; every step is a method that can be overridden.

``Service.answer`` makes a regular document, ``Service.stream`` an iterator of chunk documents.
Choices of one request are stepped in turn, so that their deltas interleave.
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from conformance.reference.chat import message_text, render_chat
from conformance.reference.errors import APIError
from conformance.reference.generation import Choice, Prompt, ScriptedChoice, Settings, ToolChoice
from conformance.reference.instances import SchemaProblem
from conformance.reference.language_model import LanguageModel, NoisyModel
from conformance.reference.rendering import ChatRenderer, CompletionsRenderer, Renderer
from conformance.reference.sampler import Sampler, SamplingParameters
from conformance.reference.structured import plan_document
from conformance.reference.tokenizer import SPECIALS, Tokenizer, scalar_text
from conformance.reference.tools import PlannedCall, offered, plan_calls, wanted
from conformance.reference.validation import Validator
from conformance.reference.variants import PLAIN, Variant

__all__ = ["CONTEXT_LENGTH", "CREATED", "MODELS", "Job", "Service"]

#: The models that are served; their ids contain a slash, as those of the documentation do.
MODELS = ("meta-llama/Meta-Llama-3.1-8B-Instruct", "meta-llama/Meta-Llama-3.1-70B-Instruct")
#: POSIX seconds at which the models claim to have been created.
CREATED = 1_721_692_800
CONTEXT_LENGTH = 4096
#: Tokens of an answer whose request names no limit: on /completions as documented.
DEFAULT_COMPLETION = 16


@lru_cache(maxsize=8)
def _model(name: str, noise: float) -> LanguageModel:
    return NoisyModel(Tokenizer(), name, noise) if noise else LanguageModel(Tokenizer(), name)


@dataclass
class Job:
    """A checked request with its prompts, its choices, and what identifies its answer."""

    endpoint: str
    values: dict[str, Any]
    prompts: list[Prompt]
    choices: list[Choice]
    id: str
    created: int

    @property
    def model(self) -> str:
        """The model that answers."""
        name: str = self.values["model"]
        return name

    def usage(self, generated: Sequence[Choice]) -> dict[str, Any]:
        """The usage object: each prompt counted once, every generated choice summed."""
        prompt = sum(len(each.tokens) for each in self.prompts)
        completion = sum(choice.used for choice in generated)
        reasoning = sum(choice.reasoning_used for choice in generated)
        return {
            "prompt_tokens": prompt,
            "completion_tokens": completion,
            "total_tokens": prompt + completion,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": reasoning},
        }


class Service:
    """The honest server's behaviour. ``variant`` chooses among lawful ones."""

    def __init__(self, variant: Variant = PLAIN, models: Collection[str] = MODELS) -> None:
        self.variant, self.models = variant, tuple(models)
        self.validator = Validator(self.models, variant.withdrawn)
        self.sampler = Sampler()

    # Request → job

    def prepare(self, endpoint: str, body: Mapping[str, Any]) -> Job:
        """Check ``body`` and set up what will be generated; raises :class:`APIError`."""
        values = self.validator.check(endpoint, body)
        self.check_variant(values)
        prompts = self.prompts(endpoint, values)
        settings = self.settings(endpoint, values, max(len(each.tokens) for each in prompts))
        job = Job(endpoint, values, prompts, [], self.new_id(endpoint), int(time.time()))
        job.choices = self.choices(job, settings)
        return job

    def check_variant(self, values: Mapping[str, Any]) -> None:
        """Refuse what this variant lawfully refuses."""
        greedy = values.get("temperature") == 0
        if self.variant.refuse_greedy_n and greedy and values.get("n", 1) > 1:
            message = f"n must be 1 when using greedy sampling, got {values['n']}."
            raise APIError(400, message, param="n")

    def new_id(self, endpoint: str) -> str:
        """A fresh id for an answer."""
        prefix = "chatcmpl" if endpoint == "chat" else "cmpl"
        return f"{prefix}-{secrets.token_urlsafe(18)}"

    def model(self, values: Mapping[str, Any]) -> LanguageModel:
        """The language model that answers; with noise its logits jitter."""
        return _model(values["model"], self.variant.noise)

    def prompts(self, endpoint: str, values: Mapping[str, Any]) -> list[Prompt]:
        """The prompts of a request: one for chat, one or more for completions."""
        tokenizer = self.model(values).tokenizer
        if endpoint == "chat":
            self.check_size(tokenizer, "messages", map(message_text, values["messages"]))
            return [Prompt(render_chat(tokenizer, values["messages"], offered(values)))]
        # Null is the documented default: the beginning of a document.
        given = values.get("prompt", [[SPECIALS["<|begin_of_text|>"]]])
        self.check_size(tokenizer, "prompt", (each for each in given if isinstance(each, str)))
        suffix = self.suffix(tokenizer, values.get("suffix", ""))
        return [self.after(suffix, self.prompt(tokenizer, each)) for each in given]

    def check_size(self, tokenizer: Tokenizer, name: str, texts: Iterable[str]) -> None:
        """400 for text that cannot fit, before time is spent on it: a token has few bytes."""
        least = max(map(len, texts), default=0) // tokenizer.longest
        if least > CONTEXT_LENGTH:
            message = (
                f"This model's maximum context length is {CONTEXT_LENGTH} tokens. However, your "
                f"{name} resulted in at least {least} tokens. Please reduce the length of the "
                f"{name}."
            )
            raise APIError(400, message, param=name, code="context_length_exceeded")

    def suffix(self, tokenizer: Tokenizer, text: str) -> tuple[int, ...]:
        """The tokens that tell the model what comes after its text."""
        self.check_size(tokenizer, "suffix", [text])
        return (SPECIALS["<|fim_suffix|>"], *tokenizer.encode(text)) if text else ()

    def after(self, suffix: tuple[int, ...], prompt: Prompt) -> Prompt:
        """``prompt`` with the suffix that its answer is to lead to."""
        if not suffix:
            return prompt
        return Prompt((*suffix, *prompt.tokens), prompt.text, hidden=len(suffix))

    def prompt(self, tokenizer: Tokenizer, given: str | list[int]) -> Prompt:
        """One prompt from its text or its token ids."""
        if isinstance(given, str):
            return Prompt(tokenizer.encode(given), scalar_text(given))
        if any(number >= len(tokenizer) for number in given):
            message = f"Invalid token in 'prompt'. Maximum value is {len(tokenizer) - 1}."
            raise APIError(400, message, param="prompt")
        return Prompt(tuple(given), tokenizer.decode(given))

    def settings(self, endpoint: str, values: Mapping[str, Any], prompt_length: int) -> Settings:
        """Budget, sampling parameters and stop sequences."""
        return Settings(
            budget=self.budget(endpoint, values, prompt_length),
            sampling=self.sampling(values),
            stops=self.stops(values),
            top_logprobs=self.top_logprobs(endpoint, values),
            reasoning=self.variant.reasoning and endpoint == "chat",
            scored=(values.get("best_of") or 1) > values.get("n", 1),
        )

    def budget(self, endpoint: str, values: Mapping[str, Any], prompt_length: int) -> int:
        """How many tokens may be generated; 400 where prompt and limit exceed the context."""
        room = CONTEXT_LENGTH - prompt_length
        limit = values.get("max_completion_tokens", values.get("max_tokens"))
        if limit is None:
            limit = DEFAULT_COMPLETION if endpoint == "completions" else room
        if room < 1 or limit > room:
            name = "messages" if endpoint == "chat" else "prompt"
            message = (
                f"This model's maximum context length is {CONTEXT_LENGTH} tokens. However, you "
                f"requested {prompt_length + max(limit, 0)} tokens ({prompt_length} in the {name}, "
                f"{max(limit, 0)} in the completion). Please reduce the length of the {name} or "
                "completion."
            )
            raise APIError(400, message, param=name, code="context_length_exceeded")
        return int(limit)

    def sampling(self, values: Mapping[str, Any]) -> SamplingParameters:
        """The sampling parameters, documented defaults where none are given."""
        return SamplingParameters(
            temperature=values.get("temperature", 1.0),
            top_p=values.get("top_p", 1.0),
            top_k=self.variant.top_k,
            min_p=self.variant.min_p,
            presence_penalty=values.get("presence_penalty", 0.0),
            frequency_penalty=values.get("frequency_penalty", 0.0),
            repetition_penalty=values.get("repetition_penalty", 1.0),
            logit_bias=self.logit_bias(values),
        )

    def logit_bias(self, values: Mapping[str, Any]) -> dict[int, float]:
        """The bias by token id; 400 for an id outside the vocabulary."""
        bias: dict[int, float] = values.get("logit_bias", {})
        size = len(self.model(values).tokenizer)
        for number in bias:
            if number >= size:
                message = f"Invalid key in 'logit_bias': {number}. Maximum value is {size - 1}."
                raise APIError(400, message, param="logit_bias")
        return bias

    def stops(self, values: Mapping[str, Any]) -> tuple[str, ...]:
        """The stop sequences; an empty one stops nothing."""
        return tuple(scalar_text(stop) for stop in values.get("stop", ()) if stop)

    def top_logprobs(self, endpoint: str, values: Mapping[str, Any]) -> int | None:
        """How many alternatives each position shows; ``None``: no log probabilities."""
        if endpoint == "completions":
            return values.get("logprobs")
        return values.get("top_logprobs", 0) if values.get("logprobs") else None

    # Job → choices

    def choices(self, job: Job, settings: Settings) -> list[Choice]:
        """The choices of a job, prompt by prompt."""
        values = job.values
        per_prompt = max(values.get("n", 1), values.get("best_of") or 1)
        return [
            self.choice(job, settings, prompt, number * per_prompt + turn)
            for number, prompt in enumerate(job.prompts)
            for turn in range(per_prompt)
        ]

    def choice(self, job: Job, settings: Settings, prompt: Prompt, index: int) -> Choice:
        """One choice: a tool call, a document, or free text."""
        dice = self.dice(job.values, index)
        common = (self.model(job.values), self.sampler, prompt, settings, index, dice)
        if job.endpoint == "completions":
            return Choice(*common)
        # Temperature 0 repeats: what is planned then does not depend on luck either.
        luck = dice if settings.sampling.temperature else random.Random(0)
        try:
            calls = self.tool_calls(job.values, luck)
            document = None if calls else self.document(job.values, luck)
        except SchemaProblem as problem:
            name = "tools" if job.values.get("tools") else "response_format"
            raise APIError(400, f"Invalid schema: {problem}.", param=name) from None
        if calls:
            return ToolChoice(*common).call(calls)
        return Choice(*common) if document is None else ScriptedChoice(*common).follow(document)

    def tool_calls(self, values: Mapping[str, Any], dice: random.Random) -> list[PlannedCall]:
        """The functions to call; none: answer in text."""
        tools = offered(values)
        if not tools:
            return []
        parallel = values.get("parallel_tool_calls", True) and "tools" in values
        return plan_calls(values["messages"], tools, wanted(values), parallel, dice)

    def document(self, values: Mapping[str, Any], dice: random.Random) -> str | None:
        """The document that the response format demands; ``None``: free text."""
        words = scalar_text(message_text(values["messages"][-1])).split()[:4]
        return plan_document(values.get("response_format"), words, dice)

    def dice(self, values: Mapping[str, Any], index: int) -> random.Random:
        """The randomness of one choice: reproducible with a ``seed``."""
        seed = values.get("seed")
        return random.Random() if seed is None else random.Random(f"{seed}/{index}")

    # Choices → documents

    def renderer(self, job: Job) -> Renderer:
        """What turns choices into documents."""
        kind = ChatRenderer if job.endpoint == "chat" else CompletionsRenderer
        return kind(job.id, job.created, job.model, job.values, self.model(job.values).tokenizer)

    def finish(self, job: Job) -> None:
        """Generate every choice to its end."""
        for choice in job.choices:
            while choice.finish_reason is None:
                choice.step()

    def chosen(self, job: Job) -> list[Choice]:
        """The choices to return: with ``best_of`` the likeliest ``n`` of each prompt."""
        n, best_of = job.values.get("n", 1), job.values.get("best_of") or 1
        if best_of <= n:
            return job.choices
        chosen: list[Choice] = []
        for start in range(0, len(job.choices), best_of):
            several = job.choices[start : start + best_of]
            chosen += sorted(several, key=lambda each: each.mean_logprob, reverse=True)[:n]
        for index, choice in enumerate(chosen):
            choice.index = index
        return chosen

    def answer(self, job: Job) -> dict[str, Any]:
        """The document of a regular answer."""
        self.finish(job)
        return self.renderer(job).document(self.chosen(job), job.usage(job.choices))

    def stream(self, job: Job) -> Iterator[dict[str, Any]]:
        """The chunk documents of a streamed answer."""
        renderer = self.renderer(job)
        for choice in job.choices:
            yield from renderer.opening(choice)
        open_choices = list(job.choices)
        while open_choices:
            for choice in list(open_choices):
                yield from self.advance(renderer, choice)
                if choice.finish_reason is not None:
                    open_choices.remove(choice)
                    yield renderer.closing(choice)
        if renderer.wants_usage:
            yield renderer.usage_chunk(job.usage(job.choices))

    def advance(self, renderer: Renderer, choice: Choice) -> Iterator[dict[str, Any]]:
        """One step of one choice, as the chunks it makes."""
        if choice.finish_reason is not None:
            return
        piece = choice.step()
        if piece:
            yield from renderer.delta(choice, piece)

    # Models

    def model_object(self, name: str) -> dict[str, Any]:
        """One entry of the model list."""
        return {"id": name, "object": "model", "created": CREATED, "owned_by": "reference"}

    def model_list(self) -> dict[str, Any]:
        """The model list."""
        return {"object": "list", "data": [self.model_object(name) for name in self.models]}
