"""What effect checks say about forced output: how much of it came, and where it went wrong."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass

from conformance.checks.answer import Answer, answer
from conformance.checks.context import Context
from conformance.checks.oracle import Piece, same_text
from conformance.wire.exchange import Request

__all__ = ["Expected", "answers", "cut", "repeats", "shown", "stop_problem", "written"]


async def answers(ctx: Context, requests: Iterable[Request]) -> list[Answer]:
    """The answers to ``requests``, asked side by side; raises ``Untestable`` if one has none."""
    return list(await asyncio.gather(*(answer(ctx, request) for request in requests)))


def shown(text: str, limit: int = 48) -> str:
    """``text`` as a short quotation for a message."""
    return repr(text) if len(text) <= limit else f"{text[:limit]!r}… ({len(text)} characters)"


def written(found: Answer) -> str:
    """All that was generated for choice 0: thoughts and text."""
    choice = found.choices.get(0)
    return choice.reasoning + choice.text if choice else ""


def repeats(text: str, piece: Piece) -> int | None:
    """How often ``text`` repeats ``piece``; ``None`` where it is something else."""
    if not text.strip():
        return 0
    count = -(-len(text) // len(piece.text))
    return next(
        (guess for guess in (count, count + 1) if same_text(text, piece.text * guess)), None
    )


@dataclass(frozen=True, slots=True)
class Expected:
    """What a forced answer must be."""

    text: str
    finish_reason: str


def cut(piece: Piece, tokens: int, stops: Iterable[str]) -> Expected:
    """The forced answer of ``tokens`` tokens under ``stops``.

    Generation ends with the first token that completes a stop sequence; the text ends before the
    earliest occurrence.
    """
    wanted = [stop for stop in stops if stop]
    for count in range(1, tokens + 1):
        text = piece.text * count
        cuts = [at for at in map(text.find, wanted) if at >= 0]
        if cuts:
            return Expected(text[: min(cuts)], "stop")
    return Expected(piece.text * tokens, "length")


def stop_problem(found: Answer, expected: Expected, stops: Iterable[str]) -> str | None:
    """What is wrong with a forced answer under ``stops``, in one clause, or ``None``."""
    text, want = found.text, expected.text
    if not same_text(text, want):
        return _text_problem(text, want, [stop for stop in stops if stop])
    if found.finish_reason != expected.finish_reason:
        return f"finish_reason is {found.finish_reason!r}, not {expected.finish_reason!r}"
    return None


def _text_problem(text: str, want: str, stops: list[str]) -> str:
    for stop in stops:
        if same_text(text, want + stop):
            return f"the stop sequence is part of the text {shown(text)}"
    places = [at for at in map(text.find, stops) if at >= 0]
    if places:
        return f"text went on past its first occurrence at character {min(places)}: {shown(text)}"
    if text.startswith(want) and any((want + stop).startswith(text) for stop in stops):
        leaked = text[len(want) :]
        return f"the beginning {leaked!r} of the stop sequence was let out: {shown(text)}"
    if want.startswith(text.rstrip()):
        return (
            f"the text ends at character {len(text.rstrip())}, {len(want)} were due: {shown(text)}"
        )
    return f"the text is {shown(text)}, not {shown(want)}"
