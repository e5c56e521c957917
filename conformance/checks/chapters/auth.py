"""The key: asked for on every route, compared, and never given away."""

from __future__ import annotations

from collections.abc import Sequence

from conformance.checks.api import (
    MAY,
    MUST,
    REGULAR,
    SHOULD,
    Broken,
    Case,
    Depth,
    Phase,
    Source,
    Untestable,
    check,
)
from conformance.checks.context import Context
from conformance.checks.observed import recorded_cases
from conformance.checks.plain import (
    any_endpoint,
    by_hand,
    generates,
    plain_request,
    plainly_answered,
)
from conformance.checks.refusal import expect_refusal, told
from conformance.wire.exchange import Credential, Exchange, Request
from conformance.wire.masking import KEY_MARK
from conformance.wire.outgoing import WRONG_KEY

UNAUTHORIZED = Source(
    "standard",
    "RFC 9110, section 15.5.2",
    "The 401 (Unauthorized) status code indicates that the request has not been applied because "
    "it lacks valid authentication credentials for the target resource.",
)
SCHEME = Source(
    "standard",
    "RFC 9110, section 11.1",
    "It uses a case-insensitive token to identify the authentication scheme",
)
SECRECY = Source("convention", "errors quote a key masked at most (sk-PM***E873)")

NEEDS = ("feature:auth",)
#: Bodies of this size and more are searched for the key in their head only.
SEARCHED = 1 << 20


def _needs_key(ctx: Context) -> None:
    if not ctx.subject.has_key:
        raise Untestable("no key is configured for this target")


async def _refused(ctx: Context, credential: Credential, fault: str) -> Exchange:
    _needs_key(ctx)
    exchange = await ctx.ask(plain_request(ctx, credential=credential))
    expect_refusal(exchange, fault)
    return exchange


@check("auth.no-key", MUST, UNAUTHORIZED, needs=NEEDS)
async def key_required(ctx: Context, case: Case) -> None:
    """A request without a key is refused with a 4xx status before anything is generated."""
    await _refused(ctx, "none", "no Authorization header")


@check("auth.wrong-key", MUST, UNAUTHORIZED, needs=NEEDS)
async def key_compared(ctx: Context, case: Case) -> None:
    """A request with a wrong key is refused with a 4xx status before anything is generated."""
    await _refused(ctx, "wrong", "a wrong key")


@check("auth.status", SHOULD, UNAUTHORIZED, needs=NEEDS)
async def status(ctx: Context, case: Case) -> None:
    """A missing and a wrong key are answered with status 401."""
    _needs_key(ctx)
    credentials: tuple[Credential, ...] = ("none", "wrong")
    for credential in credentials:
        exchange = await ctx.ask(plain_request(ctx, credential=credential))
        if exchange.status is not None and 400 <= exchange.status < 500 and exchange.status != 401:
            what = "no key" if credential == "none" else "a wrong key"
            raise Broken(f"{what}: {told(exchange)} instead of 401", exchange)


def _malformed_credentials(ctx: Context) -> Sequence[Case]:
    forms = {
        "the Basic scheme with a made-up user": "Basic bm8tb25lOm5vdC10aGUta2V5",
        "a bearer scheme without a token": "Bearer",
    }
    return [
        Case(label, _with_header(ctx, ("Authorization", value))) for label, value in forms.items()
    ]


def _with_header(ctx: Context, header: tuple[str, str | None]) -> Request:
    body = ctx.body() if generates(ctx) else b""
    return ctx.post(body, headers=(header,), credential="none")


@check(
    "auth.credentials-form",
    MUST,
    UNAUTHORIZED,
    needs=NEEDS,
    modes=(REGULAR,),
    cases=_malformed_credentials,
    depth=Depth.STANDARD,
)
async def credentials_form(ctx: Context, case: Case) -> None:
    """Credentials of another scheme, or empty ones, are refused with a 4xx status."""
    _needs_key(ctx)
    if case.request is not None:
        expect_refusal(await ctx.ask(case.request), case.label)


