"""Stop sequences in text that arrives piece by piece, and characters that arrive byte by byte.

The text ends before the earliest occurrence of any stop sequence, wherever token borders lie.
Only what could still become a stop sequence is held back: a suffix of the text so far that is a
proper prefix of one. Generation ends with the first token that completes a stop sequence; if that
token completes several, the one that starts earliest counts. An empty string never stops.
"""

from __future__ import annotations

import codecs
from collections.abc import Iterable

__all__ = ["StopMatcher", "TextStream"]


class StopMatcher:
    """Feed text, get the text that is safe to show."""

    def __init__(self, stops: Iterable[str]) -> None:
        self.stops = tuple(stop for stop in stops if stop)
        self.stopped = False
        self._held = ""

    def feed(self, text: str) -> str:
        """The text that is now certain; sets :attr:`stopped` when a stop sequence is complete."""
        if not self.stops:
            return text
        text = self._held + text
        cuts = [at for at in map(text.find, self.stops) if at >= 0]
        if cuts:
            self.stopped = True
            self._held = ""
            return text[: min(cuts)]
        keep = self._undecided(text)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def flush(self) -> str:
        """What was held back, when no more text will come."""
        held, self._held = self._held, ""
        return held

    def _undecided(self, text: str) -> int:
        """Length of the longest suffix of ``text`` that begins some stop sequence."""
        longest = min(len(text), max(map(len, self.stops)) - 1)
        for length in range(longest, 0, -1):
            suffix = text[-length:]
            if any(stop.startswith(suffix) for stop in self.stops):
                return length
        return 0


class TextStream:
    """Bytes in, certain text out: whole characters only, cut before a stop sequence."""

    def __init__(self, stops: Iterable[str] = ()) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._matcher = StopMatcher(stops)

    @property
    def stopped(self) -> bool:
        """Whether a stop sequence was completed."""
        return self._matcher.stopped

    def feed(self, data: bytes) -> str:
        """The text that ``data`` makes certain."""
        return self._matcher.feed(self._decoder.decode(data))

    def flush(self) -> str:
        """The rest at the end of generation; half a character becomes U+FFFD."""
        text = self._matcher.feed(self._decoder.decode(b"", final=True))
        return text if self._matcher.stopped else text + self._matcher.flush()
