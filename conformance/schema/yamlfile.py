"""YAML files as JSON values, with exact complaints: file, place, what to write instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from conformance.errors import ConfigurationError

__all__ = ["complain", "nearest", "pointer_of", "read_yaml", "validator_for"]

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_Base):  # type: ignore[misc]  # the C loader is untyped
    """Safe YAML without timestamps (JSON has none) that refuses a key given twice."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, regexp) for tag, regexp in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in _Base.yaml_implicit_resolvers.items()
}


def _mapping(loader: Any, node: yaml.MappingNode) -> dict[Any, Any]:
    loader.flatten_mapping(node)
    result: dict[Any, Any] = {}
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        if not isinstance(key, str):
            raise yaml.constructor.ConstructorError(
                None, None, f"key {key!r} is not text; put it in quotes", key_node.start_mark
            )
        if key in result:
            raise yaml.constructor.ConstructorError(
                None, None, f"key {key!r} is given twice", key_node.start_mark
            )
        result[key] = loader.construct_object(value_node, deep=True)
    return result


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def read_yaml(path: Path) -> Any:
    """The value in the file; the same object each time until the file changes: never alter it.

    Raises ``ConfigurationError`` for a file that cannot be read and for bad YAML, with line and
    column.
    """
    try:
        stat = path.stat()
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(f"cannot read the file ({reason})", where=str(path)) from None
    return _read(path, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=256)
def _read(path: Path, modified: int, size: int) -> Any:
    try:
        return yaml.load(path.read_bytes(), Loader=_Loader)  # noqa: S506 - a safe loader
    except OSError as error:
        reason = error.strerror or str(error)
        raise ConfigurationError(f"cannot read the file ({reason})", where=str(path)) from None
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"byte {error.start} is not UTF-8", where=str(path)) from None
    except RecursionError:
        raise ConfigurationError("nested too deeply", where=str(path)) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"{path}:{mark.line + 1}:{mark.column + 1}" if mark else str(path)
        raise ConfigurationError(error.problem or "not YAML", where=place) from None
    except yaml.YAMLError as error:
        raise ConfigurationError(" ".join(str(error).split()), where=str(path)) from None


def pointer_of(path: Iterable[str | int]) -> str:
    """The JSON pointer (RFC 6901) of a path of member names and array positions."""
    return "".join(f"/{str(step).replace('~', '~0').replace('/', '~1')}" for step in path)


def nearest(word: str, known: Iterable[str]) -> str:
    """``did you mean 'x'? `` and the list of what is known, for the *instead* of an error."""
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    hint = f"did you mean {close[0]!r}? " if close else ""
    return f"{hint}known: {', '.join(names)}"


def validator_for(schema: Mapping[str, Any]) -> Any:
    """A JSON Schema 2020-12 validator."""
    return Draft202012Validator(schema)


def complain(validator: Any, document: Any, file: Path | str) -> None:
    """Raise ``ConfigurationError`` for the most telling breach of the schema, if there is any.

    What to write instead is the ``description`` of the schema that was broken.
    """
    error = best_match(validator.iter_errors(document))
    if error is None:
        return
    what, instead = _words(error)
    raise ConfigurationError(
        what, where=f"{file}#{pointer_of(error.absolute_path)}", instead=instead
    )


def _words(error: ValidationError) -> tuple[str, str]:
    """What is wrong and what to write instead."""
    schema: Mapping[str, Any] = error.schema if isinstance(error.schema, Mapping) else {}
    wanted: Any = error.validator_value
    advice = str(schema.get("description", ""))
    if error.validator == "additionalProperties" and isinstance(error.instance, Mapping):
        known = schema.get("properties", {})
        unknown = next((name for name in error.instance if name not in known), "")
        return f"unknown key {unknown!r}", nearest(unknown, known)
    if error.validator == "enum":
        return f"{_short(error.instance)} is not possible", nearest(
            str(error.instance), (str(value) for value in wanted)
        )
    if error.validator == "required":
        return error.message.replace("is a required property", "is missing"), advice
    if error.validator == "type":
        names = wanted if isinstance(wanted, str) else " or ".join(wanted)
        return f"{_short(error.instance)} is not of type {names}", advice
    if len(error.message) > 300:
        return f"{_short(error.instance)} breaks {error.validator!r}", advice
    return error.message, advice


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
