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
        (GOOD + 'alone = ["b"]', "'b' is not pinned"),
        (GOOD + "needs_model = 1", "`needs_model` has the wrong type"),
        (GOOD + "ready_seconds = true", "`ready_seconds` has the wrong type"),
        (GOOD + 'prepare = ["make"]', "`prepare` is a list of command lines"),
        (GOOD.replace('"{model}"', "1"), "1 is no string"),
        (GOOD.replace("{model}", "{key}"), "unknown words: key"),
        (GOOD + 'constraints = "pins.txt"', "there is no file 'pins.txt'"),
        (GOOD + 'upstream = "nobody"', "there is no engine 'nobody'"),
        (GOOD + 'upstream = "new"', "there is no engine 'new'"),
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


def test_an_engine_has_a_key_when_its_settings_hold_one(tmp_path: Path) -> None:
    """A key in a variable or a file makes the engine one with a key, and only that does."""
    (tmp_path / "open.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "shut.toml").write_text(GOOD + '[environment]\nKEY = "{key}"', encoding="utf-8")

    found = [load_engine(name, tmp_path).has_key for name in ("open", "shut")]

    assert [False, True] == found


def test_the_version_shown_is_that_of_the_engine_itself(tmp_path: Path) -> None:
    """The first requirement names the engine; one that is installed alone comes before it."""
    (tmp_path / "plain.toml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "alone.toml").write_text(GOOD + 'alone = ["b==2"]', encoding="utf-8")

    found = [load_engine(name, tmp_path).version for name in ("plain", "alone")]

    assert ["a 1", "b 2"] == found
