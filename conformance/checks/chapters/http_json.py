"""JSON in its other spellings: escapes, white space, the order of members."""

from __future__ import annotations

import json
import re
from typing import Any

from conformance.checks.answer import read_answer
from conformance.checks.api import (
    MUST,
    REGULAR,
    Broken,
    Case,
    Depth,
    Source,
    Untestable,
    check,
)
from conformance.checks.context import Context
from conformance.checks.refusal import told, unsent


def escaped(body: Any) -> bytes:
    """``body`` with every character escaped as ``\\uXXXX``, members reversed, much white space."""
    text = json.dumps(_reversed(body), indent=3, separators=(" ,", " : "))
    strings = re.compile(r'"((?:[^"\\]|\\.)*)"')
    return strings.sub(lambda found: f'"{_escape(json.loads(found.group()))}"', text).encode()


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _reversed(value[name]) for name in reversed(value)}
    return [_reversed(each) for each in value] if isinstance(value, list) else value


def _escape(text: str) -> str:
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


@check(
    "http.json-spelling",
    MUST,
    Source(
        "standard",
        "RFC 8259, sections 2, 4 and 7",
        "Insignificant whitespace is allowed before or after any of the six structural characters.",
    ),
    modes=(REGULAR,),
    endpoints=("chat", "completions"),
    elsewhere=Depth.STANDARD,
    cost=2,
)
async def json_spelling(ctx: Context, case: Case) -> None:
    """Escapes, white space and the order of members change nothing: the prompt is the same."""
    body = ctx.body(**_unicode_prompt(ctx))
    plain = await ctx.ask(ctx.post(body))
    if not plain.ok:
        raise Untestable(f"the compact form is not answered: {told(plain)}", plain)
    other = await ctx.ask(ctx.post(escaped(body)))
    if reason := unsent(other):
        raise Untestable(reason, other)
    if not other.ok:
        raise Broken(f"the same JSON, escaped and spaced: {told(other)}", other, plain)
    counts = [found.tokens("prompt") for found in map(read_answer, (plain, other)) if found]
    if len(counts) == 2 and None not in counts and counts[0] != counts[1]:
        message = f"prompt_tokens {counts[0]} for the compact form, {counts[1]} for the escaped one"
        raise Broken(message, other, plain)


def _unicode_prompt(ctx: Context) -> dict[str, Any]:
    text = 'Grüße, "世界" 🙂\n'
    if ctx.promises("messages"):
        return {"messages": [{"role": "user", "content": text}]}
    return {"prompt": text}
