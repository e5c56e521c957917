"""``messages``: every message reaches the model, every promised role is taken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from conformance.checks.answer import read_answer, why_unreadable
from conformance.checks.api import (
    MUST,
    REGULAR,
    SHOULD,
    Broken,
    Case,
    Depth,
    NotApplicable,
    Source,
    Untestable,
    check,
)
from conformance.checks.context import Context
from conformance.checks.forcing import answers, shown
from conformance.checks.reaching import MORE, expect_all_reach
from conformance.checks.refusal import unsent

CONVERSATION = Source(
    "specification text",
    "openapi.yaml:33110",
    "A list of messages comprising the conversation so far.",
)
PARTS = Source(
    "specification schema",
    "openapi.yaml:31588",
    "content: the contents of the message, a string or an array of content parts",
)
ANYWHERE = Source(
    "observed behaviour",
    "https://github.com/BerriAI/litellm/issues/26879",
    "OpenAI accepts system messages at every place of a conversation",
)

Message = dict[str, Any]

_TEXTS = {
    "system": "Answer in plain words.",
    "developer": "Answer in plain words.",
    "assistant": "Hello. What shall we talk about?",
    "user": "Tell me about bridges.",
}


def _conversation(*roles: str) -> list[Message]:
    return [{"role": role, "content": _TEXTS[role]} for role in roles]


def _full(ctx: Context) -> list[Message]:
    """A conversation with a message of each kind that every profile promises."""
    roles = ("system", "user", "assistant", "user")
    return _conversation(*(role for role in roles if role in ctx.profile.roles))


@check(
    "param.messages.effect",
    MUST,
    CONVERSATION,
    needs=("messages",),
    parameter="messages",
    aspect="effect",
    elsewhere=Depth.STANDARD,
    cost=5,
)
async def effect(ctx: Context, case: Case) -> str | None:
    """Every message of the conversation reaches the model: each one's length counts."""
    base = _full(ctx)
    longer = {
        f"message {at} ({message['role']})": {
            "messages": [
                *base[:at],
                {**message, "content": message["content"] + MORE},
                *base[at + 1 :],
            ]
        }
        for at, message in enumerate(base)
    }
    return await expect_all_reach(ctx, {"messages": base}, longer)


def _role_cases(ctx: Context) -> list[Case]:
    """The shapes of conversation that the promised roles make up."""
    shapes = [
        ("user",),
        ("system", "user"),
        ("user", "assistant", "user"),
        ("system", "user", "assistant", "user"),
        ("developer", "user"),
    ]
    chosen = [shape for shape in shapes if all(role in ctx.profile.roles for role in shape)]
    return [_conversation_case(ctx, shape) for shape in chosen]


def _conversation_case(ctx: Context, shape: tuple[str, ...]) -> Case:
    request = ctx.request(messages=_conversation(*shape))
    return Case(", ".join(shape), request)


async def _accepted(ctx: Context, case: Case) -> str | None:
    if case.request is None:
        raise NotApplicable("the case has no request")
    exchange = await ctx.ask(case.request)
    if reason := unsent(exchange):
        raise Untestable(reason, exchange)
    if exchange.status is None or exchange.status >= 400:
        raise Broken(f"roles {case.label}: {why_unreadable(exchange)}", exchange)
    return None


@check(
    "param.messages.roles",
    MUST,
    CONVERSATION,
    cases=_role_cases,
    needs=("messages",),
    parameter="messages",
    aspect="effect",
    depth=Depth.STANDARD,
    cost=4,
)
async def roles(ctx: Context, case: Case) -> str | None:
    """A conversation of the promised roles is answered."""
    return await _accepted(ctx, case)


#: Conversations with a second system message, and where in them it is.
_UNUSUAL = (
    (("system", "system", "user"), 1),
    (("system", "user", "assistant", "system", "user"), 3),
)


def _unusual_cases(ctx: Context) -> list[Case]:
    if "system" not in ctx.profile.roles:
        return []
    return [
        replace(_conversation_case(ctx, shape), data=shape[:at] + shape[at + 1 :])
        for shape, at in _UNUSUAL
    ]


@check(
    "param.messages.system-anywhere",
    SHOULD,
    ANYWHERE,
    cases=_unusual_cases,
    modes=(REGULAR,),
    needs=("messages",),
    parameter="messages",
    depth=Depth.STANDARD,
    cost=2,
)
async def system_anywhere(ctx: Context, case: Case) -> str | None:
    """A second system message, also in the middle of a conversation, is taken."""
    await _accepted(ctx, case)
    without = _conversation_case(ctx, case.data)
    exchanges = [await ctx.ask(each.request) for each in (case, without) if each.request]
    counts = [found.tokens("prompt") for each in exchanges if (found := read_answer(each))]
    if len(counts) == 2 and None not in counts and counts[0] == counts[1]:
        raise Broken(
            f"roles {case.label}: {counts[0]} prompt_tokens, with one system message less as many: "
            "it does not reach the model",
            *exchanges,
        )
    return None


@check(
    "param.messages.parts",
    MUST,
    PARTS,
    modes=(REGULAR,),
    needs=("feature:content-parts", "messages"),
    parameter="messages",
    aspect="effect",
    depth=Depth.STANDARD,
    cost=3,
)
async def parts(ctx: Context, case: Case) -> str | None:
    """Content as an array of one text part is the same prompt as the text itself."""
    plain = _conversation("user", "assistant", "user")
    bodies = [plain]
    for at in (0, 1):
        part = [{"type": "text", "text": plain[at]["content"]}]
        bodies.append([*plain[:at], {**plain[at], "content": part}, *plain[at + 1 :]])
    cold = {"temperature": 0} if ctx.promises("temperature") else {}
    control, *found = await answers(
        ctx, [ctx.request(messages=body, max_tokens=1, **cold) for body in bodies]
    )
    for role, each in zip(("user", "assistant"), found, strict=True):
        if each.tokens("prompt") != control.tokens("prompt"):
            raise Broken(
                f"the {role} message as one text part: {each.tokens('prompt')} prompt_tokens, as "
                f"a string {control.tokens('prompt')} (answer {shown(each.text)})",
                each.exchange,
                control.exchange,
            )
    if control.tokens("prompt") is None:
        raise Untestable("no prompt_tokens to compare", control.exchange)
    return None
