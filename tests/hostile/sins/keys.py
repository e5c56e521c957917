"""Servers that give the key away, in the open and in disguise."""

import base64
import gzip
import json
from dataclasses import replace
from urllib.parse import quote

from ..serving import KEY
from ..table import sin
from .strings import sown

FORMS = [
    KEY,
    f"Bearer {KEY}",
    base64.b64encode(KEY.encode()).decode(),
    base64.urlsafe_b64encode(f"u:{KEY}".encode()).decode(),
    KEY.encode().hex(),
    quote(KEY, safe=""),
    KEY.replace("/", "\\/"),
    json.dumps(json.dumps(KEY)),
    "".join(f"\\u{ord(c):04x}" for c in KEY),
]


@sin()
async def echoes_the_key_in_errors(talk):
    """The key in each error's message."""
    answer = await talk.honest()
    if answer.status >= 400:
        answer = answer.change_json(lambda value: sown(value, f" (key {KEY})"))
    await talk.reply(answer)


@sin(accused="*")
async def echoes_the_key_in_headers(talk):
    """The whole request head comes back in a header."""
    await talk.reply((await talk.honest()).with_headers((b"X-Debug", f"Bearer {KEY}".encode())))


@sin(cheap=True)
async def the_key_in_every_string_and_form(talk):
    """Plain, as base64, hex, percent and JSON escapes: in each string."""
    seed = " ".join(FORMS)
    answer = (await talk.honest()).change_json(lambda value: sown(value, seed))
    answer.reason = KEY.encode()
    await talk.reply(answer.with_headers((b"X-Debug", seed.encode())))


@sin(accused="*")
async def the_key_in_json_escapes(talk):
    """Each character of the key as an escape."""
    written = FORMS[-1].encode()
    answer = (await talk.honest()).change_json(lambda value: sown(value, "<key>"))
    await talk.reply(answer.change(lambda text: text.replace(b"<key>", written)))


@sin(accused="*")
async def the_key_compressed(talk):
    """The key in a gzipped body."""
    answer = (await talk.honest()).change_json(lambda value: sown(value, KEY))
    if not answer.streamed:
        answer = answer.with_headers((b"Content-Encoding", b"gzip"))
        answer = answer.with_body(gzip.compress(answer.body))
    await talk.reply(answer)


@sin(accused="*")
async def the_key_cut_by_chunks(talk):
    """A chunk ends in the middle of the key."""
    answer = (await talk.honest()).change_json(lambda value: sown(value, KEY))
    before, key, behind = answer.body.partition(KEY.encode())
    pieces = [before + key[:7], key[7:20], key[20:] + behind]
    answer = replace(answer, pieces=[piece for piece in pieces if piece])
    await talk.write(answer.head + b"Transfer-Encoding: chunked\r\n\r\n" + answer.chunked)
    await talk.write(b"0\r\n\r\n")


@sin(accused="*")
async def the_key_where_no_http_is(talk):
    """The key as the first bytes of what is no HTTP answer, now and then."""
    if talk.number % 5:
        await talk.reply(await talk.honest())
    else:
        await talk.close(KEY.encode() + b"\r\n\r\n")
