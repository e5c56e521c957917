"""The Python driver with the SDK of this environment, on replayed bytes."""

from __future__ import annotations

import json
from typing import Any

import pytest

from conformance.checks.clientviews import CLASSES
from conformance.wire.exchange import Exchange, Read, Request

ARGUMENTS = {"model": "m", "messages": [{"role": "user", "content": "Hi."}]}


def recorded(status: int, body: bytes, media: str = "application/json") -> Exchange:
    """An exchange with the raw bytes that a server would have sent."""
    fields = (("Content-Type", media), ("Content-Length", str(len(body))), ("X-Request-Id", "r1"))
    head = f"HTTP/1.1 {status} Status\r\n" + "".join(f"{k}: {v}\r\n" for k, v in fields) + "\r\n"
    raw = head.encode() + body
    return Exchange(
        Request("POST", "/chat/completions", b"{}"),
        id="x1",
        status=status,
        headers=fields,
        raw=raw,
        raw_reads=(Read(0.0, len(raw)),),
        body=body,
    )


def case(name: str, *, stream: bool = False, answer: str | None = "x1") -> dict[str, Any]:
    return {
        "id": name,
        "surface": "chat",
        "stream": stream,
        "arguments": ARGUMENTS,
        "answer": answer,
    }


def views(outcome: Any) -> Any:
    assert outcome.exit_code == 0, outcome.stderr
    return json.loads(outcome.stdout)["views"]


def test_each_status_is_raised_as_its_class(run_job):
    """The table of classes is the SDK's, for every status and way."""
    statuses = [*CLASSES, 402, 405, 418, 500, 503]
    body = json.dumps({"error": {"message": "told", "type": "t", "code": "c"}}).encode()
    answers = {f"x{status}": recorded(status, body) for status in statuses}
    cases = [case(str(status), answer=f"x{status}") for status in statuses]

    outcome, _ = run_job(cases, answers)

    found = views(outcome)
    for status in statuses:
        base = "InternalServerError" if status >= 500 else "APIStatusError"
        for way in ("call", "async", "raw"):
            error = found[str(status)][way]["error"]
            assert CLASSES.get(status, base) == error["class"]
            assert "told" in error["message"]
            assert ("t", "c", status) == (error["type"], error["code"], error["status_code"])


def test_every_way_reads_a_regular_answer(run_job):
    """Sync, async and raw see text, end, usage, and the raw one the fields."""
    usage = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
    choice = {"index": 0, "message": {"content": "hé\u2028"}, "finish_reason": "stop"}
    document = {"id": "c", "model": "m", "choices": [choice], "usage": usage}
    body = json.dumps(document, ensure_ascii=False).encode()

    outcome, _ = run_job([case("chat")], {"x1": recorded(200, body)})

    ways = views(outcome)["chat"]
    assert {"call", "async", "raw"} == ways.keys()
    for view in ways.values():
        assert {"0": {"text": "hé\u2028", "finish": "stop", "tools": []}} == view["choices"]
        assert usage == view["usage"]
    assert ["x-request-id", "r1"] in ways["raw"]["headers"]


def test_tool_calls_are_gathered_by_index_by_loop_and_helper(run_job):
    """Two calls, their pieces interleaved."""
    pieces = [
        {"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}},
        {"index": 1, "id": "b", "type": "function", "function": {"name": "g", "arguments": ""}},
        {"index": 1, "function": {"arguments": "{}"}},
        {"index": 0, "function": {"arguments": "[]"}},
    ]
    deltas: list[dict[str, Any]] = [{"tool_calls": [piece]} for piece in pieces]
    deltas[0]["role"] = "assistant"
    ends = [None] * len(deltas) + ["tool_calls"]
    chunks = [
        {
            "id": "c",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": end}],
        }
        for delta, end in zip([*deltas, {}], ends, strict=True)
    ]
    body = b"".join(b"data: %s\n\n" % json.dumps(chunk).encode() for chunk in chunks)
    answer = recorded(200, body + b"data: [DONE]\n\n", "text/event-stream")

    outcome, _ = run_job([case("tools-stream", stream=True)], {"x1": answer})

    wanted = [
        {"id": "a", "name": "f", "arguments": "[]"},
        {"id": "b", "name": "g", "arguments": "{}"},
    ]
    ways = views(outcome)["tools-stream"]
    assert {"call", "async", "helper"} == ways.keys()
    for view in ways.values():
        assert wanted == view["choices"]["0"]["tools"], view


@pytest.mark.parametrize("status", [429, 500])
def test_a_live_case_is_asked_once_even_where_clients_would_retry(run_job, status):
    """Retries are off: one request, seen by the recording proxy."""
    sent: list[Request] = []

    async def target(request: Request) -> Exchange:
        sent.append(request)
        return recorded(status, b'{"error": {"message": "busy"}}').replace(request=request)

    outcome, exchanges = run_job([case("live", stream=True, answer=None)], {}, target)

    assert {"call"} == views(outcome)["live"].keys()
    assert 1 == len(sent) == len(exchanges)
    assert ("key", "/chat/completions") == (sent[0].credential, sent[0].path)
