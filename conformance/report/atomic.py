"""Files that are written in one step."""

from __future__ import annotations

import os
from pathlib import Path

from conformance.errors import ConfigurationError

__all__ = ["replace_text"]


def replace_text(path: Path, text: str) -> None:
    """Write ``path`` in one step: a reader sees the old file or the new one.

    A lone surrogate is written as its escape, which JSON, JavaScript and people understand.
    """
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        scratch.write_bytes(text.encode("utf-8", "backslashreplace"))
        scratch.replace(path)
    except OSError as error:
        scratch.unlink(missing_ok=True)
        what = f"the report cannot be written ({error.strerror or error})"
        raise ConfigurationError(what, where=str(path), instead="free some space") from error
