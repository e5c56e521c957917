"""YAML files: read as JSON values, refused with file, line, pointer and advice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from conformance.errors import ConfigurationError
from conformance.schema.yamlfile import complain, nearest, pointer_of, read_yaml, validator_for

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8"), max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
)


def written(folder: Path, text: str) -> Path:
    path = folder / "file.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@given(value=JSON)
def test_json_values_survive(tmp_path_factory: pytest.TempPathFactory, value: Any) -> None:
    """What is dumped as YAML is read back as the same value."""
    path = written(tmp_path_factory.mktemp("yaml"), yaml.safe_dump(value))

    assert value == read_yaml(path)


@pytest.mark.parametrize(
    ("text", "where", "what"),
    [
        ("a: 1\nb: [1,\n", ":3:1", "did not find expected node content"),
        ("a: 1\nb: 2\na: 3\n", ":3:1", "key 'a' is given twice"),
        ("a:\n  1: x\n", ":2:3", "key 1 is not text"),
        ("a: !!python/object:os.system x\n", ":1:4", "could not determine a constructor"),
    ],
)
def test_bad_yaml_is_refused_with_line_and_column(
    tmp_path: Path, text: str, where: str, what: str
) -> None:
    """The error names the file, the line and the column."""
    path = written(tmp_path, text)

    with pytest.raises(ConfigurationError) as caught:
        read_yaml(path)

    assert str(caught.value).startswith(f"{path}{where}: {what}")


def test_a_date_is_text(tmp_path: Path) -> None:
    """JSON has no dates, so an unquoted one stays the text it is."""
    expected = {"expires": "2026-11-22"}

    assert expected == read_yaml(written(tmp_path, "expires: 2026-11-22\n"))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    """A file that is not there is a configuration error, not a traceback."""
    with pytest.raises(ConfigurationError, match=r"nowhere\.yaml: cannot read the file"):
        read_yaml(tmp_path / "nowhere.yaml")


def test_a_changed_file_is_read_again(tmp_path: Path) -> None:
    """The memory of a file ends when the file changes."""
    first = read_yaml(written(tmp_path, "a: 1\n"))

    second = read_yaml(written(tmp_path, "a: 22\n"))

    assert ({"a": 1}, {"a": 22}) == (first, second)


SCHEMA = {
    "type": "object",
    "required": ["colour"],
    "additionalProperties": False,
    "properties": {
        "colour": {"enum": ["red", "green"]},
        "size": {"type": "integer", "description": "write a whole number"},
    },
}


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"colour": "gren"}, "f#/colour: 'gren' is not possible; did you mean 'green'? known: green, red"),
        ({"colour": "red", "sise": 1}, "f#: unknown key 'sise'; did you mean 'size'? known: colour, size"),
        ({"colour": "red", "size": "1"}, "f#/size: '1' is not of type integer; write a whole number"),
        ({}, "f#: 'colour' is missing"),
    ],
)  # fmt: skip
def test_a_breach_is_told_with_place_and_advice(document: Any, expected: str) -> None:
    """The error says where it is, what is wrong and what to write instead."""
    with pytest.raises(ConfigurationError) as caught:
        complain(validator_for(SCHEMA), document, "f")

    assert expected == str(caught.value)


def test_a_valid_document_is_no_complaint() -> None:
    """Nothing is raised where nothing is wrong."""
    complain(validator_for(SCHEMA), {"colour": "red", "size": 3}, "f")


def test_pointers_are_escaped() -> None:
    """RFC 6901: ~ becomes ~0 and / becomes ~1."""
    expected = "/a~1b/0/~0c"

    assert expected == pointer_of(["a/b", 0, "~c"])


def test_the_nearest_name_is_suggested_only_if_near() -> None:
    """A far word gets the list of names alone."""
    expected = ("did you mean 'chat'? known: chat, models", "known: chat, models")

    assert expected == (nearest("chst", ["models", "chat"]), nearest("xyz", ["models", "chat"]))
