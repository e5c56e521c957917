"""The coverage table: each obligation of a corpus and the row that discharges it.

Read from the bodies, not from the tags: a row counts only if what it claims is in what is sent.
"""

from __future__ import annotations

from typing import Any

from conformance.generate.corpus import Corpus
from conformance.schema.contract import Endpoint

__all__ = ["coverage"]


def coverage(corpus: Corpus, endpoint: Endpoint) -> dict[str, Any]:
    """What had to be covered, by which row it is, and what was left out why (JSON values).

    ``open`` lists obligations that no row discharges: empty unless the generator is at fault.
    """
    found: dict[str, str | None] = {}
    for duty in corpus.obligations:
        rows = (row.label for row in corpus.rows if duty.holds(row.body))
        found.setdefault(duty.name, next(rows, None))
    pairs = {name: row for name, row in found.items() if name.startswith("pair:")}
    return {
        "endpoint": endpoint.name,
        "mode": corpus.mode.value if corpus.mode else None,
        "depth": corpus.depth,
        "seed": corpus.seed,
        "rows": len(corpus.rows),
        "drawn": sum(row.origin == "drawn" for row in corpus.rows),
        "parameters": sorted({duty.parameter for duty in corpus.obligations if duty.parameter}),
        "obligations": {name: row for name, row in found.items() if name not in pairs},
        "pairs": {"covered": sum(row is not None for row in pairs.values()), "of": len(pairs)},
        "open": sorted(name for name, row in found.items() if row is None),
        "information": sorted({duty.name for duty in corpus.obligations if duty.open}),
        "left_out": dict(corpus.left_out),
    }
