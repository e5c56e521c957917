"""Where a long run stands: requests, tokens and seconds of each target, with what it may spend.

On a terminal one line is rewritten; elsewhere (a CI log) a line for each target is written now and
then. The pytest plugin, whose processes cannot all write, passes the same texts on.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping
from typing import TextIO

from conformance.engine.events import Event, Progress

__all__ = ["ProgressLine", "Standing", "text_of"]

#: Seconds between two lines where lines cannot be rewritten.
PACE = 10.0
#: The share that has to be decided before an end is foreseen.
FORESEEABLE = 0.1


class Standing:
    """The latest text of each target, and when it is time to show what has changed."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._shown_at = clock, clock()
        self._texts: dict[str, str] = {}
        self._shown: dict[str, str] = {}

    def event(self, event: Event) -> None:
        """Take any event; only progress counts."""
        if isinstance(event, Progress):
            self._texts[event.target] = text_of(event)

    def take(self, texts: Mapping[str, str]) -> None:
        """Take what another process said."""
        self._texts.update(texts)

    @property
    def texts(self) -> dict[str, str]:
        """Target → text."""
        return dict(self._texts)

    def due(self) -> list[str]:
        """The texts that changed since they were shown, if it is time to show some."""
        if self._clock() - self._shown_at < PACE:
            return []
        self._shown_at = self._clock()
        changed = [text for name, text in self.texts.items() if self._shown.get(name) != text]
        self._shown = self.texts
        return changed


class ProgressLine:
    """Shows where each target stands on ``stream``."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream, self._rewrite = stream, stream.isatty()
        self._standing = Standing()

    def event(self, event: Event) -> None:
        """Take any event; only progress is shown."""
        self._standing.event(event)
        if self._rewrite:
            if isinstance(event, Progress):
                self._write("\r\x1b[2K" + " · ".join(self._standing.texts.values()))
        else:
            for text in self._standing.due():
                self._write(text + "\n")

    def done(self) -> None:
        """End the rewritten line."""
        if self._rewrite and self._standing.texts:
            self._write("\r\x1b[2K")

    def _write(self, text: str) -> None:
        self._stream.write(text)
        self._stream.flush()


def text_of(progress: Progress) -> str:
    """``staging: ordinary 287/712, 217 of 900 requests, 1655 tokens, 9 of 300 s, about 13 s left``."""
    spent = ", ".join(
        (
            _spent(progress.requests, progress.most_requests, "requests"),
            _spent(progress.completion_tokens, progress.most_completion_tokens, "tokens"),
            _spent(progress.seconds, progress.most_seconds, "s"),
        )
    )
    return (
        f"{progress.target}: {progress.phase} {progress.decided}/{progress.total}, "
        f"{spent}{_left(progress)}"
    )


def _spent(number: float, most: float | None, unit: str) -> str:
    return f"{number:.0f} {unit}" if most is None else f"{number:.0f} of {most:.0f} {unit}"


def _left(progress: Progress) -> str:
    share = progress.decided / progress.total if progress.total else 1
    if not FORESEEABLE <= share < 1:
        return ""
    return f", about {progress.seconds * (1 - share) / share:.0f} s left"
