"""Which quotations of a profile do not stand in the texts that they were taken from.

    python docs/quotations.py PROFILE FILE…

A quotation is a parameter's ``quote``, or the ``sentence`` by which a profile withdraws one. Line
breaks, comment signs at their beginning and repeated spaces do not count. Words that a profile takes
from the contract are not looked for. Ends with 1 if something is missing.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from pathlib import Path

from conformance.errors import ConfigurationError
from conformance.schema import loader
from conformance.schema.profilefile import read_profile

__all__ = ["main", "missing", "quotations"]

#: Where a text is broken, and what its next line may begin with.
BREAK = re.compile(r"\s*\n[ \t>#*/]*|\s+")


def quotations(profile: str) -> dict[str, str]:
    """Every quotation in the files of ``profile``, by the place where it stands."""
    data, _ = read_profile(profile, loader.roots())
    found: dict[str, str] = {}
    entries = [("", data.get("parameters", {}))]
    entries += [
        (f"{name}.", endpoint.get("overrides", {})) for name, endpoint in data["endpoints"].items()
    ]
    entries += [("models.", each.get("parameters", {})) for each in data.get("models", ())]
    for prefix, parameters in entries:
        for name, entry in parameters.items():
            if quote := entry.get("source", {}).get("quote"):
                found[f"{prefix}{name}"] = quote
    for name, entry in data.get("unsupported", {}).items():
        found[f"unsupported.{name}"] = entry["sentence"]
    return found


def missing(quoted: dict[str, str], texts: Iterable[str]) -> dict[str, str]:
    """What stands in none of ``texts``."""
    plain = [_plain(text) for text in texts]
    return {
        place: quote
        for place, quote in quoted.items()
        if not any(_plain(quote) in text for text in plain)
    }


def _plain(text: str) -> str:
    return BREAK.sub(" ", text).strip()


def main(arguments: list[str]) -> int:
    """Print what is missing, and how much was looked for."""
    if len(arguments) < 2:
        sys.stderr.write(f"{(__doc__ or '').strip()}\n")
        return 2
    profile, *files = arguments
    try:
        quoted = quotations(profile)
    except ConfigurationError as problem:
        sys.stderr.write(f"{problem}\n")
        return 2
    lost = missing(quoted, (Path(each).read_text(encoding="utf-8") for each in files))
    for place, quote in lost.items():
        sys.stdout.write(f"{profile}: {place}: not found: {quote}\n")
    sys.stdout.write(f"{profile}: {len(quoted)} quotations, {len(lost)} not found\n")
    return 1 if lost else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
