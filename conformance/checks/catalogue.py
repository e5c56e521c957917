"""The catalogue: every requirement that a profile gives rise to, and the items of a run."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points

from conformance.checks import chapters
from conformance.checks.api import FAMILIES, STATIC, Depth, Requirement
from conformance.schema.contract import Endpoint, Profile
from conformance.verdicts import Mode

__all__ = ["CHAPTERS", "Item", "catalogue", "items_of"]

#: The chapters in the order in which they are run and shown: cheapest evidence first.
CHAPTERS: tuple[str, ...] = (
    "accepts",
    "shape",
    "usage",
    "model",
    "message",
    "stream",
    "chunk",
    "diff",
    "param",
    "validates",
    "error",
    "auth",
    "http",
    "example",
    "sdk",
    "robust",
)


@dataclass(frozen=True)
class Item:
    """One requirement at one endpoint in one mode: what gets a verdict."""

    requirement: Requirement
    endpoint: str | None
    mode: Mode | None
    promised: bool = True
    depth: Depth = Depth.QUICK

    @property
    def key(self) -> tuple[str, str | None, str | None]:
        """What names the item within one target."""
        return (self.requirement.id, self.endpoint, self.mode.value if self.mode else None)

    @property
    def name(self) -> str:
        """``requirement[endpoint-mode]``, as pytest shows it."""
        where = "-".join(part for part in (self.endpoint, self.mode) if part)
        return f"{self.requirement.id}[{where}]" if where else self.requirement.id


@cache
def load_checks() -> None:
    """Import the chapter modules and whatever installed packages add (``conformance.checks``)."""
    for module in pkgutil.iter_modules(chapters.__path__):
        importlib.import_module(f"{chapters.__name__}.{module.name}")
    for point in entry_points(group="conformance.checks"):
        point.load()


def catalogue(profile: Profile) -> dict[str, Requirement]:
    """All requirements for ``profile`` by id, in chapter order.

    Raises ``ValueError`` when two sources define the same id differently.
    """
    load_checks()
    found = dict(STATIC)
    for derive in FAMILIES:
        for requirement in derive(profile):
            if requirement.id in found:
                raise ValueError(f"requirement {requirement.id!r} is defined twice")
            found[requirement.id] = requirement
    return {each.id: each for each in sorted(found.values(), key=_order)}


def items_of(profile: Profile, requirements: Iterable[Requirement]) -> list[Item]:
    """The items of ``requirements`` under ``profile``, unpromised ones marked."""
    return [item for requirement in requirements for item in _items(profile, requirement)]


def _items(profile: Profile, requirement: Requirement) -> list[Item]:
    if requirement.endpoints == ():
        kept = all(profile.promises(need, None) for need in requirement.needs)
        return [Item(requirement, None, None, kept, requirement.depth)]
    wanted = requirement.endpoints
    endpoints = [e for e in profile.endpoints.values() if wanted is None or e.name in wanted]
    places = [(endpoint, mode) for endpoint in endpoints for mode in _modes(requirement, endpoint)]
    promised = [_promised(profile, requirement, endpoint) for endpoint, _ in places]
    first = promised.index(True) if True in promised else 0
    return [
        Item(requirement, place.name, mode, promised[number], _depth(requirement, number == first))
        for number, (place, mode) in enumerate(places)
    ]


def _depth(requirement: Requirement, first: bool) -> Depth:
    """The least depth that asks ``requirement`` at its first place, or elsewhere."""
    return requirement.depth if first or not requirement.elsewhere else requirement.elsewhere


def _modes(requirement: Requirement, endpoint: Endpoint) -> Sequence[Mode | None]:
    if not requirement.modes:
        return (None,)
    return [mode for mode in endpoint.modes if mode in requirement.modes]


def _promised(profile: Profile, requirement: Requirement, endpoint: Endpoint) -> bool:
    return all(profile.promises(need, endpoint) for need in requirement.needs)


def _order(requirement: Requirement) -> tuple[int, str]:
    chapter = requirement.chapter
    return (CHAPTERS.index(chapter) if chapter in CHAPTERS else len(CHAPTERS), "")
