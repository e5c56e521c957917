"""What a run may cost: requests, completion tokens, seconds."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from conformance.checks.answer import read_answer
from conformance.wire.exchange import Exchange

__all__ = ["Budget", "BudgetSpent", "requests_of"]


#: Seconds beyond the limit in which what has come is still judged.
JUDGING = 5.0


class BudgetSpent(Exception):
    """No request may be sent any more; the message says which limit was reached."""


@dataclass
class Budget:
    """Counts what was spent and refuses what would exceed a limit (``None``: no limit)."""

    max_requests: int | None = None
    max_completion_tokens: int | None = None
    max_seconds: float | None = None
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    began: float = field(default_factory=time.monotonic)

    @property
    def seconds(self) -> float:
        """Seconds since the run began."""
        return time.monotonic() - self.began

    @property
    def seconds_left(self) -> float | None:
        """Seconds until the limit (at least 0), or ``None`` where there is none."""
        return None if self.max_seconds is None else max(0.0, self.max_seconds - self.seconds)

    def take(self) -> None:
        """Count one request about to be sent, or raise :class:`BudgetSpent`."""
        if reason := self.spent():
            raise BudgetSpent(reason)
        self.requests += 1

    def lift(self, requests: int) -> None:
        """Allow ``requests`` more from now on, whatever the limits said (shrinking)."""
        self.max_requests = self.requests + requests
        self.max_completion_tokens = None

    def spent(self) -> str | None:
        """Which limit is reached, or ``None``."""
        if self.max_requests is not None and self.requests >= self.max_requests:
            return f"the budget of {self.max_requests} requests is spent"
        limit = self.max_completion_tokens
        if limit is not None and self.completion_tokens >= limit:
            return f"the budget of {limit} completion tokens is spent"
        if self.max_seconds is not None and self.seconds >= self.max_seconds:
            return f"the budget of {self.max_seconds:g} seconds is spent"
        return None

    def check_time(self) -> None:
        """Raise :class:`BudgetSpent` when it is too late even to judge what has come.

        Judging takes a moment, unless a target sends heaps of what is hard to read.
        """
        if self.max_seconds is not None and self.seconds > self.max_seconds + JUDGING:
            raise BudgetSpent(f"the budget of {self.max_seconds:g} seconds is spent")

    def settle(self, exchange: Exchange) -> None:
        """Add the tokens that ``exchange`` cost.

        Where the server reports no usage (most streams), every event that carried text counts as
        one token: exact for servers that send one token an event, an estimate for others.
        """
        if exchange.status != 200 or exchange.request.method != "POST":
            return
        found = read_answer(exchange)
        if found is None:
            return
        completion = found.tokens("completion")
        if completion is None:
            completion = sum(len(choice.pieces) for choice in found.choices.values())
        self.completion_tokens += completion
        self.prompt_tokens += found.tokens("prompt") or 0


def requests_of(exchange: Exchange) -> int:
    """How many requests the server saw for ``exchange``: itself and its retries.

    In the hostile phase only a 429 is retried; what another attempt without an answer tells is an
    exchange of its own.
    """
    hostile = exchange.phase == "hostile"
    return 1 + sum(each.status is not None or not hostile for each in exchange.attempts)
