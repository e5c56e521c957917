"""Where a long run stands: one line that is rewritten on a terminal, one now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TextIO

from conformance.engine.events import Event, Progress

__all__ = ["ProgressLine"]

#: Seconds between two lines where lines cannot be rewritten (a CI log).
PACE = 10.0


class ProgressLine:
    """Shows ``Progress`` events on ``stream``."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream, self._rewrite = stream, stream.isatty()
        self._last: dict[str, Progress] = {}
        self._shown_at = time.monotonic()

    def event(self, event: Event) -> None:
        """Take any event; only progress is shown."""
        if not isinstance(event, Progress):
            return
        self._last[event.target] = event
        now = time.monotonic()
        if self._rewrite:
            self._stream.write("\r\x1b[2K" + " · ".join(map(_text, self._last.values())))
            self._stream.flush()
        elif now - self._shown_at >= PACE:
            self._shown_at = now
            self._stream.write(_text(event) + "\n")
            self._stream.flush()

    def done(self) -> None:
        """End the rewritten line."""
        if self._rewrite and self._last:
            self._stream.write("\r\x1b[2K")
            self._stream.flush()


def _text(progress: Progress) -> str:
    left = ""
    if 0 < progress.decided < progress.total:
        seconds = progress.seconds * (progress.total - progress.decided) / progress.decided
        left = f", about {seconds:.0f} s left"
    return (
        f"{progress.target}: {progress.phase} {progress.decided}/{progress.total}, "
        f"{progress.requests} requests, {progress.completion_tokens} tokens, "
        f"{progress.seconds:.0f} s{left}"
    )
