"""Reading and writing ``results.jsonl``: a line at the moment it is decided, never a line lost."""

from __future__ import annotations

import json
import tempfile
import threading
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from types import TracebackType
from typing import Any

import yaml
from jsonschema import Draft202012Validator

import conformance
from conformance.errors import ConfigurationError
from conformance.report.merge import merge
from conformance.report.records import Amendment, Footer, Header, Key, Malformed, Result, Run
from conformance.verdicts import Verdict
from conformance.wire.jsonbody import JSONProblem, parse_json

__all__ = [
    "RESULTS",
    "WORKERS",
    "Amendment",
    "Footer",
    "Header",
    "Result",
    "ResultsWriter",
    "Run",
    "problems",
    "read_run",
    "update_latest",
]

#: The file of a run, and the files that its workers write before they are merged.
RESULTS = "results.jsonl"
WORKERS = "results-*.jsonl"


class ResultsWriter:
    """Writes a results file, header first. Safe to use from several threads.

    A line is with the operating system when :meth:`write` returns. A line that could not be
    written whole (a full disk) is cut off again, so that what was written stays readable; every
    such trouble is one :class:`ConfigurationError`.
    """

    def __init__(self, path: Path, header: Header) -> None:
        self.path = path
        self._lock = threading.Lock()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("xb", buffering=0)
        except OSError as error:
            raise self._trouble(error) from error
        self._line(header.to_json())

    def write(self, result: Result) -> None:
        """Append one verdict."""
        self._line(result.to_json())

    def amend(self, amendment: Amendment) -> None:
        """Append what shrinking found for a verdict already written."""
        self._line(amendment.to_json())

    def finish(self, footer: Footer) -> None:
        """Append the footer and close: the run came to its end."""
        self._line(footer.to_json())
        self.close()

    def close(self) -> None:
        """Close the file; without a footer it reads as an interrupted run."""
        self._file.close()

    def __enter__(self) -> ResultsWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _line(self, line: Mapping[str, Any]) -> None:
        data = _encoded(line)
        with self._lock:
            start = self._file.tell()
            try:
                self._all(data)
            except OSError as error:
                self._cut(start)
                raise self._trouble(error) from error

    def _all(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]

    def _cut(self, end: int) -> None:
        try:
            self._file.truncate(end)
            self._file.seek(end)
        except OSError:
            return  # a reader tolerates a truncated last line

    def _trouble(self, error: OSError) -> ConfigurationError:
        instead = "free some space or choose another --report-dir"
        if isinstance(error, FileExistsError):
            instead = "choose a --report-dir that holds no run yet"
        what = f"the results cannot be written ({error.strerror or error})"
        return ConfigurationError(what, where=str(self.path), instead=instead)


def _encoded(line: Mapping[str, Any]) -> bytes:
    text = json.dumps(line, ensure_ascii=False, separators=(",", ":"), default=str)
    # A lone surrogate (a target may send "\ud800") becomes its own JSON escape again.
    return text.encode("utf-8", "backslashreplace") + b"\n"


def read_run(path: Path) -> Run:
    """Read a results file, or the run directory that holds one.

    A truncated last line and a missing footer are an interrupted run. A directory that holds only
    workers' files (the run was killed before they were merged) gives their merged run. Raises
    :class:`ConfigurationError` in one sentence for whatever is no results file.
    """
    if path.is_dir():
        workers = sorted(path.glob(WORKERS))
        if not (path / RESULTS).exists() and workers:
            return merge([read_run(worker) for worker in workers], partial=True)
        path = path / RESULTS
    try:
        data = path.read_bytes()
    except OSError as error:
        what = f"no results can be read ({error.strerror or error})"
        raise ConfigurationError(what, where=str(path), instead="name a run directory") from error
    return _run(_lines(data, path), path)


def _lines(data: bytes, path: Path) -> Iterator[tuple[int, Mapping[str, Any]]]:
    *whole, rest = data.split(b"\n")
    for number, raw in enumerate([*whole, rest], 1):
        if not raw.strip():
            continue
        line = parse_json(raw)
        if isinstance(line, dict):
            yield number, line
        elif raw is not rest:
            why = line.detail if isinstance(line, JSONProblem) else "not an object"
            raise _foreign(path, number, why)


def _run(lines: Iterator[tuple[int, Mapping[str, Any]]], path: Path) -> Run:
    header: Header | None = None
    footer: Footer | None = None
    results: dict[Key, Result] = {}
    for number, line in lines:
        try:
            if footer is not None:
                raise Malformed("there is a line after the footer")
            match line.get("type"):
                case "header" if header is None and number == 1:
                    header = Header.from_json(line)
                case "result" if header is not None:
                    _decide(results, Result.from_json(line))
                case "amend" if header is not None:
                    _amend(results, Amendment.from_json(line))
                case "footer" if header is not None:
                    footer = Footer.from_json(line)
                case other:
                    raise Malformed(f"a line of type {str(other)[:40]!r} does not belong here")
        except Malformed as error:
            raise _foreign(path, number, str(error)) from None
    if header is None:
        raise _foreign(path, 1, "there is no header line")
    return Run(header, tuple(results.values()), footer)


def _decide(results: dict[Key, Result], result: Result) -> None:
    before = results.get(result.key)
    if before is not None and before.verdict is not Verdict.NOT_RUN:
        raise Malformed(f"{result.key} is decided twice")
    results[result.key] = result


def _amend(results: dict[Key, Result], amendment: Amendment) -> None:
    if amendment.key not in results:
        raise Malformed(f"{amendment.key} is amended before it is decided")
    results[amendment.key] = amendment.of(results[amendment.key])


def _foreign(path: Path, number: int, why: str) -> ConfigurationError:
    return ConfigurationError(
        f"this is not a results file of this suite ({why})",
        where=f"{path}:{number}",
        instead="name a results.jsonl that `conformance run` wrote",
    )


@cache
def _validator() -> Draft202012Validator:
    package = Path(conformance.__file__).parent
    shipped = package / "_schemas"  # in the wheel; beside the package in a checkout
    folder = shipped if shipped.is_dir() else package.parent / "schemas"
    text = (folder / "results.schema.yaml").read_text(encoding="utf-8")
    return Draft202012Validator(yaml.safe_load(text))


def problems(line: Any) -> list[str]:
    """What ``results.schema.yaml`` finds wrong with one line; empty for a valid one."""
    return [
        f"/{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in _validator().iter_errors(line)
    ]


def update_latest(run_dir: Path) -> None:
    """Point ``latest`` beside ``run_dir`` at it, atomically; a no-op where links are not to be had.

    A ``latest`` that is a real file or folder is the user's: it is left alone.
    """
    link = run_dir.parent / "latest"
    if link.exists() and not link.is_symlink():
        return
    try:
        scratch = Path(tempfile.mkdtemp(prefix=".latest-", dir=run_dir.parent))
        try:
            (scratch / "latest").symlink_to(run_dir.name, target_is_directory=True)
            (scratch / "latest").replace(link)
        finally:
            (scratch / "latest").unlink(missing_ok=True)
            scratch.rmdir()
    except OSError:
        return
