"""Answers that are not quite as they should be, or merely unusual: one server, one path for each.

Most are mutants of the reference by their names; the others are written here because what they do
is lawful on the wire, or only worth telling beside clients. ``http://…/NAME/v1`` is a target.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import uvicorn

from conformance.reference.mutants import Head, Seen, every
from conformance.reference.mutants.honest import honest
from conformance.reference.mutants.model import Mutant
from conformance.reference.mutants.transform import ASGIApp, transformed
from conformance.reference.serve import _listen

__all__ = ["KEY", "PECULIARITIES", "Peculiarity", "application", "serving"]

KEY = "sk-peculiar-0123456789"
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True)
class Peculiarity:
    """A server by what is peculiar about it: ``changes`` are mutants, names of the shipped ones."""

    name: str
    says: str
    changes: tuple[str | Mutant, ...] = ()
    profile: str = "openai"  # all that the shipped schemas describe, so tool calls are looked at


def _own(name: str, kind: str, function: Any, only: str | None = None) -> Mutant:
    return Mutant(name, kind, function, (), name, only=only)


def _with_text(piece: str) -> Mutant:
    """``piece`` before every text."""

    def change(choice: dict[str, Any], seen: Seen) -> None:
        holder = choice.get("message") or choice.get("delta") or choice
        for name in ("content", "text"):
            if isinstance(holder.get(name), str) and holder[name]:
                holder[name] = piece + holder[name]

    return _own("text", "choice", change)


def _latin_1(head: Head, seen: Seen) -> None:
    media = (head.get("content-type") or "").split(";")[0]
    head.set("content-type", f"{media}; charset=iso-8859-1")


def _long_head(head: Head, seen: Seen) -> None:
    head.set("x-trace", "a" * 20_000)


def _last_lost(body: bytes, seen: Seen) -> bytes:
    return body.removesuffix(DONE).removesuffix(b"\n") if body.endswith(DONE) else body


def _without_index(chunks: list[dict[str, Any]], seen: Seen) -> None:
    for chunk in chunks:
        for choice in chunk.get("choices", ()):
            for call in (choice.get("delta") or {}).get("tool_calls") or ():
                call.pop("index", None)


PECULIARITIES: tuple[Peculiarity, ...] = (
    Peculiarity("honest", "nothing: the reference server as it is"),
    Peculiarity("documented", "nothing: the samples of a document are run", profile="deeptrin"),
    Peculiarity("crlf", "lines of a stream end with CRLF", ("stream-crlf-reported",)),
    Peculiarity("done-missing", "no `[DONE]`", ("stream-done-missing",)),
    Peculiarity("named-events", "each event has an `event:` line", ("stream-named-events",)),
    Peculiarity("event-ids", "each event has an `id:` line", ("stream-event-ids",)),
    Peculiarity("ping", "an event with a name and no data", ("stream-ping-without-data",)),
    Peculiarity("empty-data", "an event whose data is empty", ("stream-empty-ping",)),
    Peculiarity("done-spaces", "`data:  [DONE]` with two spaces", ("stream-done-two-spaces",)),
    Peculiarity(
        "last-unterminated",
        "no `[DONE]`, and no blank line behind the last event",
        (_own("last-lost", "bytes", _last_lost, "stream"),),
    ),
    Peculiarity("single-newline", "no blank lines between events", ("stream-single-newline",)),
    Peculiarity(
        "byte-order-mark", "a byte order mark before a stream", ("stream-byte-order-mark",)
    ),
    Peculiarity("ndjson", "a stream of JSON lines without `data:`", ("stream-as-ndjson",)),
    Peculiarity("stream-ignored", "`stream: true` answered with one document", ("stream-ignored",)),
    Peculiarity("stream-type", "a stream sent as `application/json`", ("stream-as-json-type",)),
    Peculiarity("line-separator", "U+2028 as it is inside JSON (lawful)", (_with_text("\u2028"),)),
    Peculiarity(
        "latin-1",
        "UTF-8 labelled `charset=iso-8859-1`",
        (_with_text("é"), _own("latin-1", "head", _latin_1)),
    ),
    Peculiarity("json-as-text", "JSON sent as `text/plain`", ("json-as-text",)),
    Peculiarity("usage-strings", "token counts as strings", ("usage-strings",)),
    Peculiarity(
        "tool-index",
        "pieces of tool calls without `index`",
        (_own("tool-index", "stream", _without_index),),
    ),
    Peculiarity("error-detail", 'errors as `{"detail": …}`', ("error-detail",)),
    Peculiarity("error-string", "`error` is a string", ("error-string",)),
    Peculiarity("long-head", "20 kB of header fields", (_own("long-head", "head", _long_head),)),
    Peculiarity("agent-blocked", "the user agent of a client is blocked", ("example-sdk-blocked",)),
)


def application() -> ASGIApp:
    """All of them as one application: the first segment of the path chooses."""
    apps = {each.name: _changed(each) for each in PECULIARITIES}

    async def answer(scope: Any, receive: Any, send: Any) -> None:
        name, _, rest = scope.get("path", "/").lstrip("/").partition("/")
        app = apps.get(name, apps["honest"])
        path = f"/{rest}" if name in apps else scope.get("path", "/")
        inner = {**scope, "path": path, "raw_path": path.encode()}
        await app(inner, receive, send)

    return answer


def _changed(peculiarity: Peculiarity) -> ASGIApp:
    app: ASGIApp = honest(key=KEY).app
    shipped: Mapping[str, Mutant] = {each.name: each for each in every()}
    for change in peculiarity.changes:
        app = transformed(app, shipped[change] if isinstance(change, str) else change)
    return app


@contextmanager
def serving() -> Iterator[str]:
    """The application on a free loopback port, in a thread; yields ``http://127.0.0.1:PORT``."""
    listener = _listen(0)
    config = uvicorn.Config(application(), log_level="critical", access_log=False, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(10)
