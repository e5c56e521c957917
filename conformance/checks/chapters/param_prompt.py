"""``prompt``: the whole prompt reaches the model; batches and token arrays where promised."""

from __future__ import annotations

from conformance.checks.answer import answer
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
from conformance.checks.forcing import answers, repeats, shown
from conformance.checks.oracle import forced, oracle_here
from conformance.checks.reaching import MORE, expect_all_reach

PROMPT = Source(
    "specification text",
    "openapi.yaml:33838",
    "The prompt(s) to generate completions for, encoded as a string, array of strings, array of "
    "tokens, or array of token arrays.",
)
ORDER = Source(
    "observed behaviour",
    "https://github.com/openai/openai-cookbook (batching guide)",
    "match responses back to prompts using the index field: choice i*n+j belongs to prompt i",
)
BASE = "The train leaves the old station at nine. "
PROMPTS = ("The first of three.", "Here is the second one.", "And this is the last of all three.")
#: Choices of each prompt of a batch, and tokens of each choice.
EACH, TOKENS = 2, 2


@check(
    "param.prompt.effect",
    MUST,
    PROMPT,
    needs=("prompt",),
    parameter="prompt",
    aspect="effect",
    cost=3,
)
async def effect(ctx: Context, case: Case) -> str | None:
    """The whole prompt reaches the model: its beginning and its end count."""
    longer = {
        "the beginning of the prompt": {"prompt": MORE.strip() + " " + BASE},
        "the end of the prompt": {"prompt": BASE + MORE.strip()},
    }
    return await expect_all_reach(ctx, {"prompt": BASE}, longer)


@check(
    "param.prompt.batch",
    MUST,
    PROMPT,
    needs=("feature:prompt-arrays", "prompt", "n", "logit_bias"),
    parameter="prompt",
    aspect="effect",
    depth=Depth.STANDARD,
    cost=1,
)
async def batch(ctx: Context, case: Case) -> str | None:
    """An array of prompts gives n choices for each, with the indexes 0 to n × prompts - 1."""
    piece = (await oracle_here(ctx)).best
    found = await answer(ctx, forced(ctx, piece.id, TOKENS, prompt=list(PROMPTS), n=EACH))
    due = list(range(len(PROMPTS) * EACH))
    if sorted(found.choices) != due:
        raise Broken(
            f"{len(PROMPTS)} prompts with n={EACH}: the indexes are {sorted(found.choices)}, "
            f"not 0 to {due[-1]}",
            found.exchange,
        )
    for index, choice in sorted(found.choices.items()):
        if repeats(choice.text, piece) != TOKENS:
            raise Broken(
                f"choice {index} of a batch is {shown(choice.text)}, not the forced token "
                f"{piece.text!r} {TOKENS} times",
                found.exchange,
            )
    return None


@check(
    "param.prompt.batch-usage",
    MUST,
    PROMPT,
    modes=(REGULAR,),
    needs=("feature:prompt-arrays", "prompt", "n", "logit_bias"),
    parameter="prompt",
    aspect="effect",
    depth=Depth.STANDARD,
    cost=3,
)
async def batch_usage(ctx: Context, case: Case) -> str | None:
    """The `usage` of a batch is the sum over its prompts and choices."""
    piece = (await oracle_here(ctx)).best
    together, *singles = await answers(
        ctx,
        [
            forced(ctx, piece.id, TOKENS, prompt=list(PROMPTS), n=EACH),
            *(forced(ctx, piece.id, TOKENS, prompt=prompt) for prompt in PROMPTS),
        ],
    )
    prompts = [each.tokens("prompt") for each in singles]
    if None in prompts or together.tokens("prompt") is None:
        raise Untestable("no prompt_tokens to compare", together.exchange)
    due = {
        "prompt": sum(count or 0 for count in prompts),
        "completion": TOKENS * EACH * len(PROMPTS),
    }
    for kind, total in due.items():
        if together.tokens(kind) != total:
            raise Broken(
                f"{len(PROMPTS)} prompts with n={EACH}: {kind}_tokens is "
                f"{together.tokens(kind)}, the single requests add up to {total}",
                together.exchange,
                *(each.exchange for each in singles),
            )
    return None


@check(
    "param.prompt.batch-order",
    MUST,
    ORDER,
    needs=("feature:prompt-arrays", "prompt", "echo", "n", "logit_bias"),
    parameter="prompt",
    aspect="effect",
    depth=Depth.STANDARD,
    cost=1,
)
async def batch_order(ctx: Context, case: Case) -> str | None:
    """Choice i·n + j answers prompt i."""
    piece = (await oracle_here(ctx)).best
    request = forced(ctx, piece.id, TOKENS, prompt=list(PROMPTS), n=EACH, echo=True)
    found = await answer(ctx, request)
    for index, choice in sorted(found.choices.items()):
        if not 0 <= index < len(PROMPTS) * EACH:
            raise Untestable(f"a batch has the index {index}", found.exchange)
        prompt = PROMPTS[index // EACH]
        if not choice.text.lstrip().startswith(prompt):
            raise Broken(
                f"choice {index} begins {shown(choice.text)}, not with prompt {index // EACH}, "
                f"{prompt!r}",
                found.exchange,
            )
    return None


@check(
    "param.prompt.tokens",
    MUST,
    PROMPT,
    modes=(REGULAR,),
    needs=("feature:token-arrays", "prompt", "logit_bias"),
    parameter="prompt",
    aspect="effect",
    depth=Depth.STANDARD,
    cost=3,
)
async def tokens(ctx: Context, case: Case) -> str | None:
    """An array of token ids is a prompt of so many tokens; an array of them is a batch."""
    number = (await oracle_here(ctx)).best.id
    short, longer, both = await answers(
        ctx,
        [
            forced(ctx, number, TOKENS, prompt=prompt)
            for prompt in ([number] * 4, [number] * 5, [[number] * 4, [number] * 5])
        ],
    )
    before, after = short.tokens("prompt"), longer.tokens("prompt")
    if before is None or after is None:
        raise Untestable("no prompt_tokens to compare", short.exchange)
    if after - before != 1:
        raise Broken(
            f"prompts of 4 and 5 token ids have {before} and {after} prompt_tokens",
            longer.exchange,
            short.exchange,
        )
    if sorted(both.choices) != [0, 1]:
        raise Broken(
            f"two token arrays gave the indexes {sorted(both.choices)}, not 0 and 1", both.exchange
        )
    return None
