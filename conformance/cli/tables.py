"""Plain columns for a terminal."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["table"]


def table(rows: Sequence[Sequence[str]], *, most: int = 48) -> str:
    """``rows`` in columns two blanks apart; a column but the last is at most ``most`` wide."""
    if not rows:
        return ""
    columns = range(len(rows[0]) - 1)
    widths = [min(max(len(row[column]) for row in rows), most) for column in columns]
    return "\n".join(
        "  ".join(
            [*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]
        ).rstrip()
        for row in rows
    )
