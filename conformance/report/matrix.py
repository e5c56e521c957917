"""The view model of the page: everything it shows, as plain values; no markup here.

What can be shared is stored once: messages, exhibits and whole cells are tables, and the grid
holds indexes into them. A run of 50 targets × 300 requirements repeats itself a great deal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.report.catalogue import Entry, read_catalogue
from conformance.report.evidence import Record, load_records, read_objects
from conformance.report.fold import Fold, ParameterFold, fold_parameters
from conformance.report.pagedata import ByCell, PageData, telling
from conformance.report.records import Ended, Footer, Result, Run, TargetHeader
from conformance.report.results import read_run
from conformance.report.slots import Slot, permalink, place_slot, slot
from conformance.report.text import count, joined, plural, visible
from conformance.report.trends import Trends
from conformance.report.words import BAD, IDLE, severity
from conformance.verdicts import Level, Verdict, worst

__all__ = [
    "Card",
    "Cell",
    "Chapter",
    "Failure",
    "Matrix",
    "Row",
    "build_matrix",
    "failures",
    "load_matrix",
]

#: So many requirements that fail of one cause are told as one failure.
SHARED = 4


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
class Card:
    """One target at a glance. ``levels``: per level, the counts of each verdict, worst first."""

    name: str
    facts: tuple[tuple[str, str], ...]
    cost: str
    ended: str
    levels: tuple[tuple[str, tuple[tuple[Verdict, int], ...]], ...]

    @property
    def total(self) -> int:
        """All verdicts but those of what is not promised."""
        return sum(n for _, counts in self.levels for _, n in counts)


@dataclass(frozen=True)
class Failure:
    """One line of what is wrong: the first verdict that shows it, where, and for what else."""

    first: Result
    places: str
    more: tuple[str, ...] = ()

    @property
    def link(self) -> str:
        """The fragment that opens its cell."""
        return permalink(self.first.target, self.first.requirement, slot(self.first).anchor)

    @property
    def where(self) -> str:
        """Its endpoints and modes, or how many requirements fail of the same cause."""
        return f"and {plural(len(self.more), 'more requirement')}" if self.more else self.places


@dataclass(frozen=True)
class ParameterRow:
    """One parameter across all targets: a fold for each slot, and overall."""

    name: str
    cells: tuple[tuple[Fold | None, tuple[Fold | None, ...]], ...]


@dataclass(frozen=True)
class Matrix:
    """All that the page shows."""

    run: Run
    incomplete: str
    cards: tuple[Card, ...]
    failures: tuple[Failure, ...]
    parameter_slots: tuple[Slot, ...]
    parameters: tuple[ParameterRow, ...]
    learned: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...]
    chapters: tuple[Chapter, ...]
    verdicts: tuple[Verdict, ...]
    data: Mapping[str, Any]
    trends: Trends | None = None


def load_matrix(run_dir: Path, trends: Trends | None = None) -> Matrix:
    """The page of the run in ``run_dir``, from its files alone; ``trends``: what went before."""
    run = read_run(run_dir)
    shown = [result for result in run.results if telling(result)]
    wanted = {(r.target, id) for r in shown for id in (r.minimal, *r.evidence[:1]) if id}
    records = load_records(run_dir / "evidence", wanted)
    return build_matrix(run, read_catalogue(run_dir), records, _learned(run_dir), trends)


def build_matrix(
    run: Run,
    catalogue: Mapping[str, Entry],
    records: Mapping[tuple[str, str], Record],
    learned: Iterable[tuple[str, str, str, str]] = (),
    trends: Trends | None = None,
) -> Matrix:
    """The page of ``run``; pure."""
    by_cell = _by_cell(run)
    present = dict.fromkeys(r.requirement for r in run.results)
    ids = [id for id in catalogue if id in present]
    ids += [id for id in present if id not in catalogue]
    names = [target.target for target in run.targets]
    levels = {r.requirement: r.level.value for r in run.results}
    chapters = _chapters(ids, names, levels, catalogue, by_cell)
    slots, parameters = _parameters(run, names)
    lessons = _grouped(learned, names)
    since = {cell.key: cell.since for cell in trends.red if cell.since} if trends else {}
    return Matrix(
        run=run,
        incomplete=_incomplete(run),
        cards=tuple(_card(run, target) for target in run.targets),
        failures=failures(run, ids),
        parameter_slots=slots,
        parameters=parameters,
        learned=lessons,
        chapters=chapters,
        verdicts=tuple(sorted({r.verdict for r in run.results}, key=severity, reverse=True)),
        data=PageData(
            run, ids, names, levels, catalogue, records, by_cell, dict(lessons), since
        ).build(),
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
    ids: Sequence[str],
    names: Sequence[str],
    levels: Mapping[str, str],
    catalogue: Mapping[str, Entry],
    cells: ByCell,
) -> tuple[Chapter, ...]:
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
    note = f"{same} of {len(promised)}" if same < len(promised) else ""
    return Cell(verdict, tuple(by_slot.get(each) for each in slots), note, telling.message)


def _card(run: Run, target: TargetHeader) -> Card:
    mine = [r for r in run.results if r.target == target.target]
    counts: dict[Level, Counter[Verdict]] = {level: Counter() for level in Level}
    for result in mine:
        if result.verdict is not Verdict.NOT_PROMISED:
            counts[result.level][result.verdict] += 1
    facts = (("model", target.model), ("profile", target.profile), ("base URL", target.base_url))
    return Card(
        target.target,
        tuple((name, value) for name, value in facts if value),
        _cost(run.footer, target.target, mine),
        _ended(run.footer, target.target),
        tuple(
            (level.value, tuple(sorted(each.items(), key=lambda pair: -severity(pair[0]))))
            for level, each in counts.items()
            if each
        ),
    )


def _cost(footer: Footer | None, target: str, results: Sequence[Result]) -> str:
    costs = footer.targets.get(target) if footer else None
    if costs is None:
        return f"{plural(sum(r.requests for r in results), 'request')} for verdicts so far"
    return joined(
        (
            plural(costs.requests, "request"),
            f"{count(costs.prompt_tokens)} prompt + {count(costs.completion_tokens)} completion tokens",
            f"{count(costs.seconds)} s",
        )
    )


_ENDINGS = {
    Ended.BUDGET: "its budget was spent before the end",
    Ended.UNREACHABLE: "it could no longer be reached",
    Ended.INTERRUPTED: "its run was interrupted",
}


def _ended(footer: Footer | None, target: str) -> str:
    costs = footer.targets.get(target) if footer else None
    return _ENDINGS.get(costs.ended, "") if costs else ""


def _incomplete(run: Run) -> str:
    """Why the page does not show a whole run; empty for one that does."""
    decided = plural(len(run.results), "verdict")
    if run.footer is None:
        return f"This run was interrupted. What follows is the {decided} written before that."
    ended = ((name, _ENDINGS.get(t.ended)) for name, t in run.footer.targets.items())
    parts = [f"{visible(name)}: {why}" for name, why in ended if why]
    return f"This run is incomplete. {'; '.join(parts)}." if parts else ""


def failures(run: Run, ids: Sequence[str] = ()) -> tuple[Failure, ...]:
    """What somebody has to act on, by target (in the run's order), worst first.

    A cause that many requirements share (a server that went away) is one entry, not hundreds.
    """
    columns = {target.target: column for column, target in enumerate(run.targets)}
    rows = {
        id: row for row, id in enumerate(ids or dict.fromkeys(r.requirement for r in run.results))
    }
    bad = sorted(
        (r for r in run.results if r.verdict in BAD),
        key=lambda r: (columns[r.target], -severity(r.verdict), rows[r.requirement], slot(r)),
    )
    causes: dict[tuple[str, Verdict, str], dict[str, list[Result]]] = {}
    for result in bad:
        cause = causes.setdefault((result.target, result.verdict, result.message), {})
        cause.setdefault(result.requirement, []).append(result)
    listed: dict[tuple[str, Verdict, str], Failure] = {}
    for result in bad:
        cause = causes[result.target, result.verdict, result.message]
        shared = len(cause) >= SHARED
        key = (result.target, result.verdict, result.message if shared else result.requirement)
        if key not in listed:
            places = ", ".join(slot(each).label for each in cause[result.requirement])
            more = tuple(cause)[1:] if shared else ()
            listed[key] = Failure(result, "" if shared else places, more)
    return tuple(listed.values())


def _parameters(
    run: Run, names: Sequence[str]
) -> tuple[tuple[Slot, ...], tuple[ParameterRow, ...]]:
    folds: dict[str, dict[str, ParameterFold]] = {}
    for each in fold_parameters(run.results):
        folds.setdefault(each.parameter, {})[each.target] = each
    places = {place for row in folds.values() for each in row.values() for place in each.places}
    slots = sorted(place_slot(*place) for place in places)
    rows = [
        ParameterRow(
            name,
            tuple(
                (
                    row[target].overall if target in row else None,
                    tuple(
                        row[target].places.get((s.endpoint, s.mode)) if target in row else None
                        for s in slots
                    ),
                )
                for target in names
            ),
        )
        for name, row in folds.items()
    ]
    return tuple(slots), tuple(rows)


def _learned(run_dir: Path) -> Iterable[tuple[str, str, str, str]]:
    for line in read_objects(run_dir / "learned.jsonl"):
        names = ("target", "endpoint", "lesson", "finding")
        target, endpoint, lesson, finding = (str(line.get(name) or "") for name in names)
        yield target, endpoint, lesson, finding


def _grouped(
    learned: Iterable[tuple[str, str, str, str]], names: Sequence[str]
) -> tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...]:
    groups: dict[str, dict[tuple[str, str, str], None]] = {name: {} for name in names}
    for target, *rest in learned:
        endpoint, lesson, finding = rest
        groups.setdefault(target, {})[endpoint, lesson, finding] = None
    return tuple((name, tuple(each)) for name, each in groups.items() if each)
