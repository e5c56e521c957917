"""Three views of one answer as Markdown: the wire, the Python SDK, the Node SDK.

Read from a finished run's files: what each client saw was learned (``learned.jsonl``), what the
wire says of the same answers is in the evidence.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import jsonschema

from conformance.checks.refusal import envelope_problem
from conformance.engine.evidence import evidence_path, read_evidence
from conformance.report.results import read_run
from conformance.schema.contract import Endpoint, Profile
from conformance.wire.exchange import Exchange
from conformance.wire.jsonbody import JSONProblem

__all__ = ["Learned", "Table", "read_learned", "wire_notes"]

#: Target → (language, version) → what was learned.
Learned = dict[str, dict[tuple[str, str], dict[str, Any]]]
FINE, UNKNOWN = "✓", "–"


def read_learned(run: Path) -> Learned:
    """What the clients of the run in ``run`` saw."""
    found: Learned = {}
    # Lines end with LF alone: what a target said may hold U+2028.
    for line in (run / "learned.jsonl").read_bytes().split(b"\n"):
        entry = json.loads(line or b"{}")
        value = entry.get("value")
        if isinstance(value, dict) and {"language", "marks"} <= value.keys():
            key = value["language"], value["version"]
            found.setdefault(entry["target"], {})[key] = value
    return found


def wire_notes(exchanges: Iterable[Exchange], profile: Profile) -> list[str]:
    """What is wrong with answers on the wire, each thing once, in two or three words."""
    notes: dict[str, None] = {}
    for exchange in exchanges:
        endpoint = profile.endpoints["chat" if "/chat/" in exchange.request.path else "completions"]
        for note in _notes(exchange, endpoint):
            notes[note] = None
    return list(notes)


def _notes(exchange: Exchange, endpoint: Endpoint) -> Iterable[str]:
    if not exchange.complete:
        yield str(exchange.failure)
    elif (exchange.status or 0) >= 400:
        if envelope_problem(exchange):
            yield "no error envelope"
    elif exchange.request.wants_stream:
        yield from _stream_notes(exchange, endpoint)
    else:
        if exchange.media_type != "application/json":
            yield f"`{exchange.media_type}`"
        yield from _schema_notes([exchange.json], endpoint.response_schema)


def _stream_notes(exchange: Exchange, endpoint: Endpoint) -> Iterable[str]:
    if exchange.media_type != "text/event-stream":
        yield f"`{exchange.media_type}`"
    stream = exchange.stream
    # The grammar allows a byte order mark; `stream.byte-order-mark` does not.
    yield from (each.kind for each in stream.breaches if not each.legal or each.kind == "bom")
    if len(stream.done_events) != 1:
        yield "no `[DONE]`"
    yield from _schema_notes([event.json for event in stream.data_events], endpoint.chunk_schema)


def _schema_notes(documents: Sequence[Any], schema: Mapping[str, Any] | None) -> Iterable[str]:
    for document in documents:
        if isinstance(document, JSONProblem):
            yield "no JSON"
        elif schema:
            validator = jsonschema.Draft202012Validator(schema)
            for error in validator.iter_errors(document):
                where = ".".join(str(part) for part in error.path if isinstance(part, str))
                lacks = error.validator == "required"
                yield f"member missing in `{where}`" if lacks else f"`{where}` is malformed"


class Table:
    """The pages' tables over the clients of a manifest."""

    def __init__(self, run: Path, clients: Sequence[Mapping[str, Any]]) -> None:
        self.run, self.clients = run, clients
        self.learned = read_learned(run)
        self.keys = [(each["language"], each["version"]) for each in clients]

    def head(self, *first: str) -> list[str]:
        """Two header lines: ``first``, then a column for each client."""
        names = [f"{language} {version}" for language, version in self.keys]
        cells = [*first, *names]
        return [_row(cells), "|" + "---|" * len(cells)]

    def missing(self) -> list[str]:
        """One line for each client that is not installed here."""
        return [
            f"- {each['language']} {each['version']}: untestable: {each['missing']}"
            for each in self.clients
            if each.get("missing")
        ]

    def topics(self, target: str, topics: Iterable[str]) -> list[str]:
        """One row for each topic: what each client made of the target's answers."""
        lines = self.head("requirement")
        for topic in topics:
            cells = [self._cell(target, key, [topic]) for key in self.keys]
            lines.append(_row([f"`{topic}`", *cells]))
        return lines

    def samples(self, target: str) -> list[str]:
        """One line for each documented sample: its verdict over all versions."""
        return [
            f"- `{each.requirement}`: {each.verdict} ({each.message})"
            for each in read_run(self.run).results
            if each.target == target and each.requirement.startswith("sdk.python.example.")
        ]

    def peculiarities(self, rows: Mapping[str, str], profile: Profile) -> list[str]:
        """One row for each target of ``rows`` (name → what is peculiar): wire and clients."""
        lines = self.head("answer", "wire")
        for target, says in rows.items():
            notes = wire_notes(self._shown(target), profile)
            wire = "<br>".join(notes[:3]) or FINE
            cells = [self._cell(target, key) for key in self.keys]
            lines.append(_row([says, wire, *cells]))
        return lines

    def _cell(self, target: str, key: tuple[str, str], topics: Sequence[str] | None = None) -> str:
        value = self.learned.get(target, {}).get(key)
        if value is None:
            return UNKNOWN
        marks = value["marks"]
        if topics is not None and not any(topic in marks for topic in topics):
            return UNKNOWN
        chosen = marks.keys() if topics is None else topics
        found = dict.fromkeys(mark for topic in chosen for mark in marks.get(topic, ()))
        told = [mark for mark in found if not mark.endswith(" (helper)")] or list(found)
        return "<br>".join(told[:2]) or FINE

    def _shown(self, target: str) -> list[Exchange]:
        values = self.learned.get(target, {}).values()
        wanted = {id for value in values for id in value["shown"].values()}
        path = evidence_path(self.run / "evidence", target)
        if not path.is_file():
            return []
        return [each for each in read_evidence(path) if each.id in wanted]


def _row(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
