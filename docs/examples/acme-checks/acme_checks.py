from conformance.checks.api import SHOULD, Broken, Source, check
from conformance.checks.plain import answered, document_of

DOCS = Source("documentation", "https://docs.acme.example/api", "Every answer has an X-Request-Id.")


@check("acme.request-id", SHOULD, DOCS, cases=answered)
async def request_id(ctx, case):
    """Every answer has an `X-Request-Id` header."""
    exchange = await document_of(ctx, case)
    if not exchange.header("x-request-id"):
        raise Broken("no X-Request-Id header", exchange)
