"""Servers that die: at once, after a while, of one input, and come back or do not."""

import asyncio

from ..serving import MODEL
from ..table import sin


async def dies_of(talk, deadly, pause):
    """Dies of requests that are ``deadly``, for ``pause`` seconds (``None``: for good)."""
    if deadly(talk.asked):
        talk.server.die(pause)
    else:
        await talk.reply(await talk.honest())


def nested(asked) -> bool:
    """Whether the body is nested deeply."""
    return asked.body.count(b"[") > 300 or asked.body.count(b"{") > 300


def unknown_model(asked) -> bool:
    """Whether the model is one that nobody has."""
    body = asked.json
    return isinstance(body, dict) and body.get("model") not in (MODEL, None)


@sin(code=3, accused="")
async def dies_in_the_middle(talk):
    """Nobody there any more from the 60th request on."""
    if talk.number > 60:
        talk.server.die(None)
    else:
        await talk.reply(await talk.honest())


@sin(code=3, accused="")
async def answers_the_first_twenty(talk):
    """Listens and says nothing from the 20th request on."""
    if talk.number > 20:
        await talk.forever()
    else:
        await talk.reply(await talk.honest())


@sin(code=0, accused="", seconds=30)
async def dies_once_and_comes_back(talk):
    """Away for half a second after the 60th request."""
    if talk.number == 60:
        talk.server.die(0.5)
    else:
        await talk.reply(await talk.honest())


@sin(code=0, accused="", seconds=30)
async def cuts_every_ninth(talk):
    """Every ninth connection is cut; the next attempt is answered."""
    if talk.number % 9 == 0:
        await talk.reset()
    else:
        await talk.reply(await talk.honest())


@sin(seconds=40)
async def dies_of_malformed_json(talk):
    """A body that is no JSON kills it for a third of a second."""
    await dies_of(talk, lambda asked: bool(asked.body) and asked.json is None, 0.3)


@sin(seconds=40)
async def dies_of_a_wrong_type_for_good(talk):
    """``messages`` or ``prompt`` that is a number kills it for good."""

    def deadly(asked) -> bool:
        body = asked.json
        return isinstance(body, dict) and any(
            type(body.get(name)) in (int, float) for name in ("messages", "prompt")
        )

    await dies_of(talk, deadly, None)


@sin(seconds=40, cheap=True)
async def dies_of_an_unknown_model(talk):
    """A model that nobody has kills it for a third of a second."""
    await dies_of(talk, unknown_model, 0.3)


@sin(seconds=60)
async def dies_of_every_fault(talk):
    """Whatever the reference refuses kills it for a third of a second."""
    answer = await talk.honest()
    if answer.status in (400, 404, 422):
        talk.server.die(0.3)
    else:
        await talk.reply(answer)


@sin(seconds=40)
async def its_engine_dies_of_malformed_json(talk):
    """The front goes on answering, with 500, for half a second."""
    until = talk.server.notes.get("dead until", 0.0)
    now = asyncio.get_running_loop().time()
    if talk.asked.body and talk.asked.json is None:
        talk.server.notes["dead until"] = now + 0.5
        await talk.reset()
    elif now < until:
        await talk.write(b"HTTP/1.1 500 Dead\r\nContent-Length: 0\r\n\r\n")
    else:
        await talk.reply(await talk.honest())
