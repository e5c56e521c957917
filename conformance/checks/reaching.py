"""Does a part of the input reach the model? Longer input, more prompt tokens.

A variant of a prompt with one part made longer must have more ``prompt_tokens``: that holds for
every tokenizer and template, whatever the model answers. Streams mostly report no usage, and some
servers a number that never changes (that is for the usage requirements); there the greedy text
tells, compared with that of regular answers, which are known to have been read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from conformance.checks.answer import Answer
from conformance.checks.api import Broken, Ignored, Undecided, Untestable
from conformance.checks.context import Context
from conformance.checks.forcing import answers, shown, written
from conformance.checks.oracle import greedy
from conformance.verdicts import Mode

__all__ = ["MORE", "expect_all_reach"]

#: What is added to a part: eight ordinary words.
MORE = " The river runs past the old stone house."
#: Tokens of each answer: enough for greedy texts to differ.
TOKENS = 8


def _request_body(ctx: Context, prompt: Mapping[str, Any]) -> dict[str, Any]:
    wanted: dict[str, Any] = {**prompt, "max_tokens": TOKENS}
    if ctx.promises("temperature"):
        wanted["temperature"] = 0
    if ctx.mode is Mode.STREAM and ctx.promises("stream_options"):
        wanted["stream_options"] = {"include_usage": True}
    return ctx.body(**wanted)


async def _asked(ctx: Context, prompts: Sequence[Mapping[str, Any]]) -> list[Answer]:
    return await answers(ctx, [ctx.post(_request_body(ctx, prompt)) for prompt in prompts])


async def expect_all_reach(
    ctx: Context, base: Mapping[str, Any], longer: Mapping[str, Mapping[str, Any]]
) -> str | None:
    """Hold if every variant of ``longer`` (part's name → prompt) has more tokens than ``base``.

    Raises ``Ignored`` if no part counts, ``Broken`` if one does not.
    """
    found = await _asked(ctx, [base, *longer.values()])
    counts = [each.tokens("prompt") for each in found]
    if None in counts or not any(counts):
        return await _by_text(ctx, base, longer, found)
    control, evidence = counts[0] or 0, [each.exchange for each in found]
    if len(set(counts)) == 1:
        if len(set(map(written, found))) > 1 and (await ctx.learn(greedy)).repeatable:
            return f"judged by greedy text alone: prompt_tokens is {control} for every input"
        raise Ignored(
            f"prompt_tokens stays {control} whichever part of the input is longer", *evidence
        )
    for name, count, each in zip(longer, counts[1:], found[1:], strict=True):
        if count is not None and count <= control:
            raise Broken(
                f"{name} is {len(MORE.split())} words longer, but prompt_tokens is {count} "
                f"(control run: {control}): it does not reach the model whole",
                each.exchange,
                found[0].exchange,
            )
    return None


async def _by_text(
    ctx: Context,
    base: Mapping[str, Any],
    longer: Mapping[str, Mapping[str, Any]],
    found: list[Answer],
) -> str | None:
    """Without usage: the greedy text depends on the input, if it does in regular mode."""
    texts = [written(each) for each in found]
    if ctx.mode is not Mode.STREAM:
        if len(set(texts)) > 1:
            return "judged by greedy text alone: it depends on the input (no usage)"
        raise Untestable("no prompt_tokens, and all greedy texts are equal", found[0].exchange)
    regular = await _asked(ctx.on(mode=Mode.REGULAR), [base, *longer.values()])
    due = [written(each) for each in regular]
    lost = [
        name
        for name, text, want in zip(longer, texts[1:], due[1:], strict=True)
        if text == texts[0] and want != due[0]
    ]
    same = len(set(texts)) == 1 and due[0] not in due[1:]
    if (lost or same) and (await ctx.learn(greedy)).repeatable:
        told = (
            f"the streamed text is {shown(texts[0])} with and without more words in "
            f"{', '.join(longer if same else lost)}; without stream it differs"
        )
        evidence = [each.exchange for each in (*found, *regular)]
        raise (Ignored if same else Broken)(told, *evidence)
    if len(set(texts)) > 1:
        return "judged by greedy text alone: it depends on the input (no usage)"
    raise Undecided("no usage, and all greedy texts are equal", found[0].exchange)
