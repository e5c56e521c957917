"""From a target and its options to an engine that is ready to run."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

from conformance.checks.api import Depth, Phase
from conformance.checks.catalogue import Item, catalogue, items_of
from conformance.checks.clients import KIND as CLIENT
from conformance.checks.context import Subject
from conformance.engine.budget import Budget, BudgetSpent
from conformance.engine.clients import ClientRunner, Program, read_manifest
from conformance.engine.corpora import Corpora, encode
from conformance.engine.engine import Engine
from conformance.engine.events import Event
from conformance.engine.evidence import EvidenceStore
from conformance.engine.examples import run_example
from conformance.engine.judging import Judged
from conformance.engine.sender import Aborted, Sender, WireLike
from conformance.engine.sharding import share
from conformance.options import RunOptions
from conformance.schema.contract import Profile
from conformance.schema.profiles import load_profile, widened
from conformance.targets.declared import apply, declared
from conformance.targets.model import Kind, Target
from conformance.verdicts import Verdict
from conformance.wire.asgi import ASGIApp, ASGIWire
from conformance.wire.client import Timeouts, Wire
from conformance.wire.exchange import Exchange, Failure, FailureKind, Request
from conformance.wire.masking import Mask

__all__ = ["TargetPlan", "declared_by", "open_engine", "plan_target"]

#: Where servers inside this process are said to be: nothing is sent there, but a line that repeats
#: a request works once the server is started at this port.
IN_PROCESS = "http://127.0.0.1:8321/v1"


@dataclass(frozen=True)
class TargetPlan:
    """One target with its profile and every item of the catalogue that concerns it."""

    target: Target
    profile: Profile
    items: tuple[Item, ...]
    options: RunOptions
    programs: tuple[Program, ...] = ()

    @property
    def name(self) -> str:
        """The target's name."""
        return self.target.name

    @property
    def depth(self) -> Depth:
        """How deep the run goes."""
        return self.options.depth

    def excluded(self, item: Item) -> tuple[Verdict, str, str] | None:
        """Verdict, message and reason of an item that this run does not try, else ``None``."""
        if found := self._left_out(item):
            return found
        if item.requirement.id not in self.shard:
            return Verdict.NOT_RUN, f"not in shard {self.options.shard}", "deselected"
        return None

    @cached_property
    def shard(self) -> frozenset[str]:
        """Ids of the requirements that this part of the catalogue holds."""
        tried = [item for item in self.items if self._left_out(item) is None]
        part = self.options.shard
        return share(tried, part.index, part.count) if part else share(tried, 1, 1)

    def _left_out(self, item: Item) -> tuple[Verdict, str, str] | None:
        if not item.promised and not self.options.probe_all:
            return Verdict.NOT_PROMISED, _why_not_promised(self.profile, item), "profile"
        if not self.depth.covers(item.depth):
            return Verdict.NOT_RUN, f"left out at depth {self.depth.value}", "depth"
        if item.requirement.chapter == "sdk" and self.options.sdks is None:
            return Verdict.NOT_RUN, "no SDK environments were given (--sdks DIR)", "depth"
        return None


def _why_not_promised(profile: Profile, item: Item) -> str:
    """In the documentation's own words where it says that something is not supported."""
    message = f"not promised by the profile {profile.name}"
    needs = (item.requirement.parameter or "", *item.requirement.needs)
    source = next((profile.withdrawn[each] for each in needs if each in profile.withdrawn), None)
    return f"{message}: “{source.quote}” ({source.reference})" if source else message


def plan_target(target: Target, options: RunOptions) -> TargetPlan:
    """The plan for ``target``. Raises ``ConfigurationError`` for an unknown profile."""
    profile = load_profile(
        target.profile,
        overlays=options.schemas_dirs,
        model=target.model or None,
    )
    if target.kind is not Kind.HTTP and not target.model:
        from conformance.reference.service import MODELS

        target = replace(target, model=MODELS[0])
    if options.probe_all:
        profile, items = _everything(profile)
    else:
        items = items_of(profile, catalogue(profile).values())
    programs = read_manifest(options.sdks) if options.sdks else ()
    return TargetPlan(target, profile, tuple(items), options, programs)


def _everything(promised: Profile) -> tuple[Profile, list[Item]]:
    """The profile widened by all that the suite knows to ask, and its items, marked as promised
    only where the narrower profile promises them."""
    wide = widened(promised)
    requirements = {**catalogue(wide), **catalogue(promised)}
    known = {item.key for item in items_of(promised, requirements.values()) if item.promised}
    items = items_of(wide, requirements.values())
    return wide, [replace(item, promised=item.key in known) for item in items if item.promised]


@asynccontextmanager
async def open_engine(
    plan: TargetPlan,
    evidence: Path | None,
    emit: Callable[[Event], None],
    *,
    app: ASGIApp | None = None,
) -> AsyncIterator[Engine]:
    """An engine for ``plan``: starts the embedded server if the target is one.

    ``app`` is asked in this process instead of the target's address.
    """
    async with AsyncExitStack() as stack:
        target, wire = await _connect(plan, stack, app)
        key = target.key(os.environ)
        mask = Mask([key] if key else [])
        store = EvidenceStore(evidence, target.name, target.base_url, mask)
        stack.callback(store.close)
        subject = Subject(
            target.base_url,
            target.model,
            has_key=key is not None,
            concurrency=target.limits.concurrency,
            seed=plan.options.seed,
            depth=plan.depth,
            clients=tuple(each.client for each in plan.programs),
        )
        yield _engine(plan, target, subject, wire, store, emit)


