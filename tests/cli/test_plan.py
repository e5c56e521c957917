"""``conformance plan``: what it says beforehand is what a run then does."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from conformance.checks.api import Depth
from conformance.cli import main
from conformance.engine.assembly import TargetPlan
from conformance.engine.forecast import OPEN_ENDED, Forecast, forecast, token_bound
from conformance.options import RunOptions
from conformance.planning import plan_run
from conformance.wire.exchange import Request

from .runs import Make, write_targets


def planned(plan: TargetPlan) -> Forecast:
    items = [item for item in plan.items if plan.excluded(item) is None]
    return asyncio.run(forecast(plan, items))


@pytest.fixture(scope="module")
def quick() -> Forecast:
    """The plan of a quick run."""
    return planned(plan_run(RunOptions(depth=Depth.QUICK))[0])


def test_the_honest_reference_stays_at_the_lower_end(make: Make, quick: Forecast) -> None:
    """Within 10 per cent of the least requests, below both token bounds."""
    footer = make("--target", "reference", "--depth", "quick").run.footer

    assert footer is not None
    assert abs(footer.requests - quick.least) <= 0.1 * quick.least
    assert footer.requests <= quick.most
    assert footer.completion_tokens <= quick.completion_tokens
    assert footer.prompt_tokens <= quick.prompt_tokens
    assert 0 < quick.fixed < quick.least


@pytest.mark.parametrize("name", ["stop-ignored-now-and-then", "plain-refused-everywhere"])
def test_a_defect_stays_below_the_upper_end(make: Make, quick: Forecast, name: str) -> None:
    """More requests than of an honest one, never more than planned."""
    footer = make("--target", f"mutant:{name}", "--depth", "quick").run.footer

    assert footer is not None
    assert footer.requests <= quick.most
    assert footer.completion_tokens <= quick.completion_tokens


def test_the_chapters_add_up(quick: Forecast) -> None:
    """Every request is somebody's."""
    assert quick.least == quick.requests.total()


def test_limits_and_prices_bound_the_money(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A target's own limits count, and nothing is sent to it: nobody listens there."""
    file = write_targets(
        tmp_path / "targets.yaml",
        {
            "dear": {
                "base_url": "http://127.0.0.1:9/v1",
                "model": "m",
                "profile": "openai-core",
                "limits": {"max_requests": 40, "max_completion_tokens": 500},
                "prices": {"prompt": 1000.0, "completion": 2000.0, "currency": "EUR"},
            }
        },
    )
    arguments = ["--target", "dear", "--targets-file", str(file), "-k", "stop"]

    code = main(["plan", *arguments])

    told = capsys.readouterr().out
    tokens = re.search(r"at most ([\d,]+) prompt and ([\d,]+) completion", told)
    assert tokens is not None
    prompt, completion = (int(number.replace(",", "")) for number in tokens.groups())
    assert 0 == code
    assert f"money: at most {(prompt * 1000 + completion * 2000) / 1e6:.2f} EUR" in told
    assert "nothing was sent to the target" in told
    assert re.search(r"40 to \d+ in all", told)


def test_ids_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """One a line, each once, only those asked for."""
    main(["plan", "--ids", "-k", "param.stop"])

    ids = capsys.readouterr().out.split()
    assert "param.stop.effect" in ids
    assert len(ids) == len(set(ids))
    assert all("param.stop" in id for id in ids)


@pytest.mark.parametrize(
    ("expected", "body"),
    [
        (5, b'{"max_tokens":5}'),
        (15, b'{"max_tokens":5,"n":3}'),
        (6, b'{"max_completion_tokens":6}'),
        (OPEN_ENDED, b"{}"),
        (OPEN_ENDED, b'{"max_tokens":null}'),
        (OPEN_ENDED * 128, b'{"max_tokens":1e3,"n":1000000000000}'),
        (0, b'{"max_tokens":-1}'),
        (5, b'{"max_tokens":5,"n":true}'),
        (0, b"[]"),
        (0, b"{"),
    ],
)
def test_a_request_bounds_its_own_tokens(expected: int, body: bytes) -> None:
    """Choices times limit; what has no readable limit counts as open-ended."""
    assert expected == token_bound(Request("POST", "/x", body))
