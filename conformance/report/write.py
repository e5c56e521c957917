"""All reports of a run, from the files of its directory alone."""

from __future__ import annotations

import os
from pathlib import Path

from conformance.errors import ConfigurationError
from conformance.report.badge import render_badge
from conformance.report.html import render_html
from conformance.report.junit import render_junit
from conformance.report.matrix import load_matrix
from conformance.report.summary import render_summary

__all__ = ["replace_text", "write_reports"]


def write_reports(run_dir: Path) -> tuple[Path, ...]:
    """Write ``matrix.html``, ``junit.xml``, ``summary.md`` and ``badge.json``; return their paths.

    Works on an interrupted run too. Raises :class:`ConfigurationError` where ``run_dir`` holds no
    run or cannot be written to.
    """
    matrix = load_matrix(run_dir)
    files = {
        "matrix.html": render_html(matrix),
        "junit.xml": render_junit(matrix.run),
        "summary.md": render_summary(matrix, run_dir),
        "badge.json": render_badge(matrix.run),
    }
    for name, text in files.items():
        replace_text(run_dir / name, text)
    return tuple(run_dir / name for name in files)


def replace_text(path: Path, text: str) -> None:
    """Write ``path`` in one step: a reader sees the old file or the new one.

    A lone surrogate is written as its escape, which JSON, JavaScript and people understand.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        scratch.write_bytes(text.encode("utf-8", "backslashreplace"))
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        what = f"the report cannot be written ({error.strerror or error})"
        raise ConfigurationError(what, where=str(path), instead="free some space") from error
