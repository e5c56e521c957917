"""Honest variants on the wire: lawful spellings of the same answers.

Like a mutant each is a function of a few lines that changes what the plain server sends; unlike
one it breaks nothing, so no requirement may accuse it of a failure. Variants of behaviour (noise,
reasoning, withdrawn parameters) are in :mod:`conformance.reference.variants`. They live in the
modules beside this one, by what they touch; what is sent in several unusual ways at once is a
combination.
"""

from __future__ import annotations

from conformance.reference.honest_wire import chunks, documents, events, http
from conformance.reference.honest_wire.registry import WIRE_VARIANTS
from conformance.reference.mutants.transform import ASGIApp, transformed

__all__ = ["COMBINATIONS", "WIRE_VARIANTS", "wire_variant"]

_ = (chunks, documents, events, http)  # they register what they hold

#: Name → variants of one server, the innermost first: what an answer says, then how it is sent.
COMBINATIONS: dict[str, tuple[str, ...]] = {
    "every-spelling-of-a-document": (
        "extra-members",
        "null-members",
        "optional-members-absent",
        "ids-without-prefix",
        "dated-model-names",
        "json-indented",
    ),
    "every-spelling-of-a-chunk": (
        "role-without-content",
        "finish-with-text",
        "empty-deltas",
        "extra-members",
        "dated-model-names",
        "sse-unusual-in-every-way",
    ),
    "role-and-finish-with-text": ("role-with-text", "finish-with-text", "sse-comments"),
    "null-content-over-crlf": ("role-with-null-content", "empty-deltas", "sse-crlf"),
    "a-busy-gateway": (
        "other-wordings",
        "status-422",
        "dated-model-names",
        "gzip",
        "429-now-and-then",
        "latency",
        "connection-close",
    ),
    "a-strict-gateway": (
        "other-wordings",
        "no-chunked-bodies",
        "503-now-and-then",
        "gateway-fields",
    ),
}


def wire_variant(name: str, app: ASGIApp) -> ASGIApp:
    """``app`` in the lawful variant or combination ``name``. Raises ``KeyError`` for another."""
    for part in COMBINATIONS.get(name, (name,)):
        app = transformed(app, WIRE_VARIANTS[part])
    return app
