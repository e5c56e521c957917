"""The table of options on a command line (argparse, pytest), and as a page of the docs."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import Any, Protocol

from conformance.options.table import OPTIONS, Option

__all__ = ["add_arguments", "add_long_names", "add_short_names", "markdown_table"]


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
