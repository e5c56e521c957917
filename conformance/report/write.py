"""All reports of a run, from the files of its directory alone."""

from __future__ import annotations

from pathlib import Path

from conformance.report.atomic import replace_text
from conformance.report.badge import render_badge
from conformance.report.html import render_html
from conformance.report.junit import render_junit
from conformance.report.matrix import load_matrix
from conformance.report.summary import render_summary
from conformance.report.trends import Trends

__all__ = ["replace_text", "write_reports"]


def write_reports(run_dir: Path, trends: Trends | None = None) -> tuple[Path, ...]:
    """Write ``matrix.html``, ``junit.xml``, ``summary.md`` and ``badge.json``; return their paths.

    ``trends`` is what the runs before showed. Works on an interrupted run too. Raises :class:`ConfigurationError` where ``run_dir`` holds no
    run or cannot be written to.
    """
    matrix = load_matrix(run_dir, trends)
    files = {
        "matrix.html": render_html(matrix),
        "junit.xml": render_junit(matrix.run),
        "summary.md": render_summary(matrix, run_dir),
        "badge.json": render_badge(matrix.run),
    }
    for name, text in files.items():
        replace_text(run_dir / name, text)
    return tuple(run_dir / name for name in files)
