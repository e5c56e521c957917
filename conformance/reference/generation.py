"""One answer being generated, token by token.

A :class:`Choice` is stepped until it has a finish reason. Every step consumes one token and returns
a :class:`Piece`: the text it makes certain, which may be empty while a stop sequence or a character
is incomplete. The end-of-sequence token is not counted and never shown; every other token that was
sampled is counted, those of a stop sequence included.

Constrained answers (:class:`ScriptedChoice`, :class:`ToolChoice`) follow a script instead of the
sampler, but pay for their tokens, stream and are cut off in the same way.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from heapq import nlargest

from conformance.reference.language_model import Context, LanguageModel
from conformance.reference.logits import Mixture
from conformance.reference.sampler import Distribution, Sampler, SamplingParameters, log_partition
from conformance.reference.stops import TextStream
from conformance.reference.tools import PlannedCall

__all__ = [
    "Choice",
    "Piece",
    "Prompt",
    "ScriptedChoice",
    "Settings",
    "TokenRecord",
    "ToolChoice",
    "ToolDelta",
]


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """A generated token with its log probability and the most likely alternatives."""

    token: int
    logprob: float | None
    top: tuple[tuple[int, float], ...] = ()


@dataclass(frozen=True, slots=True)
class ToolDelta:
    """Part of a tool call: the opening one has a name, later ones more of the arguments."""

    index: int
    arguments: str = ""
    name: str | None = None
    id: str | None = None


@dataclass(frozen=True, slots=True)
class Piece:
    """What one step added."""

    text: str = ""
    reasoning: str = ""
    tool: ToolDelta | None = None
    records: tuple[TokenRecord, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.text or self.reasoning or self.tool or self.records)


@dataclass(slots=True)
class Prompt:
    """A prompt: its tokens, its text (for ``echo``), and what its choices share."""

    tokens: tuple[int, ...]
    text: str = ""
    distinct: frozenset[int] = frozenset()
    first: Distribution | Mixture | None = None  # what the first token is drawn from
    hidden: int = 0  # so many tokens at the beginning are not part of the text

    def __post_init__(self) -> None:
        self.distinct = frozenset(self.tokens)


@dataclass(frozen=True, slots=True)
class Settings:
    """What all choices of a request have in common."""

    budget: int
    sampling: SamplingParameters = field(default_factory=SamplingParameters)
    stops: Collection[str] = ()
    top_logprobs: int | None = None  # None: no log probabilities asked for
    reasoning: bool = False
    scored: bool = False  # keep the log probability of every token, to rank the choices


class Choice:
    """One answer in free text."""

    def __init__(
        self,
        model: LanguageModel,
        sampler: Sampler,
        prompt: Prompt,
        settings: Settings,
        index: int,
        dice: random.Random,
    ) -> None:
        self.model, self.sampler, self.prompt, self.settings = model, sampler, prompt, settings
        self.index, self.dice = index, dice
        self.context = Context(prompt.tokens)
        self.counts: Counter[int] = Counter()
        self.used = 0  # tokens that count against the budget
        self.reasoning_used = 0
        self.thinking = settings.reasoning
        self.finish_reason: str | None = None
        self.pieces: list[Piece] = []
        self.scores: list[float] = []  # log probabilities, if the settings want them
        self._stream = TextStream(() if self.thinking else settings.stops)
        if settings.budget <= 0:
            self.finish_reason = "length"

    def step(self) -> Piece:
        """Generate one token; after the last one :attr:`finish_reason` is set."""
        token, record = self.next_token()
        if token == self.model.end:
            piece = self.end_of_sequence()
        else:
            self.used += 1
            self.reasoning_used += self.thinking
            piece = self.consume(token, record)
            if self.finish_reason is None and self.used >= self.settings.budget:
                piece = self.finish("length", piece)
        self.pieces.append(piece)
        return piece

    def next_token(self) -> tuple[int, TokenRecord | None]:
        """Sample the next token."""
        prompt, sampling = self.prompt, self.settings.sampling
        needs_raw = self.wants_records or self.settings.scored
        if prompt.first is not None and not self.counts and not needs_raw:
            token = self.sampler.draw(prompt.first, self.dice)
            self.append(token)
            return token, None
        logits = self.model.logits(self.context)
        raw = logits.copy() if needs_raw else logits
        self.sampler.adjust(logits, sampling, prompt.distinct, self.counts)
        distribution = self.sampler.prepare(logits, sampling)
        if not self.counts:
            prompt.first = distribution
        token = self.sampler.draw(distribution, self.dice)
        self.append(token)
        if self.settings.scored:
            self.scores.append(raw[token] - log_partition(raw))
        return token, self.record(raw, token) if self.wants_records else None

    @property
    def wants_records(self) -> bool:
        """Whether log probabilities were asked for (they are of the answer, not the thoughts)."""
        return self.settings.top_logprobs is not None and not self.thinking

    def append(self, token: int) -> None:
        """Make ``token`` part of what the next one depends on."""
        self.context.advance(token)
        self.counts[token] += 1

    def record(self, raw: list[float], token: int) -> TokenRecord:
        """The log probabilities of this position, from the raw logits."""
        total = log_partition(raw)
        top = nlargest(self.settings.top_logprobs or 0, range(len(raw)), key=raw.__getitem__)
        return TokenRecord(token, raw[token] - total, tuple((one, raw[one] - total) for one in top))

    def score_prompt(self) -> list[TokenRecord]:
        """The log probability of each token that is echoed, given those before it.

        The first token of all has none.
        """
        context, records = Context(), []
        for token in self.prompt.tokens:
            first = context.last < 0
            record = TokenRecord(token, None)
            records.append(record if first else self.record(self.model.logits(context), token))
            context.advance(token)
        return records[self.prompt.hidden :]

    @property
    def mean_logprob(self) -> float:
        """What ``best_of`` ranks by: the mean log probability of the tokens."""
        return sum(self.scores) / max(1, len(self.scores))

    def consume(self, token: int, record: TokenRecord | None) -> Piece:
        """Turn a token into what it makes visible."""
        text = self._stream.feed(self.model.tokenizer.pieces[token])
        if self.thinking:
            return Piece(reasoning=text)
        if self._stream.stopped:
            self.finish_reason = "stop"
        return Piece(text, records=(record,) if record else ())

    def end_of_sequence(self) -> Piece:
        """The end of the answer; or of the thoughts, after which the answer begins."""
        if not self.thinking:
            return self.finish("stop", Piece())
        piece = Piece(reasoning=self._stream.flush())
        self.thinking = False
        self._stream = TextStream(self.settings.stops)
        return piece

    def finish(self, reason: str, piece: Piece) -> Piece:
        """Set the finish reason and release what was held back."""
        rest = self._stream.flush()
        self.finish_reason = "stop" if self._stream.stopped else reason
        if self.thinking:
            return Piece(reasoning=piece.reasoning + rest)
        return Piece(piece.text + rest, tool=piece.tool, records=piece.records)

    @property
    def text(self) -> str:
        """The answer so far."""
        return "".join(piece.text for piece in self.pieces)

    @property
    def reasoning(self) -> str:
        """The thoughts so far."""
        return "".join(piece.reasoning for piece in self.pieces)

    @property
    def records(self) -> list[TokenRecord]:
        """The log probabilities so far, one for every counted token of the answer."""
        return [record for piece in self.pieces for record in piece.records]


class ScriptedChoice(Choice):
    """An answer whose text is fixed: a document that a response format demands."""

    script: Sequence[int] = ()

    def follow(self, text: str) -> ScriptedChoice:
        """Answer with ``text``."""
        self.script = self.model.tokenizer.encode(text)
        return self

    def next_token(self) -> tuple[int, TokenRecord | None]:
        """The next token of the script, then the end."""
        if self.thinking:
            return super().next_token()
        position = self.used - self.reasoning_used
        token = self.script[position] if position < len(self.script) else self.model.end
        record = self.record(self.model.logits(self.context), token) if self.wants_records else None
        self.append(token)
        return token, record


class ToolChoice(ScriptedChoice):
    """An answer that calls functions: for each one opening token, then its arguments."""

    calls: Sequence[PlannedCall] = ()

    def call(self, calls: Sequence[PlannedCall]) -> ToolChoice:
        """Make these calls."""
        tokenizer = self.model.tokenizer
        self.calls = calls
        self.script, self._openings = [], {}
        for number, call in enumerate(calls):
            self._openings[len(self.script)] = number
            self.script += [_OPENING, *tokenizer.encode(call.arguments)]
        self._current = -1
        self._stream = TextStream()
        return self

    def consume(self, token: int, record: TokenRecord | None) -> Piece:
        """A delta of the current call."""
        if self.thinking:
            return super().consume(token, record)
        opened = self._openings.get(self.used - self.reasoning_used - 1)
        if opened is not None:
            self._current = opened
            name, number = self.calls[opened].name, f"call_{random.randbytes(12).hex()}"
            return Piece(tool=ToolDelta(opened, "", name, number))
        text = self._stream.feed(self.model.tokenizer.pieces[token])
        return Piece(tool=ToolDelta(self._current, text)) if text else Piece()

    def finish(self, reason: str, piece: Piece) -> Piece:
        """``tool_calls`` when every call is complete, ``length`` when the budget cut one off."""
        complete = self.used - self.reasoning_used >= len(self.script) and not self.thinking
        if self.thinking:
            return super().finish(reason, piece)
        self.finish_reason = "tool_calls" if complete else reason
        return piece

    @property
    def tool_calls(self) -> list[ToolDelta]:
        """The calls so far, each with all its arguments."""
        whole: list[ToolDelta] = []
        for piece in self.pieces:
            if (delta := piece.tool) is None:
                continue
            if delta.name is not None:
                whole.append(delta)
            else:
                last = whole[-1]
                whole[-1] = ToolDelta(
                    last.index, last.arguments + delta.arguments, last.name, last.id
                )
        return whole


_OPENING = 262  # <|tool_call|>
