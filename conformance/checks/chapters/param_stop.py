"""``stop``: the text ends before the earliest occurrence of any sequence, wherever tokens end.

Each detail is a row of :data:`TREATMENTS`: a forced token, what to stop at, and the answer that
follows from the rule. The control run is the same forced token without ``stop``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from conformance.checks.answer import Answer, answer, read_answer, why_unreadable
from conformance.checks.api import (
    MUST,
    SHOULD,
    Broken,
    Case,
    Depth,
    Ignored,
    Source,
    Undecided,
    Untestable,
    check,
)
from conformance.checks.context import Context
from conformance.checks.forcing import answers, cut, shown, stop_problem
from conformance.checks.oracle import (
    FORCED_TOKENS,
    Greedy,
    Oracle,
    Piece,
    forced,
    greedy,
    greedy_body,
    oracle_here,
    same_text,
)
from conformance.verdicts import Level

STOPS = Source(
    "specification text",
    "openapi.yaml:63253",
    "Up to 4 sequences where the API will stop generating further tokens. The returned text will "
    "not contain the stop sequence.",
)
#: Sequences that no forced answer contains.
ABSENT = ("§one§", "§two§", "§three§")

#: What to stop at, given a piece.
Stops = Callable[[str], str | list[str]]


@dataclass(frozen=True, slots=True)
class Treatment:
    """One way to stop a forced answer; ``letters`` is the least length of the forced word."""

    statement: str
    stops: Stops
    tokens: int = FORCED_TOKENS
    letters: int = 1
    depth: Depth = Depth.QUICK


def _inside(word: str) -> str:
    return word[-1]


def _across(word: str) -> str:
    return word[1:] + word[:1] if len(word) > 1 else word * 2


#: Id (behind ``param.stop.``) → treatment.
TREATMENTS: dict[str, Treatment] = {
    "inside-token": Treatment(
        "A stop sequence inside a token ends the text right before it.", _inside, letters=2
    ),
    "array": Treatment(
        "An array of one stop sequence does what the sequence alone does.",
        lambda word: [_inside(word)],
    ),
    "across-tokens": Treatment(
        "A stop sequence that spans two tokens ends the text right before it.", _across
    ),
    "fourth-place": Treatment(
        "The fourth of four stop sequences is honoured.", lambda word: [*ABSENT, _inside(word)]
    ),
    "first-place": Treatment(
        "The first of four stop sequences is honoured.",
        lambda word: [_inside(word), *ABSENT],
        depth=Depth.STANDARD,
    ),
    "earliest": Treatment(
        "The earliest occurrence of any stop sequence ends the text, in whatever order they are given.",
        lambda word: [word[2], word[1]],
        letters=3,
        depth=Depth.STANDARD,
    ),
    "first-token": Treatment(
        "A stop sequence that the text begins with leaves an empty text.",
        lambda word: word,
        depth=Depth.STANDARD,
    ),
    "held-back": Treatment(
        "No part of a stop sequence of several tokens is let out while it is being completed.",
        lambda word: word * 3,
        depth=Depth.STANDARD,
    ),
    "limit-first": Treatment(
        "Where the token limit ends the answer inside a stop sequence, the text is whole and the finish reason `length`.",
        lambda word: word * 3,
        tokens=2,
        depth=Depth.STANDARD,
    ),
}

#: The rows that the main check judges together.
MAIN = ("inside-token", "array", "across-tokens")


def _as_list(stops: str | list[str]) -> list[str]:
    return [stops] if isinstance(stops, str) else stops


async def _treated(ctx: Context, piece: Piece, row: Treatment) -> tuple[Answer, str | None]:
    """The answer to a treatment, and what is wrong with it."""
    stops = row.stops(piece.text)
    found = await answer(ctx, forced(ctx, piece.id, row.tokens, stop=stops))
    problem = stop_problem(found, cut(piece, row.tokens, _as_list(stops)), _as_list(stops))
    return found, f"stop={stops!r}: {problem}" if problem else None


async def _control(ctx: Context, piece: Piece, tokens: int = FORCED_TOKENS) -> Answer:
    return await answer(ctx, forced(ctx, piece.id, tokens))


@check(
    "param.stop.effect",
    MUST,
    STOPS,
    needs=("stop",),
    parameter="stop",
    aspect="effect",
    cost=3,
)
async def effect(ctx: Context, case: Case) -> str | None:
    """Generation stops at a stop sequence, and the text ends right before it."""
    try:
        known = await oracle_here(ctx)
    except Untestable as absent:
        return await _on_natural_text(ctx, absent.message)
    piece = _word(known, 2)
    control = await _control(ctx, piece)
    treated = [await _treated(ctx, piece, TREATMENTS[name]) for name in MAIN]
    wrong = [(found, problem) for found, problem in treated if problem]
    if not wrong:
        return None
    evidence = (*(found.exchange for found, _ in wrong), control.exchange)
    if all(same_text(found.text, control.text) for found, _ in treated):
        raise Ignored(f"{wrong[0][1]}; the control run without stop is the same", *evidence)
    more = f" ({len(wrong)} of {len(treated)} requests)" if len(treated) > len(wrong) else ""
    raise Broken(f"{wrong[0][1]}; control run: {shown(control.text)}{more}", *evidence)


def _word(known: Oracle, letters: int) -> Piece:
    """A word of that many different letters, or the best there is."""
    try:
        return known.divisible(letters)
    except Untestable:
        return known.best


def _register(name: str, row: Treatment) -> None:
    async def judge(ctx: Context, case: Case) -> str | None:
        piece = (await oracle_here(ctx)).divisible(row.letters)
        found, problem = await _treated(ctx, piece, row)
        if problem:
            control = await _control(ctx, piece, row.tokens)
            raise Broken(
                f"{problem}; control run: {shown(control.text)}", found.exchange, control.exchange
            )
        return None

    judge.__doc__ = row.statement
    check(
        f"param.stop.{name}",
        MUST,
        STOPS,
        needs=("stop", "logit_bias"),
        parameter="stop",
        aspect="effect",
        depth=row.depth,
        elsewhere=None if name == "effect" else Depth.STANDARD,
        cost=0 if name in MAIN else 1,
    )(judge)


for _name, _row in TREATMENTS.items():
    _register(_name, _row)


@check(
    "param.stop.order",
    MUST,
    STOPS,
    needs=("stop", "logit_bias"),
    parameter="stop",
    aspect="effect",
    depth=Depth.STANDARD,
    cost=1,
)
async def order(ctx: Context, case: Case) -> str | None:
    """The order of the stop sequences does not matter."""
    piece = (await oracle_here(ctx)).divisible(3)
    early, late = piece.text[1], piece.text[2]
    requests = [
        forced(ctx, piece.id, FORCED_TOKENS, stop=stops) for stops in ([late, early], [early, late])
    ]
    one, other = await answers(ctx, requests)
    if (one.text, one.finish_reason) != (other.text, other.finish_reason):
        raise Broken(
            f"stop={[late, early]!r} gave {shown(one.text)}, stop={[early, late]!r} "
            f"{shown(other.text)}",
            one.exchange,
            other.exchange,
        )
    return None


async def _harmless(ctx: Context, value: Any, what: str) -> str | None:
    """A value that names no sequence: refused with a 4xx, or without effect."""
    piece = (await oracle_here(ctx)).best
    control = await _control(ctx, piece)
    exchange = await ctx.ask(forced(ctx, piece.id, FORCED_TOKENS, stop=value))
    found = read_answer(exchange)
    if found is None:
        if exchange.status is not None and 400 <= exchange.status < 500:
            return f"{what} is refused with status {exchange.status}"
        raise Broken(f"{what}: {why_unreadable(exchange)}", exchange, level=MUST)
    if not same_text(found.text, control.text):
        raise Broken(
            f"{what} stopped the answer at {shown(found.text)}; control run: {shown(control.text)}",
            exchange,
            control.exchange,
        )
    return f"{what} has no effect"


_EMPTY: tuple[tuple[str, Any, str, Level], ...] = (
    ("empty-string", "", "An empty stop string is refused or has no effect.", SHOULD),
    ("empty-array", [], "An empty array of stop sequences is refused or has no effect.", SHOULD),
)


def _register_empty(name: str, value: Any, statement: str, level: Level) -> None:
    async def judge(ctx: Context, case: Case) -> str | None:
        return await _harmless(ctx, value, f"stop={value!r}")

    judge.__doc__ = statement
    check(
        f"param.stop.{name}",
        level,
        Source("convention", "an empty sequence occurs everywhere, so it can mean nothing"),
        needs=("stop", "logit_bias"),
        parameter="stop",
        depth=Depth.STANDARD,
        cost=1,
    )(judge)


for _row_of_empty in _EMPTY:
    _register_empty(*_row_of_empty)


# Without an oracle: the model's own text


async def _on_natural_text(ctx: Context, absent: str) -> str | None:
    """Stop at what the greedy answers all contain; containing it is wrong however they vary."""
    seen = await ctx.learn(greedy)
    stops = _common(seen)
    asked = ctx.post(greedy_body(ctx, stop=stops))
    found = await answer(ctx, asked)
    again = await answer(ctx, asked, repeat=1)
    broken = [each for each in (found, again) if stops in each.text]
    if broken:
        at = broken[0].text.find(stops)
        told = f"stop={stops!r}: text went on past its first occurrence at character {at}"
        evidence = [each.exchange for each in broken]
        if all(each.text in seen.texts for each in (found, again)):
            raise Ignored(f"{told}; control runs gave the same text", *evidence)
        raise Broken(f"{told}; all {len(seen.texts)} control runs contained it", *evidence)
    due = seen.text[: seen.text.find(stops)]
    if seen.repeatable and not same_text(found.text, due):
        raise Undecided(
            f"stop={stops!r}: {shown(found.text)} came, {shown(due)} was due by the control runs",
            found.exchange,
        )
    if seen.repeatable and found.finish_reason != "stop":
        raise Broken(
            f"stop={stops!r} ended the text; finish_reason is {found.finish_reason!r}",
            found.exchange,
        )
    return f"judged on the model's own text ({absent})"


def _common(seen: Greedy) -> str:
    """A sequence inside every greedy answer, past its beginning and across a word's end."""
    shortest = min(seen.texts, key=len)
    if not shortest.strip():
        raise Untestable("no visible text to stop at: a reasoning model, or an empty answer")
    middle = len(shortest) // 3
    for length in (6, 4, 3):
        for at in [*range(middle, len(shortest) - length), *range(1, middle)]:
            stops = shortest[at : at + length]
            if stops.strip() and all(text.find(stops) > 0 for text in seen.texts):
                return stops
    raise Undecided("the greedy answers have no sequence in common to stop at")
