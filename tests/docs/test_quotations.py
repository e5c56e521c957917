"""Quotations are found in the text they were taken from, whatever its lines are."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from .pages import DOCS, ROOT

PAGE = ROOT / "schemas" / "profiles" / "deeptrin-openai-api.txt"


def quotations(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The script with these arguments."""
    command = [sys.executable, DOCS / "quotations.py", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_every_quotation_of_a_page_stands_there(tmp_path: Path) -> None:
    """The page of deeptrin is quoted faithfully, and line breaks in it do not matter."""
    broken = tmp_path / "page.txt"
    broken.write_text(PAGE.read_text().replace(" ", "\n  "), encoding="utf-8")

    done = quotations("deeptrin", broken)

    assert (0, "deeptrin: 13 quotations, 0 not found\n") == (done.returncode, done.stdout)


def test_a_sentence_that_changed_is_told(tmp_path: Path) -> None:
    """A quotation that the page no longer has is named with its parameter."""
    changed = tmp_path / "page.txt"
    changed.write_text(PAGE.read_text().replace("Up to 4 sequences", "Up to 8 sequences"))

    done = quotations("deeptrin", changed)

    assert 1 == done.returncode
    assert done.stdout.startswith("deeptrin: stop: not found: stop: Up to 4 sequences")


def test_an_unknown_profile_is_one_sentence() -> None:
    """A mistake ends with 2 and no traceback."""
    done = quotations("deptrin", PAGE)

    assert 2 == done.returncode
    assert "did you mean 'deeptrin'?" in done.stderr
    assert "Traceback" not in done.stderr
