"""What calibration learns about a target: the forced-token oracle and what stands in for it.

``logit_bias {"<id>": 100}`` makes one token win at any temperature ("values like -100 or 100 should
result in a ban or exclusive selection of the relevant token"), so the text is known beforehand:
``piece × max_tokens``. No tokenizer is needed. A candidate id is forced for a few tokens; where the
answer is one piece over and over, the piece is its smallest period. The period is found in the text
alone: neither usage nor an exact ``max_tokens`` is relied upon, because both are yet to be judged.

Each lesson is worked out once for each endpoint (:meth:`Context.learn`), in regular mode; its
``finding`` is one sentence for the report.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from conformance.checks.answer import Answer, error_message, read_answer
from conformance.checks.api import Depth, Untestable
from conformance.checks.context import Context
from conformance.verdicts import Mode
from conformance.wire.exchange import Exchange, Request

__all__ = [
    "FORCED_TOKENS",
    "NATURAL_TOKENS",
    "Greedy",
    "Natural",
    "Oracle",
    "Piece",
    "Reasoning",
    "Samples",
    "force",
    "forced",
    "greedy",
    "greedy_body",
    "long_prompt",
    "natural",
    "natural_request",
    "oracle",
    "oracle_here",
    "period",
    "pieces_of",
    "reasoning",
    "same_text",
    "samples",
]

#: ``max_tokens`` of the calibrating requests, and of the control run of most effect checks.
FORCED_TOKENS = 8
#: ``max_tokens`` of the answer that has room to end by itself.
NATURAL_TOKENS = 64
#: Ordinary word pieces in every mainstream vocabulary: above the bytes, far below the specials.
ORDINARY_IDS = (450, 320, 600, 380, 700, 520, 790, 860)
#: For vocabularies of fewer than 320 ids: doubling with an odd step between, and what may have
#: been merged behind 256 bytes.
SMALL_IDS = (97, 50, 110, 24, 70, 12, 150, 220, 258, 267, 280)
#: Enough of each, and the most that is asked.
PIECES, WORDS, MOST_REQUESTS = 10, 4, 26
ENOUGH_FOR_A_GATE = 5
#: Repetitions beyond this mean that ``max_tokens`` does not bound the answer: probe less.
RUNAWAY = 32
#: Characters of a text beyond which it is not taken apart: no forced answer is that long.
LONGEST = 20_000


@dataclass(frozen=True, slots=True)
class Piece:
    """One token whose text is known: its id and the text that it decodes to."""

    id: int
    text: str

    @property
    def word(self) -> bool:
        """Whether it is made of ASCII letters alone (nothing that a server might strip)."""
        return self.text.isascii() and self.text.isalpha()

    @property
    def distinct(self) -> bool:
        """Whether no character occurs twice in it."""
        return len(set(self.text)) == len(self.text)


@dataclass(frozen=True)
class Oracle:
    """Tokens that can be forced, the handiest first: words of several different letters."""

    finding: str
    pieces: tuple[Piece, ...]

    @property
    def words(self) -> tuple[Piece, ...]:
        """The pieces made of letters alone, best first; all pieces where there are none."""
        return tuple(piece for piece in self.pieces if piece.word) or self.pieces

    @property
    def best(self) -> Piece:
        """The piece that most checks force."""
        return self.words[0]

    def divisible(self, letters: int = 2) -> Piece:
        """A word of at least ``letters`` different characters; raises ``Untestable``."""
        for piece in self.words:
            if piece.word and piece.distinct and len(piece.text) >= letters:
                return piece
        raise Untestable(f"no forced token is a word of {letters} different letters")


@dataclass(frozen=True)
class Greedy:
    """How repeatable temperature 0 is, with the text it gave most often."""

    finding: str
    repeatable: bool
    distinct: int
    text: str
    texts: tuple[str, ...]
    finish_reason: str | None = None


@dataclass(frozen=True)
class Samples:
    """How many choices one request buys (1: ``n`` is no use)."""

    finding: str
    per_request: int


@dataclass(frozen=True)
class Natural:
    """An answer with room to end by itself."""

    finding: str
    text: str
    finish_reason: str | None
    completion_tokens: int | None

    @property
    def ended(self) -> bool:
        """Whether the model ended it."""
        return self.finish_reason == "stop"


@dataclass(frozen=True)
class Reasoning:
    """Whether the model thinks before it answers (then limits count what is not shown)."""

    finding: str
    found: bool


# Requests


def force(*ids: int, bias: int = 100) -> dict[str, int]:
    """The ``logit_bias`` that lets nothing but the tokens ``ids`` appear."""
    return {str(number): bias for number in ids}


def forced(ctx: Context, ids: int | Sequence[int], tokens: int, /, **parameters: Any) -> Request:
    """A request whose output is forced to ``ids`` for ``tokens`` tokens.

    Temperature is 1: greedy sampling with several choices is refused by some engines, and a forced
    token does not care.
    """
    chosen = (ids,) if isinstance(ids, int) else tuple(ids)
    wanted: dict[str, Any] = {"max_tokens": tokens, "logit_bias": force(*chosen)}
    if ctx.promises("temperature"):
        wanted["temperature"] = 1
    return ctx.request(**{**wanted, **parameters})


def long_prompt(ctx: Context) -> dict[str, Any]:
    """The prompt member of a request that invites an answer of many words."""
    text = "Write a short story about a river and a bridge."
    if "messages" in ctx.endpoint.parameters:
        return {"messages": [{"role": "user", "content": text}]}
    return {"prompt": text} if "prompt" in ctx.endpoint.parameters else {}


def greedy_body(ctx: Context, tokens: int = 24, /, **parameters: Any) -> dict[str, Any]:
    """The body of the canonical request at temperature 0."""
    wanted: dict[str, Any] = {**long_prompt(ctx), "max_tokens": tokens, "temperature": 0}
    return ctx.body(**{**wanted, **parameters})


def same_text(one: str, other: str) -> bool:
    """Whether two texts are equal but for white space at the ends, which servers may strip."""
    return one.strip() == other.strip()


# The forced-token oracle


async def oracle(ctx: Context) -> Oracle:
    """Find tokens that can be forced and their texts.

    Raises ``Untestable`` with the reason where ``logit_bias`` is not to be had.
    """
    if not ctx.promises("logit_bias"):
        raise Untestable("no forced-token oracle: logit_bias is not promised")
    search = _Search(ctx)
    await search.probe(ORDINARY_IDS[:2])
    await search.probe(ORDINARY_IDS[2:4] if search.runaway else ORDINARY_IDS[2:])
    if not search.periods:
        await search.probe(SMALL_IDS[:3] if search.refused == len(search.asked) else SMALL_IDS)
    while not search.enough():
        await search.probe(search.neighbours())
    return search.result()


def period(text: str) -> tuple[str, int] | None:
    """The shortest piece that ``text`` repeats, and how often; ``None`` below three times.

    White space that a server stripped from one end counts as present.
    """
    for whole in (text, f" {text}", f"{text} "):
        start = (whole + whole).find(whole, 1)
        if 0 < start <= len(whole) // 3:
            return whole[:start], len(whole) // start
    return None


@dataclass
class _Search:
    """The search for forceable tokens: what was asked and what came of it."""

    ctx: Context
    asked: dict[int, str] = field(default_factory=dict)  # id → text, or "" where unusable
    periods: dict[int, tuple[str, int]] = field(default_factory=dict)
    refused: int = 0
    hidden: int = 0  # the text went into reasoning, or nowhere
    refusal: str = ""
    silent: int = 0  # no text at all
    spent: bool = False

    @property
    def runaway(self) -> bool:
        """Whether every answer went far beyond its limit."""
        return bool(self.periods) and min(many for _, many in self.periods.values()) > RUNAWAY

    async def probe(self, ids: Iterable[int]) -> None:
        fresh = [number for number in ids if number not in self.asked]
        fresh = fresh[: MOST_REQUESTS - len(self.asked)]
        self.spent = not fresh
        requests = [forced(self.ctx, number, FORCED_TOKENS) for number in fresh]
        for number, exchange in zip(fresh, await self.ctx.ask_all(requests), strict=True):
            self._note(number, exchange)

    def _note(self, number: int, exchange: Exchange) -> None:
        self.asked[number] = ""
        found = read_answer(exchange)
        if found is None:
            self.refused += 1
            self.refusal = f"status {exchange.status}: {error_message(exchange)}"
            return
        self.asked[number] = found.text
        if not found.text.strip():
            self.hidden += _thinks(found)
            self.silent += 1
        usable = period(found.text)
        if usable and _plain(usable[0]):
            self.periods[number] = usable

    def enough(self) -> bool:
        if self.spent or not self.periods or len(self.asked) >= MOST_REQUESTS:
            return True
        least = 1 if SMALL_IDS[0] in self.asked else 2  # letters of a word
        texts = [text for text, _ in self.periods.values()]
        words = [text for text in texts if len(text) >= least and text.isalpha()]
        if self.runaway:
            return len(self.periods) >= 2
        wanted = ENOUGH_FOR_A_GATE if self.ctx.subject.depth is Depth.QUICK else PIECES
        return len(words) >= WORDS and len(self.periods) >= wanted

    def neighbours(self) -> list[int]:
        """Ids near those that worked, near words first: vocabularies come in clusters."""
        ranked = sorted(self.periods, key=lambda number: _rank(self.periods[number][0]))
        near = [
            number + step
            for step in (1, -1, 2, -2, 5, -5, 9, -9, 14, -14, 20, -20)
            for number in ranked[:3]
            if number + step > 0
        ]
        fresh = [number for number in dict.fromkeys(near) if number not in self.asked]
        return fresh[:2] if self.runaway else fresh[:6]

    def result(self) -> Oracle:
        repeats = Counter(count for _, count in self.periods.values())
        usual = repeats.most_common(1)[0][0] if repeats else 0
        chosen = {
            text: Piece(number, text)
            for number, (text, count) in sorted(self.periods.items(), reverse=True)
            if count == usual
        }
        if len(chosen) < 2:
            raise Untestable(f"no forced-token oracle: {self._why()}")
        pieces = tuple(sorted(chosen.values(), key=lambda piece: (_rank(piece.text), piece.id)))
        shown = ", ".join(repr(piece.text) for piece in pieces[:4])
        finding = (
            f"logit_bias +100 forces a token: {len(pieces)} pieces of known text ({shown}, …) "
            f"from {len(self.asked)} requests; each came {usual} times for max_tokens "
            f"{FORCED_TOKENS}"
        )
        return Oracle(finding, pieces)

    def _why(self) -> str:
        if self.refused == len(self.asked):
            return f"logit_bias is refused ({self.refusal})"
        if self.hidden:
            return "reasoning: the forced token is not in the visible text"
        if self.silent + self.refused == len(self.asked):
            return "no choice of index 0 has any text"
        if self.periods:
            return "too few ids gave a repeated piece of text"
        return "logit_bias +100 does not force its token"


def _plain(piece: str) -> bool:
    """Whether a piece can be told apart in a text: no broken character, not digits alone."""
    return "\ufffd" not in piece and bool(piece.strip()) and not piece.strip().isdigit()


def _rank(text: str) -> tuple[bool, bool, bool, int]:
    """Sort key: letters alone first, then three or more different ones, then the shorter."""
    word = text.isascii() and text.isalpha()
    distinct = len(set(text)) == len(text)
    return (not word, not (distinct and len(text) >= 3), len(text) < 2, len(text))


def _thinks(found: Answer) -> bool:
    choice = found.choices.get(0)
    hidden = bool(choice and choice.reasoning.strip()) or _reasoning_tokens(found) > 0
    spent = (found.tokens("completion") or 0) > 0
    return hidden or (spent and not found.text.strip() and found.finish_reason == "length")


def _reasoning_tokens(found: Answer) -> int:
    details = (found.usage or {}).get("completion_tokens_details")
    value = details.get("reasoning_tokens") if isinstance(details, dict) else None
    return value if isinstance(value, int) else 0


def pieces_of(text: str, pieces: Iterable[str]) -> list[str] | None:
    """``text`` as a sequence of ``pieces``, or ``None`` if it is none.

    White space at the ends may have been stripped. Dynamic programming over the positions, so
    that pieces that begin alike cannot mislead it.
    """
    known = sorted(set(pieces), key=len, reverse=True)
    for whole in (text, f" {text}", f"{text} ") if len(text) <= LONGEST else ():
        came: dict[int, str] = {0: ""}  # position → the piece that ends there
        for at in range(len(whole)):
            if at in came:
                for piece in known:
                    if whole.startswith(piece, at):
                        came.setdefault(at + len(piece), piece)
        if len(whole) in came:
            return _walked(came, len(whole))
    return None


def _walked(came: dict[int, str], at: int) -> list[str]:
    """The pieces on the way to position ``at``, in order."""
    found: list[str] = []
    while at > 0:
        found.append(came[at])
        at -= len(came[at])
    return found[::-1]


async def oracle_here(ctx: Context) -> Oracle:
    """The oracle, seen to work in the context's mode too.

    Raises ``Untestable`` where the token is forced in regular answers only: then nothing can be
    said of a stream by what was forced.
    """
    known = await ctx.learn(oracle)
    if ctx.mode is Mode.STREAM:
        exchange = await ctx.ask(forced(ctx, known.best.id, FORCED_TOKENS))
        found = read_answer(exchange)
        if found is None or pieces_of(found.text, [known.best.text]) is None:
            raise Untestable("no forced-token oracle: no token is forced in streams", exchange)
    return known


# The other lessons


async def greedy(ctx: Context) -> Greedy:
    """Ask the same greedy request six times and count the different texts."""
    if not ctx.promises("temperature"):
        raise Untestable("greedy output is not to be had: temperature is not promised")
    request = ctx.post(greedy_body(ctx))
    found = [read_answer(await ctx.ask(request, repeat=number)) for number in range(6)]
    answers = [each for each in found if each is not None]
    if len(answers) < 2:
        raise Untestable("no answer at temperature 0 to compare")
    texts = tuple(each.text for each in answers)
    counts = Counter(texts)
    text = counts.most_common(1)[0][0]
    finding = f"{len(texts)} identical requests at temperature 0 gave {_times(len(counts))}"
    ending = next(each.finish_reason for each in answers if each.text == text)
    return Greedy(finding, len(counts) == 1, len(counts), text, texts, ending)


def _times(count: int) -> str:
    return "the same text each time" if count == 1 else f"{count} different texts"


async def samples(ctx: Context) -> Samples:
    """Find out how many choices one request gives: 32, 8, or one."""
    if not ctx.promises("n"):
        return Samples("n is not promised: every sample costs a request", 1)
    warm = {"temperature": 1} if ctx.promises("temperature") else {}
    for count in (32, 8):
        found = read_answer(await ctx.ask(ctx.request(max_tokens=1, n=count, **warm)))
        if found is not None and len(found.choices) == count:
            return Samples(f"one request with n={count} gives {count} choices", count)
    return Samples("n gives no more than one choice: every sample costs a request", 1)


def natural_request(ctx: Context) -> Request:
    """A request for a short answer with room to end by itself."""
    cold = {"temperature": 0} if ctx.promises("temperature") else {}
    return ctx.request(max_tokens=NATURAL_TOKENS, **cold)


async def natural(ctx: Context) -> Natural:
    """Ask for a short answer with room to end, and look how it ends."""
    found = read_answer(await ctx.ask(natural_request(ctx)))
    if found is None:
        raise Untestable("no answer to see the end of")
    tokens = found.tokens("completion")
    length = (
        f"after {tokens} tokens" if tokens is not None else f"after {len(found.text)} characters"
    )
    finding = f"a short answer ended {length} with finish_reason {found.finish_reason!r}"
    return Natural(finding, found.text, found.finish_reason, tokens)


async def reasoning(ctx: Context) -> Reasoning:
    """Look for signs of thinking: its own field, its own token count, or an empty answer."""
    found = read_answer(await ctx.ask(ctx.request()))
    if found is None:
        raise Untestable("no answer to look for reasoning in")
    if _thinks(found):
        return Reasoning("a reasoning model: what it thinks counts against max_tokens", True)
    return Reasoning("no sign of reasoning before the answer", False)
