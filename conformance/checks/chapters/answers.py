"""What no schema can say of an answer: ids, times, counts of choices, causes of ending."""

from __future__ import annotations

import re
from email.utils import parsedate_to_datetime
from typing import Any

from conformance.checks.answer import answer, read_answer
from conformance.checks.api import (
    MAY,
    MUST,
    REGULAR,
    SHOULD,
    Broken,
    Case,
    NotApplicable,
    Source,
    Untestable,
    check,
)
from conformance.checks.chapters.shape import documents
from conformance.checks.chapters.usage import asked, choices_asked, reasons
from conformance.checks.context import Context
from conformance.checks.plain import answered, document_of, plain_request, read_case
from conformance.wire.exchange import Exchange, Request
from conformance.wire.jsonbody import JSONProblem

GENERATING = ("chat", "completions")
RESPONSE = "openapi.yaml:33507"
CREATED = Source(
    "specification text",
    RESPONSE,
    "The Unix timestamp (in seconds) of when the chat completion was created.",
)
CHOICES = Source(
    "specification text",
    RESPONSE,
    "A list of chat completion choices. Can be more than one if `n` is greater than 1.",
)
ENDING = Source(
    "specification text",
    RESPONSE,
    "The reason the model stopped generating tokens. This will be `stop` if the model hit a "
    "natural stop point or a provided stop sequence, `length` if the maximum number of tokens "
    "specified in the request was reached",
)
JSON_TYPE = Source("specification schema", "openapi.yaml:2151, 3382", "application/json")

DAY = 86_400
#: Seconds that ``created`` and the Date header may differ by: clocks, queues and long answers.
SKEW = 300
#: Plain answers without text that are no accident: a model may end its turn at once.
TRIES = 3


@check("shape.content-type", MUST, JSON_TYPE, modes=(REGULAR,), cases=answered)
async def content_type(ctx: Context, case: Case) -> None:
    """A regular answer is of the media type application/json."""
    exchange = await document_of(ctx, case)
    if exchange.media_type != "application/json":
        raise Broken(f"Content-Type: {exchange.header('content-type') or 'absent'}"[:120], exchange)


@check("shape.json", MUST, JSON_TYPE, modes=(REGULAR,), cases=answered)
async def json_document(ctx: Context, case: Case) -> None:
    """A regular answer is one JSON document (RFC 8259), and nothing else."""
    exchange = await document_of(ctx, case)
    if isinstance(exchange.json, JSONProblem):
        raise Broken(f"the body is not one JSON document: {exchange.json.detail}", exchange)


@check("shape.created.plausible", MUST, CREATED, endpoints=GENERATING, cases=answered)
async def created_plausible(ctx: Context, case: Case) -> None:
    """`created` is the time of the answer, in whole seconds since 1970."""
    exchange = await document_of(ctx, case)
    dated = _date(exchange)
    for event, document in documents(exchange):
        created = document.get("created") if isinstance(document, dict) else None
        if not isinstance(created, (int, float)) or isinstance(created, bool):
            continue
        away = created - exchange.started
        if not isinstance(created, int) or abs(away) > DAY:
            shown = f"created is {created}, {_span(away)} the request"
            raise Broken(shown, exchange, event=event)
        if dated is not None and abs(created - dated) > SKEW:
            shown = f"created is {created}, {_span(created - dated)} the Date header"
            raise Broken(shown, exchange, event=event, level=SHOULD)


def _span(seconds: float) -> str:
    return f"{abs(seconds):.0f} s {'after' if seconds > 0 else 'before'}"


def _date(exchange: Exchange) -> float | None:
    try:
        return parsedate_to_datetime(exchange.header("date") or "").timestamp()
    except (TypeError, ValueError, OverflowError):
        return None


@check("shape.choices.count", MUST, CHOICES, endpoints=GENERATING, modes=(REGULAR,), cases=answered)
async def choices_count(ctx: Context, case: Case) -> None:
    """There are as many choices as were asked for: `n`, one if it is absent."""
    exchange = await document_of(ctx, case)
    choices = exchange.json.get("choices") if isinstance(exchange.json, dict) else None
    if not isinstance(choices, list):
        raise NotApplicable("choices is not an array", exchange)
    wanted = _wanted(exchange)
    if len(choices) != wanted:
        raise Broken(f"{len(choices)} choices instead of {wanted}", exchange)


