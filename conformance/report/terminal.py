"""What a terminal shows at the end of a run, on one screen: what is wrong, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from conformance.report.cards import Card, card, incomplete
from conformance.report.failures import Failure, failures
from conformance.report.fold import Fold, ParameterFold, fold_parameters
from conformance.report.records import Key, Run
from conformance.report.summary import NEXT_STEPS
from conformance.report.text import clip, joined, one_line
from conformance.report.words import FOLD_SIGNS, SIGNS

__all__ = ["render_terminal"]

_ANSI = {"red": "31", "green": "32", "yellow": "33", "bold": "1", "dim": "2"}
_TONE: Mapping[Fold, str] = {
    Fold.HONOURED: "green",
    Fold.UNTESTED: "dim",
    Fold.INCONCLUSIVE: "yellow",
    Fold.BROKEN: "red",
    Fold.IGNORED: "red",
    Fold.REJECTED: "red",
}


def render_terminal(
    run: Run,
    run_dir: Path | None = None,
    *,
    width: int = 100,
    height: int = 40,
    colour: bool = False,
) -> str:
    """At most ``height`` lines of at most ``width`` characters: parameters, failures with what to
    do next, costs, and where to look.
    """
    page = _Page(width, colour)
    cards = [card(run, target) for target in run.targets]
    tail = list(_tail(page, cards, incomplete(run), run_dir, height // 4))
    parameters = list(_parameters(page, run, len(cards)))
    parameters = _clipped(parameters, height // 3, page)
    room = height - len(tail) - len(parameters) - 1
    failures = list(_failures(page, run, max(room, 3)))
    return "\n".join([*parameters, *failures, *tail][:height])


class _Page:
    """Cuts lines to the width and paints them."""

    def __init__(self, width: int, colour: bool) -> None:
        self.width, self.colour = max(width, 20), colour

    def line(self, text: str, tone: str = "") -> str:
        margin = " " * (len(text) - len(text.lstrip(" ")))
        text = clip(margin + one_line(text), self.width)
        return f"\x1b[{_ANSI[tone]}m{text}\x1b[0m" if tone and self.colour else text


def _parameters(page: _Page, run: Run, targets: int) -> Iterator[str]:
    """A line for each parameter that is not honoured; the honoured ones share one."""
    by_target: dict[str, list[ParameterFold]] = {}
    for each in fold_parameters(run.results):
        by_target.setdefault(each.target, []).append(each)
    for target, folds in by_target.items():
        yield page.line(f"Parameters of {target}" if targets > 1 else "Parameters", "bold")
        for fold in reversed(Fold):
            names = [each for each in folds if each.overall is fold]
            if names and fold in (Fold.HONOURED, Fold.UNTESTED):
                yield page.line(
                    _fold_line(fold, ", ".join(n.parameter for n in names)), _TONE[fold]
                )
            else:
                for each in names:
                    yield page.line(_fold_line(fold, each.parameter + _where(each)), _TONE[fold])


def _fold_line(fold: Fold, text: str) -> str:
    return f"  {FOLD_SIGNS[fold]} {fold.value}: {text}"


def _where(folded: ParameterFold) -> str:
    """Where the parameter is as bad as its worst, unless it is so everywhere."""
    places = [p for p, fold in folded.places.items() if fold is folded.overall]
    if len(places) == len(folded.places):
        return ""
    return f" ({', '.join(Key('', '', *place).place for place in places)})"


def _failures(page: _Page, run: Run, room: int) -> Iterator[str]:
    """A line for each failure and one below it for what was seen, if there is room for both."""
    found = failures(run)
    if not found:
        yield page.line("Nothing failed.", "green" if run.complete else "")
        return
    yield page.line(f"What is wrong ({len(found)})", "bold")
    verdicts = dict.fromkeys(failure.first.verdict for failure in found)
    room = max(room - 2 - len(verdicts), 1)
    several, roomy = len(run.targets) > 1, 2 * len(found) <= room
    for failure in found[:room]:
        what, seen = _failure(failure, several), failure.first.message
        if roomy:
            yield page.line(what, "red")
            yield page.line(f"      {seen}")
        else:
            yield page.line(f"{what}: {seen}", "red")
    if len(found) > room:
        yield page.line(f"  … and {len(found) - room} more in matrix.html")
    for verdict in verdicts:
        yield page.line(
            f"  next, for {SIGNS[verdict]} {verdict.value}: {NEXT_STEPS[verdict]}", "dim"
        )


def _failure(failure: Failure, several: bool) -> str:
    first = failure.first
    target = f"{first.target}: " if several else ""
    return f"  {SIGNS[first.verdict]} {target}{first.requirement} ({failure.where})"


def _tail(
    page: _Page, cards: Sequence[Card], incomplete: str, run_dir: Path | None, most: int
) -> Iterator[str]:
    lines = [line for card in cards for line in _card(page, card, roomy=2 * len(cards) <= most)]
    yield from _clipped(lines, most, page)
    if incomplete:
        yield page.line(incomplete, "yellow")
    if run_dir is not None:
        yield page.line(f"Report: {run_dir / 'matrix.html'}")


def _card(page: _Page, card: Card, *, roomy: bool) -> Iterator[str]:
    """How a target stands and what it cost; on two lines if there is room for them."""
    counts = ", ".join(f"{n} {verdict.value}" for verdict, n in card.counts)
    if roomy:
        yield page.line(f"{card.name}: {joined((card.state, counts))}", "bold")
        yield page.line(f"  {card.cost}")
    else:
        yield page.line(f"{card.name}: {joined((card.state, counts, card.cost))}", "bold")


def _clipped(lines: list[str], most: int, page: _Page) -> list[str]:
    if len(lines) <= most:
        return lines
    return [*lines[: most - 1], page.line(f"  … and {len(lines) - most + 1} lines more")]
