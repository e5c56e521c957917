"""Mutants: the reference server with one named defect each.

A mutant is a function of a few lines, decorated with what it is called, which requirements it
breaks, and the public thread it comes from::

    @mutant("stop-ignored", kills=("param.stop.effect",), kind="request", thread="https://…")
    def stop_ignored(body, seen):
        body.pop("stop", None)

What it transforms is its ``kind``. Functions change what they are given in place and return
``None``, or return what replaces it. The last argument, :class:`Seen`, tells which request it is.

=============  ==================================================================================
kind           function
=============  ==================================================================================
``request``    ``(body: dict, seen)``: the parsed request before the honest server sees it
``json``       ``(document: dict, seen)``: the document of a regular 200
``stream``     ``(chunks: list[dict], seen)``: the documents of a stream, ``[DONE]`` aside
``document``   ``(document: dict, seen)``: the regular document and each chunk of a stream
``choice``     ``(choice: dict, seen)``: each choice of a regular document and of each chunk
``error``      ``(document: dict, seen)``: the document of an answer with status ≥ 400
``head``       ``(head: Head, seen)``: status and header fields of any answer
``bytes``      ``(body: bytes, seen) -> bytes | list[bytes]``: any body; a list is sent in pieces
``service``    a subclass of :class:`conformance.reference.service.Service`
``asgi``       ``(app) -> app``: whatever else
=============  ==================================================================================

``only`` limits a mutant to a mode, ``endpoint`` to an endpoint, ``every=3`` to every third of the
requests that are left. The honest server's code knows nothing of all this. Mutants live in the
modules beside this one, by chapter; they are found by importing them all.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import Any

from conformance.reference.mutants.model import KINDS, Built, Head, Mutant, Seen
from conformance.reference.mutants.transform import ASGIApp, transformed

__all__ = ["Built", "Head", "Mutant", "Seen", "apply", "build", "every", "mutant", "names"]

_REGISTRY: dict[str, Mutant] = {}


def mutant(
    name: str,
    *,
    kills: tuple[str, ...],
    kind: str,
    thread: str | None = None,
    only: str | None = None,
    endpoint: str | None = None,
    every: int = 1,
    profile: str | None = None,
) -> Callable[[Any], Any]:
    """Register the decorated function (or service class) as the mutant ``name``.

    ``kills`` are the requirements that must accuse it, under ``profile`` if it is given. Raises ``ValueError`` for a name that is
    taken or an unknown kind. The docstring, or else the name, says what is wrong.
    """
    if kind not in KINDS:
        raise ValueError(f"mutant {name!r}: unknown kind {kind!r}")

    def register(function: Any) -> Any:
        if name in _REGISTRY:
            raise ValueError(f"mutant {name!r} is already registered")
        defect = " ".join((function.__doc__ or name.replace("-", " ")).split())
        _REGISTRY[name] = Mutant(
            name, kind, function, kills, defect, thread, only, endpoint, every, profile
        )
        return function

    return register


@cache
def _load() -> None:
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")


def every() -> tuple[Mutant, ...]:
    """All mutants in alphabetical order."""
    _load()
    return tuple(_REGISTRY[name] for name in sorted(_REGISTRY))


def names() -> tuple[str, ...]:
    """The names of all mutants in alphabetical order."""
    return tuple(each.name for each in every())


def apply(name: str, app: ASGIApp) -> ASGIApp:
    """``app`` with the defect ``name``. Raises ``LookupError`` for an unknown name.

    A ``service`` mutant has no app to change: use :func:`build`.
    """
    return transformed(app, _find(name))


def build(name: str, **options: Any) -> Built:
    """The reference server with the defect ``name``; ``options`` are the reference's own.

    Raises ``LookupError`` for an unknown name.
    """
    from conformance.reference.mutants.honest import honest

    chosen = _find(name)
    if chosen.kind == "service":
        service: Any = chosen.function
        return honest(service=service, **options)
    built = honest(**options)
    return Built(transformed(built.app, chosen), built.model, built.key)


def _find(name: str) -> Mutant:
    _load()
    if name not in _REGISTRY:
        raise LookupError(f"no mutant is called {name!r}")
    return _REGISTRY[name]
