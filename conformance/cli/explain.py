"""``conformance explain``: a requirement, or the document's sentences, from both sides."""

from __future__ import annotations

import argparse
from collections.abc import Iterable

from conformance.checks.api import Requirement
from conformance.checks.catalogue import catalogue
from conformance.errors import ConfigurationError
from conformance.schema.contract import Profile
from conformance.schema.profiles import load_profile
from conformance.schema.trace import trace
from conformance.targets.faults import nearest

__all__ = ["configure", "run"]


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the options."""
    parser.add_argument(
        "id", nargs="?", metavar="ID", help="a requirement (default: every sentence of the page)"
    )
    parser.add_argument("--profile", default="deeptrin", metavar="NAME", help="default: deeptrin")


def run(arguments: argparse.Namespace) -> int:
    """Print one requirement with the sentences it rests on, or each sentence with its ids."""
    profile = load_profile(arguments.profile)
    known = catalogue(profile)
    if arguments.id is None:
        print(_sentences(profile, known))
        return 0
    if arguments.id not in known:
        raise ConfigurationError(
            f"there is no requirement {arguments.id!r} in the profile {profile.name}",
            where="explain",
            instead=nearest(arguments.id, known, every=False) or "`conformance plan` lists the ids",
        )
    print(_requirement(known[arguments.id], profile))
    return 0


def _requirement(requirement: Requirement, profile: Profile) -> str:
    source = requirement.source
    lines = [
        f"{requirement.id}  ({requirement.level})",
        f"  {requirement.statement}",
        f"  source: {source.kind}, {source.reference}",
    ]
    if source.quote:
        lines.append("  “" + "\n   ".join(source.quote.splitlines()) + "”")
    where = "every endpoint" if requirement.endpoints is None else ", ".join(requirement.endpoints)
    modes = ", ".join(requirement.modes) or "no mode"
    lines.append(f"  applies to: {where or 'the target as a whole'}; {modes}")
    if requirement.needs:
        lines.append(f"  needs: {', '.join(requirement.needs)}")
    for sentence in trace(profile, [requirement.id]).by_requirement[requirement.id]:
        lines.append(f"  {profile.name}:{sentence.line}: “{sentence.text}”")
    return "\n".join(lines)


def _sentences(profile: Profile, known: Iterable[str]) -> str:
    lines = []
    for sentence, ids in trace(profile, known).by_sentence:
        lines.append(f"{sentence.line}: “{sentence.text}”")
        if sentence.excluded:
            lines.append(f"    excluded: {sentence.excluded}")
        else:
            lines.append(f"    {len(ids)} requirements: {', '.join(ids)}")
    return "\n".join(lines)
