"""Statuses and orders: redirects, codes that do not exist, when to come back."""

import json

from ..serving import KEY, Answer, Server
from ..table import sin

JSON = (b"Content-Type", b"application/json")


def refusal(status: int, *headers: tuple[bytes, bytes], message: str = "no") -> Answer:
    """An error in the usual envelope."""
    body = {"error": {"message": message, "type": "server_error", "param": None, "code": None}}
    return Answer(status, b"Refused", [JSON, *headers], [json.dumps(body).encode()])


@sin()
async def redirects_to_itself(talk):
    """307 to the same address, for ever."""
    location = f"http://127.0.0.1:{talk.server.port}{talk.asked.target}".encode()
    await talk.reply(refusal(307, (b"Location", location)))


@sin()
async def redirects_elsewhere_on_the_host(talk):
    """308 to another path, which answers."""
    if talk.asked.target.startswith("/moved"):
        await talk.reply(await talk.honest())
    else:
        await talk.reply(refusal(308, (b"Location", b"/moved" + talk.asked.target.encode())))


@sin(cheap=True)
async def redirects_to_another_host(talk):
    """307 to a listener that would like to see the key."""
    other = talk.server.notes.get("other")
    if other is None:
        other = talk.server.notes["other"] = Server(_take).__enter__()
    location = f"http://localhost:{other.port}{talk.asked.target}".encode()
    await talk.reply(refusal(307, (b"Location", location)))


async def _take(talk):
    await talk.reply(await talk.honest())


@sin()
async def redirects_with_the_key(talk):
    """302 with the key in the address."""
    location = f"https://elsewhere.invalid/?api_key={KEY}".encode()
    await talk.reply(refusal(302, (b"Location", location)))


@sin()
async def switches_protocols(talk):
    """101 to something that nobody asked for."""
    head = b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"
    await talk.write(head + b"\x81\x05hello")


@sin()
async def no_content_with_content(talk):
    """204 and a body."""
    answer = await talk.honest()
    head = b"HTTP/1.1 204 No Content\r\nContent-Length: %d\r\n\r\n" % len(answer.body)
    await talk.write(head + answer.body)


@sin()
async def not_modified_with_content(talk):
    """304 and a body."""
    answer = await talk.honest()
    await talk.write(b"HTTP/1.1 304 Not Modified\r\n\r\n" + answer.body)


@sin()
async def status_999(talk):
    """A status that does not exist."""
    await talk.reply(refusal(999))


@sin(code=3, accused="")
async def status_of_words(talk):
    """HTTP/1.1 OK 200"""
    await talk.write(b"HTTP/1.1 OK 200\r\nContent-Length: 2\r\n\r\n{}")


@sin()
async def every_answer_is_500(talk):
    """An internal error, whatever is asked."""
    await talk.reply(refusal(500))


@sin(accused="")
async def every_answer_is_401(talk):
    """The right key is refused."""
    await talk.reply(refusal(401))


@sin(accused="*")
async def every_answer_is_201(talk):
    """Honest answers under another status."""
    answer = await talk.honest()
    answer.status = 201
    await talk.reply(answer)


@sin(accused="*")
async def errors_are_200(talk):
    """Honest answers, all of them under 200."""
    answer = await talk.honest()
    answer.status = 200
    await talk.reply(answer)


@sin(code=4, accused="")
async def too_many_requests_for_ever(talk):
    """429 without a word about when."""
    await talk.reply(refusal(429))


@sin(code=4, accused="")
async def come_back_in_a_year(talk):
    """429 with a Retry-After of a year."""
    await talk.reply(refusal(429, (b"Retry-After", b"31536000")))


@sin(code=4, accused="")
async def come_back_before_now(talk):
    """429 with a negative Retry-After."""
    await talk.reply(refusal(429, (b"Retry-After", b"-5")))


@sin(code=4, accused="")
async def come_back_at_rubbish(talk):
    """429 with a Retry-After that is none."""
    await talk.reply(refusal(429, (b"Retry-After", "²٣½ soon\x7f".encode())))


@sin(code=4, accused="")
async def come_back_in_a_million_digits(talk):
    """429 with a Retry-After of 5,000 digits."""
    await talk.reply(refusal(429, (b"Retry-After", b"9" * 5000)))


@sin(code=4, accused="")
async def unavailable_for_ever(talk):
    """503, whatever is asked."""
    await talk.reply(refusal(503))


@sin(code=0, accused="")
async def a_year_on_every_answer(talk):
    """Honest answers with a Retry-After of a year each."""
    await talk.reply((await talk.honest()).with_headers((b"Retry-After", b"31536000")))


@sin(code=0, accused="")
async def every_ninth_is_429(talk):
    """Now and then a 429, and the right answer the next time."""
    if talk.number % 9 == 0:
        await talk.reply(refusal(429, (b"Retry-After", b"0")))
    else:
        await talk.reply(await talk.honest())
