"""A bench: judge chosen requirements against an application in this process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any

import pytest

from conformance.checks.api import Depth
from conformance.checks.catalogue import catalogue, items_of
from conformance.checks.context import Subject
from conformance.engine.budget import Budget
from conformance.engine.corpora import Corpora
from conformance.engine.engine import Engine
from conformance.engine.events import Decided, Event, Result
from conformance.engine.evidence import EvidenceStore
from conformance.engine.sender import Sender
from conformance.reference.mutants import Built, build
from conformance.reference.mutants.honest import honest
from conformance.schema.contract import Profile
from conformance.schema.profiles import load_profile
from conformance.wire.asgi import ASGIWire
from conformance.wire.exchange import Request
from conformance.wire.masking import Mask

BASE = "http://testserver/v1"

#: Judges requirements by id or pattern: ``bench("auth.*", mutant="auth-any-key")``.
Bench = Callable[..., list[Result]]


@pytest.fixture(scope="session")
def bench() -> Bench:
    """Judge patterns of requirement ids against the reference, a mutant of it, or any application."""

    def run(
        *patterns: str,
        mutant: str | None = None,
        server: Built | None = None,
        profile: str | Profile = "deeptrin",
        depth: Depth = Depth.STANDARD,
        **options: Any,
    ) -> list[Result]:
        built = server or (build(mutant) if mutant else honest(**options))
        return asyncio.run(_run(built, patterns, profile, depth))

    return run


async def _run(
    built: Built, patterns: Iterable[str], profile: str | Profile, depth: Depth
) -> list[Result]:
    known = load_profile(profile, model=built.model) if isinstance(profile, str) else profile
    chosen = [
        item
        for item in items_of(known, catalogue(known).values())
        if item.promised
        and depth.covers(item.requirement.depth)
        and any(fnmatchcase(item.requirement.id, pattern) for pattern in patterns)
    ]
    subject = Subject(BASE, built.model, has_key=built.key is not None, depth=depth)
    store = EvidenceStore(None, "bench", BASE, Mask([built.key]))
    async with ASGIWire(built.app, BASE, {"key": built.key}) as wire:
        endpoint = next(each for each in known.endpoints.values())
        body = Request(endpoint.method, endpoint.path, b"{}")
        sender = Sender(wire, Budget(), store.keep, probe=body)
        found: list[Result] = []

        def note(event: Event) -> None:
            if isinstance(event, Decided):
                found.append(event.result)

        engine = Engine(
            "bench",
            subject,
            known,
            sender,
            Corpora(known, subject),
            lambda item, judged: (judged.verdict, judged.message, None),
            note,
            _no_example,
            recovery_seconds=0.5,
            recorded=lambda: tuple(store.exchanges),
        )
        await engine.run(chosen)
    return found


async def _no_example(*_: Any) -> Any:
    raise NotImplementedError("the bench runs no documented examples")
