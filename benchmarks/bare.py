"""What a bare client needs for the same requests: httpx2, asynchronous, nothing kept, nothing judged.

    python -m benchmarks.bare EVIDENCE BASE_URL     prints `requests cpu-seconds`

Sends every recorded request that an ordinary client can send, eight in flight, and reads every answer
to its end. What is counted is the process's time between the first request and the last answer.
"""

from __future__ import annotations

import asyncio
import base64
import json
import sys
import time
from pathlib import Path
from typing import Any

import httpx2

from benchmarks.servers import KEY

IN_FLIGHT = 8


def requests(evidence: Path) -> list[tuple[str, str, list[tuple[str, str]], bytes]]:
    """Method, path, headers and body of each request that was sent whole and read to the end."""
    found = []
    with evidence.open("rb") as lines:
        for line in lines:
            asked = json.loads(line)["request"]
            if asked["raw"] is None and asked["close_after"] is None:
                headers = [(name, value) for name, value in asked["headers"]]
                found.append((asked["method"], asked["path"], headers, _bytes(asked["body"])))
    return found


def _bytes(packed: dict[str, Any] | None) -> bytes:
    if packed is None:
        return b""
    if "text" in packed:
        return str(packed["text"]).encode()
    return base64.b64decode(packed["base64"])


async def replay(evidence: Path, base_url: str) -> tuple[int, float]:
    """How many requests were answered, and the CPU seconds they took."""
    waiting = requests(evidence)
    answered = 0

    async def client(http: httpx2.AsyncClient) -> None:
        nonlocal answered
        while waiting:
            method, path, headers, body = waiting.pop()
            try:
                async with http.stream(
                    method, base_url + path, headers=headers, content=body
                ) as it:
                    async for _ in it.aiter_raw():
                        pass
            except httpx2.HTTPError:
                continue
            answered += 1

    signed = {"Authorization": f"Bearer {KEY}"}
    async with httpx2.AsyncClient(timeout=60, headers=signed) as http:
        began = time.process_time()
        await asyncio.gather(*(client(http) for _ in range(IN_FLIGHT)))
        return answered, time.process_time() - began


if __name__ == "__main__":
    print(*asyncio.run(replay(Path(sys.argv[1]), sys.argv[2])))
