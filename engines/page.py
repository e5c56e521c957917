"""The published pages: one matrix of all engines, and what is red on each, with what was found by hand.

``confirmed/NAME.yaml`` is written by whoever repeated the red cells of an engine with the curl line:
a list of entries ``{requirements: [pattern, …], where: "chat stream", says: …}``. A pattern is a
requirement id in which ``*`` stands for anything, ``where`` may be left out. A red cell without an
entry is shown as not yet confirmed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from conformance.checks.catalogue import CHAPTERS
from conformance.errors import ConfigurationError
from conformance.report.fold import fold_parameters
from conformance.report.markdown import code, escape, table
from conformance.report.records import Result, Run, TargetFooter
from conformance.report.results import read_run
from conformance.report.words import BAD, FOLD_SIGNS, FOLD_WORDS, SIGNS, VERDICT_WORDS, severity
from conformance.verdicts import Verdict
from engines.definition import FOLDER, Engine, available, load_engine

__all__ = ["Finding", "engine_page", "findings_of", "overview", "publish"]

WRITTEN = "<!-- Written by `python -m engines --publish docs/engines`; change it there. -->\n"
INTRODUCTION = """\
Judged on loopback, with a tiny model made on the spot: it is the server that is judged, not the
model. `tox run -e engines -- --publish docs/engines` does it again ([how](../../engines/README.md)).
Each engine's page lists what is red or marked, and what was seen when it was repeated by hand.
The pages of the run itself open every cell to its evidence ([a picture](../images/mlx-lm-light.png)).
"""
#: Verdicts shown in the matrix of chapters, worst first.
SHOWN = (
    Verdict.ERROR,
    Verdict.REJECTED,
    Verdict.IGNORED,
    Verdict.FAIL,
    Verdict.FLAKY,
    Verdict.WARN,
    Verdict.INCONCLUSIVE,
    Verdict.PASS,
)


@dataclass(frozen=True)
class Finding:
    """What somebody saw who repeated a red cell by hand."""

    requirements: tuple[str, ...]
    says: str
    where: str = ""

    def covers(self, result: Result) -> bool:
        """Whether it speaks of ``result``."""
        return self.where in ("", result.key.place) and any(
            fnmatchcase(result.requirement, pattern) for pattern in self.requirements
        )


def findings_of(name: str, folder: Path = FOLDER / "confirmed") -> list[Finding]:
    """The findings about the engine ``name``; none where nobody wrote any.

    Raises:
        ConfigurationError: the file is not a list of findings.
    """
    path = folder / f"{name}.yaml"
    if not path.is_file():
        return []
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or []
        return [_finding(entry) for entry in entries]
    except (yaml.YAMLError, TypeError, KeyError, ValueError) as error:
        raise ConfigurationError(f"not a list of findings: {error}", where=str(path)) from None


def _finding(entry: Mapping[str, Any]) -> Finding:
    if unknown := set(entry) - {"requirements", "says", "where"}:
        raise ValueError(f"unknown member {sorted(unknown)[0]}")
    return Finding(tuple(entry["requirements"]), entry["says"], entry.get("where", ""))


def publish(folders: Sequence[Path], missing: Mapping[str, str], into: Path) -> None:
    """Write the pages about the runs in ``folders``, one engine each, into the folder ``into``."""
    runs = {folder.name: read_run(folder) for folder in folders}
    engines = {name: load_engine(name) for name in runs if name in available()}
    into.mkdir(parents=True, exist_ok=True)
    for name, engine in engines.items():
        text = engine_page(runs[name], engine, findings_of(name))
        (into / f"{name}.md").write_text(text, encoding="utf-8")
    (into / "README.md").write_text(overview(runs, engines, missing), encoding="utf-8")


def overview(
    runs: Mapping[str, Run], engines: Mapping[str, Engine], missing: Mapping[str, str]
) -> str:
    """The matrix: chapters and parameters × engines."""
    heads = [f"[{name}]({name}.md)" if name in engines else name for name in runs]
    results = [result for run in runs.values() for result in run.results]
    columns = ("engine", "version", "judged on", "profile", "verdicts", "requests", "s")
    folds = " · ".join(
        f"{FOLD_SIGNS[fold]} {fold.value}: {FOLD_WORDS[fold]}" for fold in FOLD_WORDS
    )
    parts = [
        "# Real engines\n",
        WRITTEN,
        INTRODUCTION,
        table(columns, [_engine_row(name, run, engines.get(name)) for name, run in runs.items()]),
        "\n## Chapters\n",
        " · ".join(f"{SIGNS[each]} {VERDICT_WORDS[each]}" for each in SHOWN) + "\n",
        table(("chapter", *heads), _chapter_rows(results, list(runs))),
        "\n## Parameters\n",
        f"{folds} · (blank) not in the engine's documentation\n",
        table(("parameter", *heads), _parameter_rows(results, list(runs))),
    ]
    if missing:
        parts.append("\n## Not judged\n")
        parts += [f"- {name}: {escape(reason)}" for name, reason in sorted(missing.items())]
    return "\n".join(parts) + "\n"


def _engine_row(name: str, run: Run, engine: Engine | None) -> Sequence[str]:
    title = f"[{engine.title or name}]({name}.md)" if engine else name
    footer = run.footer.targets[name] if run.footer else TargetFooter({}, 0)
    return (
        title,
        code(engine.version if engine else f"conformance {run.header.suite_version}"),
        run.header.started[:10],
        code(run.targets[0].profile or ""),
        _counts(Counter(result.verdict for result in run.results)),
        f"{footer.requests:,}",
        f"{footer.seconds:.0f}",
    )


def _counts(counts: Mapping[Verdict, int]) -> str:
    return " ".join(f"{counts[each]} {SIGNS[each]}" for each in SHOWN if counts.get(each))


def _chapter_rows(results: Sequence[Result], names: Sequence[str]) -> Iterable[Sequence[str]]:
    found = {result.chapter for result in results}
    ranked = [each for each in CHAPTERS if each in found]
    for chapter in (*ranked, *sorted(found - set(ranked))):
        cells = (
            _counts(Counter(r.verdict for r in results if (r.target, r.chapter) == (name, chapter)))
            for name in names
        )
        yield (code(chapter), *cells)


def _parameter_rows(results: Sequence[Result], names: Sequence[str]) -> Iterable[Sequence[str]]:
    folds = {(each.parameter, each.target): each for each in fold_parameters(results)}
    for parameter in dict.fromkeys(parameter for parameter, _ in folds):
        cells = []
        for name in names:
            fold = folds.get((parameter, name))
            cells.append(f"{FOLD_SIGNS[fold.overall]} {fold.overall.value}" if fold else "")
        yield (code(parameter), *cells)


def engine_page(run: Run, engine: Engine, findings: Sequence[Finding]) -> str:
    """What is red or marked on one engine, and what was found by hand."""
    mine = [result for result in run.results if result.target == engine.name]
    red = [result for result in mine if result.verdict in BAD]
    marked = [r for r in mine if r.verdict in (Verdict.WARN, Verdict.FLAKY)]
    undecided = [r for r in mine if r.verdict in (Verdict.INCONCLUSIVE, Verdict.UNTESTABLE)]
    parts = [
        f"# {engine.title or engine.name}\n",
        WRITTEN,
        f"{code(engine.version)}, judged on {run.header.started[:10]} by the profile "
        f"{code(engine.profile)}. [All engines](README.md)\n",
    ]
    for title, results in (("Red", red), ("Marked", marked), ("Undecided", undecided)):
        if results:
            parts += [f"## {title}: {len(results)} cells\n", _cells(results, findings), ""]
    if not red + marked:
        parts.append("Nothing is red or marked.\n")
    return "\n".join(parts)


def _cells(results: Sequence[Result], findings: Sequence[Finding]) -> str:
    """One row for each requirement and message, the places together."""
    groups: dict[tuple[str, Verdict, str, str], list[Result]] = {}
    for result in sorted(results, key=lambda each: (-severity(each.verdict), each.requirement)):
        seen = next((each.says for each in findings if each.covers(result)), "")
        key = (result.requirement, result.verdict, seen, "" if seen else result.message)
        groups.setdefault(key, []).append(result)
    rows = (
        (
            code(requirement),
            f"{SIGNS[verdict]} {verdict.value}",
            ", ".join(sorted({each.key.place for each in group})),
            escape(group[0].message, 200),
            seen or ("" if verdict in (Verdict.INCONCLUSIVE, Verdict.UNTESTABLE) else "*not yet*"),
        )
        for (requirement, verdict, seen, _), group in groups.items()
    )
    return table(("requirement", "verdict", "where", "the suite says", "seen by hand"), rows)
