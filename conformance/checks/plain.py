"""The canonical requests that many checks share, so that they cost one exchange together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from conformance.checks.answer import Answer, read_answer, why_unreadable
from conformance.checks.api import REGULAR, STREAM, Case, NotApplicable, Untestable
from conformance.checks.context import Context
from conformance.wire.exchange import Credential, Exchange, Request

__all__ = [
    "answered",
    "any_endpoint",
    "by_hand",
    "document_of",
    "generates",
    "plain_request",
    "plainly_answered",
    "read_case",
]


def generates(ctx: Context) -> bool:
    """Whether the endpoint takes a body (a POST), so that the corpus and faults apply."""
    return ctx.endpoint.method == "POST"


def plain_request(ctx: Context, *, credential: Credential = "key") -> Request:
    """The plainest valid request of the endpoint in the context's mode."""
    if not generates(ctx):
        return ctx.post(b"", credential=credential)
    return ctx.post(ctx.body(), credential=credential)


async def plainly_answered(ctx: Context) -> None:
    """The control of a check that asks plainly in an unusual way.

    Raises ``Untestable`` where the plainest request is not answered in the usual way either.
    """
    plain = await ctx.ask(plain_request(ctx))
    if not plain.ok:
        raise Untestable(f"the plainest request is not answered: {why_unreadable(plain)}", plain)


def any_endpoint(ctx: Context) -> Context:
    """The view of a target-wide requirement on one endpoint, the first that generates.

    Raises ``Untestable`` for a profile without endpoints.
    """
    endpoints = sorted(ctx.profile.endpoints.values(), key=lambda each: each.method != "POST")
    if not endpoints:
        raise Untestable("the profile has no endpoint")
    return ctx.on(endpoint=endpoints[0].name, mode=REGULAR)


def by_hand(
    ctx: Context,
    *,
    target: str | None = None,
    fields: Sequence[str] = ("Authorization: {authorization}",),
    credential: Credential = "key",
    framed: bytes | None = None,
) -> Request:
    """The plainest request written byte by byte, for what no HTTP library sends.

    ``target`` replaces the request target (default: the endpoint's path below the base path);
    ``fields`` are added to Host, Content-Type and Connection; ``framed`` replaces
    ``Content-Length`` and body by header lines and body of its own.
    """
    plain = plain_request(ctx, credential=credential)
    path = "{base_path}" + plain.path if target is None else target
    lines = [f"{plain.method} {path} HTTP/1.1", "Host: {host}", "Accept: application/json"]
    lines += ["Content-Type: application/json"] if plain.body else []
    lines += [*fields, "Connection: close"]
    rest = framed
    if rest is None:
        rest = b"Content-Length: %d\r\n\r\n" % len(plain.body) + plain.body
    raw = "\r\n".join(lines).encode("utf-8") + b"\r\n" + rest
    return replace(plain, raw=raw)


def answered(ctx: Context) -> Sequence[Case]:
    """The valid requests of this endpoint and mode: the corpus, or the one request of a GET."""
    if generates(ctx):
        streamed = ctx.mode is STREAM
        return [
            each for each in ctx.corpus if each.request and each.request.wants_stream is streamed
        ]
    return (Case("the plainest request", plain_request(ctx)),)


async def read_case(ctx: Context, case: Case) -> Answer:
    """The answer to a corpus case; raises ``NotApplicable`` where there is none to read.

    Whether a valid request is answered is for the ``accepts`` requirements.
    """
    exchange = await ctx.ask(_request(case))
    found = read_answer(exchange)
    if found is None:
        raise NotApplicable(f"no answer: {why_unreadable(exchange)}", exchange)
    return found


async def document_of(ctx: Context, case: Case) -> Exchange:
    """The exchange of a case answered with a whole 200; raises ``NotApplicable`` otherwise."""
    exchange = await ctx.ask(_request(case))
    if not exchange.ok:
        raise NotApplicable(f"no answer: {why_unreadable(exchange)}", exchange)
    return exchange


def _request(case: Case) -> Request:
    if case.request is None:
        raise NotApplicable("the case has no request")
    return case.request
