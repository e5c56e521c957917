"""Which targets a run looks at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace

from conformance.errors import ConfigurationError
from conformance.targets.faults import nearest
from conformance.targets.load import REFERENCE, mutant_target
from conformance.targets.model import Limits, Target, Timeouts
from conformance.targets.secrets import redact

__all__ = ["override", "select_targets"]


def select_targets(
    names: Sequence[str],
    targets: Mapping[str, Target],
    adhoc: Target | None = None,
    *,
    mutant_exists: Callable[[str], bool] | None = None,
    mutants: Collection[str] = (),
) -> list[Target]:
    """The targets that ``--target`` names, each once, in the order of first mention.

    ``all`` stands for every target of the file. Nothing named: the ad-hoc target if there is one,
    else ``reference``. ``mutant:NAME`` names the reference server with a defect; ``mutant_exists``
    and ``mutants`` say which there are. Raises ``ConfigurationError`` for an unknown name.
    """
    found: dict[str, Target] = {adhoc.name: adhoc} if adhoc else {}
    if not names and not adhoc:
        names = [REFERENCE.name]
    reference = targets.get(REFERENCE.name, REFERENCE)
    for name in names:
        if name == "all":
            found = {**found, **{each: targets[each] for each in targets if each not in found}}
        elif name.startswith("mutant:"):
            mutant = mutant_target(name, mutant_exists, mutants, reference)
            found.setdefault(mutant.name, mutant)
        elif name in targets:
            found.setdefault(name, targets[name])
        elif name not in found:
            raise _unknown(name, targets)
    return list(found.values())


def _unknown(name: str, targets: Mapping[str, Target]) -> ConfigurationError:
    """The sentence for a name that no target has."""
    shown = redact(name)
    if "://" in name:
        return ConfigurationError(
            "this is a URL, not the name of a target",
            where="--target",
            instead="write --base-url URL --model ID",
        )
    return ConfigurationError(
        f"there is no target {shown!r}", where="--target", instead=nearest(name, targets)
    )


def override(
    target: Target,
    *,
    max_requests: int | None = None,
    max_completion_tokens: int | None = None,
    max_seconds: float | None = None,
    concurrency: int | None = None,
    timeout: float | None = None,
) -> Target:
    """``target`` with the limits given on the command line (``None``: as the file says).

    ``timeout`` (seconds) is the longest a whole exchange may take. The first byte may take as
    long, because a regular answer is often written only when it is complete; the waits for the
    connection and between reads are cut down to it.
    """
    limits: dict[str, float | int | None] = {
        "max_requests": max_requests,
        "max_completion_tokens": max_completion_tokens,
        "max_seconds": max_seconds,
        "concurrency": concurrency,
    }
    given = {name: value for name, value in limits.items() if value is not None}
    changed: Limits = replace(target.limits, **given)  # type: ignore[arg-type]
    times = target.timeouts
    if timeout is not None:
        times = Timeouts(min(times.connect, timeout), timeout, min(times.idle, timeout), timeout)
    return replace(target, limits=changed, timeouts=times)
