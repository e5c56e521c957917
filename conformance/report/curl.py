"""Lines that send a recorded request again with curl, from a POSIX shell.

The key is never in a line, only the name of the variable that holds it.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from urllib.parse import SplitResult, urlsplit

from conformance.report.evidence import Record
from conformance.wire.masking import KEY_MARK
from conformance.wire.outgoing import WRONG_KEY

__all__ = ["curl_line", "shell_quote", "start_line"]

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


def start_line(start: str, record: Record) -> str:
    """The command that has a server answer at the address of ``record``: ``start`` is the command
    that starts it somewhere.
    """
    port = urlsplit(record.url).port
    return f"{start} --port {port} --api-key test  # then, elsewhere: export API_KEY=test"


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
