"""Judges mutants in this process: chosen requirements or all of them, and who accuses."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from conformance.checks.api import Depth, Phase
from conformance.checks.catalogue import Item, catalogue, items_of
from conformance.checks.context import Subject
from conformance.engine.budget import Budget
from conformance.engine.corpora import Corpora, encode
from conformance.engine.engine import Engine
from conformance.engine.events import Decided, Event, Result
from conformance.engine.evidence import EvidenceStore
from conformance.engine.examples import run_example
from conformance.engine.sender import Sender
from conformance.reference.mutants import Built, Mutant, build
from conformance.reference.mutants.honest import honest
from conformance.reference.mutants.recorded import Recording
from conformance.reference.mutants.transform import transformed
from conformance.schema.contract import Profile
from conformance.schema.profiles import load_profile
from conformance.verdicts import Level, Verdict
from conformance.wire.asgi import ASGIWire
from conformance.wire.client import Timeouts, Wire
from conformance.wire.exchange import Exchange, Request
from conformance.wire.masking import Mask

BASE = "http://127.0.0.1/v1"
#: Seconds that a stalled mutant may cost, for few requirements and for all at once. Stalled streams
#: begin: what has to wait for its first byte is a long honest answer on a machine with much to do.
BRIEF, LONG = Timeouts(2.0, 10.0, 2.0, 20.0), Timeouts(2.0, 60.0, 8.0, 80.0)
#: The narrowest profile that promises what a mutant breaks is the one it is judged under.
PROFILES: tuple[str, ...] = ("deeptrin", "openai")
#: What gives the requirements that judge every recorded exchange something to look at.
ASKING = (
    "accepts.minimal",
    "auth.no-key",
    "auth.wrong-key",
    "error.unknown-model",
    "http.head",
    "message.image-part",
    "param.stop.validates",
    "param.temperature.validates",
)
#: Chapters whose checks run programs: interpreters, SDKs, curl.
PROGRAMS = ("example", "sdk")
BAD = {
    Level.MUST: {Verdict.FAIL, Verdict.IGNORED, Verdict.REJECTED},
    Level.SHOULD: {Verdict.WARN, Verdict.FAIL, Verdict.IGNORED, Verdict.REJECTED},
}
ACCUSING = {Verdict.FAIL, Verdict.IGNORED, Verdict.REJECTED, Verdict.WARN, Verdict.FLAKY}


@dataclass(frozen=True)
class Bench:
    """A profile with its items and the honest server's recorded answers."""

    profile: Profile
    items: tuple[Item, ...]
    corpora: Corpora
    subject: Subject
    built: Built
    recording: Recording

    @property
    def ids(self) -> frozenset[str]:
        """The requirements that the profile promises."""
        return frozenset(item.requirement.id for item in self.items)


@cache
def bench(profile: str) -> Bench:
    """The bench for ``profile``, set up once for each process."""
    built = honest()
    known = load_profile(profile, model=built.model)
    items = tuple(
        item
        for item in items_of(known, catalogue(known).values())
        if item.promised and Depth.STANDARD.covers(item.requirement.depth)
    )
    subject = Subject(BASE, built.model, has_key=True)
    return Bench(known, items, Corpora(known, subject), subject, built, Recording(built.app))


def profile_of(mutant: Mutant) -> str:
    """The profile under which ``mutant`` is judged."""
    if mutant.profile:
        return mutant.profile
    if mutant.endpoint in ("models", "model"):
        return PROFILES[-1]
    fitting = [name for name in PROFILES if set(mutant.kills) <= bench(name).ids]
    return (fitting or PROFILES)[0]


@cache
def honest_results(profile: str) -> dict[tuple[Any, ...], Result]:
    """What the honest server gets, by item."""
    chosen = bench(profile)
    items = [each for each in chosen.items if each.requirement.chapter not in PROGRAMS]
    results = asyncio.run(judge_app(chosen, chosen.recording.app_of_run(), items))
    return {each.item.key: each for each in results}


