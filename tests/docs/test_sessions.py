"""Every command of the docs is run, and says what the docs say."""

from __future__ import annotations

import re
import shutil
from typing import Any

import pytest

from .pages import DOCS, Command, File, Page, read_pages

PAGES = read_pages()
RUN = [page for page in PAGES if any(isinstance(step, Command) for step in page.steps)]


def missing(expected: tuple[str, ...], output: str) -> str:
    """The first of the expected lines that does not come after the ones before it, or ""."""
    lines = iter(output.splitlines())
    for wanted in expected:
        pattern = re.compile(".*".join(re.escape(part) for part in wanted.strip().split("…")))
        if not any(pattern.fullmatch(line.strip()) for line in lines):
            return wanted
    return ""


@pytest.mark.parametrize("page", RUN, ids=lambda page: page.path.stem)
def test_a_reader_who_follows_the_page_sees_what_it_shows(page: Page, shell: Any) -> None:
    """The sessions of a page, run in their order, leave with 0 and print the lines shown."""
    if "curl" in page.text and shutil.which("curl") is None:
        pytest.skip("the page shows curl, which is not installed")
    for step in page.steps:
        if isinstance(step, File):
            shell.write(step)
            continue

        code, output = shell.run(step)

        assert (missing(step.expected, output), code) == ("", 0), f"$ {step.line}\n{output}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.path.stem)
def test_every_command_is_in_a_session(page: Page) -> None:
    """A block that shows a command is a session, so that it is run."""
    assert page.unmarked == []


@pytest.mark.parametrize(
    "file",
    [
        pytest.param(file, id=f"{page.path.stem}-{file.name}")
        for page in PAGES
        for file in page.files
        if page.setting("folder") == "examples" and (DOCS / "examples" / file.name).exists()
    ],
)
def test_a_page_shows_the_example_that_is_there(file: File) -> None:
    """A file shown on a page is the file in docs/examples."""
    assert file.text == (DOCS / "examples" / file.name).read_text(encoding="utf-8")
