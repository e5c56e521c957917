"""A big page: how large it is, how long it takes to make, and how quickly it answers in a browser.

    python benchmarks/page.py [--targets 50] [--requirements 300] [--keep DIR]

Prints megabytes, seconds and milliseconds, and leaves with 1 where they are above the most. What a
browser does needs Playwright (``pip install playwright``) and an installed Chromium.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from conformance.report.closing import write_run
from conformance.report.records import Footer, Header, Result, Run, TargetFooter, TargetHeader
from conformance.report.write import write_reports
from conformance.verdicts import Level, Mode, Verdict

MOST_MEGABYTES, MOST_SECONDS, MOST_MILLISECONDS = 5.0, 60.0, 1000.0
PLACES = [(e, m) for e in ("chat", "completions") for m in (Mode.REGULAR, Mode.STREAM)]
TROUBLE = [Verdict.FAIL, Verdict.REJECTED, Verdict.WARN, Verdict.INCONCLUSIVE, Verdict.UNTESTABLE]
BASE = "http://127.0.0.1:8321/v1"
OPEN = "document.querySelectorAll('td > button')[3].click()"
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")


def results_of(target: str, requirements: int, dice: random.Random) -> Iterator[Result]:
    """Four verdicts for each requirement, one in ten of them no pass."""
    for index in range(requirements):
        for number, (endpoint, mode) in enumerate(PLACES):
            verdict = dice.choice(TROUBLE) if dice.random() < 0.1 else Verdict.PASS
            shown = () if verdict is Verdict.PASS else (f"x{index * 4 + number:05}",)
            message = f"expected {index}, got {dice.randrange(99)}" if shown else ""
            name = f"chapter{index % 12:02}.requirement-{index}.effect"
            yield Result(
                target, name, Level.MUST, endpoint, mode, verdict, message, 3, shown, seconds=0.4
            )


def exchange(target: str, id: str, stream: bool) -> dict[str, Any]:
    """A recorded exchange, as a run's evidence holds it."""
    request = {"model": "m", "messages": [{"role": "user", "content": "Hi."}], "stream": stream}
    chunk = {"id": id, "choices": [{"index": 0, "delta": {"content": "word "}}]}
    event = f"data: {json.dumps(chunk)}\n\n"
    body = event * 12 + "data: [DONE]\n\n" if stream else json.dumps(chunk)
    kind = "text/event-stream" if stream else "application/json"
    return {
        "id": id,
        "target": target,
        "elapsed": 0.3,
        "request": {
            "method": "POST",
            "path": "/chat/completions",
            "url": f"{BASE}/chat/completions",
            "body": {"text": json.dumps(request)},
        },
        "status": 200,
        "reason": "OK",
        "headers": [["content-type", kind]],
        "body": {"text": body},
        "body_reads": [[0.02 * n, len(event) * n] for n in range(1, 13)] if stream else [],
    }


def generate(folder: Path, targets: int, requirements: int) -> None:
    """The files of a run, as a run leaves them."""
    dice = random.Random(0)
    names = [f"target-{number:02}" for number in range(targets)]
    results = [r for name in names for r in results_of(name, requirements, dice)]
    heads = tuple(TargetHeader(name, "openai", "acme/model-8b", BASE) for name in names)
    footers = {name: TargetFooter(requests=800, seconds=60.0) for name in names}
    counts = Counter(result.verdict.value for result in results)
    header = Header("0.1.0", "2026-01-01T03:00:00+00:00", "c0ffee", targets=heads)
    run = Run(header, tuple(results), Footer(header.started, dict(counts), targets=footers))
    write_run(folder, run, exit_code=1)
    (folder / "evidence").mkdir()
    for name in names:
        lines = [
            json.dumps(exchange(name, r.evidence[0], r.mode is Mode.STREAM)) + "\n"
            for r in results
            if r.target == name and r.evidence
        ]
        (folder / "evidence" / f"{name}.jsonl").write_text("".join(lines))


def in_browser(page_file: Path) -> dict[str, float] | None:
    """Milliseconds until the page stands, a filter has acted, a cell is open; ``None``: no browser."""
    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        path = None
    if path is None:
        return None
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1000})

        def timed(act: Callable[[], Any]) -> float:
            began = time.perf_counter()
            act()
            page.evaluate(
                "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
            )
            return 1000 * (time.perf_counter() - began)

        found = {
            "load": timed(lambda: page.goto(page_file.as_uri())),
            "filter by verdict": timed(lambda: page.select_option("#f-verdict", "fail")),
            "filter by text": timed(lambda: page.fill("#f-text", "got 42")),
            "reset": timed(lambda: page.click("#filters button[type=reset]")),
            "open a cell": timed(lambda: page.evaluate(OPEN)),
        }
        browser.close()
    return found


def main() -> int:
    """Generate, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--targets", type=int, default=50)
    parser.add_argument("--requirements", type=int, default=300)
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave the run in DIR")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="page-") as name:
        folder = given.keep or Path(name) / "run"
        folder.mkdir(parents=True)
        generate(folder, given.targets, given.requirements)
        began = time.perf_counter()
        write_reports(folder)
        seconds = time.perf_counter() - began
        size = (folder / "matrix.html").stat().st_size / 1e6
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        shown = in_browser(folder / "matrix.html")
    print(f"{given.targets} targets × {given.requirements} requirements × {len(PLACES)} places")
    print(f"page {size:.2f} MB (at most {MOST_MEGABYTES:g})")
    print(f"all reports made in {seconds:.1f} s (at most {MOST_SECONDS:g}), {memory:.0f} MB")
    for what, took in (shown or {}).items():
        print(
            f"{what}: {took:.0f} ms (at most {10 * MOST_MILLISECONDS if what == 'load' else MOST_MILLISECONDS:g})"
        )
    if shown is None:
        print("no browser: Playwright or Chromium is not installed")
    slow = any(
        took > (10 if what == "load" else 1) * MOST_MILLISECONDS
        for what, took in (shown or {}).items()
    )
    return int(size > MOST_MEGABYTES or seconds > MOST_SECONDS or slow)


if __name__ == "__main__":
    raise SystemExit(main())
