"""One Python SDK, any version from 1.0.0 on: does a job file's cases and prints what it saw.

``driver.py JOB`` with JOB ``{"key", "timeout", "cases": [{"id", "base_url", "surface", "stream",
"arguments", "live"}]}`` prints ``{"version", "views": {case: {way: view}}}``. A view holds what a
user's code would hold: texts, finish reasons, tool calls, usage, or the exception. Nothing here
judges. Retries are off. It imports nothing but the SDK and the standard library.
"""

from __future__ import annotations

import asyncio
import json
import sys
import warnings
from pathlib import Path
from typing import Any

import openai

warnings.simplefilter("ignore")


def main() -> None:
    """Read the job, do each case in each way, print the views."""
    job = json.loads(Path(sys.argv[1]).read_bytes())
    options = {"api_key": job["key"], "base_url": "http://127.0.0.1", "timeout": job["timeout"]}
    client = openai.OpenAI(**options, max_retries=0)
    views = {case["id"]: ways_of(client, case) for case in job["cases"]}
    asyncio.run(ask_async(openai.AsyncOpenAI(**options, max_retries=0), job["cases"], views))
    json.dump({"version": openai.__version__, "views": views}, sys.stdout, default=str)


def ways_of(base: Any, case: dict[str, Any]) -> dict[str, Any]:
    """Every synchronous way of asking; a case that goes to the target is asked once."""
    client = base.with_options(base_url=case["base_url"])
    ways = {"call": seen(call, client, case)}
    if not case["live"]:
        other = {"helper": helper} if case["stream"] else {"raw": raw}
        ways.update((name, seen(way, client, case)) for name, way in other.items())
    return ways


async def ask_async(base: Any, cases: list[dict[str, Any]], views: dict[str, Any]) -> None:
    """The same calls with the asynchronous client, one after the other."""
    for case in cases:
        if not case["live"]:
            client = base.with_options(base_url=case["base_url"])
            views[case["id"]]["async"] = await call_async(client, case)
    await base.close()


def seen(way: Any, client: Any, case: dict[str, Any]) -> dict[str, Any]:
    """The view that ``way`` fills, with the exception that ended it."""
    view: dict[str, Any] = {"choices": {}}
    try:
        way(client, case, view)
    except Exception as error:
        view["error"] = told(error)
    return view


def call(client: Any, case: dict[str, Any], view: dict[str, Any]) -> None:
    """``create``, and the loop over chunks that every tutorial prints."""
    answer = surface(client, case).create(**case["arguments"], stream=case["stream"])
    if not case["stream"]:
        read(answer, view)
        return
    view["chunks"] = 0
    for chunk in answer:
        add(chunk, view)


async def call_async(client: Any, case: dict[str, Any]) -> dict[str, Any]:
    """What :func:`call` does, awaited."""
    view: dict[str, Any] = {"choices": {}}
    try:
        answer = await surface(client, case).create(**case["arguments"], stream=case["stream"])
        if not case["stream"]:
            read(answer, view)
        else:
            view["chunks"] = 0
            async for chunk in answer:
                add(chunk, view)
    except Exception as error:
        view["error"] = told(error)
    return view


def raw(client: Any, case: dict[str, Any], view: dict[str, Any]) -> None:
    """Status and header fields, and the answer parsed from the same response."""
    response = surface(client, case).with_raw_response.create(**case["arguments"])
    view["status"] = response.status_code
    view["headers"] = [[name, value] for name, value in response.headers.items()]
    view["request_id"] = getattr(response, "request_id", None)
    read(response.parse(), view)


def helper(client: Any, case: dict[str, Any], view: dict[str, Any]) -> None:
    """The streaming helper of chat completions, where this version has one."""
    beta = getattr(getattr(client, "beta", None), "chat", None)
    found = [getattr(chat, "completions", None) for chat in (client.chat, beta)]
    streaming = [each for each in found if hasattr(each, "stream")]
    if not streaming or case["surface"] != "chat":
        view["absent"] = True
        return
    with streaming[0].stream(**case["arguments"]) as events:
        for _ in events:
            pass
        read(events.current_completion_snapshot, view)


def surface(client: Any, case: dict[str, Any]) -> Any:
    """The method's resource."""
    return client.chat.completions if case["surface"] == "chat" else client.completions


def read(answer: Any, view: dict[str, Any]) -> None:
    """A whole answer, by the attributes that users write."""
    for choice in answer.choices:
        message = getattr(choice, "message", None)
        text = choice.text if message is None else message.content
        calls = getattr(message, "tool_calls", None) or []
        view["choices"][str(choice.index)] = {
            "text": text,
            "finish": choice.finish_reason,
            "tools": [call_of(each) for each in calls],
        }
    view.update(id=answer.id, model=answer.model, usage=usage_of(answer))


def add(chunk: Any, view: dict[str, Any]) -> None:
    """One chunk; tool calls are gathered by index, as the function calling guide does it."""
    view["chunks"] += 1
    view["id"] = chunk.id
    for choice in chunk.choices:
        empty = {"text": "", "finish": None, "tools": [], "indices": []}
        slot = view["choices"].setdefault(str(choice.index), empty)
        delta = getattr(choice, "delta", None)
        slot["text"] += (choice.text if delta is None else delta.content) or ""
        slot["finish"] = choice.finish_reason or slot["finish"]
        for part in getattr(delta, "tool_calls", None) or []:
            gather(slot, part)
    view["usage"] = usage_of(chunk) or view.get("usage")


def gather(slot: dict[str, Any], part: Any) -> None:
    """One piece of a tool call into the call with its index."""
    index = member(part, "index")
    if index not in slot["indices"]:
        slot["indices"].append(index)
        slot["tools"].append(call_of(part))
        return
    known = slot["tools"][slot["indices"].index(index)]
    known["arguments"] += member(member(part, "function"), "arguments") or ""


def call_of(part: Any) -> dict[str, Any]:
    """A tool call, or the first piece of one."""
    function = member(part, "function")
    arguments = member(function, "arguments") or ""
    return {"id": member(part, "id"), "name": member(function, "name"), "arguments": arguments}


def usage_of(answer: Any) -> dict[str, Any] | None:
    """The token counts, as they are."""
    usage = getattr(answer, "usage", None)
    if usage is None:
        return None
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    return {name: member(usage, name) for name in names}


def member(value: Any, name: str) -> Any:
    """An attribute; what a version does not know yet, it keeps as a plain dictionary."""
    return value.get(name) if isinstance(value, dict) else getattr(value, name)


def told(error: Exception) -> dict[str, Any]:
    """An exception: its class, its words, and the attributes that the SDK fills."""
    names = ("status_code", "code", "param", "type", "request_id")
    attributes = {name: getattr(error, name, None) for name in names}
    return {"class": type(error).__name__, "message": str(error), **attributes}


if __name__ == "__main__":
    main()
