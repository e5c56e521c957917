"""The kill table as a page for readers: the mutants, and who accuses each by the snapshot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence

from conformance.reference.mutants import Mutant

HEAD = """\
# Kill table

Written by `tox run -e mutants -- --update-accusers`; do not edit. Each mutant is the reference
server with one named defect (`conformance mutants` lists them, `--target mutant:NAME` judges one),
judged by the whole catalogue of a profile. *Killed by* are the requirements declared to accuse it,
**bold** where they did. *Also accused by* are the others that the defect trips. The whole set is
kept in `tests/mutants/accusers.json`; a run that finds another one is red.
"""

Snapshot = Mapping[str, Sequence[str]]


def kill_table(
    mutants: Iterable[Mutant], snapshot: Snapshot, profile_of: Callable[[Mutant], str]
) -> str:
    """The table of the ``mutants`` that ``snapshot`` knows."""
    chapters: dict[str, list[Mutant]] = defaultdict(list)
    known = [each for each in mutants if each.name in snapshot]
    for each in known:
        chapters[_module(each)].append(each)
    killed = sum(set(each.kills) <= set(snapshot[each.name]) for each in known)
    ids = {id for each in known for id in each.kills}
    parts = [
        HEAD,
        f"{killed} of {len(known)} mutants killed; {len(ids)} requirements have a mutant.\n",
        *(_chapter(name, chapters[name], snapshot, profile_of) for name in sorted(chapters)),
        _requirements(known),
    ]
    return "\n".join(parts)


def _module(mutant: Mutant) -> str:
    return str(mutant.function.__module__).rpartition(".")[2]


def _chapter(
    name: str,
    mutants: Iterable[Mutant],
    snapshot: Snapshot,
    profile_of: Callable[[Mutant], str],
) -> str:
    lines = [
        f"## {name}\n",
        "| mutant | defect | profile | killed by | also accused by |",
        "|---|---|---|---|---|",
        *(_row(each, profile_of(each), snapshot[each.name]) for each in mutants),
    ]
    return "\n".join(lines) + "\n"


def _row(mutant: Mutant, profile: str, accusers: Sequence[str]) -> str:
    declared = ", ".join(f"**{id}**" if id in accusers else f"{id} (missed)" for id in mutant.kills)
    others = [id for id in accusers if id not in mutant.kills]
    shown = ", ".join(others[:6]) + (f" and {len(others) - 6} more" if len(others) > 6 else "")
    name = f"[{mutant.name}]({mutant.thread})" if mutant.thread else mutant.name
    defect = mutant.defect.replace("|", "\\|")
    return f"| {name} | {defect} | {profile} | {declared} | {shown} |"


def _requirements(mutants: Iterable[Mutant]) -> str:
    by_id: dict[str, list[str]] = defaultdict(list)
    for each in mutants:
        for id in each.kills:
            by_id[id].append(each.name)
    lines = ["## Mutants of each requirement\n", "| requirement | mutants |", "|---|---|"]
    lines += [f"| {id} | {', '.join(names)} |" for id, names in sorted(by_id.items())]
    return "\n".join(lines) + "\n"
