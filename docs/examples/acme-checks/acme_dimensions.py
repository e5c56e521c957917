from conformance.checks.api import MUST, Broken, Ignored, Source, Untestable, check

DOCS = Source(
    "documentation",
    "https://docs.acme.example/api#dimensions",
    "dimensions: how many numbers an embedding has, from 1 to 64.",
)


@check(
    "param.dimensions.effect",
    MUST,
    DOCS,
    endpoints=("embeddings",),
    needs=("dimensions",),
    parameter="dimensions",
    aspect="effect",
)
async def dimensions(ctx, case):
    """An embedding has as many numbers as `dimensions` asks for."""
    few = await ctx.ask(ctx.request(dimensions=4))
    many = await ctx.ask(ctx.request(dimensions=5))
    lengths = length(few), length(many)
    if lengths[0] == lengths[1]:
        raise Ignored(f"dimensions 4 and 5: {lengths[0]} numbers each", few, many)
    if lengths != (4, 5):
        raise Broken(f"dimensions 4 and 5: {lengths[0]} and {lengths[1]} numbers", few, many)


def length(exchange):
    """How many numbers the first embedding has."""
    try:
        return len(exchange.json["data"][0]["embedding"])
    except (TypeError, LookupError):
        raise Untestable("no embedding in the answer", exchange) from None
