"""Servers that take their time: no answer, half an answer, an answer that never ends."""

import asyncio

from ..table import sin

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


@sin(code=3, accused="", says="stopped answering")
async def never_answers(talk):
    """The request is read, and that was it."""
    await talk.forever()


@sin(code=3, accused="", reads=False)
async def never_reads(talk):
    """The connection is accepted and ignored."""
    await talk.forever()


@sin(code=3, accused="", reads=False, cheap=True)
async def accepts_and_closes(talk):
    """The connection is closed as soon as it is there."""
    await talk.close()


@sin(code=3, accused="", reads=False)
async def accepts_and_resets(talk):
    """The connection is cut hard as soon as it is there."""
    await talk.reset()


@sin()
async def one_byte_now_and_then(talk):
    """An honest answer, a byte every half second."""
    for byte in (await talk.honest()).wire:
        await talk.write(bytes([byte]))
        await asyncio.sleep(0.5)


@sin()
async def one_byte_now_and_then_in_the_body(talk):
    """The head comes at once, the body a byte every half second."""
    head, blank, body = (await talk.honest()).wire.partition(b"\r\n\r\n")
    await talk.write(head + blank)
    for byte in body:
        await talk.write(bytes([byte]))
        await asyncio.sleep(0.5)


@sin(code=3, accused="")
async def stalls_in_the_head(talk):
    """Half a head, then nothing."""
    await talk.write(HEAD)
    await talk.forever()


@sin()
async def stalls_in_the_body(talk):
    """Half a body, then nothing."""
    wire = (await talk.honest()).wire
    await talk.write(wire[: -len(wire) // 4])
    await talk.forever()


@sin()
async def endless_stream(talk):
    """Every answer is a stream of the same event for ever."""
    await talk.write(EVENTS)
    event = b'data: {"id":"x","object":"chat.completion.chunk","created":1,"model":"m","choices":[]}\n\n'
    await talk.forever(event, 0.01)


@sin()
async def endless_comments(talk):
    """A stream of comments that keeps the connection alive and says nothing."""
    await talk.write(EVENTS)
    await talk.forever(b": keep-alive\n\n", 0.1)


@sin(code=3, accused="")
async def endless_headers(talk):
    """Field after field, never the blank line."""
    await talk.write(HEAD)
    await talk.forever(b"X-More: and more\r\n", 0)


@sin(code=3, accused="")
async def endless_interim_responses(talk):
    """103 Early Hints for ever."""
    await talk.forever(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n", 0)


@sin(code=3, accused="")
async def half_closed(talk):
    """The server's side of the connection is closed without an answer, the other left open."""
    talk.writer.write_eof()
    await talk.forever()


@sin()
async def never_closes(talk):
    """A body without a length ends with the connection, which does not end."""
    answer = await talk.honest()
    await talk.write(answer.head + b"Connection: close\r\n\r\n" + answer.body)
    await talk.forever()


@sin()
async def slower_each_time(talk):
    """Each answer takes 50 ms longer than the one before."""
    await asyncio.sleep(0.05 * talk.number)
    await talk.reply(await talk.honest())
