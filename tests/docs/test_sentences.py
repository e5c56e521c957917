"""The error sentences that docs/troubleshooting.md explains are in the code."""

from __future__ import annotations

import ast
import re

import pytest

from .pages import DOCS, ROOT

#: The first cell of a row: the sentence, `…` where a value stands.
ROW = re.compile(r"^\| `([^`]+)` \|", re.MULTILINE)
TEXT = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
SENTENCES = [text for text in ROW.findall(TEXT) if "conformance " not in text]


@pytest.fixture(scope="module")
def literals() -> str:
    """Every text constant of the package, values in f-strings as ``…``, one a line."""
    found = []
    for path in sorted((ROOT / "conformance").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                found.append("".join(_part(each) for each in node.values))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.append(node.value)
    return "\n".join(found)


def _part(node: ast.expr) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else "…"


@pytest.mark.parametrize("sentence", SENTENCES)
def test_the_sentence_is_in_the_code(sentence: str, literals: str) -> None:
    """An explained sentence is one that the suite can say."""
    assert sentence in literals


def test_there_are_sentences() -> None:
    """The table is found (else nothing above is tested)."""
    assert len(SENTENCES) > 10
