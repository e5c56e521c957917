"""Documented examples run as they stand, through the recording proxy.

A check hands over the document's code with three places marked: the base URL, the key and the
model. Nothing else is changed. The program talks to a loopback proxy that forwards through the
sender, so limits, evidence and masking hold for it too.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
import tempfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from conformance.checks.chapters.example import BASE_URL_MARK, KEY_MARK
from conformance.wire.exchange import Exchange, Request
from conformance.wire.proxy import PLACEHOLDER_KEY, RecordingProxy

__all__ = ["ExampleOutcome", "run_example", "run_program"]


SECONDS = 120.0


@dataclass(frozen=True)
class ExampleOutcome:
    """How a program ended; ``missing`` names an interpreter that this machine lacks."""

    exit_code: int | None
    stdout: str
    stderr: str
    missing: str | None = None


async def run_example(
    kind: str,
    code: str,
    forward: Callable[[Request], Awaitable[Exchange]],
    base_url: str,
    seconds: float | None = None,
    interpreter: list[str] | None = None,
) -> tuple[ExampleOutcome, list[Exchange]]:
    """Run ``code`` (``python`` or ``curl``) and return how it ended and what it exchanged.

    It is stopped after ``seconds``, if given, and after two minutes at the latest. ``interpreter``
    is another Python than the one that runs the suite.
    """
    python = interpreter or [sys.executable, "-I"]
    program = python if kind == "python" else [shutil.which("bash") or ""]
    absent = None if program[0] else "bash"
    if kind == "curl" and not absent and shutil.which("curl") is None:
        absent = "curl"
    if absent:
        return ExampleOutcome(None, "", "", missing=absent), []
    async with RecordingProxy(base_url, forward) as proxy:
        text = code.replace(BASE_URL_MARK, proxy.base_url).replace(KEY_MARK, PLACEHOLDER_KEY)
        outcome = await run_program(program, text, min(SECONDS, seconds or SECONDS))
        return outcome, list(proxy.exchanges)


async def run_program(program: list[str], text: str, seconds: float = SECONDS) -> ExampleOutcome:
    """Run ``program`` with a file that holds ``text``: in a folder of its own, without secrets."""
    with tempfile.TemporaryDirectory(prefix="conformance-") as folder:
        script = Path(folder) / "example"
        script.write_text(text, encoding="utf-8")
        environment = {
            name: value
            for name, value in os.environ.items()
            if not name.lower().endswith("_proxy") and not name.startswith("OPENAI_")
        }
        process = await asyncio.create_subprocess_exec(
            *program,
            str(script),
            cwd=folder,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(seconds):
                stdout, stderr = await process.communicate()
        except TimeoutError:
            return ExampleOutcome(None, "", f"did not end within {seconds:g} seconds")
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    return ExampleOutcome(
        process.returncode, stdout.decode("utf-8", "replace"), stderr.decode("utf-8", "replace")
    )
