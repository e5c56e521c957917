"""Markdown (GitHub's dialect) that hostile text cannot leave."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from conformance.report.text import clip, one_line, visible

__all__ = ["code", "escape", "fenced", "table"]

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+!|~$&@:-])")


def escape(text: str, width: int = 300) -> str:
    """``text`` as plain words on one line: no markup, mention, link or HTML comes alive."""
    return _SPECIAL.sub(r"\\\1", clip(one_line(text), width))


def code(text: str, width: int = 300) -> str:
    """``text`` as a code span, safe inside a table too."""
    shown = clip(one_line(text), width).replace("|", "∣")
    fence = "`" * (_longest_run(shown) + 1)
    pad = " " if shown.startswith("`") or shown.endswith("`") or not shown else ""
    return f"{fence}{pad}{shown}{pad}{fence}"


def fenced(text: str, language: str = "") -> str:
    """``text`` as a fenced block; its fence is longer than any run of backticks inside."""
    shown = visible(text)
    fence = "`" * max(3, _longest_run(shown) + 1)
    return f"{fence}{language}\n{shown}\n{fence}"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A pipe table of cells that are already Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