@check(
    "auth.before-validation",
    SHOULD,
    UNAUTHORIZED,
    needs=NEEDS,
    endpoints=("chat", "completions"),
    modes=(REGULAR,),
)
async def before_validation(ctx: Context, case: Case) -> None:
    """Without a key the body is not looked at: an invalid one is answered as a valid one is."""
    _needs_key(ctx)
    exchange = await ctx.ask(ctx.post({}, credential="none"))
    expect_refusal(exchange, "no Authorization header and an empty object")
    if exchange.status not in (401, 403):
        raise Broken(f"no key and an empty object: {told(exchange)} instead of 401", exchange)


@check("auth.scheme-case", SHOULD, SCHEME, endpoints=(), modes=(), needs=NEEDS)
async def scheme_case(ctx: Context, case: Case) -> None:
    """The scheme is recognised in any case: `bearer` is as good as `Bearer`."""
    _needs_key(ctx)
    there = any_endpoint(ctx)
    await plainly_answered(there)
    exchange = await ctx.ask(by_hand(there, fields=("Authorization: bearer {key}",)))
    if exchange.status in (400, 401, 403):
        raise Broken(f"'Authorization: bearer …' with the key: {told(exchange)}", exchange)


@check(
    "auth.whole-key",
    MUST,
    UNAUTHORIZED,
    endpoints=(),
    modes=(),
    needs=NEEDS,
    depth=Depth.STANDARD,
)
async def whole_key(ctx: Context, case: Case) -> None:
    """The key is compared as a whole: with more behind it, it is another one and refused."""
    _needs_key(ctx)
    there = any_endpoint(ctx)
    exchange = await ctx.ask(by_hand(there, fields=("Authorization: Bearer {key}-and-more",)))
    expect_refusal(exchange, "the key with more behind it")


@check("auth.challenge", MAY, UNAUTHORIZED, endpoints=(), modes=(), needs=NEEDS)
async def challenge(ctx: Context, case: Case) -> None:
    """A 401 carries a WWW-Authenticate challenge (RFC 9110 §11.6.1 asks for it; few send it)."""
    _needs_key(ctx)
    exchange = await ctx.ask(plain_request(any_endpoint(ctx), credential="none"))
    if exchange.status == 401 and exchange.header("www-authenticate") is None:
        raise Broken("the 401 carries no WWW-Authenticate header", exchange)


#: Prefixes under which servers and gateways commonly mount the same routes once more.
PREFIXES = ("", "/v1", "/api/v1", "/openai/v1")


def _aliases(ctx: Context) -> Sequence[Case]:
    there = any_endpoint(ctx)
    path = there.endpoint.path_for(ctx.subject.model)
    targets = [f"{prefix}{path}" for prefix in PREFIXES]
    return [Case(each, by_hand(there, target=each, credential="none")) for each in targets]


@check(
    "auth.aliases",
    SHOULD,
    UNAUTHORIZED,
    endpoints=(),
    modes=(),
    needs=NEEDS,
    cases=_aliases,
    depth=Depth.STANDARD,
    cost=len(PREFIXES),
)
async def aliases(ctx: Context, case: Case) -> None:
    """The same route under another common prefix asks for the key too."""
    _needs_key(ctx)
    if case.request is None:
        return
    exchange = await ctx.ask(case.request)
    if exchange.ok and isinstance(exchange.json, dict) and "choices" in exchange.json:
        raise Broken(f"{case.label} answers without a key", exchange)


@check(
    "auth.key-secret",
    MUST,
    SECRECY,
    endpoints=(),
    modes=(),
    phase=Phase.FINAL,
    cases=recorded_cases,
    cost=0,
)
async def key_secret(ctx: Context, case: Case) -> None:
    """No answer contains the key, in head or body."""
    exchange = await ctx.revisit(case)
    for place, text in _texts(exchange):
        for secret, name in SECRETS.items():
            if secret in text:
                raise Broken(f"the {name} stands in the {place}", exchange)


#: What is looked for: the mark that stands for the key, and the wrong key that was sent.
SECRETS = {KEY_MARK: "key", WRONG_KEY: "wrong key, unmasked,"}


def _texts(exchange: Exchange) -> list[tuple[str, str]]:
    head = "\n".join(f"{name}: {value}" for name, value in exchange.headers)
    return [
        ("response head", head),
        ("body", exchange.body[:SEARCHED].decode("utf-8", "replace")),
    ]
