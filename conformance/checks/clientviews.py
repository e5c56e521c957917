"""What a client saw, held against what the wire says: pure functions from views to problems.

A problem is one sentence without the client's name. The client is never blamed: where the wire
says nothing that could be compared, there is nothing to tell, and what a version of a client
cannot do (a missing helper, an attribute it never fills) is no problem of the target.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from conformance.checks.answer import Answer, Choice, read_answer, why_unreadable
from conformance.checks.clients import Observed, Probe, View
from conformance.verdicts import Level
from conformance.wire.exchange import Exchange

__all__ = [
    "CLASSES",
    "Problem",
    "answers_alike",
    "errors_alike",
    "heads_alike",
    "told_by",
    "usage_alike",
    "wire_view",
]

#: Status → class of the exception in every version of both languages; the rest is the base class.
CLASSES: Mapping[int, str] = {
    400: "BadRequestError",
    401: "AuthenticationError",
    403: "PermissionDeniedError",
    404: "NotFoundError",
    409: "ConflictError",
    422: "UnprocessableEntityError",
    429: "RateLimitError",
}
#: Fields of one connection, or rewritten by the client's own HTTP library.
_OF_THE_CONNECTION = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"}
)
_COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
#: Ways of asking that no document promises.
_EXTRA = frozenset({"helper"})


@dataclass(frozen=True)
class Problem:
    """One difference; ``mark`` says it in two words, for tables.

    ``level`` is set where it weighs less than the requirement.
    """

    mark: str
    text: str
    exchange: Exchange | None
    level: Level | None = None


def wire_view(exchange: Exchange) -> View:
    """What the wire says, in the members of a client's view: a third view beside theirs."""
    wire = read_answer(exchange)
    if wire is None:
        return {"status": exchange.status, "error": {"message": why_unreadable(exchange)}}
    choices = {
        str(index): {
            "text": choice.text,
            "finish": choice.finish_reason,
            "tools": [_call(each) for each in choice.tool_calls],
        }
        for index, choice in sorted(wire.choices.items())
    }
    return {"status": exchange.status, "choices": choices, "usage": wire.usage}


def _call(call: Mapping[str, Any]) -> dict[str, Any]:
    return {key: call.get(key) for key in ("id", "name", "arguments")}


#: A difference before it has a place: mark and text.
_Difference = tuple[str, str]


def answers_alike(probe: Probe, observed: Observed) -> Iterator[Problem]:
    """Texts, finish reasons, tool calls, ids: the client's view of an answer and the wire's."""
    exchange = probe.exchange
    if exchange is None or not exchange.ok:
        return
    wire = read_answer(exchange)
    for way, view in observed.ways(probe.name).items():
        if view.get("absent"):
            continue
        yield from _placed(_difference(wire, view), way, probe)


def _placed(found: _Difference | None, way: str, probe: Probe) -> Iterator[Problem]:
    if found:
        mark, text = found
        extra = way in _EXTRA
        where = f"{probe.name}:" if way == "call" else f"{probe.name}, {way}:"
        level = Level.SHOULD if extra else None
        yield Problem(
            f"{mark} ({way})" if extra else mark, f"{where} {text}", probe.exchange, level
        )


def _difference(wire: Answer | None, view: View) -> _Difference | None:
    if view.get("error"):
        return _class(view), f"raises {_raised(view)}{_so_far(view)}"
    choices = _choices(view)
    if not choices:
        chunks = view.get("chunks")
        if chunks is None:
            return "no choice", "sees no choice"
        return "silent, empty", f"ends without a word after {chunks} chunks"
    if wire is None:
        return None
    for index, theirs in sorted(wire.choices.items()):
        mine = choices.get(str(index))
        if mine is None:
            return "choice lost", f"lacks choice {index}"
        found = _choice_difference(theirs, mine)
        if found:
            return found if index == 0 else (found[0], f"choice {index}: {found[1]}")
    return None


def _choice_difference(wire: Choice, view: Mapping[str, Any]) -> _Difference | None:
    if (view.get("text") or "") != wire.text:
        told = f"reads {_short(view.get('text'))} where the wire says {_short(wire.text)}"
        return "other text", told
    if (view.get("finish") or None) != wire.finish_reason:
        told = f"reads finish_reason {view.get('finish')!r}, the wire says {wire.finish_reason!r}"
        return "end lost", told
    calls = [_call(each) for each in wire.tool_calls]
    given = view.get("tools")
    seen = [
        _call(each) for each in (given if isinstance(given, list) else []) if isinstance(each, dict)
    ]
    if calls != seen:
        told = f"assembles the tool calls {_short(seen)}, the wire says {_short(calls)}"
        return "calls mixed up", told
    return None


