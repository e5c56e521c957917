"""What a request looks like on the wire: address, header fields, credentials."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from conformance import __version__
from conformance.errors import ConfigurationError
from conformance.wire.exchange import Credential, Request

__all__ = ["USER_AGENT", "WRONG_KEY", "Address", "Keys", "fields", "fill"]

USER_AGENT = f"openai-endpoint-conformance/{__version__}"
#: A key that nobody issued: what ``credential="wrong"`` sends.
WRONG_KEY = "sk-conformance-wrong-key-000000000000000000000000"

_SAFE = "/:?&=%+,;@!$'()*~#[]-._"


@dataclass(frozen=True, slots=True)
class Address:
    """A base URL taken apart. Raises ``ConfigurationError`` for one that cannot be asked."""

    scheme: str
    host: str
    port: int | None
    base_path: str

    @classmethod
    def parse(cls, base_url: str) -> Address:
        """The address of ``http(s)://host[:port]/base/path``."""
        instead = "write http://host:port/v1 or https://host/v1"
        try:
            parts = urlsplit(base_url.strip())
            port = parts.port
        except ValueError as error:
            raise ConfigurationError(f"base URL {base_url!r}: {error}", instead=instead) from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigurationError(f"base URL {base_url!r} is no HTTP address", instead=instead)
        if parts.username or parts.password or parts.query or parts.fragment:
            what = f"base URL of {parts.hostname!r} has more than scheme, host, port and path"
            raise ConfigurationError(what, instead=instead)
        try:
            host = parts.hostname.encode("idna").decode("ascii")
        except UnicodeError:
            raise ConfigurationError(
                f"{parts.hostname!r} is no host name", instead=instead
            ) from None
        return cls(parts.scheme, host, port, quote(parts.path.rstrip("/"), safe=_SAFE))

    @property
    def authority(self) -> str:
        """The ``Host`` field: with the port where it is not the scheme's own."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        default = {"http": 80, "https": 443}[self.scheme]
        return host if self.port in (None, default) else f"{host}:{self.port}"

    def target(self, path: str) -> str:
        """The request target for ``path`` below the base URL, percent signs left alone."""
        return (self.base_path + quote(path, safe=_SAFE)) or "/"


class Keys:
    """The secrets behind the credential labels. Its ``repr`` shows none."""

    def __init__(self, secrets: Mapping[str, str | None] | None = None) -> None:
        self._secrets = {"key": None, "wrong": WRONG_KEY, **(secrets or {}), "none": None}

    def __repr__(self) -> str:
        return f"Keys({', '.join(sorted(k for k, v in self._secrets.items() if v))})"

    def secret(self, credential: Credential) -> str | None:
        """The secret behind ``credential``, or ``None`` where there is none."""
        return self._secrets.get(credential) or None

    def authorization(self, credential: Credential) -> str | None:
        """The ``Authorization`` value, or ``None`` for no such field."""
        secret = self.secret(credential)
        return f"Bearer {secret}" if secret else None

    @property
    def secrets(self) -> tuple[str, ...]:
        """What must never be written: the keys a user gave (not the made-up wrong one)."""
        return tuple(v for v in self._secrets.values() if v and v != WRONG_KEY)


def fields(request: Request, address: Address, keys: Keys) -> list[tuple[str, str]]:
    """The header fields of ``request``: defaults, changed as ``Request.headers`` says."""
    defaults: dict[str, str | None] = {
        "Host": address.authority,
        "User-Agent": USER_AGENT,
        "Accept": "application/json",
        "Authorization": keys.authorization(request.credential),
    }
    if request.body:
        defaults["Content-Type"] = "application/json"
    if request.body or request.method in ("POST", "PUT", "PATCH"):
        defaults["Content-Length"] = str(len(request.body))
    changed = {name.lower() for name, _ in request.headers}
    if "transfer-encoding" in changed:
        changed.add("content-length")
    kept = [(k, v) for k, v in defaults.items() if v is not None and k.lower() not in changed]
    return kept + [(name, value) for name, value in request.headers if value is not None]


_AUTHORIZATION_LINE = re.compile(rb"^[^\r\n]*\{authorization\}[^\r\n]*(?:\r?\n|\Z)", re.MULTILINE)


def fill(raw: bytes, request: Request, address: Address, keys: Keys) -> bytes:
    """``raw`` with its placeholders filled in; without a credential, the line that has it goes."""
    authorization = keys.authorization(request.credential)
    if authorization is None:
        raw = _AUTHORIZATION_LINE.sub(b"", raw)
    else:
        raw = raw.replace(b"{authorization}", authorization.encode("utf-8"))
    if (secret := keys.secret(request.credential)) is not None:
        raw = raw.replace(b"{key}", secret.encode("utf-8"))
    raw = raw.replace(b"{host}", address.authority.encode("ascii"))
    return raw.replace(b"{base_path}", address.base_path.encode("ascii"))
