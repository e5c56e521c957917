"""Bodies that are not one JSON object, byte by byte: truncated, trailing, empty, not UTF-8, …

The level is MUST where RFC 8259 leaves a parser no choice, MAY where it does (§8.1 byte order
marks, §4 duplicate names, §9 depth and extensions).
"""

from __future__ import annotations

from typing import Any

from conformance.generate.conversations import carrier_of
from conformance.generate.mutations import OPEN, REFUSED, Mutation, encode
from conformance.schema.contract import Endpoint
from conformance.verdicts import Level, Mode

__all__ = ["malformed_bodies"]

NESTING = 100_000
MUST, SHOULD, MAY = Level.MUST, Level.SHOULD, Level.MAY


def malformed_bodies(
    endpoint: Endpoint, *, model: str, mode: Mode | None = None, depth: str = "standard"
) -> list[Mutation]:
    """Malformed forms of the endpoint's minimal body, the plainest first."""
    body = endpoint.minimal_body(model)
    if endpoint.stream_switch and mode is Mode.STREAM:
        body[endpoint.stream_switch] = True
    good = encode(body)
    found = [*_not_json(good), *_not_text(good)]
    if depth != "quick":
        found += [*_other_values(good), *_deep(), *_odd(endpoint, body, good)]
    return found


def _fault(operator: str, body: bytes, level: Level, *, hostile: bool = False) -> Mutation:
    shown = body if len(body) <= 80 else body[:60] + b"..." + body[-20:]
    new = shown.decode("utf-8", "backslashreplace")
    expectation = OPEN if level is MAY else REFUSED
    return Mutation(operator, "", "the minimal body", new, body, level, expectation, hostile)


def _not_json(good: bytes) -> list[Mutation]:
    return [
        _fault("truncated JSON", good[:-5], MUST),
        _fault("empty body", b"", MUST),
        _fault("trailing garbage", good + b" x", MUST),
        _fault("no JSON at all", b"model=m&prompt=hello", MUST),
    ]


def _other_values(good: bytes) -> list[Mutation]:
    return [
        _fault("array for object", b"[" + good + b"]", MUST),
        _fault("string for object", b'"hello"', MUST),
        _fault("null for object", b"null", MUST),
        _fault("not a JSON number", good[:-1] + b',"temperature":NaN}', MUST, hostile=True),
    ]


def _not_text(good: bytes) -> list[Mutation]:
    broken = good.replace(b"hello", b"hel\xff\xfelo", 1)
    return [_fault("invalid UTF-8", broken, SHOULD, hostile=True)] if broken != good else []


def _deep() -> list[Mutation]:
    return [_fault("deep nesting", b"[" * NESTING + b"]" * NESTING, MUST, hostile=True)]


def _odd(endpoint: Endpoint, body: dict[str, Any], good: bytes) -> list[Mutation]:
    text = good.decode()
    first = next(iter(body))
    twice = f'{{"{first}":{encode(body[first]).decode()},{text[1:]}'
    found = [
        _fault("duplicate member", twice.encode(), MAY),
        _fault("byte order mark", b"\xef\xbb\xbf" + good, MAY),
        _fault("UTF-16", text.encode("utf-16"), MAY),
        _fault("trailing comma", good[:-1] + b",}", MAY),
        _fault("unknown member", good[:-1] + b',"conformance_unknown":1}', MAY),
    ]
    carrier = carrier_of(endpoint)
    if carrier is not None:
        lone = carrier.say("hel\ud800lo")
        marked = encode({**body, carrier.name: lone}).replace(b"\xed\xa0\x80", b"\\ud800")
        found.append(_fault("lone surrogate", marked, MAY, hostile=True))
    return found
