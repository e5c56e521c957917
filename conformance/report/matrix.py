"""The view model of the page: everything it shows, as plain values; no markup here.

What can be shared is stored once: messages, exhibits and whole cells are tables, and the grid
holds indexes into them. A run of 50 targets × 300 requirements repeats itself a great deal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.report.cards import Card, Tone, card, incomplete
from conformance.report.catalogue import Entry, arranged, read_catalogue
from conformance.report.evidence import Record, load_records
from conformance.report.failures import Failure, failures
from conformance.report.learned import Learned, Lesson, merged, read_learned
from conformance.report.pagedata import ByCell, PageData, telling
from conformance.report.parameters import ParameterRow, parameter_table
from conformance.report.readers import Readers, readers
from conformance.report.records import Result, Run
from conformance.report.results import read_run
from conformance.report.slots import Slot, slot
from conformance.report.trends import Trends
from conformance.report.words import BAD, IDLE, severity
from conformance.verdicts import Verdict, worst

__all__ = ["Cell", "Chapter", "Matrix", "Row", "build_matrix", "load_matrix"]

#: Failures listed above the grid in all, and of one target at least.
LISTED, LEAST_LISTED = 40, 5


@dataclass(frozen=True)
class Cell:
    """One target and requirement: a sign for each slot of the chapter, and the worst in words."""

    verdict: Verdict
    pips: tuple[Verdict | None, ...]
    note: str = ""
    message: str = ""


@dataclass(frozen=True)
class Row:
    """One requirement across all targets; ``index`` is its place in the data."""

    index: int
    id: str
    level: str
    statement: str
    cells: tuple[Cell | None, ...]

    @property
    def rank(self) -> int:
        """How bad its worst cell is; what was not run is below all that was."""
        verdicts = {cell.verdict for cell in self.cells if cell} - IDLE
        return max(map(severity, verdicts), default=-1)


@dataclass(frozen=True)
class Chapter:
    """The requirements of one chapter, failing first."""

    name: str
    slots: tuple[Slot, ...]
    rows: tuple[Row, ...]
    bad: int


@dataclass(frozen=True)
class Matrix:
    """All that the page shows."""

    run: Run
    incomplete: str
    cards: tuple[Card, ...]
    failures: tuple[Failure, ...]
    parameter_slots: tuple[Slot, ...]
    parameters: tuple[ParameterRow, ...]
    learned: tuple[tuple[str, tuple[Lesson, ...]], ...]
    readers: tuple[Readers, ...]
    chapters: tuple[Chapter, ...]
    verdicts: tuple[Verdict, ...]
    data: Mapping[str, Any]
    trends: Trends | None = None

    @property
    def headline(self) -> str:
        """How many targets fail, where there are several."""
        failing = sum(card.tone is Tone.BAD for card in self.cards)
        if len(self.cards) == 1:
            return ""
        fail = "fails" if failing == 1 else "fail"
        return f"{failing} of {len(self.cards)} {fail}" if failing else "none fails"

    @property
    def requirements(self) -> int:
        """How many rows the grid has."""
        return sum(len(chapter.rows) for chapter in self.chapters)

    @property
    def wrong(self) -> tuple[tuple[str, tuple[Failure, ...], int], ...]:
        """The failures of each target: those that are listed, and how many more there are."""
        most = max(LISTED // max(len(self.cards), 1), LEAST_LISTED)
        by_target: dict[str, list[Failure]] = {}
        for failure in self.failures:
            by_target.setdefault(failure.first.target, []).append(failure)
        return tuple(
            (name, tuple(found[:most]), len(found) - len(found[:most]))
            for name, found in by_target.items()
        )


def load_matrix(run_dir: Path, trends: Trends | None = None) -> Matrix:
    """The page of the run in ``run_dir``, from its files alone; ``trends``: what went before."""
    run = read_run(run_dir)
    shown = [result for result in run.results if telling(result)]
    wanted = {(r.target, id) for r in shown for id in (r.minimal, *r.evidence[:1]) if id}
    records = load_records(run_dir / "evidence", wanted)
    return build_matrix(run, read_catalogue(run_dir), records, read_learned(run_dir), trends)


def build_matrix(
    run: Run,
    catalogue: Mapping[str, Entry],
    records: Mapping[tuple[str, str], Record],
    learned: Learned | None = None,
    trends: Trends | None = None,
) -> Matrix:
    """The page of ``run``; pure."""
    run, learned = arranged(run, catalogue), learned or Learned()
    ids = list(dict.fromkeys(r.requirement for r in run.results))
    names = [target.target for target in run.targets]
    cells = _by_cell(run)
    slots, parameters = parameter_table(run, names)
    return Matrix(
        run=run,
        incomplete=incomplete(run),
        cards=tuple(card(run, target) for target in run.targets),
        failures=failures(run),
        parameter_slots=slots,
        parameters=parameters,
        learned=tuple((t, merged(each)) for t, each in learned.lessons.items() if each),
        readers=tuple(readers(target, values) for target, values in learned.clients.items()),
        chapters=_chapters(run, ids, names, catalogue, cells),
        verdicts=tuple(sorted({r.verdict for r in run.results}, key=severity, reverse=True)),
        data=PageData(run, ids, names, catalogue, records, cells, learned.lessons, trends).build(),
        trends=trends,
    )


def _by_cell(run: Run) -> ByCell:
    cells: dict[tuple[str, str], list[Result]] = {}
    for result in run.results:
        cells.setdefault((result.target, result.requirement), []).append(result)
    for each in cells.values():
        each.sort(key=slot)
    return cells


def _chapters(
    run: Run,
    ids: Sequence[str],
    names: Sequence[str],
    catalogue: Mapping[str, Entry],
    cells: ByCell,
) -> tuple[Chapter, ...]:
    levels = {r.requirement: r.level.value for r in run.results}
    groups: dict[str, list[tuple[int, str]]] = {}
    for index, id in enumerate(ids):
        groups.setdefault(id.split(".")[0], []).append((index, id))
    chapters = []
    for name, members in groups.items():
        slots = sorted(
            {slot(r) for _, id in members for t in names for r in cells.get((t, id), ())}
        )
        rows = [
            Row(
                index,
                id,
                levels[id],
                catalogue.get(id, Entry()).statement,
                tuple(_cell(cells.get((target, id)), slots) for target in names),
            )
            for index, id in members
        ]
        rows.sort(key=lambda row: -row.rank)
        bad = sum(any(cell and cell.verdict in BAD for cell in row.cells) for row in rows)
        chapters.append(Chapter(name, tuple(slots), tuple(rows), bad))
    return tuple(chapters)


def _cell(results: Sequence[Result] | None, slots: Sequence[Slot]) -> Cell | None:
    if not results:
        return None
    verdict = worst([result.verdict for result in results])
    by_slot = {slot(result): result.verdict for result in results}
    telling = next(result for result in results if result.verdict is verdict)
    promised = [r for r in results if r.verdict is not Verdict.NOT_PROMISED]
    same = sum(result.verdict is verdict for result in promised)
    note = f"{same}/{len(promised)}" if same < len(promised) else ""
    return Cell(verdict, tuple(by_slot.get(each) for each in slots), note, telling.message)
