"""Client libraries as a second and third reader of one recorded answer.

A client (an SDK of one language and version, in an environment of its own) is given the very bytes
that the wire recorded, replayed on loopback, and tells what its users would see. What it cannot be
given is a verdict on the wire: clients forgive what other clients fall over.

A job names *probes*: recorded exchanges, or ``None`` for one request that goes to the target
itself. The client answers with one *view* for each way of asking (``call``, ``async``, ``raw``,
``helper``), as plain JSON; whatever else it prints is hostile and read with care.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from conformance.checks.api import Untestable
from conformance.checks.context import Context
from conformance.wire.exchange import Exchange

__all__ = ["KIND", "LANGUAGES", "Client", "Observed", "Probe", "View", "observe"]

#: How a job for a client is told from a documented example (``Context.example``).
KIND = "client"
#: Language → how it is written.
LANGUAGES: Mapping[str, str] = {"python": "Python", "node": "Node"}

#: What a client saw in one way of asking: members of the driver's JSON.
View = dict[str, Any]


@dataclass(frozen=True)
class Client:
    """One version of one client library; ``missing`` says why it cannot be had here."""

    language: str
    version: str
    missing: str | None = None

    @property
    def title(self) -> str:
        """As the report writes it."""
        return f"openai {self.version} for {LANGUAGES.get(self.language, self.language)}"


@dataclass(frozen=True)
class Probe:
    """One answer that clients are shown. ``exchange`` ``None``: the client asks the target."""

    name: str
    surface: str  # the client's method: chat or completions
    stream: bool
    arguments: Mapping[str, Any]
    exchange: Exchange | None = None


@dataclass(frozen=True)
class Observed:
    """What one client saw: views by probe and way, and the exchanges of its own requests."""

    views: Mapping[str, Mapping[str, View]]
    exchanges: tuple[Exchange, ...] = ()

    def ways(self, probe: str) -> Mapping[str, View]:
        """The views of ``probe`` by way of asking; none where the client said nothing."""
        return self.views.get(probe, {})


async def observe(ctx: Context, client: Client, probes: Mapping[str, Probe]) -> Observed:
    """Show ``probes`` to ``client``. Raises ``Untestable`` where it cannot be run or understood."""
    if client.missing:
        raise Untestable(f"{client.title}: {client.missing}")
    job = [
        {
            "id": name,
            "surface": probe.surface,
            "stream": probe.stream,
            "arguments": dict(probe.arguments),
            "answer": probe.exchange.id if probe.exchange else None,
        }
        for name, probe in probes.items()
    ]
    kind = f"{KIND} {client.language} {client.version}"
    outcome, exchanges = await ctx.example(kind, json.dumps(job))
    try:
        said = json.loads(outcome.stdout)["views"]
        views = {name: dict(said[name]) for name in probes if name in said}
    except (ValueError, TypeError, KeyError) as error:
        last = outcome.stderr.strip().splitlines()[-1:] or ["no output"]
        raise Untestable(f"{client.title} could not be run: {last[0][:300]}") from error
    return Observed(views, tuple(exchanges))
