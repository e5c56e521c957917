"""The table of sins: what a server does wrong, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from .serving import Act

__all__ = ["SINS", "Sin", "sin"]


@dataclass(frozen=True)
class Sin:
    """One behaviour of a broken or malicious endpoint.

    ``code`` is the exit code that the run must leave with. ``accused`` is a pattern of requirement
    ids, one of which must end badly ("" where nothing that is promised is broken). ``seconds`` is
    the run's budget. ``says`` must be found in what the run prints. ``reads`` false: the server
    does not wait for a request. ``cheap`` sins are judged among the ordinary tests, too.
    """

    name: str
    act: Act = field(repr=False)
    code: int = 1
    accused: str = "*"
    seconds: float = 12.0
    scheme: str = "http"
    tls: bool = False
    reads: bool = True
    cheap: bool = False
    says: str = ""


#: Every sin by its name, in the order of the modules.
SINS: dict[str, Sin] = {}


def sin(**terms: object) -> Callable[[Act], Act]:
    """Enter a function into the table, named as it is with dashes."""

    def enter(act: Act) -> Act:
        name = act.__name__.replace("_", "-")
        if name in SINS:
            raise ValueError(f"{name} is there twice")
        SINS[name] = Sin(name, act, **terms)  # type: ignore[arg-type]
        return act

    return enter
