"""Client libraries in environments of their own: found by their manifest, run as programs.

``DIR/clients.json`` lists them: what to run, or why it cannot be. A client is given a job file and
talks to two loopback servers and nobody else: one replays recorded answers byte for byte, the
other is the recording proxy to the target.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from conformance.checks.clients import KIND, LANGUAGES, Client
from conformance.engine.examples import SECONDS, ExampleOutcome, run_example, run_program
from conformance.errors import ConfigurationError
from conformance.wire.exchange import Exchange, Request
from conformance.wire.proxy import PLACEHOLDER_KEY, RecordingProxy

__all__ = ["MANIFEST", "ClientRunner", "Program", "read_manifest"]

MANIFEST = "clients.json"
#: Clients at work at once: each is a process that keeps a core busy while it starts.
SIDE_BY_SIDE = 2
#: Seconds that a client gives to one answer.
PATIENCE = 60

Forward = Callable[[Request], Awaitable[Exchange]]


@dataclass(frozen=True)
class Program:
    """How to run one client: ``command`` takes a job file, ``interpreter`` a sample of its own."""

    client: Client
    command: tuple[str, ...] = ()
    interpreter: tuple[str, ...] = ()


def read_manifest(folder: Path) -> tuple[Program, ...]:
    """The clients of ``folder``. Raises ``ConfigurationError`` for a file that does not fit."""
    path = folder / MANIFEST
    instead = "install the environments: python -m sdks --install-only"
    try:
        entries = json.loads(path.read_bytes())["clients"]
        return tuple(_program(entry) for entry in entries)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(
            f"no clients: {reason}", where=str(path), instead=instead
        ) from error
    except (ValueError, KeyError, TypeError) as error:
        what = "this is no list of clients"
        raise ConfigurationError(what, where=str(path), instead=instead) from error


def _program(entry: dict[str, Any]) -> Program:
    language, version, missing = entry["language"], str(entry["version"]), entry.get("missing")
    command = tuple(str(word) for word in entry.get("command", ()))
    if language not in LANGUAGES or not (command or missing):
        raise ValueError(entry)
    client = Client(language, version, str(missing) if missing else None)
    return Program(client, command, tuple(str(word) for word in entry.get("interpreter", ())))


#: One semaphore for each event loop: the targets of a run share the machine.
_SLOTS: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Semaphore] = WeakKeyDictionary()


def _slots() -> asyncio.Semaphore:
    loop = asyncio.get_running_loop()
    return _SLOTS.setdefault(loop, asyncio.Semaphore(SIDE_BY_SIDE))


class ClientRunner:
    """Runs jobs of checks with the clients of a run.

    ``load`` finds a recorded exchange by its id (``KeyError``), ``base_url`` is the target's.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        load: Callable[[str], Exchange],
        base_url: str,
    ) -> None:
        self._programs = {(each.client.language, each.client.version): each for each in programs}
        self._load, self._base_url = load, base_url

    async def run(
        self, kind: str, text: str, forward: Forward, seconds: float | None = None
    ) -> tuple[ExampleOutcome, list[Exchange]]:
        """Run what a check asks for: a job, or a documented sample; ``kind`` names the client.

        ``forward`` sends a request to the target; the client is stopped after ``seconds``.
        """
        what, language, version = kind.split(" ")
        program = self._programs.get((language, version))
        if program is None or program.client.missing:
            missing = program.client.missing if program else None
            return ExampleOutcome(None, "", "", missing=missing or f"{language} {version}"), []
        async with _slots():
            if what != KIND:
                python = list(program.interpreter)
                return await run_example("python", text, forward, self._base_url, seconds, python)
            return await self._job(program, json.loads(text), forward, seconds)

    async def _job(
        self,
        program: Program,
        job: list[dict[str, Any]],
        forward: Forward,
        seconds: float | None,
    ) -> tuple[ExampleOutcome, list[Exchange]]:
        answers = {number: case.pop("answer") for number, case in enumerate(job)}

        async def replay(request: Request) -> Exchange:
            number = int(request.path.split("/")[1])
            return self._load(answers[number])

        async with AsyncExitStack() as stack:
            recorded = await stack.enter_async_context(RecordingProxy("http://replay/r", replay))
            live = await stack.enter_async_context(RecordingProxy(self._base_url, forward))
            for number, case in enumerate(job):
                replayed = f"{recorded.base_url}/{number}"
                case["base_url"] = live.base_url if answers[number] is None else replayed
                case["live"] = answers[number] is None
            given = {"key": PLACEHOLDER_KEY, "timeout": PATIENCE, "cases": job}
            limit = min(SECONDS, seconds or SECONDS)
            outcome = await run_program(list(program.command), json.dumps(given), limit)
            return outcome, list(live.exchanges)
