"""``model``: the named model answers, an unknown one is not silently replaced."""

from __future__ import annotations

from conformance.checks.answer import answer, read_answer
from conformance.checks.api import MUST, Case, Ignored, Phase, Source, Untestable, check
from conformance.checks.context import Context
from conformance.checks.refusal import told, unsent

MODEL = Source("specification text", "openapi.yaml:33125", "Model ID used to generate the response")
#: An id that no server has.
UNKNOWN = "no-such-model-7d1c"


@check(
    "param.model.effect",
    MUST,
    MODEL,
    needs=("model",),
    parameter="model",
    aspect="effect",
    phase=Phase.HOSTILE,  # loading what does not exist has ended servers
    cost=1,
)
async def effect(ctx: Context, case: Case) -> str | None:
    """The named model answers; an unknown model is not served by another one."""
    await answer(ctx, ctx.request())
    exchange = await ctx.ask(ctx.request(model=UNKNOWN))
    if reason := unsent(exchange):
        raise Untestable(reason, exchange)
    found = read_answer(exchange)
    if found is None or not found.choices:
        return f"an unknown model gets {told(exchange)}"
    named = next((d["model"] for d in found.documents if isinstance(d.get("model"), str)), None)
    raise Ignored(
        f"the unknown model {UNKNOWN!r} was served with status 200 (the answer names "
        f"{str(named)[:60]!r})",
        exchange,
    )
