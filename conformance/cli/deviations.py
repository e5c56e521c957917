"""``conformance deviations``: propose entries for ``targets.yaml`` from a run."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from conformance.report.records import Result
from conformance.report.results import read_run
from conformance.verdicts import Level, Verdict

__all__ = ["configure", "proposals", "run"]

#: Days after which a proposed entry expires.
DAYS = 90
_FAILING = {Verdict.FAIL, Verdict.IGNORED, Verdict.REJECTED}
_OPEN = {Verdict.INCONCLUSIVE, Verdict.UNTESTABLE, Verdict.NOT_RUN}
_EXEMPT = {"deselected", "depth", "no key"}


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument("run_dir", nargs="?", default="reports/latest", metavar="DIR", type=Path)
    parser.add_argument("--ticket", default="TODO", help="ticket to write into every entry")


def run(arguments: argparse.Namespace) -> int:
    """Print YAML to be put below the targets; the reasons are for the owner to write."""
    found = read_run(arguments.run_dir)
    for target in found.targets:
        results = [result for result in found.results if result.target == target.target]
        entries = proposals(results, arguments.ticket)
        if entries:
            print(yaml.safe_dump({target.target: entries}, sort_keys=False, allow_unicode=True))
    return 0


def proposals(results: Iterable[Result], ticket: str) -> dict[str, list[dict[str, Any]]]:
    """``deviations`` for what fails and ``undecided`` for what could not be decided."""
    expires = (datetime.now(UTC).date() + timedelta(days=DAYS)).isoformat()
    listed = list(results)
    failing = [each for each in listed if each.verdict in _FAILING]
    unsaid = [
        each
        for each in listed
        if each.level is Level.MUST and each.verdict in _OPEN and each.reason not in _EXEMPT
    ]
    entries: dict[str, list[dict[str, Any]]] = {
        "deviations": [
            {
                **place,
                "verdict": first.verdict.value,
                "reason": _reason(first),
                "ticket": ticket,
                "expires": expires,
            }
            | ({"intermittent": True} if intermittent else {})
            for place, first, intermittent in _entries(failing, listed)
        ],
        "undecided": [
            {**place, "reason": _reason(first), "expires": expires}
            for place, first, _ in _entries(unsaid, listed)
        ],
    }
    return {name: rows for name, rows in entries.items() if rows}


def _entries(
    chosen: Sequence[Result], listed: Sequence[Result]
) -> Iterator[tuple[dict[str, str], Result, bool]]:
    """One entry for a requirement that ends alike at every place that is promised, else one for
    each place: what it covers, the verdict it is about, whether that comes and goes.
    """
    promised = (each for each in listed if each.verdict is not Verdict.NOT_PROMISED)
    asked = Counter(each.requirement for each in promised)
    grouped: dict[tuple[str, Verdict], list[Result]] = {}
    for each in chosen:
        grouped.setdefault((each.requirement, each.verdict), []).append(each)
    for (requirement, _), group in grouped.items():
        intermittent = ["intermittent" in each.message for each in group]
        if len(group) == asked[requirement] and len(set(intermittent)) == 1:
            yield {"requirement": requirement}, group[0], intermittent[0]
        else:
            yield from ((_place(e), e, i) for e, i in zip(group, intermittent, strict=True))


def _place(result: Result) -> dict[str, str]:
    place = {"requirement": result.requirement}
    if result.endpoint:
        place["endpoint"] = result.endpoint
    if result.mode:
        place["mode"] = str(result.mode)
    return place


def _reason(result: Result) -> str:
    return " ".join(_printable(result.message))[:200] or "TODO"


def _printable(text: str) -> Iterator[str]:
    for word in text.split():
        yield "".join(character if character.isprintable() else "�" for character in word)
