"""The reference server in this process, and once in a process of its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from conformance.reference.app import Application, create_app
from conformance.reference.serve import Running, start_reference
from conformance.reference.service import MODELS, Service
from conformance.reference.tokenizer import Tokenizer
from conformance.reference.variants import VARIANTS, Variant


class Local:
    """A server in this process; ``post`` and ``get`` go through its whole HTTP side."""

    def __init__(self, app: Application) -> None:
        self.app = app

    def request(self, method: str, path: str, **options: Any) -> httpx2.Response:
        """One request below the base."""

        async def send() -> httpx2.Response:
            transport = httpx2.ASGITransport(app=self.app)
            async with httpx2.AsyncClient(transport=transport, base_url="http://local") as client:
                return await client.request(method, f"/v1{path}", **options)

        return asyncio.run(send())

    def chat(self, content: str = "Hi there!", **parameters: Any) -> httpx2.Response:
        """A chat completion of one user message; ``parameters`` replace or add members."""
        messages = [{"role": "user", "content": content}]
        body = {"model": MODELS[0], "messages": messages, **parameters}
        return self.request("POST", "/chat/completions", json=body)

    def complete(self, prompt: Any = "Boil the", **parameters: Any) -> httpx2.Response:
        """A completion of ``prompt``."""
        body = {"model": MODELS[0], "prompt": prompt, **parameters}
        return self.request("POST", "/completions", json=body)


def events(response: httpx2.Response) -> list[dict[str, Any]]:
    """The chunks of a stream that ends with ``[DONE]``."""
    lines = [line for line in response.text.split("\n") if line]
    assert lines[-1] == "data: [DONE]"
    return [json.loads(line.removeprefix("data: ")) for line in lines[:-1]]


@pytest.fixture(scope="session")
def tokenizer() -> Tokenizer:
    return Tokenizer()


@pytest.fixture
def local() -> Local:
    return Local(create_app(Service()))


@pytest.fixture
def chunks() -> Any:
    return events


@pytest.fixture
def varied() -> Any:
    """A server of a named variant, or of given options."""

    def make(variant: str | Variant) -> Local:
        chosen = VARIANTS[variant] if isinstance(variant, str) else variant
        return Local(create_app(Service(chosen)))

    return make


@pytest.fixture(scope="session")
def running() -> Iterator[Running]:
    with start_reference() as server:
        yield server
