"""HTTP itself: framing, methods, header fields, connections, and JSON in its other spellings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from conformance.checks.api import (
    MUST,
    SHOULD,
    STREAM,
    Broken,
    Case,
    Depth,
    NotApplicable,
    Phase,
    Source,
    Untestable,
    check,
)
from conformance.checks.context import Context
from conformance.checks.plain import (
    any_endpoint,
    by_hand,
    generates,
    plain_request,
    plainly_answered,
)
from conformance.checks.refusal import told, unsent
from conformance.wire.exchange import Exchange, Request


def standard(section: str, quote: str = "") -> Source:
    """A sentence of HTTP semantics (RFC 9110) or HTTP/1.1 (RFC 9112)."""
    return Source("standard", section, quote)


async def _as_good_as_plain(ctx: Context, request: Request, what: str) -> Exchange:
    """Hold if ``request`` is answered 200 as the plainest request is."""
    plain = await ctx.ask(plain_request(ctx))
    if not plain.ok:
        raise Untestable(f"the plainest request is not answered: {told(plain)}", plain)
    exchange = await ctx.ask(request)
    if reason := unsent(exchange):
        raise Untestable(reason, exchange)
    if not exchange.ok:
        raise Broken(f"{what}: {told(exchange)}", exchange, plain)
    return exchange


# Methods


@check(
    "http.head",
    MUST,
    standard("RFC 9110, section 9.3.2", "the server MUST NOT send content in the response"),
    endpoints=(),
    modes=(),
)
async def head(ctx: Context, case: Case) -> None:
    """A HEAD request is answered without content and without a server error."""
    there = any_endpoint(ctx)
    exchange = await ctx.ask(there.post(b"", method="HEAD"))
    _no_server_error(exchange, "HEAD")
    if exchange.body:
        raise Broken(f"HEAD is answered with {len(exchange.body)} bytes of content", exchange)


ORIGIN = "https://client.example"
PREFLIGHT = (
    ("Origin", ORIGIN),
    ("Access-Control-Request-Method", "POST"),
    ("Access-Control-Request-Headers", "authorization,content-type"),
)


def _preflight(ctx: Context) -> Request:
    there = any_endpoint(ctx)
    return there.post(b"", method="OPTIONS", headers=PREFLIGHT, credential="none")


@check(
    "http.options",
    MUST,
    standard("RFC 9110, section 9.3.7"),
    endpoints=(),
    modes=(),
)
async def options(ctx: Context, case: Case) -> None:
    """An OPTIONS request is answered without a server error."""
    _no_server_error(await ctx.ask(_preflight(ctx)), "OPTIONS")


@check(
    "http.preflight",
    SHOULD,
    Source("convention", "Fetch standard, CORS-preflight; browsers' clients depend on it"),
    endpoints=(),
    modes=(),
)
async def preflight(ctx: Context, case: Case) -> None:
    """A browser's preflight is answered 2xx with Access-Control-Allow-Origin."""
    exchange = await ctx.ask(_preflight(ctx))
    allowed = exchange.header("access-control-allow-origin")
    if allowed is None and "origin" in (exchange.header("vary") or "").lower():
        # Fetch standard, CORS protocol and HTTP caches: who decides by origin says so in Vary.
        raise Untestable("the server keeps a list of origins, and a test's is not on it", exchange)
    if exchange.status is None or not 200 <= exchange.status < 300:
        raise Broken(f"OPTIONS with an Origin: {told(exchange)}", exchange)
    if allowed is None:
        raise Broken("the preflight's answer lacks Access-Control-Allow-Origin", exchange)


def _no_server_error(exchange: Exchange, what: str) -> None:
    if reason := unsent(exchange):
        raise Untestable(reason, exchange)
    # 501 says that the method is not recognised for any resource (RFC 9110 §15.6.2).
    if exchange.status is None or (exchange.status >= 500 and exchange.status != 501):
        raise Broken(f"{what}: {told(exchange)}", exchange)


# Header fields of requests


