"""The error envelope of the API and the errors that several modules raise.

Wordings and codes are those that real answers show: ``{"error": {"message", "type", "param",
"code"}}`` with all four members present, ``param`` a path such as ``messages[2].role``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.reference.tokenizer import scalar_text

__all__ = ["APIError", "article", "invalid_type", "shown"]


class APIError(Exception):
    """A refusal: HTTP status and the four members of the envelope."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        param: str | None = None,
        code: str | None = None,
        type: str = "invalid_request_error",  # the envelope's own word
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.param, self.code = status, message, param, code
        self.type = type
        self.headers = dict(headers or {})

    def envelope(self) -> dict[str, Any]:
        """The response body."""
        return {
            "error": {
                "message": scalar_text(self.message),
                "type": self.type,
                "param": None if self.param is None else scalar_text(self.param),
                "code": self.code,
            }
        }


def shown(value: Any) -> str:
    """A value as an error message shows it; long ones shortened in the middle."""
    text = value if isinstance(value, str) else _number(value)
    return text if len(text) <= 60 else f"{text[:20]}...{text[-20:]}"


def _number(value: Any) -> str:
    if isinstance(value, int) and value.bit_length() > 256:
        return "a very large integer" if value > 0 else "a very small integer"
    return str(value)


def article(value: Any) -> str:
    """The JSON type of ``value`` with its article."""
    match value:
        case None:
            return "null"
        case bool():
            return "a boolean"
        case int():
            return "an integer"
        case float():
            return "a decimal"
        case str():
            return "a string"
        case list():
            return "an array"
        case _:
            return "an object"


def invalid_type(param: str, expected: str, value: Any) -> APIError:
    """400: a value of the wrong JSON type. ``expected`` with its article."""
    message = f"Invalid type for '{param}': expected {expected}, but got {article(value)} instead."
    return APIError(400, message, param=param, code="invalid_type")