@check("shape.choices.indices", MUST, CHOICES, endpoints=GENERATING, cases=answered)
async def choices_indices(ctx: Context, case: Case) -> None:
    """Choices are numbered from 0, without a gap."""
    found = await read_case(ctx, case)
    listed = [raw for document in found.documents for raw in _choices(document)]
    if not listed:
        raise NotApplicable("the answer has no choices", found.exchange)
    given = [raw.get("index") for raw in listed]
    indices = {each for each in given if isinstance(each, int) and not isinstance(each, bool)}
    wanted = set(range(max(1, len(indices))))
    if indices != wanted:
        shown = f"indices {sorted(indices)[:12]} instead of {_range(len(wanted))}"
        raise Broken(shown, found.exchange)
    if ctx.mode is REGULAR and len(given) != len(indices):
        raise Broken(f"an index occurs twice among {given[:12]}", found.exchange)


def _wanted(exchange: Exchange) -> int:
    """How many choices the answer must have: ``n`` for each prompt; ``best_of`` adds none."""
    body = exchange.request.json if isinstance(exchange.request.json, dict) else {}
    return choices_asked({**body, "best_of": None})


def _range(count: int) -> str:
    return "0" if count == 1 else f"0 to {count - 1}"


def _choices(document: dict[str, Any]) -> list[dict[str, Any]]:
    choices = document.get("choices")
    return [each for each in choices if isinstance(each, dict)] if isinstance(choices, list) else []


@check("shape.finish-reason.cause", MUST, ENDING, endpoints=GENERATING, cases=answered)
async def finish_cause(ctx: Context, case: Case) -> None:
    """Every choice ends for a reason that the request allows: no tool call unless tools were given."""
    found = await read_case(ctx, case)
    body = asked(found)
    tools = body.get("tools") or body.get("functions")
    for choice in found.choices.values():
        if choice.finish_reason in ("tool_calls", "function_call") and not tools:
            shown = f"choice {choice.index} ends with {choice.finish_reason}, no tools were given"
            raise Broken(shown, found.exchange)


@check("shape.text", SHOULD, CHOICES, endpoints=GENERATING)
async def text(ctx: Context, case: Case) -> None:
    """The plainest request is answered with text, or with reasoning that used up the limit."""
    for number in range(TRIES):
        found = await answer(ctx, plain_request(ctx), repeat=number)
        hidden = found.finish_reason == "length" and found.tokens("completion") != 0
        shown = any(c.text or c.reasoning or c.tool_calls for c in found.choices.values())
        if shown or hidden or reasons(found):
            return
    raise Broken(f"no text, finish_reason {found.finish_reason}", found.exchange)


#: Rows of different prompts that an echo is looked for in.
SEVERAL = 4


@check(
    "shape.no-echo",
    MUST,
    Source(
        "specification text",
        "openapi.yaml:33838",
        "Echo back the prompt in addition to the completion",
    ),
    endpoints=("completions",),
    cost=0,
)
async def no_echo(ctx: Context, case: Case) -> None:
    """A completion does not begin with its prompt, unless `echo` asks for that."""
    rows: dict[str, Request] = {}
    plainest_first = sorted(answered(ctx), key=lambda case: case.size)
    for request in [case.request for case in plainest_first if case.request]:
        prompt = request.json.get("prompt")
        if isinstance(prompt, str) and prompt.strip() and not request.json.get("echo"):
            rows.setdefault(prompt, request)
    exchanges = await ctx.ask_all(list(rows.values())[:SEVERAL])
    answers = [found for each in exchanges if (found := read_answer(each))]
    if len(answers) < 2:
        raise Untestable("fewer than two different prompts are answered")
    if all(found.text.startswith(asked(found)["prompt"]) for found in answers):
        first = answers[0]
        shown = f"the text begins with the prompt {asked(first)['prompt'][:60]!r}"
        raise Broken(f"{shown}, and so do {len(answers) - 1} others", first.exchange)


