"""Makes the screenshots of this folder: runs the targets, opens their pages in Chromium.

    python docs/screenshots.py [--into docs/images] [--run DIR ...] [--depth quick]

Needs Playwright (``pip install playwright``) and an installed Chromium. ``--run`` adds pictures of a
run that exists already (a real engine's, say ``reports/engines/mlx-lm``), beside the reference and
the mutants on one page.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from conformance.cli import main as conformance
from conformance.report.joining import join_directories
from conformance.report.write import write_reports

DESK, PHONE = (1280, 1000), (390, 844)
BROWSERS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
MUTANTS = ("stop-ignored", "usage-total-more", "stream-cut")
#: A stream whose finishing chunk comes twice: the guilty event is marked.
STREAM = ("chunk-finish-twice", "chunk.finish-once or chunk.nothing-after-finish")
#: Bytes that no picture exceeds.
MOST = 300_000


@contextmanager
def _browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    path = next(filter(None, map(shutil.which, BROWSERS)), None)
    if path is None:
        raise SystemExit("no Chromium was found (apt-get install chromium)")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


def _shoot(
    browser: Any,
    page_file: Path,
    into: Path,
    *,
    size: tuple[int, int] = DESK,
    dark: bool = False,
    place: str = "",
) -> None:
    """A picture of the page; with a ``place`` (a permalink) of its open cell's timeline."""
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]},
        color_scheme="dark" if dark else "light",
    )
    page = context.new_page()
    page.goto(page_file.as_uri() + place)
    if place:
        page.locator(".guilty").first.evaluate("node => node.scrollIntoView({block: 'center'})")
        page.wait_for_timeout(300)
    page.screenshot(path=into)
    context.close()
    sys.stdout.write(f"{into} ({into.stat().st_size / 1000:.0f} kB)\n")
    if into.stat().st_size > MOST:
        raise SystemExit(f"{into} is larger than {MOST / 1000:.0f} kB")


def _timeline(browser: Any, page_file: Path) -> str:
    """The permalink of the first failing cell whose evidence is a stream with a guilty event."""
    page = browser.new_page()
    page.goto(page_file.as_uri())
    links = page.locator(".wrong a").evaluate_all("all => all.map(a => a.hash)")
    for link in links:
        page.goto(page_file.as_uri() + link)
        page.reload()
        if page.locator(".guilty").count():
            page.close()
            return str(link)
    raise SystemExit(f"{page_file} shows no stream with a guilty event")


def _run(folder: Path, depth: str, *targets: str, only: str = "") -> Path:
    arguments = [word for target in targets for word in ("--target", target)]
    arguments += ["--depth", depth, "--report-dir", str(folder), "--fail-on", "never"]
    conformance(["run", *arguments, *(["-k", only] if only else [])])
    return folder / "matrix.html"


def _in_three(browser: Any, page_file: Path, into: Path, name: str) -> None:
    """The page in light, in dark, and on a phone."""
    _shoot(browser, page_file, into / f"{name}-light.png")
    _shoot(browser, page_file, into / f"{name}-dark.png", dark=True)
    _shoot(browser, page_file, into / f"{name}-phone.png", size=PHONE)


def main() -> None:
    """Run the targets, take the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--into", type=Path, default=Path(__file__).parent / "images")
    parser.add_argument("--run", type=Path, action="append", default=[], metavar="DIR")
    parser.add_argument("--depth", default="standard")
    given = parser.parse_args()
    given.into.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="screenshots-") as name, _browser() as browser:
        runs = Path(name)
        honest = _run(runs / "reference", given.depth, "reference")
        _in_three(browser, honest, given.into, "reference")
        names = [f"mutant:{mutant}" for mutant in MUTANTS]
        broken = _run(runs / "mutants", given.depth, "reference", *names)
        _shoot(browser, broken, given.into / "mutants-light.png")
        _shoot(browser, broken, given.into / "mutants-dark.png", dark=True)
        mutant, only = STREAM
        stream = _run(runs / "stream", given.depth, f"mutant:{mutant}", only=only)
        place = _timeline(browser, stream)
        _shoot(browser, stream, given.into / "stream-timeline.png", place=place)
        for run in given.run:
            beside = runs / f"with-{run.resolve().name}"
            join_directories([broken.parent, run], beside, partial=True, close=True)
            write_reports(beside)
            _in_three(browser, beside / "matrix.html", given.into, run.resolve().name)


if __name__ == "__main__":
    main()
