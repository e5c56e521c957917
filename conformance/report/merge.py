"""Several runs as one: shards, or targets that were run on several machines. Strict and pure.

Runs merge when they asked the same thing (suite version, catalogue, seed, depth), when no verdict
was given twice and when nothing is missing. The order of the runs makes no difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from conformance.errors import ConfigurationError, ExitCode
from conformance.report.records import (
    Ended,
    Footer,
    Header,
    Key,
    Result,
    Run,
    TargetFooter,
    TargetHeader,
)
from conformance.verdicts import Verdict

__all__ = ["combine_exit_codes", "merge"]

#: Which exit code speaks for several commands, first match first (Ctrl-C, then 2, 1, 3, 4, 0).
PRECEDENCE = (
    ExitCode.INTERRUPTED,
    ExitCode.CONFIGURATION,
    ExitCode.FAILURE,
    ExitCode.UNREACHABLE,
    ExitCode.UNDECIDED,
    ExitCode.CONFORMS,
)

_ENDED = (Ended.COMPLETE, Ended.BUDGET, Ended.UNREACHABLE, Ended.INTERRUPTED)


def merge(
    runs: Sequence[Run],
    *,
    partial: bool = False,
    catalogue: Collection[str] | Mapping[str, Collection[str]] = (),
) -> Run:
    """The run that all ``runs`` together are.

    A ``not-run`` gives way to any other verdict of the same key, and that something is not
    promised may be said twice. ``partial`` also takes what is
    incomplete (interrupted runs, missing shards). With the requirement ids of the ``catalogue``
    (of each target, where it is a mapping), each must have a line for every target. Raises :class:`ConfigurationError` that names what
    differs, what was decided twice, or what is missing.
    """
    if not runs:
        raise ConfigurationError("there are no runs to merge")
    header = _header([run.header for run in runs])
    results = _results(runs)
    if not partial:
        _no_gaps(runs, results, catalogue)
    footers = [run.footer for run in runs if run.footer is not None]
    footer = _footer(footers, results) if len(footers) == len(runs) else None
    return Run(header, results, footer)


def _header(headers: Sequence[Header]) -> Header:
    for name in ("suite_version", "catalogue", "seed", "depth"):
        values = sorted({str(getattr(header, name)) for header in headers})
        if len(values) > 1:
            raise ConfigurationError(
                f"the runs differ in {name.replace('_', ' ')} ({', '.join(values)})",
                instead="merge only runs of one suite that asked the same",
            )
    targets: dict[str, TargetHeader] = {}
    for target in (target for header in headers for target in header.targets):
        if targets.setdefault(target.target, target) != target:
            raise ConfigurationError(
                f"target {target.target!r} is not the same in all runs",
                instead="give different endpoints different names",
            )
    return replace(
        headers[0],
        started=min(header.started for header in headers),
        targets=tuple(targets[name] for name in sorted(targets)),
        options=_shared([header.options for header in headers]),
    )


def _shared(options: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    first, *others = options
    return {
        name: first[name]
        for name in sorted(first)
        if all(name in other and other[name] == first[name] for other in others)
    }


def _results(runs: Sequence[Run]) -> tuple[Result, ...]:
    merged: dict[Key, Result] = {}
    twice: set[Key] = set()
    for result in sorted((r for run in runs for r in run.results), key=_decided_first):
        if result.key not in merged:
            merged[result.key] = result
        elif not _idle(result, merged[result.key]):
            twice.add(result.key)
    if twice:
        raise ConfigurationError(
            f"decided in more than one run: {_some(map(str, twice))}",
            instead="merge runs of different targets or shards",
        )
    return tuple(merged[key] for key in sorted(merged, key=lambda key: key.sortable))


def _idle(result: Result, other: Result) -> bool:
    """Whether ``result`` adds nothing: it was not run here, or both say that it is not promised."""
    return result.verdict is Verdict.NOT_RUN or (
        result.verdict is other.verdict is Verdict.NOT_PROMISED
    )


def _decided_first(result: Result) -> tuple[bool, tuple[str, ...], str]:
    # The whole line decides between two equal keys, so that the order of the runs cannot.
    return result.verdict is Verdict.NOT_RUN, result.key.sortable, repr(result)


def _no_gaps(
    runs: Sequence[Run],
    results: Iterable[Result],
    catalogue: Collection[str] | Mapping[str, Collection[str]],
) -> None:
    interrupted = sum(run.footer is None for run in runs)
    if interrupted:
        raise ConfigurationError(
            f"{interrupted} of {len(runs)} runs were interrupted (no footer line)",
            instead="finish them with --resume first",
        )
    if missing := _missing_shards(runs):
        raise ConfigurationError(f"missing shards: {_some(missing)}", instead="merge all shards")
    seen = {(result.target, result.requirement) for result in results}
    targets = sorted({target.target for run in runs for target in run.targets})
    wanted = catalogue if isinstance(catalogue, Mapping) else dict.fromkeys(targets, catalogue)
    gaps = [
        f"{target} / {id}"
        for target in targets
        for id in sorted(wanted.get(target, ()))
        if (target, id) not in seen
    ]
    if gaps:
        raise ConfigurationError(f"without any verdict: {_some(gaps)}", instead="run them too")


def _missing_shards(runs: Sequence[Run]) -> list[str]:
    """Shards ``i/k`` of which other shards are here, for each target."""
    here: dict[tuple[str, int], set[int]] = {}
    for run in runs:
        i, _, k = str(run.header.options.get("shard") or "").partition("/")
        if i.isdecimal() and k.isdecimal() and len(k) < 6:
            for target in run.targets:
                here.setdefault((target.target, int(k)), set()).add(int(i))
    return [
        f"{target} {i}/{k}"
        for (target, k), shards in sorted(here.items())
        for i in range(1, k + 1)
        if i not in shards
    ]


def _footer(footers: Sequence[Footer], results: Iterable[Result]) -> Footer:
    parts: dict[str, list[TargetFooter]] = {}
    for name, target in ((name, each) for f in footers for name, each in f.targets.items()):
        parts.setdefault(name, []).append(target)
    counts: dict[str, Counter[str]] = {name: Counter() for name in parts}
    for result in results:
        counts.setdefault(result.target, Counter())[result.verdict.value] += 1
    targets = {name: _target(parts[name], counts[name]) for name in sorted(parts)}
    return Footer(
        finished=max(footer.finished for footer in footers),
        counts=dict(sum(counts.values(), Counter())),
        requests=sum(footer.requests for footer in footers),
        prompt_tokens=sum(footer.prompt_tokens for footer in footers),
        completion_tokens=sum(footer.completion_tokens for footer in footers),
        seconds=max(footer.seconds for footer in footers),
        exit_code=combine_exit_codes(footer.exit_code for footer in footers),
        targets=targets,
    )


def _target(parts: Sequence[TargetFooter], counts: Mapping[str, int]) -> TargetFooter:
    return TargetFooter(
        counts=dict(counts),
        requests=sum(part.requests for part in parts),
        prompt_tokens=sum(part.prompt_tokens for part in parts),
        completion_tokens=sum(part.completion_tokens for part in parts),
        seconds=sum(sorted(part.seconds for part in parts)),
        ended=max((part.ended for part in parts), key=_ENDED.index),
    )


def combine_exit_codes(codes: Iterable[int]) -> int:
    """The exit code that speaks for all: 130, then 2, 1, 3, 4, and 0 when all conform."""
    given = set(codes)
    known = next((int(code) for code in PRECEDENCE if code in given), None)
    unknown = given.difference(PRECEDENCE)
    return max(unknown) if unknown else known or int(ExitCode.CONFORMS)


def _some(names: Iterable[str], most: int = 5) -> str:
    ordered = sorted(names)
    more = f" and {len(ordered) - most} more" if len(ordered) > most else ""
    return ", ".join(ordered[:most]) + more