#: Tokens by which models mark turns and ends, as they are spelt in well-known templates.
MARK = r"(?:<\|[\w▁]{1,40}\|>|<｜[\w▁]{1,40}｜>|</?s>|<[be]os>|<(?:start|end)_of_turn>)"
AT_START, AT_END = re.compile(rf"\s*({MARK})"), re.compile(rf"({MARK})\s*\Z")


@check(
    "shape.template-marks",
    SHOULD,
    Source(
        "observed behaviour",
        "https://github.com/mzau/mlx-knife/issues/20",
        "End-tokens like `</s>`, `<|eot_id|>`, and `<|im_end|>` are visible in non-streaming server "
        "API responses",
    ),
    endpoints=GENERATING,
    cases=answered,
)
async def template_marks(ctx: Context, case: Case) -> None:
    """No mark of a turn or of the end stands around the text of an answer."""
    found = await read_case(ctx, case)
    body = asked(found)
    if body.get("echo") or body.get("logit_bias"):
        raise NotApplicable("the prompt is echoed, or tokens are chosen by the request")
    for choice in found.choices.values():
        ended = choice.finish_reason == "stop" and AT_END.search(choice.text[-80:])
        mark = AT_START.match(choice.text) or ended
        if mark and mark[1] not in str(body):
            shown = f"the text of choice {choice.index} has the mark {mark[1]!r} around it"
            raise Broken(shown, found.exchange)


@check(
    "shape.tool-calls.unasked",
    SHOULD,
    Source(
        "convention",
        "openai-python: clients take the tool path when tool_calls is present",
        "The tool calls generated by the model, such as function calls.",
    ),
    endpoints=("chat",),
    modes=(REGULAR,),
    cases=answered,
)
async def tool_calls_unasked(ctx: Context, case: Case) -> None:
    """A plain answer has no `tool_calls`, not even an empty array."""
    found = await read_case(ctx, case)
    if asked(found).get("tools") or asked(found).get("functions"):
        raise NotApplicable("tools were given")
    for raw in _choices(found.documents[0]) if found.documents else ():
        message = raw.get("message")
        calls = message.get("tool_calls") if isinstance(message, dict) else None
        if calls is not None:
            raise Broken(f"message.tool_calls is {str(calls)[:60]}", found.exchange)


@check(
    "shape.logprobs.unasked",
    SHOULD,
    Source("specification text", "openapi.yaml:33361", "Whether to return log probabilities"),
    endpoints=GENERATING,
    modes=(REGULAR,),
    cases=answered,
)
async def logprobs_unasked(ctx: Context, case: Case) -> None:
    """Log probabilities that were not asked for are null or absent."""
    found = await read_case(ctx, case)
    given = asked(found).get("logprobs")
    if given is not None and given is not False:  # 0 asks for them: no alternatives
        raise NotApplicable("logprobs were asked for")
    for choice in found.choices.values():
        if choice.logprobs:
            raise Broken(f"choice {choice.index} has logprobs", found.exchange)


async def _foreign_member(ctx: Context, case: Case, name: str, home: str) -> None:
    exchange = await document_of(ctx, case)
    for event, document in documents(exchange):
        for raw in _choices(document) if isinstance(document, dict) else ():
            if raw.get(name) is not None:
                raise Broken(
                    f"a choice has {name!r}, which belongs to {home}", exchange, event=event
                )


@check("shape.no-delta", SHOULD, CHOICES, endpoints=("chat",), modes=(REGULAR,), cases=answered)
async def no_delta(ctx: Context, case: Case) -> None:
    """A regular answer has no `delta`, which belongs to chunks."""
    await _foreign_member(ctx, case, "delta", "chunks")


@check(
    "shape.model.echo",
    MAY,
    Source("specification text", RESPONSE, "The model used for the chat completion."),
    endpoints=GENERATING,
    modes=(REGULAR,),
)
async def model_echo(ctx: Context, case: Case) -> str | None:
    """The answer names the model that was asked for (a dated name of it is as good)."""
    found = await answer(ctx, plain_request(ctx))
    named = found.documents[0].get("model") if found.documents else None
    if named != ctx.subject.model:
        raise Broken(f"model is {str(named)[:80]!r}", found.exchange)
    return None
