"""No shipped profile promises more than an honest server can keep."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from conformance.checks.api import Depth
from conformance.schema.profiles import available_profiles
from conformance.verdicts import Verdict

from .killing import PROFILES, PROGRAMS, bench, judge_app
from .taught import taught

ACCUSED = {
    Verdict.FAIL,
    Verdict.IGNORED,
    Verdict.REJECTED,
    Verdict.WARN,
    Verdict.FLAKY,
    Verdict.ERROR,
}
OTHERS = sorted(set(available_profiles()) - set(PROFILES))


@pytest.mark.parametrize("name", OTHERS)
def test_a_server_that_knows_the_parameters_is_accused_of_nothing(name, request):
    """What one documentation promises beside the API's parameters accuses no honest server.

    In the kill table everywhere, else for regular chat answers at quick depth.
    """
    whole = request.config.getoption("--kill-table", False)
    chosen = bench(name)
    depth = Depth.STANDARD if whole else Depth.QUICK
    chosen = replace(chosen, subject=replace(chosen.subject, depth=depth))
    app = taught(chosen.built.app, chosen.profile, chosen.built.model)
    items = [
        item
        for item in chosen.items
        if item.requirement.chapter not in PROGRAMS
        and depth.covers(item.depth)
        and (whole or (item.endpoint, item.mode) == ("chat", "regular"))
    ]

    results = asyncio.run(judge_app(chosen, app, items))

    assert [] == [
        f"{each.verdict} {each.item.name}: {each.message}"
        for each in results
        if each.verdict in ACCUSED
    ]
    assert any(each.verdict is Verdict.PASS for each in results)
