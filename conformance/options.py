"""The options of a run: one table, from which pytest, the console script and the docs are fed.

Both front ends receive plain texts; :meth:`RunOptions.from_namespace` converts them, so that a
mistake is the same ``ConfigurationError`` (and the same exit code) wherever it was typed.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from enum import EnumType, StrEnum
from pathlib import Path
from typing import Any, Protocol

from conformance.checks.api import Depth
from conformance.errors import ConfigurationError
from conformance.targets import Target, adhoc_target, override
from conformance.targets.faults import nearest
from conformance.targets.secrets import redact

__all__ = [
    "OPTIONS",
    "FailOn",
    "Option",
    "RunOptions",
    "Shard",
    "add_arguments",
    "add_long_names",
    "add_short_names",
    "markdown_table",
]

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


@dataclass(frozen=True, slots=True)
class RunOptions:
    """What a run was asked to do. ``None``: not given, the targets file or a default decides."""

    targets: tuple[str, ...] = ()
    targets_file: Path | None = None
    schemas_dirs: tuple[Path, ...] = ()
    base_url: str | None = None
    model: str | None = None
    api_key_env: str | None = None
    profile: str | None = None
    report_dir: Path | None = None
    depth: Depth = Depth.STANDARD
    seed: int = 0
    max_requests: int | None = None
    max_completion_tokens: int | None = None
    max_seconds: float | None = None
    concurrency: int | None = None
    timeout: float | None = None
    fail_on: FailOn = FailOn.MUST
    probe_all: bool = False
    sdks: Path | None = None
    resume: Path | None = None
    shard: Shard | None = None

    @classmethod
    def from_namespace(cls, namespace: argparse.Namespace | object) -> RunOptions:
        """The options that ``namespace`` (of argparse or pytest) holds as texts.

        Raises ``ConfigurationError`` for a value that does not convert and for options that do
        not go together.
        """
        values = {
            option.field: _value(option, getattr(namespace, option.dest, None))
            for option in OPTIONS
        }
        options = cls(**values)
        options._check_adhoc()
        return options

    def _check_adhoc(self) -> None:
        """``--base-url`` and ``--model`` go together; the key and profile need them."""
        if self.base_url is not None and self.model is None:
            raise ConfigurationError(
                "the model is missing", where="--base-url", instead="add --model ID"
            )
        for name in ("model", "api_key_env", "profile"):
            if self.base_url is None and getattr(self, name) is not None:
                raise ConfigurationError(
                    "this describes a target of --base-url, which is not given",
                    where="--" + name.replace("_", "-"),
                    instead="add --base-url URL, or change the entry in the targets file",
                )

    def adhoc(self) -> Target | None:
        """The target of ``--base-url``, if given; raises ``ConfigurationError``."""
        if self.base_url is None or self.model is None:
            return None
        return adhoc_target(
            self.base_url, self.model, self.api_key_env, self.profile or "openai-core"
        )

    def limited(self, target: Target) -> Target:
        """``target`` with the limits that were given on the command line."""
        return override(
            target,
            max_requests=self.max_requests,
            max_completion_tokens=self.max_completion_tokens,
            max_seconds=self.max_seconds,
            concurrency=self.concurrency,
            timeout=self.timeout,
        )

    def describe(self) -> dict[str, Any]:
        """The options as JSON, for the header of a run; base URL userinfo never gets this far."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}


def _plain(value: Any) -> Any:
    """``value`` as JSON data."""
    if isinstance(value, tuple):
        return [_plain(each) for each in value]
    return str(value) if isinstance(value, (Path, Shard, StrEnum)) else value


def _value(option: Option, given: Any) -> Any:
    """The converted value of ``option``, its default where none was given."""
    if given is None or (option.repeatable and not given):
        return option.default
    if option.switch:
        return bool(given)
    if option.repeatable:
        return tuple(_converted(option, each) for each in given)
    return _converted(option, given)


def _converted(option: Option, given: Any) -> Any:
    """One text as a value; raises ``ConfigurationError``."""
    try:
        return option.convert(str(given))
    except ValueError:
        pass
    shown = redact(str(given), 40)
    known: list[str] | None = list(option.convert) if isinstance(option.convert, EnumType) else None
    raise ConfigurationError(
        f"{shown!r} does not fit",
        where=option.names[0],
        instead=nearest(str(given), known) if known else f"write {option.expects}",
    )


class _Group(Protocol):
    """What takes options of pytest: a group of its parser."""

    def addoption(self, *names: str, **keywords: Any) -> None: ...


class _Parser(Protocol):
    """The part of ``pytest.Parser`` that is used here."""

    def getgroup(self, name: str, description: str = "") -> Any: ...


def add_arguments(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """Add every option, in every spelling, to an ``argparse`` parser or group."""
    for option in OPTIONS:
        parser.add_argument(*option.names, **option.keywords)


def add_long_names(parser: _Parser) -> None:
    """Register the ``--conformance-…`` spellings; for pytest's ``pytest_addoption`` hook."""
    group = _group(parser)
    for option in OPTIONS:
        group.addoption(option.long_name, **option.keywords)


def add_short_names(parser: _Parser) -> list[str]:
    """Register the short names that no other plugin has; a notice for each that one has.

    To be called when every other plugin has registered its options: at the start of
    ``pytest_load_initial_conftests`` (entry points are loaded in no particular order, and the
    second to claim a name is the one that fails). That hook's ``early_config`` parsed the command
    line before the names existed; it has to do so again::

        early_config.known_args_namespace = parser.parse_known_args(
            args, namespace=copy.copy(early_config.option))
    """
    group, taken = _group(parser), set(_names(parser))
    notices = []
    for option in OPTIONS:
        if not option.short:
            continue
        if option.short in taken or not _added(group, option):
            notices.append(
                f"conformance: {option.short} belongs to another plugin here, "
                f"write {option.long_name}"
            )
    return notices


def _added(group: _Group, option: Option) -> bool:
    """Whether the short name could be registered as a second spelling of the same option."""
    try:
        group.addoption(option.short, **option.keywords)
    except (argparse.ArgumentError, ValueError):
        return False
    return True


def _group(parser: _Parser) -> Any:
    return parser.getgroup("conformance", "conformance of an OpenAI-style endpoint")


def _names(parser: object) -> Iterator[str]:
    """Option strings that pytest's parser has so far.

    There is no public way to ask. Where the private one is gone, :func:`_added` still finds out
    by trying.
    """
    groups = [*getattr(parser, "_groups", ()), getattr(parser, "_anonymous", None)]
    for group in groups:
        for option in getattr(group, "options", ()):
            yield from option.names()


def markdown_table() -> str:
    """The options as a Markdown table, for the docs."""
    rows = ["| option | meaning |", "|---|---|"]
    for option in OPTIONS:
        name = f"{option.names[0]} {option.metavar}".strip().replace("|", "\\|")
        rows.append(f"| `{name}` | {option.help.replace('|', chr(92) + '|')} |")
    return "\n".join(rows) + "\n"
