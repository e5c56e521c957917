"""Parameters that serve the operator, not the answer: accepted, and without effect on it."""

from __future__ import annotations

from typing import Any

from conformance.checks.answer import Answer, answer
from conformance.checks.api import MUST, REGULAR, Broken, Case, Depth, Source, Untestable, check
from conformance.checks.context import Context
from conformance.checks.forcing import shown
from conformance.checks.oracle import FORCED_TOKENS, forced, oracle, same_text

#: Parameter → a value, and the sentence that says what it is for.
INERT: dict[str, tuple[Any, str]] = {
    "user": ("user-1234", "A unique identifier representing your end-user"),
    "safety_identifier": ("user-1234", "A stable identifier used to help detect users"),
    "prompt_cache_key": ("conformance", "Used by OpenAI to cache responses for similar requests"),
    "metadata": (
        {"purpose": "conformance"},
        "Set of 16 key-value pairs that can be attached to an object.",
    ),
    "store": (False, "Whether or not to store the output of this chat completion request"),
    "service_tier": ("auto", "Specifies the processing type used for serving the request."),
}


async def _pair(ctx: Context, **parameters: Any) -> tuple[Answer, Answer]:
    piece = (await ctx.learn(oracle)).best
    control = await answer(ctx, forced(ctx, piece.id, FORCED_TOKENS))
    return control, await answer(ctx, forced(ctx, piece.id, FORCED_TOKENS, **parameters))


def _register(name: str, value: Any, sentence: str) -> None:
    async def judge(ctx: Context, case: Case) -> str | None:
        try:
            control, found = await _pair(ctx, **{name: value})
        except Untestable as absent:
            if not absent.message.startswith("no forced-token oracle"):
                raise
            await answer(ctx, ctx.request(**{name: value}))
            return f"accepted; {absent.message}"
        if not same_text(found.text, control.text) or found.finish_reason != control.finish_reason:
            raise Broken(
                f"{name}={value!r} gave {shown(found.text)} ({found.finish_reason}), the control "
                f"run {shown(control.text)} ({control.finish_reason})",
                found.exchange,
                control.exchange,
            )
        if found.tokens("prompt") != control.tokens("prompt"):
            raise Broken(
                f"{name}={value!r} changes prompt_tokens from {control.tokens('prompt')} to "
                f"{found.tokens('prompt')}",
                found.exchange,
                control.exchange,
            )
        return None

    judge.__doc__ = f"`{name}` does not change the answer."
    check(
        f"param.{name}.effect",
        MUST,
        Source("specification text", "openapi.yaml, CreateChatCompletionRequest", sentence),
        needs=(name,),
        parameter=name,
        aspect="effect",
        modes=(REGULAR,),
        depth=Depth.STANDARD,
        cost=1,
    )(judge)


for _name, (_value, _sentence) in INERT.items():
    _register(_name, _value, _sentence)
