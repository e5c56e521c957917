"""``response_format``: an answer that ended by itself is the JSON that was asked for."""

from __future__ import annotations

import json
from typing import Any

from jsonschema import Draft202012Validator

from conformance.checks.answer import Answer, answer
from conformance.checks.api import (
    MUST,
    REGULAR,
    Broken,
    Case,
    Depth,
    Ignored,
    NotApplicable,
    Source,
    check,
)
from conformance.checks.context import Context
from conformance.checks.forcing import shown
from conformance.checks.functions import a_schema
from conformance.checks.prompts import message

CHAT = ("chat",)
SCHEMA = Source(
    "specification text",
    "openapi.yaml:33229",
    'Setting to `{ "type": "json_schema", "json_schema": {...} }` enables Structured Outputs which '
    "ensures the model will match your supplied JSON schema.",
)
OBJECT = Source(
    "specification text",
    "openapi.yaml:33229",
    'Setting to `{ "type": "json_object" }` enables the older JSON mode, which ensures the message '
    "the model generates is valid JSON.",
)
TOKENS, CASES = 192, 4
ASK = "Describe a journey to Bern as a short JSON object."


async def _answer(ctx: Context, response_format: Any) -> Answer:
    wanted: dict[str, Any] = {
        "messages": [message("user", ASK)],
        "response_format": response_format,
        "max_tokens": TOKENS if "max_tokens" in ctx.endpoint.parameters else ...,
    }
    if ctx.promises("temperature"):
        wanted["temperature"] = 0
    return await answer(ctx, ctx.request(**wanted))


async def _value(ctx: Context, response_format: Any) -> tuple[Any, Answer]:
    """The document of the answer; raises ``NotApplicable`` where the limit cut it."""
    found = await _answer(ctx, response_format)
    try:
        return json.loads(found.text), found
    except (ValueError, RecursionError):
        if found.finish_reason == "length":
            raise NotApplicable("the limit cut the document", found.exchange) from None
    kind = response_format["type"]
    control = await _answer(ctx, ...)
    if control.text == found.text:
        raise Ignored(
            f"{kind}: the text is that of the control run, no JSON: {shown(found.text)}",
            found.exchange,
            control.exchange,
        )
    raise Broken(f"{kind}: the text is no JSON document: {shown(found.text)}", found.exchange)


def _schemas(ctx: Context) -> list[Case]:
    count = CASES if ctx.subject.depth.covers(Depth.STANDARD) else 1
    return [Case(f"schema {seed}", data=ctx.subject.seed * 7 + seed) for seed in range(count)]


@check(
    "param.response_format.effect",
    MUST,
    SCHEMA,
    endpoints=CHAT,
    needs=("response_format",),
    cases=_schemas,
    parameter="response_format",
    aspect="effect",
    cost=CASES,
)
async def effect(ctx: Context, case: Case) -> str | None:
    """With `json_schema` the answer is a JSON document that follows the schema."""
    schema = a_schema(case.data)
    wanted = {
        "type": "json_schema",
        "json_schema": {"name": "journey", "strict": True, "schema": schema},
    }
    value, found = await _value(ctx, wanted)
    error = next(iter(Draft202012Validator(schema).iter_errors(value)), None)
    if error is not None:
        raise Broken(
            f"{shown(found.text, 80)} does not follow the schema: {error.message[:120]}",
            found.exchange,
        )
    return None


@check(
    "param.response_format.json-object",
    MUST,
    OBJECT,
    endpoints=CHAT,
    needs=("response_format",),
    parameter="response_format",
    aspect="effect",
    cost=1,
)
async def json_object(ctx: Context, case: Case) -> str | None:
    """With `json_object` the answer is one JSON object."""
    value, found = await _value(ctx, {"type": "json_object"})
    if not isinstance(value, dict):
        raise Broken(f"the document is no object: {shown(found.text)}", found.exchange)
    return None


@check(
    "param.response_format.text",
    MUST,
    Source(
        "specification text",
        "openapi.yaml:33229",
        "Default response format. Used to generate text responses.",
    ),
    endpoints=CHAT,
    needs=("response_format",),
    parameter="response_format",
    aspect="effect",
    modes=(REGULAR,),
    depth=Depth.STANDARD,
    cost=2,
)
async def text(ctx: Context, case: Case) -> str | None:
    """The format `text` is the default."""
    plain, explicit = await _answer(ctx, ...), await _answer(ctx, {"type": "text"})
    if bool(plain.text.strip()) and not explicit.text.strip():
        raise Broken("response_format text gave an empty answer", explicit.exchange, plain.exchange)
    return None
