"""A small embeddings server: every text becomes numbers between -1 and 1, the same each time.

    python embeddings_server.py 8001

`--ignore-dimensions` makes it accept `dimensions` and ignore it.
"""

import hashlib
import json
import sys
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

MODEL = {"id": "tiny-embeddings", "object": "model", "created": 1, "owned_by": "acme"}
IGNORES_DIMENSIONS = "--ignore-dimensions" in sys.argv


def refusal(status: int, message: str, param: str | None = None) -> JSONResponse:
    error = {"message": message, "type": "invalid_request_error", "param": param, "code": None}
    return JSONResponse({"error": error}, status)


def is_text(value: Any) -> bool:
    return isinstance(value, str) and value != ""


def no_constant(name: str) -> None:
    """Refuse NaN and Infinity, which Python's parser takes and JSON does not have."""
    raise ValueError(name)


def vector(text: str, length: int) -> list[float]:
    digest = hashlib.shake_128(text.encode("utf-8", "surrogatepass")).digest(length)
    return [byte / 127.5 - 1 for byte in digest]


async def embeddings(request: Request) -> JSONResponse:
    try:
        body = json.loads(await request.body(), parse_constant=no_constant)
    except (ValueError, RecursionError):
        return refusal(400, "The body is not JSON.")
    if not isinstance(body, dict):
        return refusal(400, "The body is not a JSON object.")
    if body.get("model") != MODEL["id"]:
        return refusal(
            404 if is_text(body.get("model")) else 400, "There is no such model.", "model"
        )
    given = body.get("input")
    texts = given if isinstance(given, list) else [given]
    if not 1 <= len(texts) <= 16 or not all(map(is_text, texts)):
        return refusal(400, "input is neither a text nor 1 to 16 texts.", "input")
    length = body.get("dimensions")
    length = 8 if length is None else length
    if type(length) is not int or not 1 <= length <= 64:
        return refusal(400, "dimensions is not a whole number from 1 to 64.", "dimensions")
    if IGNORES_DIMENSIONS:
        length = 8
    data = [
        {"object": "embedding", "index": index, "embedding": vector(text, length)}
        for index, text in enumerate(texts)
    ]
    tokens = sum(len(text.split()) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return JSONResponse({"object": "list", "data": data, "model": MODEL["id"], "usage": usage})


async def models(request: Request) -> JSONResponse:
    return JSONResponse({"object": "list", "data": [MODEL]})


async def failed(request: Request, error: Exception) -> JSONResponse:
    return refusal(getattr(error, "status_code", 500), "There is nothing here.")


app = Starlette(
    routes=[
        Route("/v1/embeddings", embeddings, methods=["POST"]),
        Route("/v1/models", models),
    ],
    exception_handlers={404: failed, 405: failed},
)

if __name__ == "__main__":
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="critical")