def usage_alike(probe: Probe, observed: Observed) -> Iterator[Problem]:
    """The token counts, as whole numbers, where the wire has a usage object."""
    wire = read_answer(probe.exchange) if probe.exchange and probe.exchange.ok else None
    if wire is None or wire.usage is None:
        return
    for way, view in observed.ways(probe.name).items():
        if view.get("absent") or view.get("error") or way in _EXTRA:
            continue
        usage = view.get("usage")
        seen = usage if isinstance(usage, dict) else {}
        for name in _COUNTS:
            value = seen.get(name)
            if (
                isinstance(value, bool)
                or not isinstance(value, int)
                or value != wire.usage.get(name)
            ):
                text = f"reads usage.{name} {value!r}, the wire says {wire.usage.get(name)!r}"
                yield from _placed(("no number", text), way, probe)
                break


def errors_alike(language: str, probe: Probe, observed: Observed) -> Iterator[Problem]:
    """A refusal is raised at the call as the class of its status, with the message it carries."""
    exchange = probe.exchange
    if exchange is None or not exchange.complete or (exchange.status or 0) < 400:
        return
    for way, view in observed.ways(probe.name).items():
        if view.get("absent"):
            continue
        yield from _placed(_error_difference(language, exchange, view), way, probe)


def _error_difference(language: str, exchange: Exchange, view: View) -> _Difference | None:
    error = view.get("error")
    if not isinstance(error, dict):
        return "nothing raised", f"raises nothing at status {exchange.status}"
    wanted = _class_of(language, exchange.status or 0)
    if error.get("class") != wanted:
        return _class(view), f"raises {_raised(view)} at status {exchange.status}, not {wanted}"
    told = told_by(exchange)
    if told and _plain(told) not in _plain(str(error.get("message"))):
        lost = f"loses the message: {_raised(view)} where the wire says {_short(told)}"
        return "message lost", lost
    return _attribute_difference(exchange, error)


def _attribute_difference(exchange: Exchange, error: Mapping[str, Any]) -> _Difference | None:
    """Attributes that the client filled, and filled otherwise."""
    body = exchange.json
    inner = body.get("error") if isinstance(body, dict) else None
    if not isinstance(inner, dict):
        return None
    for name in ("code", "param", "type"):
        value = error.get(name)
        if value is not None and value != inner.get(name):
            told = f"reads error.{name} {value!r}, the wire says {inner.get(name)!r}"
            return f"other {name}", told
    return None


def _class_of(language: str, status: int) -> str:
    if status >= 500:
        return "InternalServerError"
    return CLASSES.get(status, "APIStatusError" if language == "python" else "APIError")


def told_by(exchange: Exchange) -> str:
    """The sentence for human readers in a refusal: ``error.message``, else the longest text."""
    body = exchange.json
    inner = body.get("error") if isinstance(body, dict) else None
    if isinstance(inner, dict) and isinstance(inner.get("message"), str):
        return str(inner["message"])
    texts = list(_texts(body)) if isinstance(body, dict | list) else []
    return max(texts, key=len, default="")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from _texts(each)


def heads_alike(probe: Probe, observed: Observed) -> Iterator[Problem]:
    """Status and header fields through the client's raw access."""
    exchange, view = probe.exchange, observed.ways(probe.name).get("raw")
    if exchange is None or not exchange.complete or view is None or view.get("absent"):
        return
    status, headers = view.get("status"), view.get("headers")
    if status is None and view.get("error"):
        yield Problem(_class(view), f"the raw response raises {_raised(view)}", exchange)
        return
    if status != exchange.status:
        text = f"the raw response has status {status!r}, the wire {exchange.status}"
        yield Problem("other status", text, exchange)
        return
    pairs = headers if isinstance(headers, list) else []
    seen = {str(pair[0]).lower(): str(pair[1]) for pair in pairs if len(pair) == 2}
    for name, value in exchange.headers:
        lower = name.lower()
        # Nobody agrees on what bytes beyond ASCII mean in a field (RFC 9110 §5.5).
        if lower in _OF_THE_CONNECTION or lower == "set-cookie" or not value.isascii():
            continue
        if value.strip() not in seen.get(lower, ""):
            text = f"the raw response has {lower}: {seen.get(lower)!r}, the wire {value!r}"
            yield Problem("field lost", text, exchange)
            return


def _choices(view: View) -> Mapping[str, Any]:
    found = view.get("choices")
    if not isinstance(found, dict):
        return {}
    return {index: value for index, value in found.items() if isinstance(value, dict)}


def _raised(view: View) -> str:
    error = view.get("error")
    if not isinstance(error, dict):
        return "something"
    message = " ".join(str(error.get("message")).split())
    return f"{_class(view)} ({message[:120]})"


def _class(view: View) -> str:
    error = view.get("error")
    return str(error.get("class")) if isinstance(error, dict) else "something"


def _so_far(view: View) -> str:
    chunks = view.get("chunks")
    return f" after {chunks} chunks" if isinstance(chunks, int) else ""


def _plain(text: str) -> str:
    """``text`` without what printing a value as Python or JSON changes."""
    return "".join(c for c in text if c.isalnum())


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "…"
