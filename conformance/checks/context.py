"""What a check may do: build requests, ask for exchanges, learn about the target."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from conformance.checks.api import Broken, Case, Depth, Phase
from conformance.schema.contract import Endpoint, Profile
from conformance.verdicts import Mode
from conformance.wire.exchange import Credential, Delivery, Exchange, Request

if TYPE_CHECKING:
    from conformance.checks.clients import Client

__all__ = ["Asker", "Context", "Subject"]

T = TypeVar("T")


@dataclass(frozen=True)
class Subject:
    """What a check may know about the target: nothing that names its vendor.

    ``clients`` are the client libraries that the run was given to try on it.
    """

    base_url: str
    model: str
    has_key: bool
    concurrency: int = 8
    seed: int = 0
    depth: Depth = Depth.STANDARD
    clients: tuple[Client, ...] = ()


class Asker(Protocol):
    """The engine's side of a context."""

    async def ask(self, request: Request, repetition: int | None, phase: Phase) -> Exchange:
        """The exchange for ``request``; ``repetition`` ``None`` always sends anew."""

    async def learn(self, ctx: Context, lesson: Callable[[Context], Awaitable[T]]) -> T:
        """The result of ``lesson`` for the context's endpoint, worked out once."""

    def corpus(self, endpoint: str, mode: Mode | None) -> Sequence[Case]:
        """The valid requests drawn for this endpoint and mode."""

    def recorded(self) -> Sequence[Exchange]:
        """Every exchange recorded so far, in the order of sending."""

    async def command(self, kind: str, code: str, phase: Phase) -> tuple[Any, list[Exchange]]:
        """Run a documented example (``python`` or ``curl``) through the recording proxy."""


@dataclass
class Context:
    """One judgement's view of the target. ``seen`` collects the exchanges it was handed."""

    asker: Asker
    subject: Subject
    profile: Profile
    contract: Endpoint | None
    mode: Mode | None
    phase: Phase = Phase.ORDINARY
    repetition: int = 0
    seen: list[Exchange] = field(default_factory=list)

    @property
    def endpoint(self) -> Endpoint:
        """The endpoint under judgement; raises ``LookupError`` for a target-wide requirement."""
        if self.contract is None:
            raise LookupError("this requirement has no endpoint")
        return self.contract

    def promises(self, name: str) -> bool:
        """Whether the endpoint documents the parameter ``name``."""
        return self.contract is not None and name in self.contract.parameters

    def on(self, *, endpoint: str | None = None, mode: Mode | None = None) -> Context:
        """The same judgement looking at another endpoint or mode (exchanges are shared)."""
        contract = self.profile.endpoints[endpoint] if endpoint else self.contract
        return replace(self, contract=contract, mode=mode or self.mode)

    # Building requests

    def body(self, /, **parameters: Any) -> dict[str, Any]:
        """The endpoint's minimal body with the model, the mode's switch and ``parameters``.

        A parameter given as ``...`` is left out.
        """
        body = self.endpoint.minimal_body(self.subject.model)
        switch = self.endpoint.stream_switch
        if switch and self.mode is Mode.STREAM:
            body[switch] = True
        body.update(parameters)
        return {name: value for name, value in body.items() if value is not ...}

    def request(self, /, **parameters: Any) -> Request:
        """A request with :meth:`body` as compact JSON."""
        return self.post(self.body(**parameters))

    def post(
        self,
        body: Any,
        *,
        headers: tuple[tuple[str, str | None], ...] = (),
        credential: Credential = "key",
        delivery: Delivery = Delivery(),  # noqa: B008 - frozen
        path: str | None = None,
        method: str | None = None,
    ) -> Request:
        """A request to the endpoint with exactly ``body`` (``bytes`` as they are, else as JSON)."""
        if not isinstance(body, bytes):
            body = json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(
                "utf-8", "surrogatepass"
            )
        return Request(
            method or self.endpoint.method,
            path or self.endpoint.path_for(self.subject.model),
            body,
            headers,
            credential,
            delivery,
        )

    # Asking

    async def ask(self, request: Request, *, repeat: int = 0, fresh: bool = False) -> Exchange:
        """The exchange for ``request``.

        Identical requests of one ``repeat`` number are sent once for all checks. ``fresh`` sends
        anew whatever happened before (liveness probes, samples that must be independent).
        """
        repetition = None if fresh else self.repetition * 1000 + repeat
        exchange = await self.asker.ask(request, repetition, self.phase)
        self.seen.append(exchange)
        if exchange.server_died:
            raise Broken("the server died of this request: the next probe found it dead", exchange)
        return exchange

    async def ask_all(self, requests: Sequence[Request], *, fresh: bool = False) -> list[Exchange]:
        """The exchanges for ``requests``, sent side by side within the target's limits."""
        return list(await asyncio.gather(*(self.ask(each, fresh=fresh) for each in requests)))

    async def learn(self, lesson: Callable[[Context], Awaitable[T]]) -> T:
        """The result of a calibration ``lesson``, worked out once for each endpoint and run.

        A lesson is an async function of a context in regular mode; it may itself raise
        ``Untestable`` or ``Undecided``, which is then raised to every check that relies on it.
        """
        return await self.asker.learn(self, lesson)

    async def example(self, kind: str, code: str) -> tuple[Any, list[Exchange]]:
        """Run a documented example; its outcome and the exchanges the proxy recorded."""
        outcome, exchanges = await self.asker.command(kind, code, self.phase)
        self.seen.extend(exchanges)
        return outcome, exchanges

    @property
    def corpus(self) -> Sequence[Case]:
        """The valid requests drawn for this endpoint and mode, shared by all checks."""
        return self.asker.corpus(self.endpoint.name, self.mode)

    @property
    def recorded(self) -> Sequence[Exchange]:
        """Every exchange recorded so far (for checks of the final phase)."""
        return self.asker.recorded()

    async def revisit(self, case: Case) -> Exchange:
        """A recorded exchange of a final-phase case: as it was, or sent anew when reproducing."""
        recorded: Exchange = case.data
        if self.repetition == 0:
            self.seen.append(recorded)
            return recorded
        exchange = await self.asker.ask(recorded.request, None, Phase(recorded.phase))
        self.seen.append(exchange)
        return exchange
