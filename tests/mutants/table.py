"""The kill table as a page for readers."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HEAD = """\
# Kill table

Written by `tox run -e mutants`; do not edit. Each mutant is the reference server with one named
defect (`conformance mutants` lists them, `--target mutant:NAME` judges one). *Killed by* are the
requirements declared to accuse it, **bold** where they did. *Also accused by* are the others that
the defect trips; the whole set is compared with the reviewed snapshot `tests/mutants/accusers.json`.
"""


def write_table(path: Path, rows: Mapping[str, Mapping[str, Any]]) -> None:
    """Write the table of ``rows`` (by mutant) to ``path``."""
    chapters: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for name in sorted(rows):
        chapters[rows[name]["chapter"]].append(rows[name])
    killed = sum(row["killed"] for row in rows.values())
    ids = {id for row in rows.values() for id in row["kills"]}
    parts = [
        HEAD,
        f"{killed} of {len(rows)} mutants killed; {len(ids)} requirements have a mutant.\n",
        *(_chapter(name, chapters[name]) for name in sorted(chapters)),
        _requirements(rows),
    ]
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(parts))


def _chapter(name: str, rows: list[Mapping[str, Any]]) -> str:
    lines = [
        f"## {name}\n",
        "| mutant | defect | profile | killed by | also accused by |",
        "|---|---|---|---|---|",
        *map(_row, rows),
    ]
    return "\n".join(lines) + "\n"


def _row(row: Mapping[str, Any]) -> str:
    found = set(row["found"])
    declared = ", ".join(f"**{id}**" if id in found else f"{id} (missed)" for id in row["kills"])
    others = [id for id in row["accusers"] if id not in row["kills"]]
    shown = ", ".join(others[:6]) + (f" and {len(others) - 6} more" if len(others) > 6 else "")
    name = f"[{row['mutant']}]({row['thread']})" if row["thread"] else row["mutant"]
    defect = row["defect"].replace("|", "\\|")
    return f"| {name} | {defect} | {row['profile']} | {declared} | {shown} |"


def _requirements(rows: Mapping[str, Mapping[str, Any]]) -> str:
    by_id: dict[str, list[str]] = defaultdict(list)
    for name, row in sorted(rows.items()):
        for id in row["kills"]:
            by_id[id].append(name)
    lines = ["## Mutants of each requirement\n", "| requirement | mutants |", "|---|---|"]
    lines += [f"| {id} | {', '.join(names)} |" for id, names in sorted(by_id.items())]
    return "\n".join(lines) + "\n"
