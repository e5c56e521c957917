"""What a run was asked to do, whichever front end was told so.

Both front ends receive plain texts; :meth:`RunOptions.from_namespace` converts them, so that a
mistake is the same ``ConfigurationError`` (and the same exit code) wherever it was typed.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path
from typing import Any

from conformance.checks.api import Depth
from conformance.errors import ConfigurationError
from conformance.options.table import OPTIONS, FailOn, Shard
from conformance.targets import Target, adhoc_target, override

__all__ = ["RunOptions"]


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
            option.field: option.value(getattr(namespace, option.dest, None)) for option in OPTIONS
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
