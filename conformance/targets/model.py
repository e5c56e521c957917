"""What a target is: an endpoint under test, its limits, and what its owner declared about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import date
from enum import StrEnum
from typing import Any

from conformance.errors import ConfigurationError
from conformance.targets.urls import owns_default_key
from conformance.verdicts import Mode, Verdict

__all__ = [
    "Declaration",
    "Deviation",
    "Kind",
    "Limits",
    "Prices",
    "Target",
    "Timeouts",
    "Undecided",
]

#: The variable whose key may be used without being named (see :meth:`Target.key_variable`).
DEFAULT_KEY_VARIABLE = "OPENAI_API_KEY"


class Kind(StrEnum):
    """Who runs the server: somebody else, or the run itself."""

    HTTP = "http"
    REFERENCE = "reference"
    MUTANT = "mutant"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a run may spend on one target; ``None`` is no limit. Seconds are wall time."""

    max_requests: int | None = None
    max_completion_tokens: int | None = None
    max_seconds: float = 300.0
    concurrency: int = 8
    requests_per_minute: float | None = None


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Time-outs of one exchange, in seconds: to connect, to the first byte of the answer, between
    two reads of it, and for the whole."""

    connect: float = 5.0
    first_byte: float = 60.0
    idle: float = 30.0
    total: float = 120.0


@dataclass(frozen=True, slots=True)
class Prices:
    """Money per million tokens."""

    prompt: float
    completion: float
    currency: str = "USD"


@dataclass(frozen=True, slots=True, kw_only=True)
class Declaration:
    """What an owner declared about one requirement; ``None`` endpoint or mode means all of them.

    ``expires`` is the last day on which the entry counts; ``where`` its place in the file.
    """

    requirement: str
    reason: str
    expires: date
    endpoint: str | None = None
    mode: Mode | None = None
    ticket: str = ""
    where: str = field(default="", compare=False)

    def expired(self, today: date) -> bool:
        """Whether the last day is over."""
        return today > self.expires

    def covers(self, requirement: str, endpoint: str | None, mode: Mode | str | None) -> bool:
        """Whether the entry speaks of this requirement, endpoint and mode."""
        return (
            requirement == self.requirement
            and self.endpoint in (None, endpoint)
            and self.mode in (None, mode)
        )

    @property
    def specificity(self) -> int:
        """How many of endpoint and mode it names: the narrower entry wins."""
        return (self.endpoint is not None) + (self.mode is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Undecided(Declaration):
    """A requirement that is known to stay undecided on this target."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Deviation(Declaration):
    """A known failure and the verdict it has now.

    ``intermittent`` failures come and go, so that a pass is no news.
    """

    verdict: Verdict
    intermittent: bool = False


@dataclass(frozen=True, slots=True)
class Target:
    """An endpoint under test.

    ``base_url`` has no trailing slash; it and ``model`` are empty for servers that the run starts
    itself (:meth:`started`). ``api_key_env`` is the *name* of an environment variable.
    """

    name: str
    base_url: str
    model: str
    profile: str
    kind: Kind = Kind.HTTP
    api_key_env: str | None = None
    limits: Limits = Limits()
    timeouts: Timeouts = Timeouts()
    recovery_seconds: float = 20.0
    headers: tuple[tuple[str, str], ...] = ()
    verify_tls: bool = True
    prices: Prices | None = None
    deviations: tuple[Deviation, ...] = ()
    undecided: tuple[Undecided, ...] = ()
    mutant: str | None = None
    own_key: str | None = field(default=None, repr=False)

    @property
    def key_variable(self) -> str | None:
        """Name of the environment variable that holds the key; ``None``: there is none to ask.

        ``OPENAI_API_KEY`` is the default for loopback and api.openai.com alone: a key never
        travels to a host for which nobody named it.
        """
        if self.api_key_env is not None:
            return self.api_key_env
        if self.kind is Kind.HTTP and owns_default_key(self.base_url):
            return DEFAULT_KEY_VARIABLE
        return None

    def key(self, environ: Mapping[str, str]) -> str | None:
        """The API key, or ``None``: then no Authorization header is sent.

        Surrounding blanks (a newline at the end of a secret's file) are no part of a key. Raises
        ``ConfigurationError``, which never shows the key, where it cannot stand in a header.
        """
        if self.own_key is not None:
            return self.own_key
        variable = self.key_variable
        key = environ.get(variable, "").strip() if variable else ""
        if not (key.isascii() and key.isprintable()):
            raise ConfigurationError(
                "the key holds characters that no HTTP header can carry",
                where=f"environment variable {variable}",
                instead="set it to the key alone, on one line",
            )
        return key or None

    @property
    def start(self) -> str | None:
        """The command that starts the server of this target alone, for one that a run starts."""
        if self.kind is Kind.HTTP:
            return None
        return f"conformance serve --mutant {self.mutant}" if self.mutant else "conformance serve"

    def started(self, base_url: str, model: str, key: str | None = None) -> Target:
        """This target once its server runs at ``base_url`` and takes ``key``."""
        return replace(self, base_url=base_url.rstrip("/"), model=self.model or model, own_key=key)

    def describe(self) -> dict[str, Any]:
        """The target as JSON, without secrets: extra headers by name, the key by its variable."""
        shown = asdict(self)
        del shown["own_key"]
        shown["headers"] = [name for name, _ in self.headers]
        for entry in (*shown["deviations"], *shown["undecided"]):
            entry["expires"] = entry["expires"].isoformat()
        return shown
