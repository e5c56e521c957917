"""The calibrated coin: a choice between two tokens whose odds are known before anything is drawn.

Two tokens with a bias near +100 leave no chance to any third. Write d for the bias of ``a`` less that
of ``b`` and g for the gap of their logits, so that the log-odds at temperature 1 are δ = g + d. The
smallest whole d at which greedy output is ``a`` (the *edge*) tells that 0 ≤ δ ≤ 1 there, and
j ≤ δ ≤ j + 1 at *tilt* j, that is at d = edge + j. Nothing is assumed of the model.

Near ties jitter on batched hardware may move the edge; :data:`SLACK` allows half a nat for it. Draws
cost little where ``n`` buys many, one token each.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from itertools import permutations
from typing import Any

from conformance.checks.answer import Answer, answer, read_answer
from conformance.checks.api import Undecided, Untestable
from conformance.checks.context import Context
from conformance.checks.forcing import shown
from conformance.checks.oracle import Oracle, Piece, force, oracle, pieces_of, samples
from conformance.wire.exchange import Exchange, Request

__all__ = [
    "SLACK",
    "Coin",
    "Draws",
    "biased",
    "coin",
    "cold",
    "draw",
    "edge_of",
    "expect_varied",
    "greedy_draws",
    "neutral",
    "pairs_of",
    "sides_of",
    "spread",
    "tokens_of",
    "toss",
]

#: Nats by which δ may lie outside of its bracket: jitter of two logits near a tie.
SLACK = 0.5
#: Choices asked of one request, where the server gives as many.
MANY = 128
#: Requests that one sample may take where a request buys few choices.
MOST_REQUESTS = 48
#: Greedy draws asked of one request where several are answered.
LEAST_GREEDY = 32
#: Bias differences beyond this are not tried: both tokens must stay far above all others.
WIDEST = 48
#: Pairs of tokens tried before calibration is given up.
PAIRS = 4


@dataclass(frozen=True)
class Coin:
    """Two tokens, the edge between them after ``prompt``, and how draws are bought.

    ``prompt`` contains the text of ``a`` and not that of ``b``.
    """

    finding: str
    a: Piece
    b: Piece
    edge: int
    prompt: dict[str, Any]
    per_request: int

    def bias(self, tilt: int = 0) -> dict[str, int]:
        """The ``logit_bias`` at which tilt ≤ δ ≤ tilt + 1."""
        return biased(self.a, self.b, self.edge + tilt)

    def flipped(self) -> Coin:
        """The same coin with the names of its sides exchanged (the prompt then contains ``b``)."""
        return replace(self, a=self.b, b=self.a, edge=1 - self.edge)

    def bounds(self, tilt: int = 0) -> tuple[float, float]:
        """The least and the greatest δ at temperature 1, slack included."""
        return tilt - SLACK, tilt + 1 + SLACK


@dataclass
class Draws:
    """A sample: how often each side came, and where from."""

    a: int = 0
    b: int = 0
    exchanges: list[Exchange] = field(default_factory=list)

    @property
    def n(self) -> int:
        """The size of the sample."""
        return self.a + self.b

    def __str__(self) -> str:
        return f"{self.a} : {self.b}"


def biased(a: Piece, b: Piece, difference: int) -> dict[str, int]:
    """Biases for ``a`` and ``b`` that differ by ``difference``, the greater of them 100."""
    return {str(a.id): 100 + min(0, difference), str(b.id): 100 - max(0, difference)}


async def neutral(ctx: Context) -> dict[str, Any]:
    """Switch hidden defaults off: promised parameters at values without effect.

    Engines take defaults from model files (top_p 0.8, repetition_penalty 1.05 …). A server that
    refuses a neutral value is not sent it again: that is for the accepts requirements.
    """
    wanted = {name: 1 for name in ("top_p", "repetition_penalty") if ctx.promises(name)}
    if wanted and read_answer(await ctx.ask(ctx.request(max_tokens=1, **wanted))) is None:
        return {}
    return wanted


async def cold(ctx: Context) -> float:
    """The lowest temperature that is answered: 0, or where that is refused 0.01."""
    if not ctx.promises("temperature"):
        raise Untestable("greedy output is not to be had: temperature is not promised")
    for value in (0, 0.01):
        if read_answer(await ctx.ask(ctx.request(max_tokens=1, temperature=value))) is not None:
            return value
    raise Untestable("no answer at temperature 0")


async def toss(
    ctx: Context, bias: dict[str, int], tokens: int = 1, /, **parameters: Any
) -> Request:
    """A request for a choice among the biased tokens, hidden defaults switched off."""
    wanted = {
        **await ctx.learn(neutral),
        "temperature": await ctx.learn(cold),
        "max_tokens": tokens,
        "logit_bias": bias,
    }
    return ctx.request(**{**wanted, **parameters})


def tokens_of(text: str, *known: Piece) -> list[Piece]:
    """``text`` as a sequence of ``known`` tokens; raises ``Undecided`` where it is none."""
    texts = {piece.text: piece for piece in known}
    found = pieces_of(text, texts)
    if found is None:
        wanted = ", ".join(map(repr, texts))
        raise Undecided(f"tokens {wanted} were forced together and {shown(text)} came")
    return [texts[each] for each in found]


async def edge_of(wins: Callable[[int], Awaitable[bool]]) -> int | None:
    """The smallest difference at which ``wins`` is true, by doubling steps and bisection.

    ``None`` where it is beyond ±48.
    """
    low, high = await _brackets(wins)
    if low is None or high is None:
        return None
    while high - low > 1:
        middle = (low + high) // 2
        if await wins(middle):
            high = middle
        else:
            low = middle
    return high


async def _brackets(wins: Callable[[int], Awaitable[bool]]) -> tuple[int | None, int | None]:
    """A difference that loses and one that wins; ``None`` for what was not met within ±48."""
    low: int | None = None
    high: int | None = None
    at, step = 0, 3
    while low is None or high is None:
        if await wins(at):
            high, following = at, max(-WIDEST, at - step)
        else:
            low, following = at, min(WIDEST, at + step)
        if following == at:
            break
        at, step = following, 2 * step
    return low, high


# The lessons


async def coin(ctx: Context) -> Coin:
    """Find two tokens, their edge at the first position, and the price of draws.

    Raises ``Untestable`` where no token can be forced.
    """
    known = await ctx.learn(oracle)
    for first, other in spread(list(pairs_of(known)))[: 2 * PAIRS : 2]:
        prompt = _containing(ctx, first)
        a, b = first, await _strongest(ctx, known, first, prompt) or other

        async def wins(difference: int, a: Piece = a, b: Piece = b, prompt: Any = prompt) -> bool:
            found = await answer(ctx, await toss(ctx, biased(a, b, difference), **prompt))
            return tokens_of(found.text, a, b)[:1] == [a]

        edge = await edge_of(wins)
        if edge is not None and edge + 8 <= WIDEST:
            many = await _price(ctx, biased(a, b, edge), prompt)
            finding = (
                f"{a.text!r} and {b.text!r} are a fair coin when {a.text!r} has {edge:+d} more "
                f"bias; one request gives {many} draws"
            )
            return Coin(finding, a, b, edge, prompt, many)
    raise Untestable("no calibrated coin: one token always wins, whatever the bias")


async def _strongest(ctx: Context, known: Oracle, a: Piece, prompt: dict[str, Any]) -> Piece | None:
    """The token that wins among all; ``None`` if that is ``a`` or cannot be told from it.

    A wide natural gap needs little bias: then it does not matter for the odds at other
    temperatures whether the bias or the temperature comes first.
    """
    pieces = [piece for piece in known.pieces if piece == a or _apart(piece, a)]
    found = await answer(ctx, await toss(ctx, force(*(piece.id for piece in pieces)), **prompt))
    return next(
        (piece for piece in pieces if piece != a and piece.text.strip() == found.text.strip()), None
    )


async def _price(ctx: Context, bias: dict[str, int], prompt: dict[str, Any]) -> int:
    """How many draws one request buys."""
    if not ctx.promises("n"):
        return 1
    found = read_answer(await ctx.ask(await toss(ctx, bias, n=MANY, temperature=1, **prompt)))
    if found is not None and len(found.choices) == MANY:
        return MANY
    return (await ctx.learn(samples)).per_request


def pairs_of(known: Oracle) -> Iterator[tuple[Piece, Piece]]:
    """Pairs of tokens that can be told apart; words with their space first.

    Such a word is one token wherever it stands in a prompt.
    """
    ranked = sorted(known.pieces, key=lambda piece: not _whole_word(piece))
    yield from (pair for pair in permutations(ranked, 2) if _apart(*pair))


def _whole_word(piece: Piece) -> bool:
    return piece.text[:1] == " " and piece.text[1:].isascii() and piece.text[1:].isalpha()


def _apart(a: Piece, b: Piece) -> bool:
    one, other = a.text.strip().lower(), b.text.strip().lower()
    return not (one.startswith(other) or other.startswith(one))


def _containing(ctx: Context, piece: Piece) -> dict[str, Any]:
    """The prompt member of a request, with the piece in it several times over."""
    text = "Say" + piece.text * 4
    if "messages" in ctx.endpoint.parameters:
        return {"messages": [{"role": "user", "content": text}]}
    return {"prompt": text} if "prompt" in ctx.endpoint.parameters else {}


def spread(pairs: list[tuple[Piece, Piece]]) -> list[tuple[Piece, Piece]]:
    """Pairs in an order in which tokens repeat late: (1, 2), (2, 1), (3, 4), (4, 3), …"""
    fresh: list[tuple[Piece, Piece]] = []
    used: set[int] = set()
    for a, b in pairs:
        if not {a.id, b.id} & used:
            fresh += [(a, b), (b, a)]
            used |= {a.id, b.id}
    return fresh + [pair for pair in pairs if pair not in fresh]


# Draws


async def draw(
    ctx: Context,
    known: Coin,
    count: int,
    /,
    tilt: int = 0,
    *,
    until_both: bool = False,
    **parameters: Any,
) -> Draws:
    """``count`` first tokens of the coin at ``tilt`` (temperature 1 unless given).

    ``until_both`` ends a series of single draws when both sides were seen. Raises ``Undecided``
    where so many are not to be had: too many requests, or answers that repeat each other to the
    letter (a fixed seed).
    """
    wanted = {"temperature": 1, **known.prompt, **parameters}
    size = min(known.per_request, count)
    if size > 1:
        wanted["n"] = size
    elif count > MOST_REQUESTS:
        raise Undecided(f"{count} draws would cost as many requests: n buys none")
    request = await toss(ctx, known.bias(tilt), **wanted)
    sample, seen = Draws(), set()
    for number in range(-(-count // size)):
        found = await answer(ctx, request, repeat=number)
        sides = sides_of(known, found)
        sample.exchanges.append(found.exchange)
        if len(sides) < size or not all(found.texts):
            what = f"{len(sides)} choices, {sum(map(bool, found.texts))} of them with text"
            raise Untestable(f"n={size} gave {what}", found.exchange)
        if tuple(sides) in seen and _mixed(sides):
            raise Undecided("two requests gave the same draws in the same order: a fixed seed")
        seen.add(tuple(sides))
        sample.a += sum(sides)
        sample.b += len(sides) - sum(sides)
        if until_both and size == 1 and sample.a and sample.b:
            break
    return sample


def sides_of(known: Coin, found: Answer) -> list[bool]:
    """Which of the choices begin with ``a``, in the order of their indexes.

    Raises ``Undecided`` where one is made of other tokens.
    """
    return [tokens_of(text, known.a, known.b)[:1] == [known.a] for text in found.texts]


async def greedy_draws(ctx: Context, known: Coin, tilt: int, count: int) -> Draws:
    """``count`` draws at temperature 0: many at once where that is answered, else single ones.

    Several choices of one greedy answer are refused by some engines.
    """
    if known.per_request > 1:
        many = max(count, min(known.per_request, LEAST_GREEDY))
        size = min(known.per_request, many)
        request = await toss(ctx, known.bias(tilt), temperature=0, n=size, **known.prompt)
        if read_answer(await ctx.ask(request)) is not None:
            return await draw(ctx, known, many, tilt, temperature=0)
    single = replace(known, per_request=1)
    return await draw(ctx, single, min(count, MOST_REQUESTS), tilt, temperature=0)


async def expect_varied(ctx: Context, known: Coin) -> None:
    """Raise ``Undecided`` unless the choices of one request differ at the tie.

    Copies of one draw, or a sampler that is always greedy, are judged elsewhere; odds that are
    estimated from them would say nothing.
    """
    sample = await draw(ctx, known, min(known.per_request, MANY))
    if not (sample.a and sample.b):
        raise Undecided(f"{sample.n} draws of a tie gave {sample}: copies?", *sample.exchanges)


def _mixed(sides: Iterable[bool]) -> bool:
    """Whether an order of draws is telling: long, and no side rare."""
    found = list(sides)
    return len(found) >= 32 and min(sum(found), len(found) - sum(found)) >= 8
