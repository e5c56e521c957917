"""How a faulty request is refused: one vocabulary for every check that provokes an error.

The rules are E1-E4 of the error conventions: a faulty request is answered with a 4xx status (never
200, never 5xx) and a JSON object ``{"error": {"message", "type", "param", "code"}}``.
"""

from __future__ import annotations

from typing import Any

from conformance.checks.answer import error_message
from conformance.checks.api import Broken, Untestable
from conformance.verdicts import Level
from conformance.wire.exchange import Exchange, FailureKind
from conformance.wire.jsonbody import JSONProblem

__all__ = [
    "envelope_problem",
    "error_object",
    "expect_refusal",
    "named_parameter",
    "told",
    "unsent",
]

#: Statuses that speak about the moment or the front end, not about the request's meaning.
ELSEWHERE = frozenset({407, 408, 429, 502, 503, 504})


def told(exchange: Exchange) -> str:
    """What came back, in a few words: status and message, or how the exchange failed."""
    if exchange.status is None:
        return f"no answer ({exchange.failure})"
    words = error_message(exchange).strip() if exchange.status != 200 else ""
    text = f"status {exchange.status}" + (f": {words}" if words else "")
    return f"{text} ({exchange.failure})" if exchange.failure else text


def unsent(exchange: Exchange) -> str | None:
    """Why ``exchange`` says nothing about the request: rate limit, overload, our own stop."""
    if exchange.status in ELSEWHERE:
        return f"not judged by its content: {told(exchange)}"
    if exchange.failure and exchange.failure.kind is FailureKind.CANCELLED:
        return "cancelled"
    if exchange.status is None and exchange.failure:
        kind = exchange.failure.kind
        if kind in (FailureKind.CONNECT, FailureKind.CONNECT_TIMEOUT, FailureKind.TLS):
            return f"no connection: {exchange.failure}"
    return None


def expect_refusal(exchange: Exchange, fault: str, *, accepted: Level = Level.MUST) -> None:
    """Hold if ``exchange`` is a 4xx answer; ``fault`` says what was wrong with the request.

    ``accepted`` is the level of accepting the fault with 2xx; a 5xx or no answer breaks a MUST.
    Raises :class:`Broken`, or :class:`Untestable` where the answer is about something else.
    """
    if reason := unsent(exchange):
        raise Untestable(reason, exchange)
    status = exchange.status
    if status is None:
        raise Broken(f"{fault}: {told(exchange)} instead of a 4xx", exchange, level=Level.MUST)
    if status >= 500:
        raise Broken(f"{fault}: {told(exchange)} instead of a 4xx", exchange, level=Level.MUST)
    if status < 400:
        raise Broken(f"{fault}: accepted with status {status}", exchange, level=accepted)


def error_object(exchange: Exchange) -> dict[str, Any] | None:
    """``body["error"]`` if it is an object, else ``None``."""
    body = exchange.json
    error = body.get("error") if isinstance(body, dict) else None
    return error if isinstance(error, dict) else None


def envelope_problem(exchange: Exchange) -> str | None:
    """One sentence why the body is no error envelope with a message and a type, or ``None``."""
    body = exchange.json
    if isinstance(body, JSONProblem):
        kind = exchange.media_type or "no content type"
        return f"the error body is not JSON ({kind}; {body.detail})"
    if not isinstance(body, dict):
        return f"the error body is a JSON {type(body).__name__}, not an object"
    if "error" not in body:
        return f"the error body has no member 'error' but {_names(body)}"
    error = body["error"]
    if not isinstance(error, dict):
        return f"'error' is {_shown(error)}, not an object"
    if not isinstance(error.get("message"), str) or not error["message"].strip():
        return f"error.message is {_shown(error.get('message'))}, not a non-empty string"
    if not isinstance(error.get("type"), str):
        return f"error.type is {_shown(error.get('type'))}, not a string"
    return None


def named_parameter(exchange: Exchange, name: str) -> bool:
    """Whether ``error.param`` names ``name`` or something inside it (``messages[0].role``)."""
    param = (error_object(exchange) or {}).get("param")
    if not isinstance(param, str):
        return False
    head = param.lstrip("$.").replace("[", ".").split(".")[0]
    return head == name


def _names(body: dict[str, Any]) -> str:
    return ", ".join(repr(name[:40]) for name in sorted(body)[:6]) or "no member at all"


def _shown(value: Any) -> str:
    return "absent" if value is None else repr(value)[:60]
