"""The page as one self-contained HTML file.

Three things keep hostile text inert: Jinja2 escapes whatever a template prints; the data for the
script is JSON in a block that no text can end; and a content security policy names the only style
and script that may act, by digest.
"""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from conformance.report.failures import link_of
from conformance.report.fold import Fold
from conformance.report.matrix import Matrix
from conformance.report.text import clip, plural, visible
from conformance.report.trends import WINDOW
from conformance.report.words import (
    FOLD_SIGNS,
    FOLD_WORDS,
    LEVEL_WORDS,
    SIGNS,
    VERDICT_WORDS,
)
from conformance.verdicts import Level, Verdict

__all__ = ["embedded_json", "render_html", "ticked"]

_TEMPLATES = Path(__file__).parent / "templates"

#: Parts of the style and of the script, in their order.
STYLES = ("base.css", "sections.css", "grid.css", "detail.css", "media.css")
SCRIPTS = ("dom.js", "detail.js", "opening.js", "filters.js")

#: With so few targets a cell has room for the message too.
_WORDY = 2


def render_html(matrix: Matrix) -> str:
    """The page. It reads nothing from anywhere: it can be mailed, or opened from a disk."""
    style = "".join(map(_asset, STYLES))
    script = f"(function () {{\n{''.join(map(_asset, SCRIPTS))}}})();"
    return (
        _environment()
        .get_template("matrix.html.j2")
        .render(
            m=matrix,
            style=Markup(style),  # noqa: S704 - a file of this package
            script=Markup(script),  # noqa: S704 - a file of this package
            policy=_policy(style, script),
            data=Markup(embedded_json(matrix.data)),  # noqa: S704 - cannot end its block
            wordy=len(matrix.cards) <= _WORDY,
            wide=len(matrix.cards) > 6,
        )
    )


def ticked(text: str) -> Markup:
    """``text`` with what stands between backticks as code; a backtick without a partner stays."""
    pieces = text.split("`")
    if len(pieces) % 2 == 0:
        pieces[-2:] = ["`".join(pieces[-2:])]
    return Markup("").join(
        Markup("<code>{}</code>").format(piece) if number % 2 else piece
        for number, piece in enumerate(pieces)
    )


def embedded_json(value: Any) -> str:
    """``value`` as JSON that is safe inside ``<script>``: no ``<``, so no tag and no comment."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _policy(style: str, script: str) -> str:
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _asset(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(visible=visible, clip=clip, ticked=ticked)
    environment.globals.update(
        plural=plural,
        link_of=link_of,
        WINDOW=WINDOW,
        SIGNS=SIGNS,
        FOLD_SIGNS=FOLD_SIGNS,
        FOLDS=list(Fold),
        FOLD_WORDS=FOLD_WORDS,
        LEVELS=list(Level),
        LEVEL_WORDS=LEVEL_WORDS,
        VERDICTS=list(Verdict),
        VERDICT_WORDS=VERDICT_WORDS,
    )
    return environment
