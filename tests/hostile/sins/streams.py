"""Streams gone wrong: endless lines, floods of events, no end and too much behind it."""

import json
from dataclasses import replace

from ..table import sin

EVENTS = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"


async def changed(talk, change):
    """Streams as ``change`` makes them of their events; all else honest."""
    answer = await talk.honest()
    if not answer.streamed:
        await talk.reply(answer)
        return
    events = [each + b"\n\n" for each in answer.body.split(b"\n\n") if each]
    await talk.reply(replace(answer, pieces=change(events)))


async def cut(talk, end):
    """Streams cut behind what ``end`` leaves of their bytes; all else honest."""
    answer = await talk.honest()
    if answer.streamed:
        chunk = end(answer.body)
        head = answer.head + b"Transfer-Encoding: chunked\r\n\r\n"
        await talk.close(head + b"%x\r\n%s\r\n" % (len(chunk), chunk))
    else:
        await talk.reply(answer)


@sin(accused="stream.*")
async def ten_megabytes_in_one_line(talk):
    """One event of 10 MB."""
    await changed(talk, lambda events: [b"data: " + b"x" * 10_000_000 + b"\n\n", *events])


@sin(accused="stream.*")
async def ten_megabytes_without_a_line_end(talk):
    """A line of 10 MB that never ends."""
    await changed(talk, lambda events: [b"data: " + b"x" * 10_000_000])


@sin(seconds=20)
async def a_million_events(talk):
    """Tiny events without end."""
    answer = await talk.honest()
    if not answer.streamed:
        await talk.reply(answer)
        return
    await talk.write(EVENTS)
    for _ in range(100):
        await talk.write(b"data: {}\n\n" * 10_000)
    await talk.close(b"data: [DONE]\n\n")


@sin(code=0, accused="", seconds=20)
async def a_million_comments(talk):
    """An honest stream in a flood of comments: legal, and no fun."""
    flood = b": nothing\n" * 150_000
    await changed(talk, lambda events: [events[0], flood, *events[1:]])


@sin(accused="stream.*")
async def data_behind_done(talk):
    """The stream goes on behind its end."""
    await changed(talk, lambda events: [*events, *events])


@sin(accused="stream.*")
async def never_done(talk):
    """No [DONE]."""
    await changed(talk, lambda events: events[:-1])


@sin(accused="*")
async def closes_in_an_event(talk):
    """The connection is closed within a line."""
    await cut(talk, lambda body: body[: len(body) // 2])


@sin(accused="*")
async def closes_between_events(talk):
    """The connection is closed behind an event."""
    await cut(talk, lambda body: body.partition(b"\n\n")[0] + b"\n\n")


@sin(accused="*")
async def closes_before_done(talk):
    """The connection is closed behind the last chunk of content."""
    await cut(talk, lambda body: body.partition(b"data: [DONE]")[0])


@sin(accused="*")
async def resets_in_a_stream(talk):
    """The connection is cut hard in the middle of a stream."""
    answer = await talk.honest()
    if not answer.streamed:
        await talk.reply(answer)
        return
    await talk.write(EVENTS + answer.pieces[0])
    await talk.reset()


@sin(accused="*")
async def an_error_in_the_stream(talk):
    """The stream breaks off with an error object as its last event."""
    error = b"data: " + json.dumps({"error": {"message": "out of memory"}}).encode() + b"\n\n"
    await changed(talk, lambda events: [*events[:1], error])


@sin(accused="*")
async def the_stream_is_a_page(talk):
    """A page of HTML where events are due."""
    await changed(talk, lambda events: [b"<html><body>504 Gateway Timeout</body></html>"])


@sin(accused="*")
async def invalid_utf_8_in_every_event(talk):
    """Half a character in each event."""
    await changed(talk, lambda events: [e.replace(b'"object"', b'"\xff\xc3("') for e in events])


@sin(accused="*")
async def events_without_json(talk):
    """Data that is no JSON."""
    await changed(talk, lambda events: [b"data: {'single': None}\n\n", *events])
