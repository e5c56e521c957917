"""What the docs take from the code is current, and requirements keep their meaning."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest

from conformance.checks.context import Context
from conformance.errors import ExitCode
from conformance.wire.exchange import Exchange

from .pages import DOCS, ROOT, Page, read_pages

AGAIN = "run: python docs/regenerate.py"
LINK = re.compile(r"\]\(([^)#\s]*)(#[^)\s]*)?\)")


@pytest.fixture(scope="module")
def docs() -> ModuleType:
    """docs/regenerate.py as a module."""
    spec = importlib.util.spec_from_file_location("docs_regenerate", DOCS / "regenerate.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_generated_parts_are_current(docs: ModuleType) -> None:
    """Option, verdict and exit code tables and the catalogue page say what the code says."""
    stale = [
        path.name
        for path, text in docs.regenerated().items()
        if path.read_text(encoding="utf-8") != text
    ]

    assert stale == [], AGAIN


def test_every_table_stands_on_a_page(docs: ModuleType) -> None:
    """No generated table is without a page, and no page asks for one that is not there."""
    asked = {name for page in read_pages() for _, name, _ in docs.MARKED.findall(page.text)}

    assert asked == set(docs.TABLES)


def test_requirements_never_vanish_or_change(docs: ModuleType) -> None:
    """A frozen id keeps its level and its statement."""
    assert docs.changes() == [], (
        "requirement ids are frozen: give a new meaning a new id. Where only the wording is "
        "better, run: python docs/regenerate.py --thaw"
    )


def test_new_requirements_are_frozen(docs: ModuleType) -> None:
    """Every requirement is in tests/docs/requirement-ids.yaml from the day it is added."""
    assert sorted(set(docs.all_requirements()) - set(docs.frozen())) == [], AGAIN


def test_a_statement_does_not_depend_on_the_profile(docs: ModuleType) -> None:
    """An id says the same thing whoever promises it."""
    different = {
        name: statements
        for name, by_profile in docs.all_requirements().items()
        if len(statements := {each.statement for each in by_profile.values()}) > 1
    }

    assert different == {}


def test_every_exit_code_is_explained(docs: ModuleType) -> None:
    """The page of troubles has a section for each exit code but 0."""
    text = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")

    explained = {int(code) for code in re.findall(r"^## Exit code (\d+)", text, re.MULTILINE)}

    assert explained == {int(code) for code in ExitCode} - {0}
    assert set(docs.EXIT_CODES) == set(ExitCode)


def test_what_a_check_may_use_is_there() -> None:
    """Every member of a context and an exchange that the page on checks names exists."""
    text = (DOCS / "writing-a-check.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`(?:await )?(?:ctx|exchange)\..*?) \|", text, re.MULTILINE)
    known = {
        "ctx": {*dir(Context), *(each.name for each in fields(Context))},
        "exchange": {*dir(Exchange), *(each.name for each in fields(Exchange))},
    }

    named = {
        (cell.lstrip("`").removeprefix("await ").split(".")[0], name)
        for cell in cells
        for name in re.findall(r"\.([a-z_]+)", cell)
    }

    assert {name for owner, name in named if name not in known[owner] | {"events"}} == set()
    assert len(named) > 8


@pytest.mark.parametrize("page", read_pages(), ids=lambda page: page.path.stem)
def test_links_lead_somewhere(page: Page) -> None:
    """A relative link names a file, and its fragment a heading of that file."""
    broken = [
        name + fragment
        for name, fragment in LINK.findall(page.text)
        if "://" not in name and not leads_somewhere(page.path, name, fragment)
    ]

    assert broken == []


def leads_somewhere(page: Path, name: str, fragment: str) -> bool:
    """Whether a link of ``page`` to ``name#fragment`` has an end."""
    target = (page.parent / name).resolve() if name else page
    if not target.exists() or not target.is_relative_to(ROOT):
        return False
    if not fragment:
        return True
    headings = re.findall(r"^#+ (.*)$", target.read_text(encoding="utf-8"), re.MULTILINE)
    return fragment.removeprefix("#") in map(anchor, headings)


def anchor(heading: str) -> str:
    """The anchor of a heading, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
