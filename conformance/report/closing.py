"""The end of a run: the workers' files as one, the terminal's text, the exchange of a failure."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from conformance.report.catalogue import arranged, read_catalogue
from conformance.report.evidence import load_records
from conformance.report.exhibit import exhibit
from conformance.report.records import Run
from conformance.report.results import RESULTS, ResultsWriter, read_run
from conformance.report.terminal import render_terminal

__all__ = ["exchange_text", "terminal_text", "write_run"]


def terminal_text(folder: Path, *, width: int = 100, height: int = 40, colour: bool = False) -> str:
    """The terminal summary of the run in ``folder``."""
    run = arranged(read_run(folder), read_catalogue(folder))
    return render_terminal(run, folder, width=width, height=height, colour=colour)


def exchange_text(folder: Path, target: str, evidence: str, start: str | None = None) -> str:
    """One recorded exchange as lines of text: how to repeat it, and what came back; ``start`` is
    the command that starts the target's server, where that is gone after the run.
    """
    record = load_records(folder / "evidence", {(target, evidence)}).get((target, evidence))
    if record is None:
        return ""
    shown = exhibit(record, room=4000, start=start)
    parts = [
        str(shown[name]) for name in ("start", "curl", "status", "response") if shown.get(name)
    ]
    return "\n".join(parts)


def write_run(folder: Path, run: Run, *, exit_code: int) -> None:
    """Write ``run`` as the results file of ``folder``."""
    with ResultsWriter(folder / RESULTS, run.header) as writer:
        for result in run.results:
            writer.write(result)
        if run.footer is not None:
            writer.finish(replace(run.footer, exit_code=exit_code))
