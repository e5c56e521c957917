"""HTTP itself: framing, methods, header fields, connections, and JSON in its other spellings."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from conformance.checks.answer import read_answer
from conformance.checks.api import (
    MUST,
    REGULAR,
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
from conformance.checks.observed import recorded_cases
from conformance.checks.plain import any_endpoint, by_hand, generates, plain_request
from conformance.checks.refusal import told, unsent
from conformance.wire.exchange import Exchange, FailureKind, Request


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


PREFLIGHT = (
    ("Origin", "https://client.example"),
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
    if exchange.status is None or not 200 <= exchange.status < 300:
        raise Broken(f"OPTIONS with an Origin: {told(exchange)}", exchange)
    if exchange.header("access-control-allow-origin") is None:
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


# What was recorded

#: Failures that say that a response broke the framing of HTTP/1.1.
UNFRAMED = frozenset({FailureKind.RESET, FailureKind.PROTOCOL, FailureKind.DECODE})


def _ordinary(ctx: Context) -> Sequence[Case]:
    return [case for case in recorded_cases(ctx) if case.data.phase != Phase.HOSTILE.value]


@check(
    "http.framing",
    MUST,
    standard(
        "RFC 9112, section 6.3",
        "If a valid Content-Length header field is present without Transfer-Encoding, its decimal "
        "value defines the expected message body length in octets.",
    ),
    endpoints=(),
    modes=(),
    phase=Phase.FINAL,
    cases=_ordinary,
    cost=0,
)
async def framing(ctx: Context, case: Case) -> None:
    """Every response is complete and as long as its framing says."""
    exchange = await ctx.revisit(case)
    if exchange.closed_by_us or exchange.request.delivery.close_after is not None:
        raise NotApplicable("closed early on purpose")
    failure = exchange.failure
    if failure and failure.kind in UNFRAMED and (exchange.status is not None or exchange.raw):
        raise Broken(f"the response is not whole: {failure}", exchange)
    length = exchange.header("content-length")
    plain = exchange.header("transfer-encoding") is None
    if exchange.complete and plain and length is not None and not length.strip().isdecimal():
        raise Broken(f"Content-Length is {length[:40]!r}", exchange)


RATE_LIMITS = ("x-ratelimit-limit-", "x-ratelimit-remaining-", "x-ratelimit-reset-")
#: Durations as they are sent: 12ms, 1s, 6m0s, 1h2m3.5s, or plain seconds.
DURATION = re.compile(
    r"(\d+(\.\d+)?)|(?=\d)(\d+d)?(\d+h)?(\d+m(?!s))?(\d+(\.\d+)?s)?(\d+(\.\d+)?ms)?"
)


@check(
    "http.rate-limit-fields",
    SHOULD,
    Source("observed behaviour", "recorded answers: x-ratelimit-remaining-tokens: 159976"),
    endpoints=(),
    modes=(),
    phase=Phase.FINAL,
    cases=recorded_cases,
    cost=0,
)
async def rate_limit_fields(ctx: Context, case: Case) -> None:
    """Where `x-ratelimit-…` fields are sent, counts are whole numbers and resets are durations."""
    exchange = await ctx.revisit(case)
    for name, value in exchange.headers:
        if not name.lower().startswith(RATE_LIMITS):
            continue
        reset = name.lower().startswith(RATE_LIMITS[2])
        fits = DURATION.fullmatch(value.strip()) if reset else value.strip().isdecimal()
        if not fits:
            raise Broken(f"{name[:60]}: {value[:60]}", exchange)


@check(
    "http.retry-after",
    SHOULD,
    standard("RFC 9110, section 10.2.3", "Retry-After = HTTP-date / delay-seconds"),
    endpoints=(),
    modes=(),
    phase=Phase.FINAL,
    cases=recorded_cases,
    cost=0,
)
async def retry_after(ctx: Context, case: Case) -> None:
    """Where Retry-After is sent, it is a date or a whole number of seconds."""
    exchange = await ctx.revisit(case)
    value = exchange.header("retry-after")
    if value is not None and not re.fullmatch(r"\d+|\w{3}, .+ GMT", value.strip()):
        raise Broken(f"Retry-After: {value[:60]}", exchange)


# JSON in its other spellings


def escaped(body: Any) -> bytes:
    """``body`` with every character escaped as ``\\uXXXX``, members reversed, much white space."""
    text = json.dumps(_reversed(body), indent=3, separators=(" ,", " : "))
    strings = re.compile(r'"((?:[^"\\]|\\.)*)"')
    return strings.sub(lambda found: f'"{_escape(json.loads(found.group()))}"', text).encode()


def _reversed(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _reversed(value[name]) for name in reversed(value)}
    return [_reversed(each) for each in value] if isinstance(value, list) else value


def _escape(text: str) -> str:
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


@check(
    "http.json-spelling",
    MUST,
    Source(
        "standard",
        "RFC 8259, sections 2, 4 and 7",
        "Insignificant whitespace is allowed before or after any of the six structural characters.",
    ),
    modes=(REGULAR,),
    endpoints=("chat", "completions"),
    cost=2,
)
async def json_spelling(ctx: Context, case: Case) -> None:
    """Escapes, white space and the order of members change nothing: the prompt is the same."""
    body = ctx.body(**_unicode_prompt(ctx))
    plain = await ctx.ask(ctx.post(body))
    if not plain.ok:
        raise Untestable(f"the compact form is not answered: {told(plain)}", plain)
    other = await ctx.ask(ctx.post(escaped(body)))
    if reason := unsent(other):
        raise Untestable(reason, other)
    if not other.ok:
        raise Broken(f"the same JSON, escaped and spaced: {told(other)}", other, plain)
    counts = [found.tokens("prompt") for found in map(read_answer, (plain, other)) if found]
    if len(counts) == 2 and None not in counts and counts[0] != counts[1]:
        message = f"prompt_tokens {counts[0]} for the compact form, {counts[1]} for the escaped one"
        raise Broken(message, other, plain)


def _unicode_prompt(ctx: Context) -> dict[str, Any]:
    text = 'Grüße, "世界" 🙂\n'
    if ctx.promises("messages"):
        return {"messages": [{"role": "user", "content": text}]}
    return {"prompt": text}
