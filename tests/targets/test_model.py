"""Targets as values: whose key goes where, what is shown of them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import pytest

from conformance.errors import ConfigurationError
from conformance.targets import REFERENCE, Deviation, Kind, Target
from conformance.verdicts import Verdict

ENVIRON = {"OPENAI_API_KEY": "sk-default", "MY_KEY": " sk-mine\n", "EMPTY": "  "}


def target(url: str, variable: str | None = None) -> Target:
    """An HTTP target at ``url``."""
    return Target("a", url, "m", "p", api_key_env=variable)


@pytest.mark.parametrize(
    ("url", "variable", "key"),
    [
        ("https://api.openai.com/v1", None, "sk-default"),
        ("http://localhost:8000/v1", None, "sk-default"),
        ("http://127.0.0.9/v1", None, "sk-default"),
        ("http://[::1]:80/v1", None, "sk-default"),
        ("http://api.openai.com/v1", None, None),
        ("https://api.openai.com.evil.example/v1", None, None),
        ("https://evil.example/api.openai.com", None, None),
        ("https://localhost.evil.example/v1", None, None),
        ("http://0.0.0.0/v1", None, None),
        ("http://10.0.0.1/v1", None, None),
        ("https://other.example/v1", "MY_KEY", "sk-mine"),
        ("https://other.example/v1", "OPENAI_API_KEY", "sk-default"),
        ("https://api.openai.com/v1", "MY_KEY", "sk-mine"),
        ("https://api.openai.com/v1", "EMPTY", None),
        ("https://api.openai.com/v1", "UNSET", None),
    ],
)
def test_the_default_key_goes_to_loopback_and_its_owner_alone(
    url: str, variable: str | None, key: str | None
):
    """A key travels to a host only where its owner named both, or the host is its issuer's."""
    assert key == target(url, variable).key(ENVIRON)


def test_servers_started_by_the_run_take_the_runs_own_key():
    """The reference server gets a key of its own, whatever the environment holds."""
    assert REFERENCE.key(ENVIRON) is None

    started = REFERENCE.started("http://127.0.0.1:1/v1/", "tiny", "run-key")

    assert ("http://127.0.0.1:1/v1", "tiny", "run-key") == (
        started.base_url,
        started.model,
        started.key(ENVIRON),
    )
    assert Kind.REFERENCE is started.kind


@pytest.mark.parametrize("key", ["a\nb", "schlüssel", "a\x00b"])
def test_a_key_that_no_header_can_carry_is_refused_unseen(key: str):
    """The sentence names the variable and never shows the key."""
    with pytest.raises(ConfigurationError, match="environment variable MY_KEY") as caught:
        target("http://h", "MY_KEY").key({"MY_KEY": key})

    assert key not in str(caught.value)


def test_a_target_is_shown_without_secrets():
    """Reports hold the names of headers and of the key's variable, never a value."""
    shown = replace(
        target("http://h", "MY_KEY"),
        headers=(("X-Team", "hidden"),),
        own_key="hidden",
        deviations=(
            Deviation(
                requirement="a.b", verdict=Verdict.FAIL, reason="r", expires=date(2030, 1, 1)
            ),
        ),
    )

    assert "hidden" not in repr(shown).replace("('X-Team', 'hidden')", "")
    text = json.dumps(shown.describe())
    assert "hidden" not in text
    assert '"headers": ["X-Team"]' in text
    assert '"expires": "2030-01-01"' in text
