"""Every exchange of a run, on disk at the moment it is known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from conformance.wire.exchange import Exchange
from conformance.wire.masking import Mask
from conformance.wire.record import exchange_to_record, masked, record_to_exchange

__all__ = ["EvidenceStore"]


class EvidenceStore:
    """Appends masked exchanges to ``<folder>/<target>.jsonl``, one line each.

    With ``folder`` ``None`` nothing is written (in-process runs that only want verdicts). What a
    check reads is the masked exchange too, so that a verdict's text cannot contain a key.
    """

    def __init__(self, folder: Path | None, target: str, base_url: str, mask: Mask) -> None:
        self._mask, self._target, self._base_url = mask, target, mask.text(base_url)
        self.path = folder / f"{_file_name(target)}.jsonl" if folder else None
        self._file = None
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._file = self.path.open("a", encoding="utf-8")
        self.exchanges: list[Exchange] = []

    def keep(self, exchange: Exchange) -> Exchange:
        """Record ``exchange``; returns it as it will be judged."""
        kept = masked(exchange, self._mask)
        if self._file:
            url = self._base_url + kept.request.path
            record = exchange_to_record(kept, target=self._target, url=url)
            self._file.write(json.dumps(record, ensure_ascii=False) + "\n")
            self._file.flush()
        self.exchanges.append(kept)
        return kept

    def close(self) -> None:
        """Close the file; nothing is lost if this is never called."""
        if self._file:
            self._file.close()


def read_evidence(path: Path) -> Iterator[Exchange]:
    """The exchanges of an evidence file; a last line cut short by a kill is left out."""
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if line.endswith("\n"):
                yield record_to_exchange(json.loads(line))


def _file_name(target: str) -> str:
    return "".join(c if c.isalnum() or c in "-_." else "_" for c in target)