def _same_content_type(ctx: Context) -> Sequence[Case]:
    there = any_endpoint(ctx)
    values = ("application/json; charset=utf-8", "Application/JSON")
    body = plain_request(there).body
    return [Case(value, there.post(body, headers=(("Content-Type", value),))) for value in values]


@check(
    "http.content-type-form",
    MUST,
    standard("RFC 9110, section 8.3.1", "The type and subtype tokens are case-insensitive."),
    endpoints=(),
    modes=(),
    cases=_same_content_type,
    cost=2,
)
async def content_type_form(ctx: Context, case: Case) -> None:
    """The request's media type is understood with a charset parameter and in any case."""
    there = any_endpoint(ctx)
    if case.request is None or not generates(there):
        raise NotApplicable("the endpoint takes no body")
    await _as_good_as_plain(there, case.request, f"Content-Type: {case.label}")


#: What official clients add to each request, and a field that nobody knows.
CLIENT_FIELDS = (
    ("User-Agent", "OpenAI/Python 3.54.0"),
    ("X-Stainless-Lang", "python"),
    ("X-Stainless-Package-Version", "3.54.0"),
    ("X-Stainless-OS", "Linux"),
    ("X-Stainless-Arch", "x64"),
    ("X-Stainless-Runtime", "CPython"),
    ("X-Stainless-Async", "false"),
    ("X-Stainless-Retry-Count", "0"),
    ("X-Stainless-Read-Timeout", "600"),
    ("X-Not-A-Known-Field", "1"),
)


@check(
    "http.unknown-fields",
    MUST,
    Source(
        "SDK requirement",
        "RFC 9110, section 5.1; official clients send x-stainless-… with each request",
        "Other recipients SHOULD ignore unrecognized header and trailer fields.",
    ),
    endpoints=(),
    modes=(),
)
async def unknown_fields(ctx: Context, case: Case) -> None:
    """Header fields that clients add and unknown ones change nothing."""
    there = any_endpoint(ctx)
    body = plain_request(there).body
    await _as_good_as_plain(there, there.post(body, headers=CLIENT_FIELDS), "client header fields")


def _lower_names(raw: bytes) -> bytes:
    """The same request with the names of its header fields in lower case."""
    head, gap, body = raw.partition(b"\r\n\r\n")
    first, *fields = head.split(b"\r\n")
    split = [field.partition(b":") for field in fields]
    lines = [first, *(name.lower() + colon + value for name, colon, value in split)]
    return b"\r\n".join(lines) + gap + body


@check(
    "http.field-name-case",
    MUST,
    standard(
        "RFC 9110, section 5.1; fetch() of Node.js and proxies send names in lower case",
        "Field names are case-insensitive",
    ),
    endpoints=(),
    modes=(),
    depth=Depth.STANDARD,
)
async def field_name_case(ctx: Context, case: Case) -> None:
    """Header fields are recognised by their names in any case."""
    there = any_endpoint(ctx)
    plain = by_hand(there)
    lower = replace(plain, raw=_lower_names(plain.raw or b""))
    await _as_good_as_plain(there, lower, "names of header fields in lower case")


@check(
    "http.cross-origin",
    SHOULD,
    Source(
        "convention", "Fetch standard, CORS check; a browser's client sees no answer without it"
    ),
    endpoints=(),
    modes=(),
    depth=Depth.STANDARD,
)
async def cross_origin(ctx: Context, case: Case) -> None:
    """Where the preflight lets a browser in, the answer itself has Access-Control-Allow-Origin."""
    before = await ctx.ask(_preflight(ctx))
    if before.header("access-control-allow-origin") is None:
        raise NotApplicable("browsers are not let in", before)
    there = any_endpoint(ctx)
    body = plain_request(there).body
    exchange = await ctx.ask(there.post(body, headers=(("Origin", ORIGIN),)))
    if exchange.ok and exchange.header("access-control-allow-origin") is None:
        message = "the preflight has Access-Control-Allow-Origin, the answer has not"
        raise Broken(message, exchange, before)


