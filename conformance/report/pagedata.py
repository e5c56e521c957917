"""The JSON that the page's script opens cells from: everything stored once, by index."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from conformance.report.catalogue import Entry
from conformance.report.evidence import Record
from conformance.report.exhibit import exhibit
from conformance.report.learned import Lesson
from conformance.report.records import Result, Run
from conformance.report.slots import slot
from conformance.report.text import visible
from conformance.report.trends import Trends
from conformance.report.words import SIGNS, severity
from conformance.verdicts import Verdict

__all__ = ["ByCell", "PageData", "telling"]

#: The results of each (target, requirement), in the order of their slots.
ByCell = Mapping[tuple[str, str], Sequence[Result]]

#: Bytes of exhibits in one page, and the most and least that one of them is made for.
EXHIBIT_ROOM = 1_600_000
MOST, LEAST = 16_000, 1_200


def telling(result: Result) -> bool:
    """Whether a cell embeds its evidence: all but what passes, or never was."""
    return result.verdict not in (Verdict.PASS, Verdict.NOT_PROMISED, Verdict.NOT_RUN)


class PageData:
    """The JSON that the page's script opens cells from.

    ``grid[requirement][target]`` is an index into ``cells`` (or -1); a cell is a list of
    ``[slot, verdict, message, extras]``; ``extras`` (absent for a plain pass) holds requests,
    seconds, reason, occurrences, since when it is red, and the indexes of its exhibits.
    ``learned[target]`` is what calibration found, shown in the cells that rest on it.
    """

    def __init__(
        self,
        run: Run,
        ids: Sequence[str],
        names: Sequence[str],
        catalogue: Mapping[str, Entry],
        records: Mapping[tuple[str, str], Record],
        cells: ByCell,
        lessons: Mapping[str, Sequence[Lesson]],
        trends: Trends | None,
    ) -> None:
        self.run, self.ids, self.names = run, ids, names
        self.catalogue, self.records, self.by_cell = catalogue, records, cells
        self.learned = lessons
        self.levels = {r.requirement: r.level.value for r in run.results}
        self.since = {each.key: each.since for each in trends.red if each.since} if trends else {}
        self.slots = sorted({slot(result) for result in run.results})
        self.slot_index = {each: index for index, each in enumerate(self.slots)}
        self.texts: dict[str, int] = {}
        self.cells: dict[str, int] = {}
        self.cell_list: list[Any] = []
        self.exhibits: dict[tuple[str, str, int | None], int] = {}
        self.exhibit_list: list[Any] = []
        self.starts = {each.target: each.start for each in run.targets}
        self._prepare_exhibits()

    def build(self) -> dict[str, Any]:
        """All tables."""
        grid = [[self.cell(target, id) for target in self.names] for id in self.ids]
        return {
            "targets": [visible(name) for name in self.names],
            "requirements": [self.requirement(id) for id in self.ids],
            "slots": [
                [each.label, visible(each.anchor), visible(each.endpoint or "")]
                for each in self.slots
            ],
            "learned": [self.lessons(target) for target in self.names],
            "verdicts": {v.value: SIGNS[v] for v in Verdict},
            "texts": list(self.texts),
            "cells": self.cell_list,
            "exhibits": self.exhibit_list,
            "grid": grid,
        }

    def requirement(self, id: str) -> list[str]:
        """Id, level, statement, kind of source, reference, quotation."""
        entry = self.catalogue.get(id, Entry())
        parts = (id, self.levels[id], entry.statement, entry.kind, entry.reference, entry.quote)
        return [visible(part) for part in parts]

    def lessons(self, target: str) -> list[list[str]]:
        """What calibration found: endpoint, lesson, finding."""
        return [[visible(part)[:400] for part in each] for each in self.learned.get(target, ())]

    def cell(self, target: str, id: str) -> int:
        """The index of one target's cell."""
        results = self.by_cell.get((target, id))
        if not results:
            return -1
        cell = [self.place(result) for result in results]
        key = repr(cell)
        if key not in self.cells:
            self.cells[key] = len(self.cell_list)
            self.cell_list.append(cell)
        return self.cells[key]

    def place(self, result: Result) -> list[Any]:
        """One verdict."""
        row: list[Any] = [
            self.slot_index[slot(result)],
            list(Verdict).index(result.verdict),
            self.text(result.message),
        ]
        if telling(result) or result.reason:
            row.append(self.extras(result))
        return row

    def text(self, text: str) -> int:
        """The index of a text."""
        return self.texts.setdefault(visible(text), len(self.texts))

    def extras(self, result: Result) -> dict[str, Any]:
        """What only a verdict that is no plain pass has."""
        extras = {
            "requests": result.requests or None,
            "seconds": round(result.seconds, 2) or None,
            "reason": visible(result.reason or ""),
            "since": self.since.get(result.key, "")[:16].replace("T", " "),
            "occurrences": visible(result.occurrences or ""),
            "ids": [visible(id) for id in result.evidence[:4]],
            "minimal": self.exhibit(result, result.minimal),
            "first": self.exhibit(result, next(iter(result.evidence), None)),
            "curl": visible(result.curl or "") if result.minimal is None else "",
        }
        if extras["minimal"] == extras["first"]:
            del extras["minimal"]
        return {name: value for name, value in extras.items() if value not in ("", [], None)}

    def exhibit(self, result: Result, id: str | None) -> int | None:
        """The index of an exhibit; ``None`` where it is not recorded, or the page is full."""
        return self.exhibits.get(_exhibit_key(result, id))

    def _prepare_exhibits(self) -> None:
        """Fill the page's room with exhibits, the worst verdicts' first."""
        worst_first = sorted(self.run.results, key=lambda r: -severity(r.verdict))
        wanted = dict.fromkeys(
            _exhibit_key(result, id)
            for result in worst_first
            for id in (result.minimal, next(iter(result.evidence), None))
            if telling(result) and (result.target, id or "") in self.records
        )
        room = max(min(EXHIBIT_ROOM // max(len(wanted), 1), MOST), LEAST)
        left = EXHIBIT_ROOM
        for target, id, event in wanted:
            record = self.records[target, id]
            made = exhibit(record, event=event, room=room, start=self.starts.get(target))
            left -= len(json.dumps(made, ensure_ascii=False).encode("utf-8", "replace"))
            if left < 0:
                return
            self.exhibits[target, id, event] = len(self.exhibit_list)
            self.exhibit_list.append(made)


def _exhibit_key(result: Result, id: str | None) -> tuple[str, str, int | None]:
    return result.target, id or "", result.event if result.evidence[:1] == (id,) else None
