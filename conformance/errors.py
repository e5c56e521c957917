"""Errors of the suite itself, and the exit code each leaves with.

    ConformanceError
    ├── ConfigurationError      exit 2   what, where, what instead
    └── TargetUnreachable       exit 3   the target never answered

What a *target* does wrong is never an exception of this module: it is a verdict.
"""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ConfigurationError", "ConformanceError", "ExitCode", "TargetUnreachable"]


class ExitCode(IntEnum):
    """Exit codes of every command; precedence 2, 1, 3, 4."""

    CONFORMS = 0
    FAILURE = 1
    CONFIGURATION = 2
    UNREACHABLE = 3
    UNDECIDED = 4
    INTERRUPTED = 130


class ConformanceError(Exception):
    """Base of the errors that end a command with one sentence instead of a traceback."""

    exit_code = ExitCode.UNREACHABLE


class ConfigurationError(ConformanceError):
    """A mistake in what the user wrote.

    Rendered as ``where: what; instead``: the place (file and JSON pointer, or the option), the
    mistake, and what to write instead.
    """

    exit_code = ExitCode.CONFIGURATION

    def __init__(self, what: str, *, where: str = "", instead: str = "") -> None:
        self.what, self.where, self.instead = what, where, instead
        text = f"{where}: {what}" if where else what
        super().__init__(f"{text}; {instead}" if instead else text)


class TargetUnreachable(ConformanceError):
    """The target never gave an HTTP answer."""

    exit_code = ExitCode.UNREACHABLE
