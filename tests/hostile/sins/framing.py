"""HTTP gone wrong: lengths, chunks, early ends, bytes that nobody asked for."""

from ..serving import Answer
from ..table import sin

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"


async def framed(talk, *fields, cut=0):
    """The honest answer with ``fields`` for framing; without its last ``cut`` bytes, closed then."""
    answer = await talk.honest()
    lines = b"".join(each + b"\r\n" for each in fields)
    await talk.close(answer.head + lines + b"\r\n" + answer.body[: len(answer.body) - cut])


def length(answer: Answer, more: int) -> bytes:
    """A Content-Length that is off by ``more``."""
    return b"Content-Length: %d" % (len(answer.body) + more)


@sin()
async def a_length_too_short(talk):
    """Content-Length is ten bytes less than what comes."""
    await framed(talk, length(await talk.honest(), -10))


@sin()
async def a_length_too_long(talk):
    """Content-Length is ten bytes more than what comes."""
    await framed(talk, length(await talk.honest(), 10))


@sin(code=3, accused="")
async def a_negative_length(talk):
    """Content-Length: -1."""
    await framed(talk, b"Content-Length: -1")


@sin(code=3, accused="")
async def two_lengths(talk):
    """Two Content-Lengths that differ."""
    await framed(talk, b"Content-Length: 2", b"Content-Length: 3")


@sin(code=3, accused="")
async def a_length_of_words(talk):
    """Content-Length: many."""
    await framed(talk, b"Content-Length: many")


@sin()
async def a_length_and_chunks(talk):
    """Content-Length beside Transfer-Encoding: the classic of request smuggling."""
    answer = await talk.honest()
    fields = b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    await talk.write(answer.head + fields + answer.chunked + b"0\r\n\r\n")


@sin(code=3, accused="")
async def closes_in_the_status_line(talk):
    """HTTP/1.1 2"""
    await talk.close(b"HTTP/1.1 2")


@sin(code=3, accused="")
async def closes_in_the_head(talk):
    """No blank line."""
    await talk.close(HEAD)


@sin()
async def closes_behind_the_head(talk):
    """A head that promises a body, and none."""
    await talk.close(HEAD + b"Content-Length: 100\r\n\r\n")


@sin()
async def closes_in_the_body(talk):
    """Half a body."""
    answer = await talk.honest()
    await framed(talk, length(answer, 0), cut=len(answer.body) // 2)


@sin()
async def closes_in_a_chunk_size(talk):
    """The size of a chunk is not finished."""
    await talk.close(CHUNKED + b"2")


@sin()
async def closes_in_a_chunk(talk):
    """A chunk is not finished."""
    await talk.close(CHUNKED + b"ff\r\n{}")


@sin()
async def closes_before_the_last_chunk(talk):
    """The chunk of size 0 does not come."""
    answer = await talk.honest()
    await talk.close(answer.head + b"Transfer-Encoding: chunked\r\n\r\n" + answer.chunked)


@sin()
async def resets_in_the_body(talk):
    """The connection is cut hard in the middle of an answer."""
    wire = (await talk.honest()).wire
    await talk.write(wire[:-10])
    await talk.reset()


@sin()
async def a_chunk_size_of_letters(talk):
    """zz"""
    await talk.close(CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n")


@sin()
async def a_negative_chunk_size(talk):
    """-2"""
    await talk.close(CHUNKED + b"-2\r\n{}\r\n0\r\n\r\n")


@sin()
async def a_huge_chunk_size(talk):
    """More bytes than there are atoms."""
    await talk.close(CHUNKED + b"f" * 64 + b"\r\n{}\r\n0\r\n\r\n")


@sin()
async def a_chunk_extension_of_a_megabyte(talk):
    """A chunk size with a very long remark."""
    await talk.close(CHUNKED + b"2;x=" + b"y" * 1_000_000 + b"\r\n{}\r\n0\r\n\r\n")


@sin()
async def a_chunk_longer_than_it_says(talk):
    """Bytes where the end of the chunk should be."""
    await talk.close(CHUNKED + b"2\r\n{}xx0\r\n\r\n")


@sin()
async def endless_trailers(talk):
    """A trailer section that does not end."""
    answer = await talk.honest()
    await talk.write(
        answer.head + b"Transfer-Encoding: chunked\r\n\r\n" + answer.chunked + b"0\r\n"
    )
    await talk.forever(b"X-More: and more\r\n", 0)


@sin()
async def a_second_answer(talk):
    """Behind each answer comes another one that nobody asked for."""
    answer = await talk.honest()
    await talk.write(answer.wire + b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")


@sin()
async def bytes_behind_the_answer(talk):
    """Each answer is right, and the connection's bytes keep coming."""
    answer = await talk.honest()
    await talk.write(answer.wire + b"\x00" * 4096)


@sin(code=3, accused="", tls=True)
async def tls_on_a_plain_port(talk):
    """The server speaks TLS where http:// is written."""
    await talk.reply(await talk.honest())


@sin(code=3, accused="", scheme="https", reads=False)
async def plain_on_a_tls_port(talk):
    """The server speaks plain HTTP where https:// is written."""
    await talk.close(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")


@sin(code=3, accused="", scheme="https", reads=False)
async def silence_on_a_tls_port(talk):
    """The TLS handshake is never answered."""
    await talk.forever()


@sin(code=3, accused="")
async def no_http_at_all(talk):
    """A mail server."""
    await talk.write(b"220 mail.example ESMTP\r\n")


@sin(code=3, accused="")
async def http_0_9(talk):
    """A body and nothing else."""
    await talk.close((await talk.honest()).body)


@sin(code=3, accused="")
async def http_2(talk):
    """The other protocol."""
    await talk.write(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(100))


@sin(code=3, accused="")
async def a_nul_in_the_head(talk):
    """A NUL in a field."""
    await talk.reply((await talk.honest()).with_headers((b"X-Nul", b"a\x00b")))


@sin(code=0, accused="")
async def a_thousand_interim_responses(talk):
    """Early hints before each answer: legal."""
    interim = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n"
    await talk.write(interim * 1000 + (await talk.honest()).wire)


@sin()
async def says_connection_close_and_goes_on(talk):
    """A head that ends the connection, twice."""
    answer = (await talk.honest()).with_headers((b"Connection", b"close"))
    await talk.write(answer.wire + answer.wire)
