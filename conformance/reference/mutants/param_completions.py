"""Defects of seed, echo, best_of, suffix, max_completion_tokens and stream_options."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Seen, mutant
from conformance.reference.mutants.dropping import dropped

Body = dict[str, Any]


dropped(
    "seed-ignored",
    "seed",
    ("param.seed.effect",),
    thread="https://github.com/ggml-org/llama.cpp/issues/7381",
)


dropped(
    "echo-ignored",
    "echo",
    ("param.echo.effect",),
    thread="https://github.com/raullenchai/Rapid-MLX/issues/461",
)


dropped("echo-ignored-in-stream", "echo", ("param.echo.effect",), only="stream")


dropped("suffix-ignored", "suffix", ("param.suffix.effect",))


dropped("include-usage-ignored", "stream_options", ("param.stream_options.effect",))


dropped(
    "max-completion-tokens-ignored",
    "max_completion_tokens",
    ("param.max_completion_tokens.effect",),
    thread="https://github.com/huggingface/text-generation-inference/issues/2844",
)


@mutant(
    "max-completion-tokens-one-more",
    kills=("param.max_completion_tokens.effect",),
    kind="request",
    profile="openai",
)
def max_completion_tokens_one_more(body: Body, seen: Seen) -> None:
    """One token more than max_completion_tokens comes."""
    if isinstance(body.get("max_completion_tokens"), int):
        body["max_completion_tokens"] += 1


@mutant(
    "stream-usage-counts-chunks",
    kills=("param.stream_options.effect",),
    kind="stream",
    profile="openai",
)
def stream_usage_counts_chunks(chunks: list[Body], seen: Seen) -> None:
    """A stream's completion_tokens counts chunks."""
    for chunk in chunks:
        if isinstance(chunk.get("usage"), dict):
            chunk["usage"]["completion_tokens"] = len(chunks)


@mutant("echo-by-presence", kills=("param.echo.off",), kind="request", profile="openai")
def echo_by_presence(body: Body, seen: Seen) -> None:
    """Any echo, even false, echoes."""
    if "echo" in body:
        body["echo"] = True


@mutant("best-of-returns-all", kills=("param.best_of.effect",), kind="request", profile="openai")
def best_of_returns_all(body: Body, seen: Seen) -> None:
    """All of best_of's completions are returned."""
    if isinstance(body.get("best_of"), int):
        body["n"] = body["best_of"]


@mutant(
    "suffix-is-an-error",
    kills=("param.suffix.effect",),
    kind="asgi",
    thread="https://github.com/docker/model-runner/issues/403",
    profile="openai",
)
def suffix_is_an_error(app: Any) -> Any:
    """A suffix leads to an internal error."""

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        parts = []
        while True:
            received = await receive()
            parts.append(received.get("body", b""))
            if not received.get("more_body"):
                break
        body, sent = b"".join(parts), False

        async def again() -> Any:
            nonlocal sent
            if sent:
                return await receive()
            sent = True
            return {"type": "http.request", "body": body, "more_body": False}

        if b'"suffix"' not in body:
            await app(scope, again, send)
            return
        data = b'{"error": {"message": "Unsupported param: suffix", "type": "server_error"}}'
        head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(data))]
        await send({"type": "http.response.start", "status": 500, "headers": head})
        await send({"type": "http.response.body", "body": data})

    return answer
