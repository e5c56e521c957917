"""``summary.md``: what is wrong and what to do, for a CI job's summary page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from conformance.report.cards import Card
from conformance.report.curl import curl_line, start_line
from conformance.report.evidence import Record, load_records
from conformance.report.failures import Failure
from conformance.report.fold import Fold, ParameterFold, fold_parameters
from conformance.report.markdown import code, escape, fenced, table
from conformance.report.matrix import Matrix
from conformance.report.records import Result
from conformance.report.text import one_line, plural
from conformance.report.words import SIGNS, severity
from conformance.verdicts import Verdict

__all__ = ["NEXT_STEPS", "render_summary"]

#: Failures shown in full, and in the table of the rest.
TOP, LISTED = 10, 40

NEXT_STEPS = {
    Verdict.FAIL: "run the curl line, compare the answer with the sentence",
    Verdict.IGNORED: "make the parameter act, or answer 400 and stop documenting it",
    Verdict.REJECTED: "accept the documented value, or stop documenting it",
    Verdict.FIXED: "remove its deviation from targets.yaml: the promise is kept now",
    Verdict.ERROR: "check the base URL, the key and the network, then run again",
}


def render_summary(matrix: Matrix, run_dir: Path) -> str:
    """The summary as GitHub Markdown."""
    return "\n\n".join(_parts(matrix, run_dir)) + "\n"


def _parts(matrix: Matrix, run_dir: Path) -> Iterator[str]:
    bad = sorted(matrix.failures, key=lambda failure: -severity(failure.first.verdict))
    broken = sum(failure.requirements for failure in bad)
    fail = "fails" if broken == 1 else "fail"
    yield (
        f"# Conformance: {plural(broken, 'requirement')} {fail}"
        if bad
        else "# Conformance: no failure"
    )
    if matrix.incomplete:
        yield f"> **Incomplete.** {escape(matrix.incomplete)}"
    yield table(("target", "", "MUST", "SHOULD", "MAY", "cost"), map(_target, matrix.cards))
    yield from _parameters(matrix)
    if bad:
        yield "## What is wrong"
        yield from _failures(matrix, bad[:TOP], run_dir)
        if rest := bad[TOP:]:
            yield f"## {len(rest)} more"
            yield table(("target", "requirement", "where", "message"), map(_row, rest[:LISTED]))
            if len(rest) > LISTED:
                yield f"… and {len(rest) - LISTED} more in `matrix.html`."
    yield "Every verdict with its evidence is in `matrix.html` beside this file."


def _target(card: Card) -> tuple[str, ...]:
    counts = dict(card.levels)
    levels = (
        ", ".join(f"{n} {verdict.value}" for verdict, n in counts.get(level, ())) or "–"
        for level in ("MUST", "SHOULD", "MAY")
    )
    return (escape(card.name), f"**{escape(card.state)}**", *levels, escape(card.cost))


def _parameters(matrix: Matrix) -> Iterator[str]:
    by_target: dict[str, list[ParameterFold]] = {}
    for each in fold_parameters(matrix.run.results):
        by_target.setdefault(each.target, []).append(each)
    for target, folds in by_target.items():
        words = [
            f"**{fold.value}**: " + ", ".join(code(f.parameter) for f in folds if f.overall is fold)
            for fold in reversed(Fold)
            if any(f.overall is fold for f in folds)
        ]
        if words:
            yield f"**Parameters of {escape(target)}** – " + "; ".join(words)


def _failures(matrix: Matrix, bad: Sequence[Failure], run_dir: Path) -> Iterator[str]:
    starts = {each.target: each.start for each in matrix.run.targets}
    firsts = [failure.first for failure in bad]
    wanted = {(r.target, id) for r in firsts for id in (r.minimal, *r.evidence[:1]) if id}
    records = load_records(run_dir / "evidence", wanted)
    for failure in bad:
        first = failure.first
        yield (
            f"### {SIGNS[first.verdict]} {code(first.requirement)} "
            f"{escape(failure.where)} on {escape(first.target)}: {first.verdict.value}"
        )
        yield escape(first.message, 600)
        if failure.others:
            yield f"With it: {', '.join(code(each.requirement) for each in failure.others[:LISTED])}."
        yield f"Next: {NEXT_STEPS[first.verdict]}."
        if line := _again(first, records, starts.get(first.target)):
            yield fenced(line, "sh")


def _again(result: Result, records: dict[tuple[str, str], Record], start: str | None) -> str:
    """The lines that send the request again, the server's own start before them if it is gone."""
    for id in (result.minimal, *result.evidence[:1]):
        if record := records.get((result.target, id or "")):
            line = curl_line(record)
            if len(line) > 4_000:
                return ""
            return f"{start_line(start, record)}\n{line}" if start else line
    return one_line(result.curl or "")


def _row(failure: Failure) -> tuple[str, ...]:
    first = failure.first
    return (
        escape(first.target),
        code(first.requirement),
        escape(failure.where),
        f"{first.verdict.value}: {escape(first.message, 160)}",
    )
