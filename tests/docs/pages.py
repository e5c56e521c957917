"""The pages of ``docs/`` as things to run.

A block of the language ``console`` is a session: ``$ command`` and lines that its output has, in
this order, among others; ``…`` stands for anything, a line of its own ``…`` says that lines are left
out. A command leaves with exit code 0 unless it prints ``$?``; one that ends in ``&`` is a server.
Comments right above a block say more:

    <!-- not run: REASON -->    the session is not run
    <!-- file: NAME -->         the block is the file NAME of the folder that the sessions run in

and anywhere on a page

    <!-- folder: examples -->   the sessions run in a copy of docs/examples
    <!-- installed: acme-checks -->   that package of docs/examples is installed
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

__all__ = ["DOCS", "ROOT", "Command", "File", "Page", "read_pages"]

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"

_BLOCK = re.compile(
    r"(?:^<!-- (?P<mark>[^>]*?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True)
class Command:
    """One command and the lines that its output has."""

    line: str
    expected: tuple[str, ...]


@dataclass(frozen=True)
class File:
    """A file that the page shows."""

    name: str
    text: str


@dataclass(frozen=True)
class Page:
    """One page: its name, and its files and sessions in their order."""

    path: Path
    text: str

    @property
    def steps(self) -> Iterator[Command | File]:
        """What a reader does, in order."""
        for match in _BLOCK.finditer(self.text):
            mark = match["mark"] or ""
            if mark.startswith("file: "):
                yield File(mark.removeprefix("file: "), match["text"])
            elif match["language"] == "console" and not mark.startswith("not run: "):
                yield from _commands(match["text"])

    @property
    def files(self) -> list[File]:
        """The files that the page shows."""
        return [step for step in self.steps if isinstance(step, File)]

    @property
    def unmarked(self) -> list[str]:
        """Blocks that show a command but are no session."""
        return [
            match["text"]
            for match in _BLOCK.finditer(self.text)
            if match["language"] in ("sh", "bash", "shell", "") and "conformance " in match["text"]
        ]

    def setting(self, name: str) -> str:
        """The page's setting ``name``, or ""."""
        found = re.search(rf"^<!-- {name}: (.*?) -->$", self.text, re.MULTILINE)
        return found[1] if found else ""


def _commands(text: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.replace("\\\n", "").splitlines()
        yield Command(lines[0], tuple(line for line in lines[1:] if line.strip() not in ("", "…")))


def read_pages() -> list[Page]:
    """Every page of ``docs/`` itself (not of the folders below it)."""
    return [Page(path, path.read_text(encoding="utf-8")) for path in sorted(DOCS.glob("*.md"))]