def judge_mutant(mutant: Mutant, wanted: Callable[[Item], bool]) -> list[Result]:
    """The results of ``mutant`` for the items that are ``wanted``."""
    chosen = bench(profile_of(mutant))
    items = [item for item in chosen.items if wanted(item)]
    if mutant.kind == "service":
        app = build(mutant.name).app
    else:
        app = transformed(chosen.recording.app_of_run(), mutant)
    return asyncio.run(judge_app(chosen, app, items))


def concerning(mutant: Mutant) -> Callable[[Item], bool]:
    """The declared killers, and the requirements that judge whatever was exchanged."""

    def wanted(item: Item) -> bool:
        requirement = item.requirement
        always = requirement.phase is Phase.FINAL or requirement.id in ASKING
        return always or requirement.id in mutant.kills

    return wanted


def everything(mutant: Mutant) -> Callable[[Item], bool]:
    """The whole catalogue; programs are run only against mutants made for them.

    A Python interpreter or curl takes a second or more: against every mutant that would be hours.
    """

    def wanted(item: Item) -> bool:
        program = item.requirement.chapter in PROGRAMS
        return not program or item.requirement.id in mutant.kills

    return wanted


def killers(profile: str, results: Iterable[Result]) -> frozenset[str]:
    """The requirements that accuse as loudly as their level allows (MAY: by saying so)."""
    return frozenset(each.requirement.id for each in results if _kills(profile, each))


def _kills(profile: str, result: Result) -> bool:
    if result.requirement.level is Level.MAY:
        before = honest_results(profile)[result.item.key]
        return result.verdict is Verdict.INFO and _said(before) != _said(result)
    return result.verdict in BAD.get(result.level, set())


def _said(result: Result) -> str:
    """The message without the number of cases, which every refusal changes."""
    return re.sub(r" ?\(and \d+ more of \d+ cases\)|^\d+ cases$", "", result.message)


def accusers(profile: str, results: Iterable[Result]) -> list[str]:
    """Every requirement that says anything against the server."""
    results = list(results)
    loud = {each.requirement.id for each in results if each.verdict in ACCUSING}
    return sorted(loud | killers(profile, results))


async def judge_app(chosen: Bench, app: Any, items: Sequence[Item]) -> list[Result]:
    """The results of ``items`` against ``app``."""
    timeouts = LONG if len(items) > 100 else BRIEF
    async with ASGIWire(app, BASE, {"key": chosen.built.key}, timeouts=timeouts) as wire:
        return await judge_wire(chosen, wire, BASE, items)


async def judge_wire(
    chosen: Bench, wire: Wire | ASGIWire, base: str, items: Sequence[Item]
) -> list[Result]:
    """The results of ``items`` against what ``wire`` reaches at ``base``."""
    built = chosen.built
    store = EvidenceStore(None, "bench", base, Mask([built.key]))
    endpoint = chosen.profile.endpoints["chat"]
    probe = Request(endpoint.method, endpoint.path, encode(endpoint.minimal_body(built.model)))
    sender = Sender(wire, Budget(), store.keep, probe=probe)
    found: list[Result] = []

    def note(event: Event) -> None:
        if isinstance(event, Decided):
            found.append(event.result)

    async def example(kind: str, code: str, phase: Phase) -> tuple[object, list[Exchange]]:
        async def forward(request: Request) -> Exchange:
            return await sender.send(request, phase=phase)

        return await run_example(kind, code, forward, base)

    engine = Engine(
        "bench",
        replace(chosen.subject, base_url=base),
        chosen.profile,
        sender,
        chosen.corpora,
        lambda item, judged: (judged.verdict, judged.message, None),
        note,
        example,
        recovery_seconds=0.5,
        recorded=lambda: tuple(store.exchanges),
    )
    await engine.run(items)
    return found