def _engine(
    plan: TargetPlan,
    target: Target,
    subject: Subject,
    wire: WireLike,
    store: EvidenceStore,
    emit: Callable[[Event], None],
) -> Engine:
    limits = target.limits
    budget = Budget(limits.max_requests, limits.max_completion_tokens, limits.max_seconds)
    sender = Sender(
        wire,
        budget,
        store.keep,
        concurrency=limits.concurrency,
        requests_per_minute=limits.requests_per_minute,
        probe=_probe(plan.profile, subject),
        first_number=store.numbers + 1,
        prefix=f"s{plan.options.shard.index}x" if plan.options.shard else "x",
    )

    clients = ClientRunner(plan.programs, store.load, target.base_url)

    async def example(kind: str, code: str, phase: Phase) -> tuple[object, list[Exchange]]:
        stopped: list[BudgetSpent | Aborted] = []

        async def forward(request: Request) -> Exchange:
            try:
                return await sender.send(request, phase=phase)
            except (BudgetSpent, Aborted) as stop:
                stopped.append(stop)
                # To the program this looks like a lost connection; nobody judges what it makes of it.
                return Exchange(request, failure=Failure(FailureKind.CANCELLED, str(stop)))

        if kind.startswith(CLIENT):
            outcome = await clients.run(kind, code, forward, budget.seconds_left)
        else:
            outcome = await run_example(kind, code, forward, target.base_url, budget.seconds_left)
        if stopped:
            raise stopped[0]
        return outcome

    return Engine(
        target.name,
        subject,
        plan.profile,
        sender,
        Corpora(plan.profile, subject),
        declared_by(target),
        emit,
        example,
        recovery_seconds=target.recovery_seconds,
        recorded=lambda: store.exchanges,
        load=store.load,
    )


def _probe(profile: Profile, subject: Subject) -> Request | None:
    """The plainest request of the first endpoint that generates."""
    endpoints = sorted(profile.endpoints.values(), key=lambda e: e.stream_switch is None)
    if not endpoints:
        return None
    contract = endpoints[0]
    body = encode(contract.minimal_body(subject.model)) if contract.method == "POST" else b""
    return Request(contract.method, contract.path_for(subject.model), body)


def declared_by(target: Target) -> Callable[[Item, Judged], tuple[Verdict, str, str | None]]:
    """Applies what the owner of ``target`` declared to a judgement: verdict, message, reason."""
    today = datetime.now(UTC).date()

    def judge(item: Item, judged: Judged) -> tuple[Verdict, str, str | None]:
        no_key = judged.verdict is Verdict.UNTESTABLE and judged.message.startswith("no key")
        entry = declared(target, item.requirement.id, item.endpoint, item.mode, today)
        if entry is None:
            return judged.verdict, judged.message, "no key" if no_key else None
        verdict, told = apply(judged.verdict, entry, today)
        message = "; ".join(part for part in (told, judged.message) if part)
        return verdict, message, entry.reason

    return judge


async def _connect(
    plan: TargetPlan, stack: AsyncExitStack, app: ASGIApp | None
) -> tuple[Target, WireLike]:
    target = plan.target
    if app is not None:
        return target, _in_process(target, app)
    if target.kind is Kind.MUTANT:
        from conformance.reference.mutants import build

        embedded = build(target.mutant or "")
        started = target.started(IN_PROCESS, embedded.model, embedded.key)
        return started, _in_process(started, embedded.app)
    if target.kind is Kind.REFERENCE:
        from conformance.reference.serve import start_reference

        server = await asyncio.to_thread(stack.enter_context, start_reference())
        target = target.started(server.base_url, server.model, server.key)
    wire = Wire(
        target.base_url, _keys(target), timeouts=_timeouts(target), verify=target.verify_tls
    )
    stack.push_async_callback(wire.aclose)
    return target, _WithHeaders(wire, target.headers) if target.headers else wire


def _in_process(target: Target, app: ASGIApp) -> WireLike:
    return ASGIWire(app, target.base_url, _keys(target), timeouts=_timeouts(target))


def _keys(target: Target) -> dict[str, str | None]:
    return {"key": target.key(os.environ)}


class _WithHeaders:
    """A wire that adds the target's own header fields to every request."""

    def __init__(self, wire: WireLike, headers: tuple[tuple[str, str], ...]) -> None:
        self._wire, self._headers = wire, headers

    async def send(self, request: Request, *, id: str, repetition: int, phase: str) -> Exchange:
        """Send ``request`` with the target's header fields before its own."""
        request = replace(request, headers=(*self._headers, *request.headers))
        return await self._wire.send(request, id=id, repetition=repetition, phase=phase)


def _timeouts(target: Target) -> Timeouts:
    given = target.timeouts
    return Timeouts(given.connect, given.first_byte, given.idle, given.total)
