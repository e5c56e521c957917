"""Lines that send a recorded request again: with curl from a POSIX shell, with the openai SDK.

The key is never in a line, only the name of the variable that holds it.
"""

from __future__ import annotations

import base64
import json
import pprint
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

from conformance.report.evidence import Record
from conformance.wire.jsonbody import parse_json
from conformance.wire.masking import KEY_MARK
from conformance.wire.outgoing import WRONG_KEY

__all__ = ["curl_line", "pretty_json", "python_snippet", "shell_quote"]

#: Linux lets one argument have 128 KiB; a line longer than this is no use to copy either.
LONGEST_ARGUMENT = 60_000

_OWN_HEADERS = frozenset({"host", "content-length", "connection", "user-agent", "accept-encoding"})
_INSIDE_QUOTES = re.compile(r"[A-Za-z0-9_@%+=:,./ -]*")
_PLAIN = re.compile(r"[A-Za-z0-9_@%+=:,./-]+")


def shell_quote(text: str, key_env: str = "API_KEY") -> str:
    """``text`` as one word of a POSIX shell; the key's mark becomes the variable ``key_env``."""
    parts = text.split(KEY_MARK)
    if len(parts) > 1 and all(_INSIDE_QUOTES.fullmatch(part) for part in parts):
        return '"' + f"${{{key_env}}}".join(parts) + '"'
    return f'"${{{key_env}}}"'.join(map(_quoted, parts)) or "''"


def _quoted(text: str) -> str:
    if not text or _PLAIN.fullmatch(text):
        return text
    return "'" + text.replace("'", "'\\''") + "'"


def curl_line(record: Record, key_env: str = "API_KEY") -> str:
    """One command line that sends ``record``'s request: method, address, body byte for byte, and
    every header but what each client says of itself (User-Agent, Accept unless it was changed).
    """
    if record.raw is not None:
        return _raw_line(record, key_env)
    feed, data = _data(record.body, key_env)
    words = ["curl", "-sS", "-i", *_method(record)]
    if b'"stream":true' in record.body.replace(b" ", b""):
        words.append("-N")
    if re.search(r"[\[\]{}]|/\.\.?(/|$)", record.url):
        words += ["--globoff", "--path-as-is"]
    words.append(shell_quote(record.url, key_env))
    for header in _headers(record):
        words += ["-H", shell_quote(header, key_env)]
    return feed + " ".join([*words, *data])


def _method(record: Record) -> list[str]:
    if record.method == "HEAD":
        return ["-I"]
    usual = "POST" if record.body else "GET"
    return [] if record.method == usual else ["-X", shell_quote(record.method)]


def _headers(record: Record) -> Iterator[str]:
    given = {name.lower() for name, _ in record.request_headers}
    for name, value in record.request_headers:
        if name.lower() not in _OWN_HEADERS:
            # curl: "Name:" removes a header of its own, "Name;" sends it empty.
            yield f"{name}:" if value is None else f"{name}: {value}" if value else f"{name};"
    if record.body and "content-type" not in given:
        yield "Content-Type: application/json"
    if "authorization" not in given and record.credential != "none":
        yield f"Authorization: Bearer {KEY_MARK if record.credential == 'key' else WRONG_KEY}"


def _data(body: bytes, key_env: str) -> tuple[str, list[str]]:
    """What feeds curl's standard input (``""`` for nothing), and its options for the body."""
    if not body:
        return "", []
    if (text := _as_text(body)) is not None and len(body) <= LONGEST_ARGUMENT:
        return "", ["--data-raw", shell_quote(text, key_env)]
    if len(body) <= 64:
        octal = "".join(f"\\{byte:03o}" for byte in body)
        return f"printf '{octal}' | ", ["--data-binary", "@-"]
    if len(body) <= LONGEST_ARGUMENT:
        return f"{_decoded(body)} | ", ["--data-binary", "@-"]
    return "", ["--data-binary", "@request-body.bin"]


def _decoded(data: bytes) -> str:
    return f"printf %s {base64.b64encode(data).decode()} | base64 -d"


def _as_text(body: bytes) -> str | None:
    """The body as an argument, unless a shell, an argument or a terminal could spoil it."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return (
        None if re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]", text) else text
    )


def _raw_line(record: Record, key_env: str) -> str:
    url = urlsplit(record.url)
    try:
        port = url.port or (443 if url.scheme == "https" else 80)
    except ValueError:
        port = 80
    host = shell_quote(url.hostname or "localhost")
    sender = f"nc {host} {port}"
    if url.scheme == "https":
        sender = f"openssl s_client -quiet -connect {host}:{port}"
    parts = _filled(record, url).split(KEY_MARK.encode())
    feeds = f'; printf %s "${{{key_env}}}"; '.join(_decoded(part) for part in parts if part)
    return f"{{ {feeds}; }} | {sender}" if len(parts) > 1 else f"{feeds} | {sender}"


def _filled(record: Record, url: SplitResult) -> bytes:
    """The raw request with its placeholders filled in, as the raw-socket sender does."""
    raw = record.raw or b""
    if record.credential == "none":
        raw = re.sub(rb"[^\r\n]*\{authorization\}[^\r\n]*(?:\r?\n|\Z)", b"", raw)
    secret = KEY_MARK if record.credential == "key" else WRONG_KEY
    for name, value in (
        ("authorization", f"Bearer {secret}"),
        ("host", url.netloc),
        ("base_path", url.path.removesuffix(record.path)),
    ):
        raw = raw.replace(f"{{{name}}}".encode(), value.encode("utf-8", "replace"))
    return raw


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


def pretty_json(body: bytes) -> str | None:
    """A JSON body indented for reading, its numbers and strings as sent; ``None`` if it is none."""
    value = parse_json(body)
    if not isinstance(value, dict | list):
        return None
    return json.dumps(value, indent=2, ensure_ascii=False)
