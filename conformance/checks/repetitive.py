"""Penalties without an oracle: greedy text of prompts that invite repetition, with and without.

The weakest of the oracles, used where no token can be forced. Where greedy output repeats itself,
a strong penalty that leaves several texts as they were has no effect; anything else is left open.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from conformance.checks.answer import Answer
from conformance.checks.api import Ignored, Undecided
from conformance.checks.context import Context
from conformance.checks.forcing import answers, shown
from conformance.checks.oracle import greedy

__all__ = ["natural_effect"]

PROMPTS = (
    "Write the word yes forty times, separated by spaces: yes yes yes yes yes yes",
    "Repeat without end: one two one two one two one two one two",
)
TOKENS = 48


async def natural_effect(ctx: Context, absent: str, least: int, /, **strong: Any) -> str:
    """Hold if greedy text changes under ``strong``; raises ``Ignored`` if it certainly does not.

    ``least`` is how often a word must come in the control for the penalty to be beyond any gap.
    """
    repeatable = (await ctx.learn(greedy)).repeatable
    if not repeatable:
        raise Undecided(f"{absent}; and greedy output is not repeatable")
    controls = await answers(ctx, [_request(ctx, text) for text in PROMPTS])
    treated = await answers(ctx, [_request(ctx, text, **strong) for text in PROMPTS])
    pairs = list(zip(controls, treated, strict=True))
    if any(one.text != other.text for one, other in pairs):
        return f"judged by greedy text alone ({absent})"
    if all(_most(one) < least for one, _ in pairs):
        raise Undecided(f"{absent}; and the greedy text repeats no word often enough")
    told = ", ".join(f"{name}={value}" for name, value in strong.items())
    raise Ignored(
        f"{told} left {len(pairs)} repetitive greedy texts as they were: {shown(controls[0].text)}",
        *(each.exchange for each in (*treated, *controls)),
    )


def _request(ctx: Context, text: str, **parameters: Any) -> Any:
    if "messages" in ctx.endpoint.parameters:
        prompt: dict[str, Any] = {"messages": [{"role": "user", "content": text}]}
    else:
        prompt = {"prompt": text}
    return ctx.request(**prompt, max_tokens=TOKENS, temperature=0, **parameters)


def _most(found: Answer) -> int:
    """How often the most frequent word comes."""
    counts = Counter(found.text.split())
    return max(counts.values(), default=0)