@check(
    "http.accept-json-stream",
    MUST,
    Source("SDK requirement", "openai-python sends Accept: application/json with streams too"),
    modes=(STREAM,),
)
async def accept_json_stream(ctx: Context, case: Case) -> None:
    """A stream asked for with `Accept: application/json` is not refused with 406."""
    exchange = await ctx.ask(plain_request(ctx))
    if exchange.status in (406, 415):
        raise Broken(f"Accept: application/json on a stream: {told(exchange)}", exchange)


@check(
    "http.accept-any",
    MUST,
    standard("RFC 9110, section 12.5.1", "*/* indicating all media types"),
    endpoints=(),
    modes=(),
)
async def accept_any(ctx: Context, case: Case) -> None:
    """A request that accepts any media type is answered."""
    there = any_endpoint(ctx)
    request = there.post(plain_request(there).body, headers=(("Accept", "*/*"),))
    await _as_good_as_plain(there, request, "Accept: */*")


# Framing of requests


@check(
    "http.chunked-request",
    MUST,
    standard(
        "RFC 9112, section 7.1",
        "A recipient MUST be able to parse and decode the chunked transfer coding.",
    ),
    endpoints=(),
    modes=(),
    depth=Depth.STANDARD,
)
async def chunked_request(ctx: Context, case: Case) -> None:
    """A request body in chunks is understood, or refused with 411."""
    there = any_endpoint(ctx)
    body = plain_request(there).body
    if not body:
        raise NotApplicable("the endpoint takes no body")
    framed = b"Transfer-Encoding: chunked\r\n\r\n"
    for start in range(0, len(body), 16):
        piece = body[start : start + 16]
        framed += b"%x\r\n%s\r\n" % (len(piece), piece)
    await plainly_answered(there)
    exchange = await ctx.ask(by_hand(there, framed=framed + b"0\r\n\r\n"))
    if exchange.status in (411, 501):
        return
    if reason := unsent(exchange):
        raise Untestable(reason, exchange)
    if not exchange.ok:
        raise Broken(f"a chunked request body: {told(exchange)}", exchange)


@check(
    "http.expect-continue",
    MUST,
    standard("RFC 9110, section 10.1.1", "A server MAY omit sending a 100 (Continue) response"),
    endpoints=(),
    modes=(),
    depth=Depth.STANDARD,
)
async def expect_continue(ctx: Context, case: Case) -> None:
    """A request that expects 100 is answered, with or without the interim response, or with 417."""
    there = any_endpoint(ctx)
    await plainly_answered(there)
    fields = ("Authorization: {authorization}", "Expect: 100-continue")
    exchange = await ctx.ask(by_hand(there, fields=fields))
    if reason := unsent(exchange):
        raise Untestable(reason, exchange)
    if not exchange.ok and exchange.status != 417:
        raise Broken(f"Expect: 100-continue: {told(exchange)}", exchange)


# Connections


def _faults(there: Context) -> dict[str, Request]:
    faults = {"a truncated body": there.post(b'{"model":')}
    if there.subject.has_key:
        faults["a wrong key"] = plain_request(there, credential="wrong")
    return faults


@check(
    "http.usable-after-error",
    MUST,
    standard("RFC 9112, section 9.3", "HTTP implementations SHOULD support persistent connections"),
    endpoints=(),
    modes=(),
    phase=Phase.EXCLUSIVE,
    cost=4,
)
async def usable_after_error(ctx: Context, case: Case) -> None:
    """After a refused request the next one on the kept connection is answered as usual."""
    there = any_endpoint(ctx)
    plain = await there.ask(plain_request(there))
    if not plain.ok:
        raise Untestable(f"the plainest request is not answered: {told(plain)}", plain)
    for fault, request in _faults(there).items():
        # One after the other, nothing else in flight: the pool hands out the same connection.
        refused = await there.ask(request, fresh=True)
        after = await there.ask(plain_request(there), fresh=True)
        if reason := unsent(after):
            raise Untestable(reason, after)
        if not after.ok:
            raise Broken(f"after {fault} a plain request got {told(after)}", after, refused)
