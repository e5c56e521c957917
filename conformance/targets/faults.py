"""Schema violations as sentences: what is wrong, where, what to write instead.

The validator's own messages quote the offending value, which may be a key pasted into the wrong
line; these never quote a value that looks like one, nor any value of a ``x-secret-prone`` member.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match

from conformance.errors import ConfigurationError
from conformance.targets.secrets import looks_like_key, redact
from conformance.targets.strictyaml import Document

__all__ = ["check_schema", "nearest"]

_TYPES = {
    "object": "a mapping",
    "array": "a list",
    "string": "a text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
}
_LIMITS = {
    "minimum": "is below",
    "exclusiveMinimum": "is not above",
    "maximum": "is above",
    "exclusiveMaximum": "is not below",
}


def nearest(word: str, known: Iterable[str], *, every: bool = True) -> str:
    """``did you mean …?`` for the nearest of ``known``, then (``every``) the names there are."""
    names = sorted(map(str, known))
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    guess = [f"did you mean {close[0]!r}?"] if close else []
    listed = [f"known: {', '.join(names[:40])}{', …' if len(names) > 40 else ''}"] if every else []
    return " ".join(guess + listed)


def check_schema(document: Document, schema: Any) -> None:
    """Raise ``ConfigurationError`` for the most telling violation of ``schema`` in ``document``."""
    error = best_match(Draft202012Validator(schema).iter_errors(document.data))
    if error is None:
        return
    what, instead, path = _sentence(error)
    raise ConfigurationError(what, where=document.where(*path), instead=instead)


def _sentence(error: ValidationError) -> tuple[str, str, tuple[object, ...]]:
    """What, what instead, and the path of one violation."""
    path: tuple[object, ...] = tuple(error.absolute_path)
    hint = str(error.schema.get("x-instead", "")) if isinstance(error.schema, dict) else ""
    keyword: Any = error.validator
    wanted: Any = error.validator_value
    if keyword == "additionalProperties":
        return _unknown_member(error, path)
    if keyword == "required":
        present: Any = error.instance
        missing = next(name for name in wanted if name not in present)
        return f"{missing!r} is missing", f"add `{missing}:`", path
    if keyword == "minProperties":
        return "there is no entry", hint, path
    if keyword == "type":
        kinds = [wanted] if isinstance(wanted, str) else wanted
        told = " or ".join(_TYPES[kind] for kind in kinds)
        return f"{_shown(error)} is not {told}", hint or f"write {told}", path
    if keyword == "enum":
        names = [str(name) for name in wanted]
        return f"{_shown(error)} is not known here", nearest(str(error.instance), names), path
    if keyword in _LIMITS:
        return (
            f"{_shown(error)} {_LIMITS[keyword]} {wanted}",
            hint or f"the limit is {wanted}",
            path,
        )
    if (
        keyword == "pattern"
        and error.parent is None
        and "propertyNames" in error.absolute_schema_path
    ):
        return f"{redact(str(error.instance))!r} is no name for a target", hint, path
    return f"{_shown(error)} does not fit here", hint, path


def _unknown_member(
    error: ValidationError, path: tuple[object, ...]
) -> tuple[str, str, tuple[object, ...]]:
    """An unknown member: named, unless it may be a secret, with the nearest known one."""
    known = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
    instance: Any = error.instance
    extra = next(name for name in instance if name not in known)
    if extra in ("api_key", "key", "token", "secret", "password", "apikey", "api-key"):
        return (
            f"{extra!r}: a key never stands in this file",
            "put it into an environment variable and write its name as `api_key_env:`",
            (*path, extra),
        )
    return f"{redact(extra)!r} is not known here", nearest(extra, known), (*path, extra)


def _shown(error: ValidationError) -> str:
    """The offending value, as far as it may be shown."""
    value: Any = error.instance
    secret = isinstance(error.schema, dict) and error.schema.get("x-secret-prone")
    if isinstance(value, str):
        return "this text" if secret or looks_like_key(value) else repr(redact(value))
    if isinstance(value, dict):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    if value is None:
        return "nothing (null)"
    if secret:
        return "this value"
    return redact(str(value).lower() if isinstance(value, bool) else str(value), 30)
