"""Whatever a server does, a run ends in time, small, with the right verdict and without a leak."""

from __future__ import annotations

import json
import ssl
from pathlib import Path
from typing import Any

import pytest

from . import sins
from .judging import complaints, try_on
from .table import SINS

assert sins


def test_there_are_sixty_sins_and_more():
    """The table is as long as was promised, and every entry says what it does."""
    assert len(SINS) >= 60
    assert all(each.act.__doc__ for each in SINS.values())


#: What the ordinary tests judge: the plainest requests, the shapes of answers, errors.
FEW = ("-k", "minimal or shape or error")


@pytest.mark.parametrize("name", SINS)
def test_a_run_survives(
    name: str,
    tmp_path: Path,
    tls: ssl.SSLContext,
    record_property: Any,
    request: pytest.FixtureRequest,
) -> None:
    """Time, memory, exit code, verdicts, files, page, terminal and key are as they should be."""
    everything = request.config.getoption("--hostile")
    if not SINS[name].cheap and not everything:
        pytest.skip("only with --hostile")

    trial = try_on(SINS[name], tmp_path, tls, *(() if everything else FEW))
    record_property("sin", json.dumps(trial.row))

    assert [] == list(complaints(trial))
