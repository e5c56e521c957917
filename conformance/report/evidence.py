"""Recorded exchanges as a report reads them: only those it wants, whatever state the file is in."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Record", "load_records", "read_objects"]

_ID_FIRST = re.compile(rb'\s*\{\s*"id"\s*:\s*("(?:[^"\\]|\\.)*")')


@dataclass(frozen=True)
class Record:
    """One recorded exchange. ``headers`` of the request hold what was given beside the defaults;
    a value of ``None`` removes that default.
    """

    id: str
    target: str
    method: str
    path: str
    url: str
    request_headers: tuple[tuple[str, str | None], ...] = ()
    credential: str = "key"
    body: bytes = b""
    raw: bytes | None = None
    close_after: int | None = None
    status: int | None = None
    reason: str = ""
    headers: tuple[tuple[str, str], ...] = ()
    response: bytes = b""
    reads: tuple[tuple[float, int], ...] = ()
    raw_head: bytes = b""
    elapsed: float = 0.0
    failure: str = ""
    notes: tuple[str, ...] = field(default=())

    @property
    def streamed(self) -> bool:
        """Whether the answer says that it is a stream of server-sent events."""
        return any(
            name.lower() == "content-type" and value.lower().startswith("text/event-stream")
            for name, value in self.headers
        )

    @classmethod
    def from_json(cls, line: Mapping[str, Any]) -> Record:
        """Read a line; raises ``LookupError``, ``TypeError`` or ``ValueError`` on a foreign one."""
        request, failure = line["request"], line.get("failure") or {}
        return cls(
            id=str(line["id"]),
            target=str(line.get("target", "")),
            method=str(request["method"]),
            path=str(request["path"]),
            url=str(request.get("url") or request["path"]),
            request_headers=tuple(
                (str(name), None if value is None else str(value))
                for name, value in request.get("headers") or ()
            ),
            credential=str(request.get("credential", "key")),
            body=_bytes(request.get("body")),
            raw=_bytes(request["raw"]) if request.get("raw") else None,
            close_after=request.get("close_after"),
            status=line.get("status"),
            reason=str(line.get("reason") or ""),
            headers=tuple((str(name), str(value)) for name, value in line.get("headers") or ()),
            response=_bytes(line.get("body")),
            reads=tuple((float(at), int(end)) for at, end in line.get("body_reads") or ()),
            raw_head=_bytes(line.get("raw_head")),
            elapsed=float(line.get("elapsed") or 0),
            failure=": ".join(filter(None, (failure.get("kind"), failure.get("detail")))),
            notes=tuple(_notes(line)),
        )


def _bytes(part: Any) -> bytes:
    if isinstance(part, str):
        return part.encode("utf-8", "surrogateescape")
    if not part:
        return b""
    if "base64" in part:
        return base64.b64decode(part["base64"])
    return str(part["text"]).encode("utf-8", "surrogateescape")


def _notes(line: Mapping[str, Any]) -> Iterator[str]:
    if line.get("server_died"):
        yield "the next probe found the server dead"
    if line.get("closed_by_us"):
        yield "the suite closed the connection"
    if attempts := line.get("attempts"):
        yield f"{len(attempts)} earlier attempts were retried"


def read_objects(path: Path) -> Iterator[Mapping[str, Any]]:
    """The JSON objects of a file of lines; lines that are none (cut by a kill) are left out."""
    try:
        with path.open("rb") as lines:
            for raw in lines:
                try:
                    line = json.loads(raw)
                except (ValueError, RecursionError):
                    continue
                if isinstance(line, dict):
                    yield line
    except OSError:
        return


def load_records(
    folder: Path, wanted: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Record]:
    """The wanted records by (target, id); what is not there, or is not readable, is left out."""
    ids = {id for _, id in wanted}
    found: dict[tuple[str, str], Record] = {}
    for path in sorted(folder.glob("*.jsonl")) if wanted else ():
        for record in _records(path, ids):
            if (record.target, record.id) in wanted:
                found[record.target, record.id] = record
    return found


def _records(path: Path, ids: Collection[str]) -> Iterator[Record]:
    with path.open("rb") as lines:
        for raw in lines:
            # Most lines are not wanted, and many are long: look at the id before parsing.
            first = _ID_FIRST.match(raw[:400])
            try:
                if first and json.loads(first[1]) not in ids:
                    continue
                yield Record.from_json(json.loads(raw))
            except (LookupError, TypeError, ValueError, RecursionError, binascii.Error):
                continue
