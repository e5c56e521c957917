"""Base URLs: what one is, and which sentence helps a person who wrote something else."""

from __future__ import annotations

import ipaddress
import re
from urllib.parse import SplitResult, urlsplit

from conformance.errors import ConfigurationError
from conformance.targets.secrets import redact

__all__ = ["base_url", "is_loopback", "owns_default_key"]

_ENDPOINTS = ("/chat/completions", "/completions", "/models")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_EXAMPLE = "write the part before /chat/completions, such as http://localhost:8000/v1"


def base_url(text: str, *, where: str) -> str:
    """``text`` as a base URL without a trailing slash.

    Raises ``ConfigurationError`` (placed at ``where``) unless it is an http or https URL with a
    host and without user, query or fragment, and not the URL of a single endpoint.
    """
    parts = _split(text, where)
    if parts.username is not None or parts.password is not None:
        raise ConfigurationError(
            "a base URL holds no user or password",
            where=where,
            instead="name the environment variable with the key by api_key_env",
        )
    shown = redact(text, 200)
    for mark, part in (("?", parts.query), ("#", parts.fragment)):
        if part or mark in text:
            raise ConfigurationError(
                f"a base URL ends before {mark!r}", where=where, instead=_EXAMPLE
            )
    path = parts.path.rstrip("/")
    for endpoint in _ENDPOINTS:
        if path.endswith(endpoint):
            shorter = f"{parts.scheme}://{parts.netloc}{path.removesuffix(endpoint)}"
            raise ConfigurationError(
                f"{shown} is the URL of one endpoint",
                where=where,
                instead=f"write {redact(shorter, 200)}",
            )
    return f"{parts.scheme}://{parts.netloc}{path}"


def _split(text: str, where: str) -> SplitResult:
    """The parts of an http(s) URL with a host and a sane port."""

    def refuse(what: str, instead: str = _EXAMPLE) -> ConfigurationError:
        return ConfigurationError(what, where=where, instead=instead)

    if not text.strip():
        raise refuse("the base URL is empty")
    if not text.isascii() or any(char <= " " or char in '\x7f\\"<>^`{|}' for char in text):
        raise refuse("a base URL has no blanks, control characters or non-ASCII characters")
    shown = redact(text, 200)
    if not _SCHEME.match(text):
        guess = f"http://{shown}" if "@" not in text else "http://…"
        raise refuse(
            f"{shown if '@' not in text else 'the base URL'} has no http:// or https://",
            f"write {guess}",
        )
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise refuse("the base URL has a malformed host or port") from None
    if parts.scheme not in ("http", "https"):
        raise refuse(f"the scheme {parts.scheme!r} is not http or https")
    if not parts.hostname:
        raise refuse("the base URL has no host")
    if port == 0:
        raise refuse("the base URL has port 0")
    return parts


def is_loopback(url: str) -> bool:
    """Whether the host of ``url`` is this machine: ``localhost``, 127.0.0.0/8 or ::1."""
    host = urlsplit(url).hostname or ""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def owns_default_key(url: str) -> bool:
    """Whether ``OPENAI_API_KEY`` may go to ``url`` unasked: loopback and api.openai.com alone.

    A key must not travel to a host its owner did not name, nor unencrypted over a network.
    """
    parts = urlsplit(url)
    return is_loopback(url) or (parts.scheme == "https" and parts.hostname == "api.openai.com")
