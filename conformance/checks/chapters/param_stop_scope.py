"""``stop``: what does not occur stops nothing, and what stops one choice stops each of them."""

from __future__ import annotations

from conformance.checks.answer import answer
from conformance.checks.api import MUST, Broken, Case, Depth, Source, Untestable, check
from conformance.checks.context import Context
from conformance.checks.forcing import answers, cut, shown, stop_problem
from conformance.checks.oracle import FORCED_TOKENS, Piece, forced, oracle_here, same_text

STOPS = Source(
    "specification text",
    "openapi.yaml:63253",
    "Up to 4 sequences where the API will stop generating further tokens. The returned text will "
    "not contain the stop sequence.",
)
ABSENT = "§one§"
CHOICES = 2


def near_misses(word: str) -> dict[str, str]:
    """Sequences that repetitions of ``word`` never contain, and what each is not."""
    alike = {
        ".": "a regular expression",
        f"{word[-1]} ": f"{word[-1]!r}, though white space follows in it",
        word[-1].swapcase(): f"{word[-1]!r} in the other case",
        ABSENT: "a sequence that occurs",
    }
    return {stop: told for stop, told in alike.items() if stop not in word * 2}


async def _word(ctx: Context) -> Piece:
    """The forced token with the most letters to tell apart."""
    known = await oracle_here(ctx)
    try:
        return known.divisible()
    except Untestable:
        return known.best


@check(
    "param.stop.absent",
    MUST,
    STOPS,
    needs=("stop", "logit_bias"),
    parameter="stop",
    aspect="effect",
    depth=Depth.STANDARD,
    elsewhere=Depth.STANDARD,
    cost=1,
)
async def absent(ctx: Context, case: Case) -> None:
    """A stop sequence that never occurs changes nothing."""
    piece = await _word(ctx)
    alike = near_misses(piece.text)
    control, together = await answers(
        ctx,
        [forced(ctx, piece.id, FORCED_TOKENS, **given) for given in ({}, {"stop": list(alike)})],
    )
    due = cut(piece, FORCED_TOKENS, ())
    if stop_problem(control, due, ()):
        raise Untestable("without stop the forced text does not come", control.exchange)
    problem = stop_problem(together, due, ())
    if not problem:
        return
    for stop, told in alike.items():
        found = await answer(ctx, forced(ctx, piece.id, FORCED_TOKENS, stop=stop))
        if not same_text(found.text, control.text):
            raise Broken(
                f"stop={stop!r} does not occur in {shown(control.text)}, but the text ends at "
                f"character {len(found.text)}: it is taken for {told}",
                found.exchange,
                control.exchange,
            )
    raise Broken(f"stop={list(alike)!r}: {problem}", together.exchange, control.exchange)


@check(
    "param.stop.choices",
    MUST,
    STOPS,
    needs=("stop", "n", "logit_bias"),
    parameter="stop",
    aspect="effect",
    depth=Depth.STANDARD,
    cost=1,
)
async def choices(ctx: Context, case: Case) -> None:
    """A stop sequence ends each of several choices."""
    piece = await _word(ctx)
    stop = piece.text[-1]
    found = await answer(ctx, forced(ctx, piece.id, FORCED_TOKENS, stop=stop, n=CHOICES))
    if len(found.choices) < CHOICES:
        raise Untestable(f"n={CHOICES} gave {len(found.choices)} choices", found.exchange)
    due = cut(piece, FORCED_TOKENS, [stop])
    for index, choice in sorted(found.choices.items()):
        if not same_text(choice.text, due.text):
            at = choice.text.find(stop)
            told = f"went on past its first occurrence at character {at}: " if at >= 0 else ""
            raise Broken(
                f"stop={stop!r}, n={CHOICES}: choice {index} {told}{shown(choice.text)}, not "
                f"{shown(due.text)}",
                found.exchange,
            )
        if choice.finish_reason != due.finish_reason:
            raise Broken(
                f"stop={stop!r}, n={CHOICES}: the finish_reason of choice {index} is "
                f"{choice.finish_reason!r}, not {due.finish_reason!r}",
                found.exchange,
            )
