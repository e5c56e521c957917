"""Which targets a run looks at, and with which limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from conformance.errors import ConfigurationError
from conformance.targets import (
    REFERENCE,
    Limits,
    Target,
    Timeouts,
    adhoc_target,
    override,
    select_targets,
)

A, LOCAL = (Target(name, "http://h", "m", "p") for name in ("a", "local"))
FILE = {"reference": REFERENCE, "a": A, "local": LOCAL}
ADHOC = adhoc_target("http://h", "m")


@pytest.mark.parametrize(
    ("names", "adhoc", "chosen"),
    [
        ([], None, ["reference"]),
        ([], ADHOC, ["adhoc"]),
        (["a"], ADHOC, ["adhoc", "a"]),
        (["adhoc"], ADHOC, ["adhoc"]),
        (["local", "a", "local"], None, ["local", "a"]),
        (["all"], None, ["reference", "a", "local"]),
        (["local", "all", "a"], None, ["local", "reference", "a"]),
        (["mutant:x", "a", "mutant:x"], None, ["mutant:x", "a"]),
    ],
)
def test_targets_come_once_in_order_of_first_mention(names, adhoc, chosen):
    """Repeats do nothing; nothing named is the ad-hoc target, else the reference server."""
    assert chosen == [each.name for each in select_targets(names, FILE, adhoc)]


def test_mutants_take_after_the_reference_entry():
    """Limits that a file sets for the reference server hold for its mutants."""
    reference = replace(REFERENCE, profile="other", limits=Limits(max_requests=3))

    [mutant] = select_targets(["mutant:x"], {"reference": reference})

    assert ("other", 3) == (mutant.profile, mutant.limits.max_requests)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("locl", "--target: there is no target 'locl'; did you mean 'local'? known: a, local, ref"),
        ("zzz", "--target: there is no target 'zzz'; known: a, local, reference"),
        ("adhoc", "there is no target 'adhoc'"),
        ("http://h/v1", "--target: this is a URL, not the name of a target; write --base-url"),
        ("mutant:y", "there is no mutant 'y'"),
    ],
)
def test_an_unknown_name_is_refused_with_the_names_there_are(name: str, sentence: str):
    """An unknown target is a configuration error, never an empty run."""
    with pytest.raises(ConfigurationError) as caught:
        select_targets(["a", name], FILE, mutant_exists=lambda _: False)

    assert sentence in str(caught.value)


def test_the_command_line_overrides_the_file():
    """What is not given stays as the file says."""
    target = replace(A, limits=Limits(max_requests=5, concurrency=2))

    changed = override(target, max_requests=7, max_seconds=1.5)

    assert Limits(7, None, 1.5, 2) == changed.limits
    assert target == override(target)


@pytest.mark.parametrize(
    ("timeout", "times"), [(300.0, Timeouts(5, 300, 30, 300)), (2.0, Timeouts(2, 2, 2, 2))]
)
def test_one_timeout_bounds_the_whole_exchange(timeout: float, times: Timeouts):
    """A regular answer may come in one piece at the very end, so its first byte may take as long."""
    assert times == override(A, timeout=timeout).timeouts
