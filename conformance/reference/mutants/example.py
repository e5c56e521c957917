"""Servers on which the documented examples do not run."""

from __future__ import annotations

from collections.abc import Callable

from conformance.reference.mutants import mutant
from conformance.reference.mutants.answering import Reply, Request, error_reply, intercept
from conformance.reference.mutants.streaming import ASGIApp


def _blocking(agent: str) -> Callable[[ASGIApp], ASGIApp]:
    def change(request: Request, honest: Reply) -> Reply | None:
        given = (request.header("user-agent") or "").lower()
        return error_reply(403, "blocked") if agent in given else None

    return intercept(change)


@mutant(
    "example-sdk-blocked", kills=("example.python-chat", "example.python-completions"), kind="asgi"
)
def sdk_blocked(app: ASGIApp) -> ASGIApp:
    """A firewall blocks the user agent of the Python SDK."""
    return _blocking("openai/python")(app)


@mutant(
    "example-curl-blocked", kills=("example.curl-chat", "example.curl-completions"), kind="asgi"
)
def curl_blocked(app: ASGIApp) -> ASGIApp:
    """A firewall blocks the user agent of curl."""
    return _blocking("curl/")(app)
