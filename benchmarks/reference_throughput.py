"""How many 16-token completions a second the reference server answers.

    python benchmarks/reference_throughput.py [--seconds SECONDS]

One process serves, this one asks: on two cores each has one. The client writes prepared bytes to
keep-alive connections and reads until the answer is complete, so that it costs little itself.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import time
from urllib.parse import urlsplit

from conformance.reference.serve import Running, start_reference

TOKENS = 16
END_OF_STREAM = b"\r\n0\r\n\r\n"


def prepared(running: Running, number: int, stream: bool) -> bytes:
    """The bytes of a request; every ``number`` has another prompt, so that nothing is cached."""
    url = urlsplit(running.base_url)
    words = {"role": "user", "content": f"What can I cook for {number} people?"}
    body = json.dumps(
        {"model": running.model, "messages": [words], "max_tokens": TOKENS, "stream": stream}
    ).encode()
    lines = [
        f"POST {url.path}/chat/completions HTTP/1.1",
        f"Host: {url.netloc}",
        f"Authorization: Bearer {running.key}",
        "Content-Type: application/json",
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def answer(reader: asyncio.StreamReader, stream: bool) -> bytes:
    """One whole answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise SystemExit(head.decode())
    if stream:
        return await reader.readuntil(END_OF_STREAM)
    fields = dict(line.split(b": ", 1) for line in head.lower().split(b"\r\n")[1:] if line)
    return await reader.readexactly(int(fields[b"content-length"]))


async def client(running: Running, first: int, stream: bool, until: float) -> int:
    """Ask one question after the other; how many were answered."""
    url = urlsplit(running.base_url)
    reader, writer = await asyncio.open_connection(url.hostname, url.port)
    done = 0
    while time.perf_counter() < until:
        writer.write(prepared(running, first + done, stream))
        await answer(reader, stream)
        done += 1
    writer.close()
    return done


async def rate(running: Running, clients: int, stream: bool, seconds: float) -> float:
    """Completions a second."""
    start = time.perf_counter()
    counts = await asyncio.gather(
        *(client(running, number * 1_000_000, stream, start + seconds) for number in range(clients))
    )
    return sum(counts) / (time.perf_counter() - start)


def main() -> None:
    """Print a line for each way of asking."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=3.0, help="for each line (default: 3)")
    seconds: float = parser.parse_args().seconds
    print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f} before the first request")
    with start_reference() as running:
        asyncio.run(rate(running, 1, False, 0.5))  # modules and tables are read once
        for stream in (False, True):
            for clients in (1, 8):
                figure = asyncio.run(rate(running, clients, stream, seconds))
                mode = "stream" if stream else "regular"
                print(f"{mode:8} {clients} clients: {figure:6.0f} completions/s of {TOKENS} tokens")
    print(f"load {os.getloadavg()[0]:.1f} after the last answer")


if __name__ == "__main__":
    main()
