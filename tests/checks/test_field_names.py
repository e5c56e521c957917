"""A server that looks for header fields in one spelling: real HTTP over a real socket."""

import asyncio
import contextlib

import pytest

from conformance.checks.api import STATIC, Broken, Phase
from conformance.checks.catalogue import load_checks
from conformance.checks.chapters.http import _lower_names
from conformance.checks.context import Asker, Context, Subject
from conformance.schema.profiles import load_profile
from conformance.wire.client import Wire

KEY, MODEL = "sk-field-names", "a-model"
OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"
REFUSED = b"HTTP/1.1 401 Unauthorized\r\ncontent-length: 2\r\n\r\n{}"


class Direct(Asker):
    """An asker that sends everything over one wire."""

    def __init__(self, wire):
        self.wire = wire

    async def ask(self, request, repetition, phase):
        return await self.wire.send(request)


@contextlib.asynccontextmanager
async def served(*, any_case):
    """A server that finds ``Authorization`` in that spelling alone, or in any case."""

    async def accept(reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = head.lower().partition(b"content-length:")[2].partition(b"\r\n")[0]
                await reader.readexactly(int(size))
                found = b"Authorization: " in head
                found = found or (any_case and b"authorization: " in head)
                writer.write(OK if found else REFUSED)
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            writer.transport.abort()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
    wire = Wire(url, {"key": KEY})
    try:
        yield wire
    finally:
        await wire.aclose()
        server.close()
        await asyncio.sleep(0.05)


async def judged(*, any_case):
    load_checks()
    profile = load_profile("deeptrin", model=MODEL)
    async with served(any_case=any_case) as wire:
        subject = Subject("http://unused.example/v1", MODEL, has_key=True)
        ctx = Context(Direct(wire), subject, profile, None, None, Phase.ORDINARY)
        requirement = STATIC["http.field-name-case"]
        for case in requirement.cases(ctx):
            await requirement.judge(ctx, case)


def test_names_in_any_case_are_found():
    """A server that finds a field whatever the case of its name keeps the requirement."""
    asyncio.run(judged(any_case=True))


def test_a_server_that_knows_one_spelling_is_accused():
    """A server that finds `Authorization` only with a capital letter breaks the requirement."""
    with pytest.raises(Broken, match="lower case: status 401"):
        asyncio.run(judged(any_case=False))


def test_only_the_names_become_lower_case():
    """Values, the request line and the body stay as they are."""
    raw = b"POST /V1 HTTP/1.1\r\nHost: A.example\r\nX-Key: Bearer ABC\r\n\r\nA: B"

    lower = _lower_names(raw)

    assert b"POST /V1 HTTP/1.1\r\nhost: A.example\r\nx-key: Bearer ABC\r\n\r\nA: B" == lower
