"""Messages: every promised role is taken, reaches the model, and means the same in each form."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from conformance.checks.answer import answer
from conformance.checks.api import (
    MUST,
    REGULAR,
    SHOULD,
    Broken,
    Case,
    Depth,
    Rejected,
    Requirement,
    Source,
    Untestable,
    check,
    family,
)
from conformance.checks.context import Context
from conformance.checks.plain import plainly_answered
from conformance.checks.prompts import conversation, message
from conformance.checks.refusal import expect_refusal, told, unsent
from conformance.schema.contract import Profile
from conformance.verdicts import Level
from conformance.wire.exchange import Exchange

CHAT = ("chat",)
MESSAGES = Source(
    "specification text",
    "openapi.yaml:33110",
    "A list of messages comprising the conversation so far.",
)
PARTS = Source(
    "specification schema",
    "openapi.yaml:31588",
    "content: a string, or an array of content parts",
)
TOOLS = Source(
    "specification text",
    "openapi.yaml:31216",
    "The contents of the assistant message. Required unless `tool_calls` or `function_call` is "
    "specified.",
)

#: Roles that speak in their own right; tool and function messages answer a call.
SPEAKING = ("system", "developer", "user", "assistant")


def _with_role(role: str) -> list[dict[str, Any]]:
    asking = ("user", "Say hello.")
    if role in ("system", "developer"):
        return conversation((role, "You are brief."), asking)
    if role == "assistant":
        return conversation(asking, (role, "Hello."), ("user", "Say it again."))
    return conversation(asking)


@family
def roles(profile: Profile) -> Iterable[Requirement]:
    """One requirement for each role that the profile promises."""
    if "chat" not in profile.endpoints:
        return
    for role in profile.roles:
        if role in SPEAKING:
            yield Requirement(
                id=f"message.role.{role}",
                level=MUST,
                statement=f"A conversation with a `{role}` message is answered.",
                source=_source_of_roles(profile),
                judge=_role_taken,
                cases=_role_case(role),
                endpoints=CHAT,
                modes=(REGULAR,),
            )


def _source_of_roles(profile: Profile) -> Source:
    messages = profile.endpoints["chat"].parameters.get("messages")
    return messages.source if messages else MESSAGES


def _role_case(role: str) -> Any:
    def cases(ctx: Context) -> Sequence[Case]:
        tag = f"messages:role:{role}"
        rows = [each for each in ctx.corpus if tag in each.data.tags and _plain(each, role)]
        if rows:
            return [Case(role, each.request, each.data, each.generated) for each in rows]
        return (Case(role, ctx.request(messages=_with_role(role))),)

    return cases


def _ordinary(case: Case) -> bool:
    """Whether the roles of a corpus row come as every template knows them."""
    messages = case.data.body.get("messages")
    roles = [each.get("role") for each in messages] if isinstance(messages, list) else []
    spoken = roles[1:] if roles[:1] in (["system"], ["developer"]) else roles
    return len(spoken) % 2 == 1 and spoken == (["user", "assistant"] * len(spoken))[: len(spoken)]


def _plain(case: Case, role: str) -> bool:
    """Whether only ``role`` and the user speak, in an order that every template knows."""
    messages = case.data.body.get("messages")
    spoken = {each.get("role") for each in messages} if isinstance(messages, list) else set()
    return spoken <= {role, "user"} and _ordinary(case)


async def _role_taken(ctx: Context, case: Case) -> None:
    """A conversation with this role is answered."""
    if case.request is not None:
        _taken(await ctx.ask(case.request), f"a {case.label} message")


def _taken(exchange: Exchange, what: str, level: Level | None = None) -> None:
    if reason := unsent(exchange):
        raise Untestable(reason, exchange)
    if exchange.status is None or exchange.status >= 500:
        raise Rejected(f"{what}: {told(exchange)}", exchange, level=Level.MUST)
    if not exchange.ok:
        raise Rejected(f"{what}: refused, {told(exchange)}", exchange, level=level)


def _orders(ctx: Context) -> Sequence[Case]:
    """The corpus rows about sequences of roles."""
    return [each for each in ctx.corpus if any(":order:" in tag for tag in each.data.tags)]


@check("message.order", MUST, MESSAGES, endpoints=CHAT, modes=(REGULAR,), cases=_orders)
async def order(ctx: Context, case: Case) -> None:
    """Promised roles in any order are never answered with a server error."""
    if case.request is not None:
        _taken(await ctx.ask(case.request), case.label, SHOULD)


async def _tokens(ctx: Context, messages: list[dict[str, Any]]) -> tuple[int, Exchange]:
    found = await answer(ctx, ctx.request(messages=messages))
    count = found.tokens("prompt")
    if count is None:
        raise Untestable("the answer has no usage.prompt_tokens", found.exchange)
    return count, found.exchange


def parts_promised(ctx: Context) -> bool:
    """Whether the documentation of ``messages`` mentions content parts."""
    parameter = ctx.endpoint.parameters.get("messages")
    return parameter is not None and '"text"' in json.dumps(dict(parameter.schema), default=str)


def _parts(ctx: Context) -> Sequence[Case]:
    found = []
    for role in ("user", "assistant"):
        if role in ctx.profile.roles:
            plain = _with_role(role)
            apart = [
                {**each, "content": [{"type": "text", "text": each["content"]}]}
                if each["role"] == role
                else each
                for each in plain
            ]
            found.append(Case(role, ctx.request(messages=apart), plain))
    return found


@check(
    "message.text-part",
    MUST,
    PARTS,
    endpoints=CHAT,
    modes=(REGULAR,),
    cases=_parts,
    depth=Depth.STANDARD,
    cost=2,
)
async def text_part(ctx: Context, case: Case) -> str | None:
    """Content as one text part is the same prompt as the plain string."""
    if case.request is None:
        return None
    promised = parts_promised(ctx)
    exchange = await ctx.ask(case.request)
    if exchange.status is not None and 400 <= exchange.status < 500 and not promised:
        return f"content parts of a {case.label} message are not promised, and refused"
    _taken(exchange, f"content parts of a {case.label} message")
    parts = (await answer(ctx, case.request)).tokens("prompt")
    plain, control = await _tokens(ctx, case.data)
    if parts is not None and parts != plain:
        shown = f"prompt_tokens {parts} for {case.label} content as one text part"
        raise Broken(f"{shown}, {plain} as a string", exchange, control)
    return None


#: One transparent pixel.
PIXEL = (
    "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA"
    "WjR9awAAAABJRU5ErkJggg=="
)


@check(
    "message.image-part",
    MUST,
    PARTS,
    endpoints=CHAT,
    modes=(REGULAR,),
    depth=Depth.STANDARD,
)
async def image_part(ctx: Context, case: Case) -> str | None:
    """An image part is answered, or refused with 4xx by a model that sees nothing."""
    content = [
        {"type": "text", "text": "What is this?"},
        {"type": "image_url", "image_url": {"url": PIXEL}},
    ]
    exchange = await ctx.ask(ctx.request(messages=[message("user", content)]))
    if exchange.ok:
        return "an image part is taken"
    expect_refusal(exchange, "an image part")
    return "an image part is refused"


CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "get_time", "arguments": '{"city":"Bern"}'},
}
TOOL = {
    "type": "function",
    "function": {
        "name": "get_time",
        "description": "The local time of a city.",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}},
            "required": ["city"],
        },
    },
}


def _round_trips(ctx: Context) -> Sequence[Case]:
    contents: dict[str, dict[str, Any]] = {
        "null": {"content": None},
        "an empty string": {"content": ""},
        "absent": {},
    }
    return [
        Case(
            f"content {label}",
            ctx.request(
                tools=[TOOL],
                messages=[
                    message("user", "What time is it in Bern?"),
                    {"role": "assistant", **content, "tool_calls": [CALL]},
                    message("tool", "12:34", tool_call_id="call_1"),
                ],
            ),
        )
        for label, content in contents.items()
    ]


@check(
    "message.tool-round-trip",
    MUST,
    TOOLS,
    endpoints=CHAT,
    modes=(REGULAR,),
    needs=("tools",),
    cases=_round_trips,
    cost=3,
)
async def tool_round_trip(ctx: Context, case: Case) -> None:
    """A tool's result is taken whether the calling message's content is null, empty or absent."""
    if case.request is None:
        return
    await plainly_answered(ctx)
    _taken(await ctx.ask(case.request), f"the calling message's {case.label}")
