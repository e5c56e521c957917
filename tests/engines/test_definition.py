"""Engine files: the shipped ones load, and each mistake is one sentence that names the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from conformance.errors import ConfigurationError
from engines.definition import available, load_engine

GOOD = """
command = ["{bin}/serve", "--model", "{model}", "--port", "{port}"]
health = "/health"
requirements = ["a==1"]
"""


@pytest.mark.parametrize("name", available())
def test_every_shipped_engine_loads(name: str) -> None:
    """Each file of the folder is a valid engine that is told its port."""
    engine = load_engine(name)

    assert any("{port}" in word for word in engine.command)


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("command = [", "not TOML"),
        (GOOD.replace('health = "/health"', ""), "`health` is missing"),
        (GOOD + "colour = 1", "unknown member `colour`"),
        (GOOD.replace('"/health"', "7"), "`health` has the wrong type"),
        (GOOD.replace("{port}", "{prot}"), "unknown words: prot"),
        (GOOD.replace("{port}", "{port"), "expected '}'"),
        (GOOD.replace("a==1", "a>=1"), "'a>=1' is not pinned"),
    ],
)
def test_a_mistake_is_named_with_its_file(tmp_path: Path, text: str, mistake: str) -> None:
    """Whatever is wrong in an engine's file, the error says what and in which file."""
    (tmp_path / "new.toml").write_text(text, encoding="utf-8")

    with pytest.raises(ConfigurationError) as caught:
        load_engine("new", tmp_path)

    assert mistake in str(caught.value)
    assert "new.toml" in str(caught.value)


def test_an_unknown_engine_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    """The error about an unknown name lists the names there are."""
    (tmp_path / "known.toml").write_text(GOOD, encoding="utf-8")

    with pytest.raises(ConfigurationError, match="known"):
        load_engine("unknown", tmp_path)
