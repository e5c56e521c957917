"""A small deterministic language model: logits from the whole sequence of tokens so far.

Two parts add up, as in any language model of some size. A *background*: one Gaussian vector
(σ = 3, so spreads are those of a real model) chosen by a hash of the sequence. And a
*continuation*: words that followed the last one or two tokens in the corpus lie about five σ
above it, ordered by how often they did and by the same hash: change one token, or the order of two
messages, and the text changes. Where the prompt ends and the answer begins makes no difference: an
answer that is sent back as part of a prompt goes on, and is scored, as it was.

The end of sequence becomes likely after sentence ends, more so the longer the text. After a token
that repeats itself the corpus knows nothing (it never stutters), so only the background is left,
and the hash sees a run of one token as one: a forced repetition sees constant logits, as it nearly
does in a large model.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from itertools import pairwise
from math import log
from operator import add

from conformance.reference.corpus import SENTENCES
from conformance.reference.logits import Background, Logits
from conformance.reference.tokenizer import SPECIALS, Tokenizer

__all__ = ["Context", "LanguageModel", "NoisyModel"]

_MASK = (1 << 64) - 1
_MULTIPLIER, _INCREMENT = 6364136223846793005, 1442695040888963407
_BACKGROUNDS = 64  # a power of two
_SIGMA = 3.0
_CONTINUATION = 13.0  # level of what follows; the background's maximum is near 3 σ · 3.2
_SECOND_ORDER = 4.0  # what followed the last *two* tokens lies higher still
_COMPLETION = 30.0  # the rest of a half-written character
_NEVER = -20.0  # bytes that are no text by themselves, and specials
_STUTTER = 6.0  # what a token loses right after itself
_SPREAD = 2.0  # σ of the continuation's dependence on the context
_SPECIAL = frozenset(SPECIALS.values())


def _mix(state: int, value: int) -> int:
    """One step of a 64-bit linear congruential hash."""
    return (state * _MULTIPLIER + value + _INCREMENT) & _MASK


class Context:
    """What the next token depends on: a hash of the tokens so far, and the last ones."""

    __slots__ = ("earlier", "last", "length", "state")

    def __init__(self, tokens: Iterable[int] = ()) -> None:
        self.state = 0
        self.length = 0  # tokens since the last special one, that is of the text
        self.earlier = self.last = -1
        for token in tokens:
            self.advance(token)

    def advance(self, token: int) -> None:
        """Append one token."""
        if token != self.last:
            self.state = _mix(self.state, token)
        self.earlier, self.last = self.last, token
        self.length = 0 if token in _SPECIAL else self.length + 1


class LanguageModel:
    """Logits for the next token. Immutable after construction; shared by all requests."""

    def __init__(self, tokenizer: Tokenizer, name: str = "") -> None:
        self.tokenizer = tokenizer
        self.end = SPECIALS["<|end_of_text|>"]
        dice = random.Random(f"reference {name}")
        lowered = self._lowered()
        vectors = (self._background(dice, lowered) for _ in range(_BACKGROUNDS))
        self._backgrounds = [Background(vector) for vector in vectors]
        self._jitter = [dice.gauss(0, _SPREAD) for _ in range(4096)]
        self._read(SENTENCES)

    def _background(self, dice: random.Random, lowered: Mapping[int, float]) -> list[float]:
        logits = [dice.gauss(0, _SIGMA) for _ in range(len(self.tokenizer))]
        for number, change in lowered.items():
            logits[number] = _NEVER if change == _NEVER else logits[number] + change
        return logits

    def _lowered(self) -> dict[int, float]:
        """What is no text never comes by itself; a lone byte is rarely the best piece."""
        pieces = enumerate(self.tokenizer.pieces)
        changes = {
            number: (-_SIGMA if number < 256 else 0.0) if _is_text(piece) else _NEVER
            for number, piece in pieces
        }
        return {number: change for number, change in changes.items() if change}

    def _read(self, sentences: Iterable[str]) -> None:
        first: defaultdict[int, Counter[int]] = defaultdict(Counter)
        second: defaultdict[tuple[int, int], Counter[int]] = defaultdict(Counter)
        starts: Counter[int] = Counter()
        common: Counter[int] = Counter()
        enders: set[int] = set()
        for sentence in sentences:
            ids = self.tokenizer.encode(f" {sentence}")
            starts[ids[0]] += 1
            common.update(number for number in ids if _is_word(self.tokenizer.pieces[number]))
            enders.add(ids[-1])
            for (one, two), three in zip(pairwise(ids), (*ids[2:], -1), strict=False):
                first[one][two] += 1
                if three >= 0:
                    second[one, two][three] += 1
        self._enders = frozenset(enders)
        self._starts = tuple((number, _CONTINUATION) for number in starts)
        self._common = tuple((number, _CONTINUATION) for number, _ in common.most_common(24))
        self._after = {last: self._scores(last, counts) for last, counts in first.items()}
        self._after_two = {
            (one, two): tuple(
                (number, score + (_SECOND_ORDER if number in counts else 0.0))
                for number, score in self._after[two]
            )
            for (one, two), counts in second.items()
        }

    def _scores(self, last: int, counts: Counter[int]) -> tuple[tuple[int, float], ...]:
        piece = self.tokenizer.pieces[last]
        level = _CONTINUATION if _is_text(piece) else _COMPLETION
        return tuple((number, level + log(count)) for number, count in counts.items())

    def logits(self, context: Context) -> list[float]:
        """The raw logits for the token after ``context``: a fresh list, one number per id."""
        repeats = context.earlier == context.last >= 0
        background = self._backgrounds[_mix(context.state, 0) >> 40 & _BACKGROUNDS - 1]
        if repeats:
            changed = {context.last: background.logits[context.last] - _STUTTER}
        else:
            changed = self._continuation(context)
        changed[self.end] = self._end_logit(context)
        return Logits(background, changed)

    def _continuation(self, context: Context) -> dict[int, float]:
        """Logits of what may follow."""
        state, jitter, mask, multiplier = context.state, self._jitter, _MASK, _MULTIPLIER
        return {
            number: score
            + jitter[(((state ^ (number * 0x9E3779B97F4A7C15)) * multiplier) & mask) >> 52]
            for number, score in self._candidates(context)
        }

    def _candidates(self, context: Context) -> tuple[tuple[int, float], ...]:
        """What may follow, from the longest context that the corpus knows."""
        last = context.last
        if last in self._enders or last < 0 or last in _SPECIAL:
            return self._starts
        return self._after_two.get((context.earlier, last)) or self._after.get(last) or self._common

    def _end_logit(self, context: Context) -> float:
        if context.last in self._enders:
            return min(9.0 + 0.12 * context.length, 28.0)
        return min(-10.0 + 0.02 * context.length, 10.0)


class NoisyModel(LanguageModel):
    """The same model where sums depend on the batch: every logit jitters, anew at each token.

    ``sigma`` is the standard deviation of the jitter. Vectors of it are drawn once and chosen at
    random: drawing a number for every logit would cost more than the model does.
    """

    def __init__(self, tokenizer: Tokenizer, name: str = "", sigma: float = 0.05) -> None:
        super().__init__(tokenizer, name)
        self._dice = random.Random()
        size = range(len(tokenizer))
        self._noise = [[self._dice.gauss(0, sigma) for _ in size] for _ in range(128)]

    def logits(self, context: Context) -> list[float]:
        """The honest logits, each a little off."""
        return list(map(add, super().logits(context), self._dice.choice(self._noise)))


def _is_word(piece: bytes) -> bool:
    return piece[:1] == b" " and len(piece) > 2


def _is_text(piece: bytes) -> bool:
    if not piece:
        return False
    try:
        text = piece.decode()
    except UnicodeDecodeError:
        return False
    return text.isprintable() or not text.strip()
