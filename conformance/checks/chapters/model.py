"""The model list and its entries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from conformance.checks.api import (
    MAY,
    MUST,
    SHOULD,
    Broken,
    Case,
    Depth,
    Source,
    Untestable,
    check,
)
from conformance.checks.context import Context
from conformance.checks.plain import plain_request
from conformance.checks.refusal import expect_refusal, told
from conformance.wire.exchange import Exchange, Request

LIST, ENTRY = ("models",), ("model",)
LISTED = Source(
    "specification text",
    "openapi.yaml:8731",
    "Lists the currently available models, and provides basic information about each one such "
    "as the owner and availability.",
)
RETRIEVED = Source(
    "specification text",
    "openapi.yaml:8811",
    "Retrieves a model instance, providing basic information about the model such as the owner "
    "and permissioning.",
)
SAME = Source(
    "standard",
    "RFC 3986, section 6.2.2.2; official clients send an id's slash as it is or as %2F",
    "URIs that differ in the replacement of an unreserved character with its corresponding "
    "percent-encoded US-ASCII octet are equivalent",
)

#: A model id that nobody has.
UNKNOWN = "no-such-model-1f0e9c"
DAY = 86_400
#: Listed models looked at one by one.
SAMPLE = 2


async def _entries(ctx: Context) -> tuple[list[dict[str, Any]], Exchange]:
    there = ctx.on(endpoint="models")
    exchange = await there.ask(plain_request(there))
    body = exchange.json
    data = body.get("data") if isinstance(body, dict) else None
    if not exchange.ok or not isinstance(data, list):
        raise Untestable(f"no list of models: {told(exchange)}", exchange)
    return [entry for entry in data if isinstance(entry, dict)], exchange


def _named(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["id"] for entry in entries if isinstance(entry.get("id"), str)]


@check("model.listed", SHOULD, LISTED, endpoints=LIST)
async def listed(ctx: Context, case: Case) -> None:
    """The model under test is in the list."""
    entries, exchange = await _entries(ctx)
    if ctx.subject.model not in _named(entries):
        shown = ", ".join(name[:60] for name in _named(entries)[:5]) or "none"
        raise Broken(f"{ctx.subject.model!r} is not among the listed models ({shown})", exchange)


@check("model.distinct", SHOULD, LISTED, endpoints=LIST)
async def distinct(ctx: Context, case: Case) -> None:
    """No model is listed twice."""
    entries, exchange = await _entries(ctx)
    names = _named(entries)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Broken(f"{twice[0][:80]!r} is listed {names.count(twice[0])} times", exchange)


@check(
    "model.created",
    MUST,
    Source(
        "specification text",
        "openapi.yaml:44370",
        "The Unix timestamp (in seconds) when the model was created.",
    ),
    endpoints=(*LIST, *ENTRY),
    cost=0,
)
async def created(ctx: Context, case: Case) -> None:
    """No model was created in the future."""
    exchange = await ctx.ask(plain_request(ctx))
    body = exchange.json if exchange.ok and isinstance(exchange.json, dict) else {}
    entries = body["data"] if isinstance(body.get("data"), list) else [body]
    times = [each.get("created") for each in entries if isinstance(each, dict)]
    known = [each for each in times if isinstance(each, (int, float))]
    if not known:
        raise Untestable("no model has a time of creation", exchange)
    if max(known) > exchange.started + DAY:
        raise Broken(f"created is {max(known)}, in the future", exchange)


def _retrieve(ctx: Context, form: str) -> Request:
    path = ctx.profile.endpoints["model"].path.replace("{model}", form)
    return ctx.on(endpoint="model").post(b"", path=path)


@check(
    "model.retrieve-equals-entry", SHOULD, RETRIEVED, endpoints=ENTRY, needs=("endpoint:models",)
)
async def retrieve_equals_entry(ctx: Context, case: Case) -> None:
    """A model retrieved alone is the same as its entry in the list."""
    entries, listing = await _entries(ctx)
    entry = next((each for each in entries if each.get("id") == ctx.subject.model), None)
    if entry is None:
        raise Untestable("the model under test is not in the list", listing)
    exchange = await ctx.ask(plain_request(ctx))
    if not exchange.ok or not isinstance(exchange.json, dict):
        raise Broken(f"a listed model is not retrieved: {told(exchange)}", exchange, listing)
    for name in ("id", "object", "owned_by"):
        if exchange.json.get(name) != entry.get(name):
            alone, there = repr(exchange.json.get(name))[:60], repr(entry.get(name))[:60]
            raise Broken(f"{name} is {alone} alone and {there} in the list", exchange, listing)


def _forms(ctx: Context) -> Sequence[Case]:
    model = ctx.subject.model
    if "/" in model:
        forms = [quote(model, safe=""), quote(model, safe="/")]
    else:
        forms = [quote(model, safe=""), f"%{ord(model[0]):02X}" + quote(model[1:], safe="")]
    return [Case(form, _retrieve(ctx, form)) for form in forms if form]


@check("model.path-forms", SHOULD, SAME, endpoints=ENTRY, cases=_forms)
async def path_forms(ctx: Context, case: Case) -> None:
    """A model is found by its id in each way of writing it into a path."""
    if case.request is None:
        return
    exchange = await ctx.ask(case.request)
    if not exchange.ok:
        raise Broken(f"GET {case.request.path}: {told(exchange)}", exchange)
    found = exchange.json.get("id") if isinstance(exchange.json, dict) else None
    if found != ctx.subject.model:
        raise Broken(f"GET {case.request.path} found {found!r}", exchange)


@check("model.unknown", MUST, RETRIEVED, endpoints=ENTRY)
async def unknown(ctx: Context, case: Case) -> None:
    """A model that does not exist is not found."""
    exchange = await ctx.ask(_retrieve(ctx, UNKNOWN))
    expect_refusal(exchange, f"GET of the model {UNKNOWN!r}")
    if exchange.status != 404:
        raise Broken(f"{told(exchange)} instead of 404", exchange, level=SHOULD)


def _others(names: list[str], model: str) -> list[str]:
    return [name for name in dict.fromkeys(names) if name != model][:SAMPLE]


@check(
    "model.listed-retrievable",
    SHOULD,
    LISTED,
    endpoints=ENTRY,
    needs=("endpoint:models",),
    depth=Depth.STANDARD,
    cost=SAMPLE,
)
async def listed_retrievable(ctx: Context, case: Case) -> None:
    """Other listed models can be retrieved too."""
    entries, listing = await _entries(ctx)
    for name in _others(_named(entries), ctx.subject.model):
        exchange = await ctx.ask(_retrieve(ctx, quote(name, safe="")))
        if exchange.status == 404:
            raise Broken(f"{name[:80]!r} is listed and not found", exchange, listing)


@check(
    "model.listed-usable",
    MAY,
    LISTED,
    endpoints=("chat",),
    modes=(),
    needs=("endpoint:models",),
    depth=Depth.STANDARD,
    cost=SAMPLE,
)
async def listed_usable(ctx: Context, case: Case) -> None:
    """Other listed models answer (some kinds of models never do: reported only)."""
    entries, listing = await _entries(ctx)
    others = _others(_named(entries), ctx.subject.model)
    if not others:
        raise Untestable("no other model is listed", listing)
    for name in others:
        exchange = await ctx.ask(ctx.request(model=name))
        if exchange.status is not None and exchange.status >= 400:
            raise Broken(
                f"{name[:80]!r} is listed and refused: {told(exchange)}", exchange, listing
            )
