"""What a history shows: since when a cell is red, what regressed, what was fixed, what flaps. Pure.

A night in which a cell was not decided says nothing about it: it neither ends a red streak nor
makes a change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise, takewhile
from pathlib import Path

from conformance.report.diff import BROKEN, FAILING, KEPT
from conformance.report.history import LETTERS, Night, nights_of, series
from conformance.report.records import Ended, Key
from conformance.report.slots import permalink, place_slot
from conformance.verdicts import Verdict

__all__ = ["CellTrend", "TargetTrend", "Trends", "history_trends", "trends"]

#: A cell flaps that changed at least so often in so many nights.
FLAPS, WINDOW = 3, 30

RED = frozenset(LETTERS[verdict] for verdict in FAILING)
_BROKEN = frozenset(LETTERS[verdict] for verdict in BROKEN)
_KEPT = frozenset(LETTERS[verdict] for verdict in KEPT)
_DECIDED = frozenset(LETTERS[verdict] for verdict in Verdict if verdict.rule.decided)
_VERDICTS = {letter: verdict for verdict, letter in LETTERS.items()}


@dataclass(frozen=True, slots=True)
class CellTrend:
    """One cell's past. ``since`` is the start of the first night of the present red streak
    (``None`` where it is not red); ``nights`` counts the nights of that streak in which it was
    decided; ``changes`` the changes between red and not red in the window.
    """

    key: Key
    verdict: Verdict
    since: str | None = None
    nights: int = 0
    regressed: bool = False
    fixed: bool = False
    changes: int = 0

    @property
    def link(self) -> str:
        """The fragment that opens its cell."""
        place = place_slot(self.key.endpoint, self.key.mode).anchor
        return permalink(self.key.target, self.key.requirement, place)

    @property
    def flapping(self) -> bool:
        """Whether it comes and goes."""
        return self.changes >= FLAPS


@dataclass(frozen=True, slots=True)
class TargetTrend:
    """One target's past: the number of red cells of each night (``None``: not a whole run)."""

    name: str
    red: tuple[int | None, ...]
    cells: tuple[CellTrend, ...]

    @property
    def points(self) -> tuple[tuple[tuple[int, int], ...], ...]:
        """The pieces of the sparkline: ``(night, red cells)`` without the gaps."""
        pieces: list[list[tuple[int, int]]] = [[]]
        for night, red in enumerate(self.red):
            if red is None:
                pieces.append([])
            else:
                pieces[-1].append((night, red))
        return tuple(tuple(piece) for piece in pieces if piece)

    @property
    def least(self) -> int:
        """The fewest red cells of a night."""
        return min((red for red in self.red if red is not None), default=0)

    @property
    def highest(self) -> int:
        """The most red cells of a night."""
        return max((red for red in self.red if red is not None), default=0)

    @property
    def most(self) -> int:
        """The height of the sparkline, at least 1."""
        return self.highest or 1


@dataclass(frozen=True, slots=True)
class Trends:
    """What the nights show; ``notes`` tells of nights that could not be read."""

    nights: tuple[str, ...]
    targets: tuple[TargetTrend, ...]
    notes: tuple[str, ...] = ()

    @property
    def regressed(self) -> tuple[CellTrend, ...]:
        """Red now, and not when they were last decided before."""
        return tuple(cell for cell in self._cells() if cell.regressed)

    @property
    def fixed(self) -> tuple[CellTrend, ...]:
        """Broken when they were last decided before, and kept now."""
        return tuple(cell for cell in self._cells() if cell.fixed)

    @property
    def red(self) -> tuple[CellTrend, ...]:
        """Red now, those that have been so for longest first."""
        cells = [cell for cell in self._cells() if cell.since is not None]
        return tuple(sorted(cells, key=lambda cell: (cell.since or "", cell.key.sortable)))

    @property
    def flapping(self) -> tuple[CellTrend, ...]:
        """Those that come and go, worst first."""
        cells = [cell for cell in self._cells() if cell.flapping]
        return tuple(sorted(cells, key=lambda cell: (-cell.changes, cell.key.sortable)))

    def _cells(self) -> Iterator[CellTrend]:
        for target in self.targets:
            yield from target.cells


def trends(nights: Sequence[Night], notes: Sequence[str] = ()) -> Trends:
    """What ``nights`` (oldest first) show of the targets of the last one."""
    names = list(nights[-1].targets) if nights else []
    starts = tuple(night.started for night in nights)
    return Trends(starts, tuple(_target(nights, name, starts) for name in names), tuple(notes))


def history_trends(history: Path) -> Trends:
    """The trends over every night kept below the folder ``history``."""
    return trends(*nights_of(history))


def _target(nights: Sequence[Night], name: str, starts: Sequence[str]) -> TargetTrend:
    cells = (
        _cell(Key(name, *key), letters, starts) for key, letters in series(nights, name).items()
    )
    telling = (cell for cell in cells if cell.since or cell.fixed or cell.flapping)
    red = tuple(_red(night, name) for night in nights)
    return TargetTrend(name, red, tuple(sorted(telling, key=lambda cell: cell.key.sortable)))


def _red(night: Night, name: str) -> int | None:
    mine = night.targets.get(name)
    if mine is None or mine.ended is not Ended.COMPLETE:
        return None
    return sum(mine.verdicts.count(letter) for letter in RED)


def _cell(key: Key, letters: str, starts: Sequence[str]) -> CellTrend:
    past, verdict = _past(letters), _VERDICTS.get(letters[-1], Verdict.NOT_RUN)
    decided = letters[-1] in _DECIDED and past.before is not None
    now_red = past.last in RED
    return CellTrend(
        key,
        verdict,
        since=starts[past.first] if now_red else None,
        nights=past.streak if now_red else 0,
        regressed=decided and now_red and past.before not in RED,
        fixed=decided and past.last in _KEPT and past.before in _BROKEN,
        changes=past.changes,
    )


@dataclass(frozen=True, slots=True)
class _Past:
    """The last two decided letters, changes from or to red in the window, and length and first
    night of the last streak of red or of other nights."""

    last: str | None = None
    before: str | None = None
    changes: int = 0
    streak: int = 0
    first: int = 0


@cache
def _past(letters: str) -> _Past:
    """Most cells of a history have the same past: it is worked out once."""
    decided = [(night, letter) for night, letter in enumerate(letters) if letter in _DECIDED]
    if not decided:
        return _Past()
    recent = [letter in RED for night, letter in decided if night >= len(letters) - WINDOW]
    red = decided[-1][1] in RED
    streak = list(takewhile(lambda pair: (pair[1] in RED) is red, reversed(decided)))
    return _Past(
        decided[-1][1],
        decided[-2][1] if len(decided) > 1 else None,
        sum(one is not other for one, other in pairwise(recent)),
        len(streak),
        streak[-1][0],
    )
