"""Python that sends a recorded request again with the openai SDK.

The key is never in it, only the name of the variable that holds it.
"""

from __future__ import annotations

import pprint
from typing import Any
from urllib.parse import unquote

from conformance.report.evidence import Record
from conformance.wire.jsonbody import parse_json
from conformance.wire.outgoing import WRONG_KEY

__all__ = ["python_snippet"]

#: Arguments that the SDK's methods name; any other goes through ``extra_body``.
_COMMON = frozenset(
    [
        "model",
        "stream",
        "stream_options",
        "max_tokens",
        "temperature",
        "top_p",
        "n",
        "stop",
        "seed",
        "user",
        "logit_bias",
        "presence_penalty",
        "frequency_penalty",
        "logprobs",
    ]
)
_CHAT = _COMMON | frozenset(
    [
        "messages",
        "tools",
        "tool_choice",
        "response_format",
        "top_logprobs",
        "max_completion_tokens",
        "parallel_tool_calls",
    ]
)
_COMPLETIONS = _COMMON | frozenset(["prompt", "suffix", "echo", "best_of"])

#: For each path: the SDK's method, what it needs besides the model, what it names.
_METHODS = {
    "/chat/completions": ("chat.completions.create", "messages", _CHAT),
    "/completions": ("completions.create", "prompt", _COMPLETIONS),
}


def python_snippet(record: Record, key_env: str = "API_KEY") -> str | None:
    """Python that sends ``record``'s request with the openai SDK; ``None`` where it cannot."""
    call = None if record.raw is not None else _call(record)
    if call is None or record.credential == "none" or not record.url.endswith(record.path):
        return None
    base_url = record.url.removesuffix(record.path)
    key = f'os.environ["{key_env}"]' if record.credential == "key" else repr(WRONG_KEY)
    lines = [
        *(["import os", ""] if record.credential == "key" else []),
        "from openai import OpenAI",
        "",
        f"client = OpenAI(base_url={base_url!r}, api_key={key}, max_retries=0)",
        *call,
    ]
    return "\n".join(lines) + "\n"


def _call(record: Record) -> list[str] | None:
    if record.method == "GET" and not record.body:
        return _listing(record.path)
    body = parse_json(record.body)
    if record.method != "POST" or not isinstance(body, dict):
        return None
    method, needed, names = _METHODS.get(record.path, ("", "", frozenset()))
    if not method or "model" not in body or needed not in body:
        path, shown = repr(record.path), _indented(body, "body=")
        return [f"answer = client.post({path}, cast_to=object, {shown})", "print(answer)"]
    known = {name: value for name, value in body.items() if name in names}
    extra = {name: value for name, value in body.items() if name not in names}
    arguments = [f"    {_indented(value, f'{name}=', 4)}," for name, value in known.items()]
    if extra:
        arguments.append(f"    {_indented(extra, 'extra_body=', 4)},")
    tail = (
        ["for chunk in answer:", "    print(chunk)"]
        if body.get("stream") is True
        else ["print(answer)"]
    )
    return [f"answer = client.{method}(", *arguments, ")", *tail]


def _listing(path: str) -> list[str] | None:
    if path == "/models":
        return ["print(client.models.list())"]
    if path.startswith("/models/"):
        return [f"print(client.models.retrieve({unquote(path.removeprefix('/models/'))!r}))"]
    return None


def _indented(value: Any, prefix: str, margin: int = 0) -> str:
    text = pprint.pformat(value, width=92 - margin, sort_dicts=False)
    first, *rest = text.splitlines()
    return "\n".join([prefix + first, *(" " * (margin + len(prefix)) + line for line in rest)])
