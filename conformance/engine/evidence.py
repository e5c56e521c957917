"""Every exchange of a run: on disk at the moment it is known, in memory only as far as there is room.

The file is the store, this process keeps an index of it. Small exchanges of late stay at hand; a
large one gives its bytes back to the disk and reads them again when somebody looks. What a target
sends can therefore never fill the memory.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

from conformance.errors import ConfigurationError
from conformance.wire.exchange import Exchange
from conformance.wire.masking import Mask
from conformance.wire.record import exchange_to_record, masked, record_to_exchange

__all__ = ["EvidenceStore", "Recorded", "evidence_path", "read_evidence"]

#: Bytes of exchanges kept in memory, and the size from which one is only read when looked at.
ROOM = 64 << 20
LARGE = 256 << 10
#: What an exchange costs beside its bytes: objects, parsed views.
OVERHEAD = 4096


class EvidenceStore:
    """Appends masked exchanges to ``<folder>/<target>.jsonl``, one line each.

    With ``folder`` ``None`` nothing is written and everything stays in memory (in-process runs that
    only want verdicts). What a check reads is the masked exchange too, so that a verdict's text
    cannot contain a key. A file that an interrupted run left behind is continued.
    """

    def __init__(
        self,
        folder: Path | None,
        target: str,
        base_url: str,
        mask: Mask,
        *,
        room: int = ROOM,
        large: int = LARGE,
    ) -> None:
        self._mask, self._target, self._base_url = mask, target, mask.text(base_url)
        self._room, self._large = room, large
        self._cache: OrderedDict[str, Exchange] = OrderedDict()
        self._light: dict[str, Exchange] = {}
        self._used = 0
        self._index: dict[str, tuple[int, int]] = {}
        self.path = evidence_path(folder, target) if folder else None
        self._file = None
        if self.path:
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                self._file = self.path.open("a+b", buffering=0)
            except OSError as error:
                raise _trouble(self.path, error) from error
            self._continue()

    def _continue(self) -> None:
        """Index what is there; cut off a last line that a kill left unfinished."""
        assert self._file is not None
        self._file.seek(0)
        end = 0
        for line in iter(self._file.readline, b""):
            if not line.endswith(b"\n"):
                self._file.truncate(end)
                break
            self._index[_id(line)] = (end, len(line))
            end += len(line)

    def __len__(self) -> int:
        return len(self._index) if self._file else len(self._cache)

    @property
    def numbers(self) -> int:
        """The greatest number in the ids so far, so that new ids can go on from it."""
        digits = (id.rpartition("x")[2] for id in self._index)
        return max((int(each) for each in digits if each.isdecimal()), default=0)

    @property
    def exchanges(self) -> Sequence[Exchange]:
        """Every exchange so far, in the order of recording, read when it is looked at."""
        return Recorded(self, tuple(self._index if self._file else self._cache))

    def keep(self, exchange: Exchange) -> Exchange:
        """Record ``exchange``; returns it as it will be judged.

        The same id once more replaces what was recorded under it (a culprit is marked after the
        fact). Raises ``ConfigurationError`` when the disk does not take it.
        """
        kept = masked(exchange, self._mask)
        if self._file:
            url = self._base_url + kept.request.path
            record = exchange_to_record(kept, target=self._target, url=url)
            self._append(kept.id, json.dumps(record, ensure_ascii=False))
        return self._remember(kept)

    def load(self, id: str) -> Exchange:
        """The exchange ``id``. Raises ``KeyError`` for one that was never kept."""
        if id in self._light:
            return self._light[id]
        if id in self._cache:
            self._cache.move_to_end(id)
            return self._cache[id]
        return self._remember(self._read(id))

    def whole(self, id: str) -> Exchange:
        """The exchange ``id`` with all its bytes in memory, for as long as there is room."""
        if id not in self._cache:
            self._hold(self._read(id))
        self._cache.move_to_end(id)
        return self._cache[id]

    def close(self) -> None:
        """Close the file; nothing is lost if this is never called."""
        if self._file:
            self._file.close()

    def _append(self, id: str, text: str) -> None:
        assert self._file is not None
        assert self.path is not None
        data = text.encode("utf-8", "backslashreplace") + b"\n"
        start = self._file.seek(0, 2)
        try:
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
        except OSError as error:
            self._file.truncate(start)
            raise _trouble(self.path, error) from error
        self._index[id] = (start, len(data))

    def _read(self, id: str) -> Exchange:
        start, size = self._index[id]
        if self._file is None or self.path is None:
            raise KeyError(id)
        if self._file.closed:
            with self.path.open("rb") as file:
                file.seek(start)
                return record_to_exchange(json.loads(file.read(size)))
        self._file.seek(start)
        return record_to_exchange(json.loads(self._file.read(size)))

    def _remember(self, exchange: Exchange) -> Exchange:
        size = len(exchange.raw) + len(exchange.body) + len(exchange.request.body)
        self._hold(exchange)
        self._light.pop(exchange.id, None)
        if self._file and size >= self._large:
            light = self._light[exchange.id] = _Large.of(exchange, self)
            return light
        return exchange

    def _hold(self, exchange: Exchange) -> None:
        """Keep ``exchange`` at hand; what was not looked at for longest makes room."""
        if exchange.id in self._cache:
            self._used -= self._cost(self._cache.pop(exchange.id))
        self._cache[exchange.id] = exchange
        self._used += self._cost(exchange)
        while self._file and self._used > self._room and len(self._cache) > 1:
            _, oldest = self._cache.popitem(last=False)
            self._used -= self._cost(oldest)

    def _cost(self, exchange: Exchange) -> int:
        """Bytes that ``exchange`` may take: a large one is parsed into several times its size."""
        size = len(exchange.raw) + len(exchange.body) + len(exchange.request.body)
        return OVERHEAD + 16 * len(exchange.raw_reads) + size * (4 if size >= self._large else 1)


class Recorded(Sequence[Exchange]):
    """Exchanges by id, read one at a time."""

    def __init__(self, store: EvidenceStore, ids: Sequence[str]) -> None:
        self._store, self._ids = store, ids

    def __len__(self) -> int:
        return len(self._ids)

    @overload
    def __getitem__(self, index: int) -> Exchange: ...
    @overload
    def __getitem__(self, index: slice) -> Recorded: ...
    def __getitem__(self, index: int | slice) -> Exchange | Recorded:
        if isinstance(index, slice):
            return Recorded(self._store, self._ids[index])
        return self._store.load(self._ids[index])


class _OnDisk:
    """An attribute that is read from the store each time it is looked at.

    Not a data descriptor: while the instance has the attribute itself, that one counts.
    """

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    def __get__(self, exchange: _Large | None, owner: type) -> Any:
        if exchange is None:
            return b""
        return getattr(exchange.whole(), self._name)


class _Large(Exchange):
    """An exchange whose bytes stay on disk; everything else is at hand."""

    raw = _OnDisk()
    body = _OnDisk()
    json = _OnDisk()
    stream = _OnDisk()

    @classmethod
    def of(cls, exchange: Exchange, store: EvidenceStore) -> _Large:
        """``exchange`` without its bytes, to be had from ``store``."""
        made = cls(exchange.request)
        values = vars(exchange)
        vars(made).update({k: v for k, v in values.items() if k not in _BYTES})
        for name in _BYTES:
            vars(made).pop(name, None)
        vars(made)["_store"] = store
        return made

    def whole(self) -> Exchange:
        """The exchange with its bytes."""
        store: EvidenceStore = vars(self)["_store"]
        return store.whole(self.id)

    def replace(self, **changes: Any) -> Exchange:
        """A copy with ``changes``, bytes included."""
        return self.whole().replace(**changes)


_BYTES = frozenset({"raw", "body", "json", "stream"})


def read_evidence(path: Path) -> Iterator[Exchange]:
    """The exchanges of an evidence file, each in its last version.

    A last line cut short by a kill is left out.
    """
    with path.open("rb") as lines:
        last = {_id(line): number for number, line in enumerate(lines)}
    with path.open("rb") as lines:
        for number, line in enumerate(lines):
            if line.endswith(b"\n") and last[_id(line)] == number:
                yield record_to_exchange(json.loads(line))


def evidence_path(folder: Path, target: str) -> Path:
    """The file in which a run keeps the exchanges of ``target``."""
    return folder / f"{''.join(c if c.isalnum() or c in '-_.' else '_' for c in target)}.jsonl"


def _id(line: bytes) -> str:
    """The id of an evidence line: its first member."""
    return line[:80].partition(b'"id": "')[2].partition(b'"')[0].decode("ascii", "replace")


def _trouble(path: Path, error: OSError) -> ConfigurationError:
    return ConfigurationError(
        f"the evidence cannot be written ({error.strerror or error})",
        where=str(path),
        instead="free some space or choose another --report-dir",
    )
