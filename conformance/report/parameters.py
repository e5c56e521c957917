"""The table of parameters: one word for each, at each endpoint and mode of each target. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from conformance.report.fold import Fold, ParameterFold, fold_parameters
from conformance.report.records import Run
from conformance.report.slots import Slot, place_slot

__all__ = ["ParameterRow", "parameter_table"]

_RANK = {fold: rank for rank, fold in enumerate(Fold)}


@dataclass(frozen=True)
class ParameterRow:
    """One parameter across all targets: overall, and a fold for each slot."""

    name: str
    cells: tuple[tuple[Fold | None, tuple[Fold | None, ...]], ...]

    @property
    def rank(self) -> int:
        """How bad its worst target is."""
        return max((_RANK[overall] for overall, _ in self.cells if overall), default=-1)


def parameter_table(
    run: Run, names: Sequence[str]
) -> tuple[tuple[Slot, ...], tuple[ParameterRow, ...]]:
    """The columns within a target, and a row for each parameter, the worst first."""
    folds: dict[str, dict[str, ParameterFold]] = {}
    for each in fold_parameters(run.results):
        folds.setdefault(each.parameter, {})[each.target] = each
    places = {place for row in folds.values() for each in row.values() for place in each.places}
    slots = sorted(place_slot(*place) for place in places)
    rows = [
        ParameterRow(name, tuple(_cell(row.get(target), slots) for target in names))
        for name, row in folds.items()
    ]
    return tuple(slots), tuple(sorted(rows, key=lambda row: -row.rank))


def _cell(
    folded: ParameterFold | None, slots: Sequence[Slot]
) -> tuple[Fold | None, tuple[Fold | None, ...]]:
    if folded is None:
        return None, (None,) * len(slots)
    return folded.overall, tuple(folded.places.get((s.endpoint, s.mode)) for s in slots)
