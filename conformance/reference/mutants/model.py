"""What a mutant is, and what its function is told about the request at hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

__all__ = ["KINDS", "Built", "Head", "Mutant", "Seen"]

#: What the functions of mutants transform.
KINDS = frozenset(
    {
        "request",
        "json",
        "stream",
        "document",
        "choice",
        "error",
        "head",
        "bytes",
        "service",
        "asgi",
    }
)


@dataclass(frozen=True)
class Mutant:
    """One named defect. ``defect`` is one sentence; ``thread`` where it was met in public.

    ``profile`` names the profile that promises what it breaks, where its killers do not tell.
    """

    name: str
    kind: str
    function: Callable[..., Any]
    kills: tuple[str, ...]
    defect: str
    thread: str | None = None
    only: str | None = None
    endpoint: str | None = None
    every: int = 1
    profile: str | None = None


@dataclass(frozen=True, slots=True)
class Seen:
    """The request at hand.

    ``body`` is the parsed request as the client sent it (``None``: no JSON object), ``number``
    counts the requests that the mutant concerns, from 1; ``status`` is 0 before there is one.
    """

    method: str
    path: str
    body: dict[str, Any] | None
    headers: tuple[tuple[bytes, bytes], ...] = ()
    number: int = 1
    status: int = 0

    @property
    def streams(self) -> bool:
        """Whether the request asks for a stream."""
        return bool(self.body) and (self.body or {}).get("stream") is True

    @property
    def mode(self) -> str:
        """``stream`` or ``regular``."""
        return "stream" if self.streams else "regular"

    @property
    def endpoint(self) -> str:
        """The name of the endpoint, by the path."""
        if self.path.endswith("/chat/completions"):
            return "chat"
        if self.path.endswith("/completions"):
            return "completions"
        if self.path.endswith("/models"):
            return "models"
        return "model" if "/models/" in self.path else "other"

    def asked(self, name: str, default: Any = None) -> Any:
        """The parameter ``name`` of the request."""
        return (self.body or {}).get(name, default)


@dataclass
class Head:
    """Status and header fields of an answer, to be changed in place."""

    status: int
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)

    def get(self, name: str) -> str | None:
        """The first field ``name``, or ``None``."""
        wanted = name.lower().encode()
        found = (value for key, value in self.headers if key.lower() == wanted)
        return next((value.decode("latin-1") for value in found), None)

    def drop(self, name: str) -> None:
        """Remove every field ``name``."""
        wanted = name.lower().encode()
        self.headers = [pair for pair in self.headers if pair[0].lower() != wanted]

    def set(self, name: str, value: str) -> None:
        """Replace the field ``name``."""
        self.drop(name)
        self.headers.append((name.encode("latin-1"), value.encode("latin-1")))


@dataclass(frozen=True)
class Built:
    """A server ready to be asked: the application, its model's id and its key."""

    app: Any
    model: str
    key: str | None
