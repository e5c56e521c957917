"""Every option of a run: its names, what it means, and how its text becomes a value."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from enum import EnumType, StrEnum
from pathlib import Path
from typing import Any

from conformance.checks.api import Depth
from conformance.errors import ConfigurationError
from conformance.targets.faults import nearest
from conformance.targets.secrets import redact

__all__ = ["OPTIONS", "FailOn", "Option", "Shard"]

PREFIX = "--conformance-"


class FailOn(StrEnum):
    """What makes a run red: broken MUSTs, broken SHOULDs too, or nothing."""

    MUST = "must"
    SHOULD = "should"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Shard:
    """Part ``index`` of ``count`` of the catalogue, counted from 1."""

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"


def _text(text: str) -> str:
    if not text.strip():
        raise ValueError("a text that is not empty")
    return text


def _path(text: str) -> Path:
    try:
        return Path(_text(text)).expanduser()
    except RuntimeError as error:  # ~nobody
        raise ValueError from error


def _whole(text: str) -> int:
    return int(text)


def _count(text: str) -> int:
    value = int(text)
    if not 1 <= value <= 10**9:
        raise ValueError
    return value


def _seconds(text: str) -> float:
    value = float(text)
    if not (math.isfinite(value) and 0 < value <= 10**9):
        raise ValueError
    return value


def _shard(text: str) -> Shard:
    index, slash, count = text.partition("/")
    shard = Shard(_count(index), _count(count))
    if not slash or shard.index > shard.count:
        raise ValueError
    return shard


@dataclass(frozen=True, slots=True)
class Option:
    """One option. ``field`` names its attribute of :class:`RunOptions`.

    ``convert`` turns the text into the value (``ValueError``: refused), ``expects`` completes
    "write …" in the error message. A ``switch`` takes no value; a ``repeatable`` option makes a
    tuple. ``short`` is empty where only the ``--conformance-`` spelling exists.
    """

    field: str
    short: str
    metavar: str
    help: str
    default: Any = None
    convert: Callable[[str], Any] = _text
    expects: str = "a text"
    repeatable: bool = False
    switch: bool = False
    long: str = ""

    @property
    def long_name(self) -> str:
        """The spelling that no other plugin uses."""
        return self.long or PREFIX + self.short.removeprefix("--")

    @property
    def names(self) -> tuple[str, ...]:
        """Every spelling, the usual one first."""
        return (self.short, self.long_name) if self.short else (self.long_name,)

    @property
    def dest(self) -> str:
        """The attribute of the parsed namespace."""
        return f"conformance_{self.field}"

    @property
    def keywords(self) -> dict[str, Any]:
        """What ``argparse`` and pytest's ``addoption`` take besides the names."""
        common = {"dest": self.dest, "help": self.help.replace("%", "%%")}
        if self.switch:
            return {**common, "action": "store_true", "default": False}
        action = "append" if self.repeatable else "store"
        return {**common, "action": action, "default": None, "metavar": self.metavar}

    def value(self, given: Any) -> Any:
        """The value of what was given (a text, several of them, or ``None``).

        Raises ``ConfigurationError`` for a text that does not fit.
        """
        if given is None or (self.repeatable and not given):
            return self.default
        if self.switch:
            return bool(given)
        if self.repeatable:
            return tuple(self._converted(each) for each in given)
        return self._converted(given)

    def _converted(self, given: Any) -> Any:
        try:
            return self.convert(str(given))
        except ValueError:
            pass
        shown = redact(str(given), 40)
        known: list[str] | None = list(self.convert) if isinstance(self.convert, EnumType) else None
        raise ConfigurationError(
            f"{shown!r} does not fit",
            where=self.names[0],
            instead=nearest(str(given), known) if known else f"write {self.expects}",
        )


_COUNT = "a whole number from 1"
_SECONDS = "a number of seconds above 0"

#: Every option of a run, in the order in which help and docs show them.
OPTIONS: tuple[Option, ...] = (
    Option(
        "targets",
        "--target",
        "NAME",
        "a target of the targets file, `all`, or `mutant:NAME`; repeatable (default: reference)",
        default=(),
        repeatable=True,
    ),
    Option(
        "targets_file",
        "--targets-file",
        "FILE",
        "the targets file (default: ./targets.yaml, else the shipped one)",
        convert=_path,
        expects="a path",
    ),
    Option(
        "schemas_dirs",
        "--schemas-dir",
        "DIR",
        "schema files laid over the shipped ones; repeatable",
        default=(),
        convert=_path,
        expects="a path",
        repeatable=True,
    ),
    Option("base_url", "--base-url", "URL", "an endpoint without an entry in the targets file"),
    Option("model", "--model", "ID", "the model to ask for, with --base-url"),
    Option(
        "api_key_env",
        "--api-key-env",
        "VAR",
        "name of the environment variable with the key, with --base-url "
        "(default: OPENAI_API_KEY for loopback and api.openai.com, else none)",
    ),
    Option(
        "profile",
        "--profile",
        "NAME",
        "what the endpoint promises, with --base-url (default: openai-core)",
    ),
    Option(
        "report_dir",
        "--report-dir",
        "DIR",
        "where the run's files go (default: reports/<UTC time>/, linked as reports/latest)",
        convert=_path,
        expects="a path",
    ),
    Option(
        "depth",
        "--depth",
        "quick|standard|deep",
        "how much is asked (default: standard)",
        default=Depth.STANDARD,
        convert=Depth,
    ),
    Option(
        "seed",
        "",
        "N",
        "seed of everything drawn (default: 0)",
        default=0,
        convert=_whole,
        expects="a whole number",
        long="--conformance-seed",
    ),
    Option(
        "max_requests",
        "--max-requests",
        "N",
        "requests per target (default: as the targets file says)",
        convert=_count,
        expects=_COUNT,
    ),
    Option(
        "max_completion_tokens",
        "--max-completion-tokens",
        "N",
        "completion tokens per target (default: as the targets file says)",
        convert=_count,
        expects=_COUNT,
    ),
    Option(
        "max_seconds",
        "--max-seconds",
        "S",
        "seconds per target (default: as the targets file says, else 300)",
        convert=_seconds,
        expects=_SECONDS,
    ),
    Option(
        "concurrency",
        "--concurrency",
        "N",
        "requests in flight per target (default: as the targets file says, else 8)",
        convert=_count,
        expects=_COUNT,
    ),
    Option(
        "timeout",
        "--timeout",
        "S",
        "seconds for one whole exchange and for its first byte "
        "(default: as the targets file says, else 120 and 60)",
        convert=_seconds,
        expects=_SECONDS,
    ),
    Option(
        "fail_on",
        "--fail-on",
        "must|should|never",
        "what makes the run red; should: warn and flaky too (default: must)",
        default=FailOn.MUST,
        convert=FailOn,
    ),
    Option(
        "probe_all",
        "--probe-all",
        "",
        "try what the profile does not promise, too",
        default=False,
        switch=True,
    ),
    Option(
        "sdks",
        "--sdks",
        "DIR",
        "try the SDK versions installed in DIR, too (`python -m sdks` installs them)",
        convert=_path,
        expects="a path",
    ),
    Option(
        "resume",
        "--resume",
        "DIR",
        "go on from the interrupted run in DIR",
        convert=_path,
        expects="a path",
    ),
    Option(
        "shard",
        "--shard",
        "i/k",
        "part i of k of the catalogue",
        convert=_shard,
        expects="i/k with 1 <= i <= k, such as 1/4",
    ),
)
