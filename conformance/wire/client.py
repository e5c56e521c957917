"""The client: one request, one attempt, one Exchange, whatever the target does.

:meth:`Wire.send` never raises for what a target does; only ``asyncio.CancelledError`` passes.
It follows no redirect (the key never goes to another host), retries nothing, reads no proxy settings
unless asked to, and keeps every byte that arrived.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from contextlib import aclosing
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore2

from conformance.errors import ConfigurationError
from conformance.wire.ending import classify, finished, settled
from conformance.wire.exchange import Exchange, Request
from conformance.wire.intake import Intake
from conformance.wire.limits import Limits, Timeouts
from conformance.wire.network import RECORDER, Recorder, RecordingBackend, RecordingStream, sentence
from conformance.wire.outgoing import Address, Keys, fields, fill
from conformance.wire.raw import converse

__all__ = ["Limits", "Timeouts", "Wire", "tls_context"]

#: Below the 5 s after which common servers close idle connections, lest requests meet the closing.
KEEP_ALIVE = 3.0


def tls_context(*, verify: bool = True, ca_file: str | None = None) -> ssl.SSLContext:
    """The system's trust store, or ``ca_file``, or no verification at all.

    Raises ``ConfigurationError`` when ``ca_file`` cannot be read.
    """
    if not verify:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context
    if ca_file is None:
        return httpcore2.default_ssl_context()
    try:
        return ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        what = f"cannot read certificates from {ca_file!r}: {sentence(error)}"
        raise ConfigurationError(what, instead="name a PEM file of trusted certificates") from None


class Wire:
    """Sends requests to one base URL and records what comes back.

    ``keys`` maps credential labels to secrets; without ``key`` no Authorization field is sent.
    ``trust_env`` lets ``HTTP_PROXY`` and its kin apply.
    """

    def __init__(
        self,
        base_url: str,
        keys: Mapping[str, str | None] | None = None,
        *,
        timeouts: Timeouts | None = None,
        limits: Limits | None = None,
        verify: bool = True,
        ca_file: str | None = None,
        trust_env: bool = False,
        transport: httpcore2.AsyncNetworkBackend | None = None,
    ) -> None:
        self.base_url = base_url
        self.address = Address.parse(base_url)
        self.keys = Keys(keys)
        self.timeouts, self.limits = timeouts or Timeouts(), limits or Limits()
        secure = self.address.scheme == "https"
        self._tls = tls_context(verify=verify, ca_file=ca_file) if secure else None
        self._backend = RecordingBackend(transport)
        self._pool = httpcore2.AsyncConnectionPool(
            ssl_context=self._tls,
            proxy=_proxy(self.address) if trust_env else None,
            max_connections=1000,
            max_keepalive_connections=64,
            keepalive_expiry=KEEP_ALIVE,
            network_backend=self._backend,
        )

    async def send(
        self, request: Request, *, id: str = "", repetition: int = 0, phase: str = "ordinary"
    ) -> Exchange:
        """The exchange for ``request``, sent once."""
        recorder = Recorder(self.timeouts, self.limits)
        intake = Intake(request, self.limits)
        token = RECORDER.set(recorder)
        try:
            if request.raw is not None:
                await self._send_raw(request, request.raw, intake, recorder)
            else:
                await self._send(request, intake, recorder)
        except Exception as error:
            classify(error, recorder)
        finally:
            RECORDER.reset(token)
        return finished(intake, recorder, id=id, repetition=repetition, phase=phase)

    async def _send(self, request: Request, intake: Intake, recorder: Recorder) -> None:
        response = await self._pool.handle_async_request(self._prepare(request))
        network: RecordingStream = response.extensions["network_stream"]
        try:
            await self._receive(response, intake, recorder)
        finally:
            network.spoiled = not settled(intake, recorder)
            await response.aclose()

    def _prepare(self, request: Request) -> httpcore2.Request:
        address = self.address
        url = httpcore2.URL(
            scheme=address.scheme,
            host=address.host,
            port=address.port,
            target=address.target(request.path),
        )
        pairs = fields(request, address, self.keys)
        return httpcore2.Request(
            request.method,
            url,
            headers=[(name.encode("utf-8"), value.encode("utf-8")) for name, value in pairs],
            content=request.body,
            extensions={"timeout": {"connect": self.timeouts.connect}},
        )

    async def _receive(
        self, response: httpcore2.Response, intake: Intake, recorder: Recorder
    ) -> None:
        recorder.head_done = True
        extensions = response.extensions
        go_on = intake.head(
            response.status,
            extensions.get("reason_phrase", b""),
            extensions.get("http_version", b""),
            response.headers,
        )
        if go_on:
            async with aclosing(response.aiter_stream()) as pieces:
                async for piece in pieces:
                    if not intake.body(piece, recorder.at):
                        return
            intake.end()

    async def _send_raw(
        self, request: Request, raw: bytes, intake: Intake, recorder: Recorder
    ) -> None:
        address = self.address
        port = address.port or (443 if self._tls else 80)
        stream = await self._backend.connect_tcp(address.host, port, self.timeouts.connect)
        try:
            if self._tls:
                stream = await stream.start_tls(self._tls, address.host, self.timeouts.connect)
            await converse(stream, fill(raw, request, address, self.keys), intake, recorder)
            settled(intake, recorder)
        finally:
            await stream.aclose()

    async def aclose(self) -> None:
        """Close the kept connections."""
        await self._pool.aclose()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()


def _proxy(address: Address) -> httpcore2.Proxy | None:
    """The proxy that the environment names for ``address``."""
    url = getproxies().get(address.scheme)
    if not url or proxy_bypass(address.host):
        return None
    parts = urlsplit(url if "://" in url else f"http://{url}")
    auth: Any = (parts.username, parts.password or "") if parts.username else None
    netloc = parts.netloc.rpartition("@")[2]
    return httpcore2.Proxy(f"{parts.scheme}://{netloc}", auth=auth)
