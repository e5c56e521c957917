"""Errors that clients cannot read."""

from __future__ import annotations

from typing import Any

from conformance.reference.mutants import Head, Seen, mutant

Document = dict[str, Any]


@mutant(
    "error-detail",
    kills=("error.envelope",),
    kind="error",
    thread="https://github.com/raullenchai/Rapid-MLX/pull/491",
)
def error_detail(document: Document, seen: Seen) -> Document:
    """Errors are `{"detail": …}`."""
    return {"detail": document["error"]["message"]}


@mutant(
    "error-flat",
    kills=("error.envelope",),
    kind="error",
    thread="https://github.com/vllm-project/vllm/issues/4667",
)
def error_flat(document: Document, seen: Seen) -> Document:
    """Errors have no `error` member: their fields stand at the top."""
    return {"object": "error", **document["error"], "code": 40001}


@mutant("error-string", kills=("error.envelope",), kind="error")
def error_string(document: Document, seen: Seen) -> Document:
    """`error` is a string."""
    return {"error": document["error"]["message"]}


@mutant(
    "error-no-message",
    kills=("error.envelope",),
    kind="error",
    thread="https://github.com/lm-sys/FastChat/issues/1966",
)
def error_no_message(document: Document, seen: Seen) -> None:
    """The message of errors is empty."""
    document["error"]["message"] = ""


@mutant(
    "error-code-integer",
    kills=("error.members",),
    kind="error",
    thread="https://github.com/NVIDIA/TensorRT-LLM/pull/19457",
)
def error_code_integer(document: Document, seen: Seen) -> None:
    """`error.code` repeats the HTTP status as a number."""
    document["error"]["code"] = seen.status


@mutant("error-no-param", kills=("error.members",), kind="error")
def error_no_param(document: Document, seen: Seen) -> None:
    """Errors have no `param`."""
    document["error"].pop("param", None)


@mutant("error-param-null", kills=("error.param",), kind="error")
def error_param_null(document: Document, seen: Seen) -> None:
    """Errors never name the parameter."""
    document["error"]["param"] = None


@mutant("error-as-text", kills=("error.content-type",), kind="head")
def error_as_text(head: Head, seen: Seen) -> None:
    """Errors are sent as text/html."""
    if head.status >= 400:
        head.set("content-type", "text/html; charset=utf-8")


@mutant("error-traceback", kills=("error.no-internals",), kind="error")
def error_traceback(document: Document, seen: Seen) -> None:
    """Error messages hold a stack trace."""
    document["error"]["message"] += (
        '\nTraceback (most recent call last):\n  File "/app/server.py", line 12, in chat'
    )


@mutant("error-code-varies", kills=("error.repeatable",), kind="error")
def error_code_varies(document: Document, seen: Seen) -> None:
    """The same fault gets another code each time."""
    document["error"]["code"] = f"code_{seen.number}"
