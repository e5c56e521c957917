"""Too much of everything: bodies, heads, compression, depth, digits."""

import gzip
import json
import zlib
from functools import cache

from ..serving import Answer
from ..table import sin

JSON = (b"Content-Type", b"application/json")
ZEROS = bytes(1 << 20)
GIGABYTE = 1 << 30


@sin()
async def a_gigabyte_with_its_length(talk):
    """A body of 1 GiB, announced."""
    await talk.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % GIGABYTE)
    for _ in range(GIGABYTE // len(ZEROS)):
        await talk.write(ZEROS)


@sin()
async def a_gigabyte_without_a_length(talk):
    """A body of 1 GiB that ends with the connection."""
    await talk.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n")
    for _ in range(GIGABYTE // len(ZEROS)):
        await talk.write(ZEROS)
    await talk.close()


@sin()
async def a_gigabyte_in_chunks(talk):
    """A body of 1 GiB, a mebibyte a chunk."""
    await talk.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    chunk = b"100000\r\n" + ZEROS + b"\r\n"
    for _ in range(GIGABYTE // len(ZEROS)):
        await talk.write(chunk)


@sin()
async def one_gigabyte_chunk_of_single_bytes(talk):
    """Sixteen million chunks of one byte."""
    await talk.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    await talk.forever(b"1\r\nx\r\n" * 10000, 0)


def padded(answer: Answer, size: int) -> Answer:
    """The answer with an unknown member of ``size`` bytes in each document."""
    return answer.change_json(lambda value: {**value, "padding": "x" * size})


@sin(code=0, accused="", seconds=60)
async def eight_mebibytes_in_every_answer(talk):
    """An unknown member of 8 MiB in whatever is not a stream: legal, and heavy."""
    answer = await talk.honest()
    await talk.reply(answer if answer.streamed else padded(answer, 8 << 20))


@sin(code=0, accused="", seconds=60)
async def eight_mebibytes_in_every_stream(talk):
    """The same in streams, half a mebibyte an event."""
    answer = await talk.honest()
    await talk.reply(padded(answer, 512 << 10) if answer.streamed else answer)


@sin(seconds=30)
async def eight_mebibytes_in_every_string(talk):
    """A megabyte for each string of the answer, text and ids included."""

    def grown(value):
        if isinstance(value, dict):
            return {name: grown(each) for name, each in value.items()}
        if isinstance(value, list):
            return [grown(each) for each in value]
        return value + "y" * (1 << 20) if isinstance(value, str) else value

    answer = await talk.honest()
    await talk.reply(answer if answer.streamed else answer.change_json(grown))


@sin(seconds=30)
async def eight_mebibytes_of_error(talk):
    """Everything is refused, at length."""
    message = {"error": {"message": "no " * (8 << 18), "type": "x", "param": None, "code": None}}
    await talk.reply(Answer(400, b"Bad Request", [JSON], [json.dumps(message).encode()]))


@cache
def bomb(coding: str) -> bytes:
    """What unpacks to a gibibyte of zeros: one packed mebibyte again and again, without an end."""
    packer = zlib.compressobj(9, zlib.DEFLATED, zlib.MAX_WBITS | (16 if coding == "gzip" else 0))
    first, again = (packer.compress(ZEROS) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + again * 1023


@sin()
async def gzip_bomb(talk):
    """A mebibyte that unpacks to 1 GiB."""
    answer = Answer(headers=[JSON, (b"Content-Encoding", b"gzip")], pieces=[bomb("gzip")])
    await talk.reply(answer)


@sin()
async def deflate_bomb(talk):
    """The same in the other coding."""
    answer = Answer(headers=[JSON, (b"Content-Encoding", b"deflate")], pieces=[bomb("deflate")])
    await talk.reply(answer)


@sin()
async def nested_bomb(talk):
    """A bomb in a bomb: kilobytes that unpack to 1 GiB."""
    headers = [JSON, (b"Content-Encoding", b"gzip, gzip")]
    await talk.reply(Answer(headers=headers, pieces=[gzip.compress(bomb("gzip"), 9)]))


@sin()
async def twenty_codings(talk):
    """More layers than anybody unpacks."""
    headers = [JSON, (b"Content-Encoding", b", ".join([b"gzip"] * 20))]
    await talk.reply(Answer(headers=headers, pieces=[b"x"]))


@sin()
async def says_brotli(talk):
    """A coding that nobody asked for, and that it is not."""
    await talk.reply((await talk.honest()).with_headers((b"Content-Encoding", b"br")))


@sin()
async def says_gzip(talk):
    """Plain text that claims to be compressed."""
    await talk.reply((await talk.honest()).with_headers((b"Content-Encoding", b"gzip")))


@sin()
async def half_a_gzip(talk):
    """A compressed body without its end."""
    answer = await talk.honest()
    packed = gzip.compress(answer.body)[:-9]
    await talk.reply(answer.with_headers((b"Content-Encoding", b"gzip")).with_body(packed))


@sin(code=3, accused="")
async def a_hundred_thousand_headers(talk):
    """A head of 2 MB."""
    many = [(b"X-%d" % number, b"and more") for number in range(100_000)]
    await talk.reply((await talk.honest()).with_headers(*many))


@sin(code=3, accused="")
async def a_header_of_ten_megabytes(talk):
    """One field that does not fit."""
    await talk.reply((await talk.honest()).with_headers((b"X-Long", b"x" * 10_000_000)))


@sin()
async def a_hundred_thousand_deep(talk):
    """JSON nested 100,000 levels deep, everywhere."""
    answer = await talk.honest()
    deep = b"[" * 100_000 + b"]" * 100_000
    await talk.reply(answer.change(lambda text: b'{"a":' * 50_000 + deep + b"}" * 50_000))


@sin()
async def a_million_digits(talk):
    """Every number has a million digits."""

    def long(value):
        if isinstance(value, dict):
            return {name: long(each) for name, each in value.items()}
        if isinstance(value, list):
            return [long(each) for each in value]
        return "<number>" if type(value) in (int, float) else value

    digits = b"9" * 1_000_000
    answer = (await talk.honest()).change_json(long)
    await talk.reply(answer.change(lambda text: text.replace(b'"<number>"', digits)))


@sin()
async def a_million_members(talk):
    """Half a million choices that are empty objects."""
    answer = await talk.honest()
    await talk.reply(
        answer.change(lambda text: b'{"choices":[' + b"{}," * 499_999 + b"{}]}")
        if not answer.streamed
        else answer
    )
