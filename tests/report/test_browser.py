"""The page in a real browser, opened from the disk as people open it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from conformance.report.write import write_reports
from conformance.verdicts import Verdict

from .fakes import CLIENTS, write_run

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@dataclass
class Opened:
    """A page, and all that it asked for or complained about."""

    page: Any
    uri: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


def make(folder: Path, **kinds: Any) -> Path:
    folder.mkdir()
    write_run(folder, **kinds)
    write_reports(folder)
    return folder / "matrix.html"


@pytest.fixture(scope="module")
def plain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pages") / "plain"
    targets = ("reference", "mlx", "x/y")
    return make(folder, targets=targets, requirements=50, trouble=0.2, seed=3, clients=CLIENTS)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    names = (
        "<script>window.pwned=1</script>",
        '"><img src=x onerror="window.pwned=1">',
        "__proto__",
    )
    folder = tmp_path_factory.mktemp("pages") / "hostile"
    return make(folder, targets=names, requirements=46, trouble=0.6, hostile=True, footer=False)


@pytest.fixture
def open_page(browser: Any) -> Iterator[Any]:
    contexts = []

    def opened(path: Path, fragment: str = "", **options: Any) -> Opened:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        contexts.append(context)
        found = Opened(context.new_page(), path.as_uri())
        found.page.on("request", lambda request: found.requests.append(request.url))
        found.page.on("console", lambda message: found.complaints.append(message.text))
        found.page.on("pageerror", lambda error: found.complaints.append(str(error)))
        found.page.goto(path.as_uri() + fragment)
        return found

    yield opened
    for context in contexts:
        context.close()


def test_the_page_asks_for_nothing_and_complains_of_nothing(open_page: Any, plain: Path) -> None:
    """One file, no request beside it, an empty console."""
    opened = open_page(plain)
    opened.page.locator("td > button").first.click()

    assert [opened.uri] == opened.requests
    assert [] == opened.complaints


def test_a_cell_opens_and_closes_by_keyboard(open_page: Any, plain: Path) -> None:
    """Enter opens, Escape closes and gives the focus back; arrows walk."""
    page = open_page(plain).page
    button = page.locator("td > button.v-fail").first
    button.focus()
    page.keyboard.press("Enter")

    assert "true" == button.get_attribute("aria-expanded")
    detail = page.locator(f"#{button.get_attribute('aria-controls')} .detail")
    assert "Smallest failing request" in detail.inner_text()
    assert "curl -sS" in detail.inner_text()

    page.keyboard.press("Escape")
    assert 0 == page.locator(".detail").count()
    assert button.evaluate("node => node === document.activeElement")

    page.keyboard.press("ArrowDown")
    assert not button.evaluate("node => node === document.activeElement")
    assert "BUTTON" == page.evaluate("document.activeElement.tagName")


def test_a_permalink_opens_its_cell(open_page: Any, plain: Path) -> None:
    """Target, requirement and place, percent-encoded."""
    page = open_page(plain, "#x%2Fy/param.stop.effect/completions-stream").page

    assert "param.stop.effect MUST – x/y" in page.locator(".detail h4").inner_text().replace(
        "\n", " "
    ) or ("param.stop.effect" in page.locator(".detail h4").inner_text())
    assert "completions stream" in page.locator(".place.target h5").inner_text()
    assert page.locator(".place.target").is_visible()


def test_a_permalink_in_a_wide_matrix_keeps_the_heads_in_sight(
    open_page: Any, tmp_path: Path
) -> None:
    """The cell is below its column's head, and right of its requirement."""
    names = [f"target-{n:02}" for n in range(20)]
    path = make(tmp_path / "wide", targets=names, requirements=80, trouble=0.1)
    page = open_page(path, "#target-15/param.stop.effect/chat-stream").page
    page.wait_for_timeout(300)

    seen = page.evaluate(
        """() => {
          const button = document.querySelector("[aria-expanded=true]");
          const head = button.closest("table").tHead.rows[0].cells[button.parentElement.cellIndex];
          const [a, b] = [button, head].map((node) => node.getBoundingClientRect());
          const top = document.elementFromPoint(b.left + b.width / 2, b.top + b.height / 2);
          const hit = document.elementFromPoint(a.left + a.width / 2, a.top + a.height / 2);
          return [head.textContent, top === head, button.contains(hit), b.bottom <= a.top];
        }"""
    )

    assert ["target-15", True, True, True] == seen


def test_every_line_of_what_is_wrong_leads_to_its_cell(open_page: Any, plain: Path) -> None:
    """The list above the matrix is made of permalinks that work."""
    page = open_page(plain).page
    links = page.locator(".wrong > li > div > a")

    for index in range(min(links.count(), 5)):
        name = links.nth(index).locator("code").inner_text()
        links.nth(index).click()
        page.locator(".detail h4", has_text=name).wait_for()
        assert page.locator(".place.target").is_visible()


def test_a_permalink_shows_what_a_filter_hid(open_page: Any, plain: Path) -> None:
    """Following a link clears the filters where they are in the way."""
    page = open_page(plain).page
    page.fill("#f-text", "nothing has this text")
    page.evaluate("location.hash = '#mlx/param.stop.effect'")

    page.wait_for_selector(".detail")
    assert "" == page.input_value("#f-text")


@pytest.mark.parametrize(
    ("control", "value", "selector"),
    [
        ("#f-chapter", "param", ".chapter[data-chapter=param] tr[data-r]"),
        ("#f-level", "SHOULD", "tr[data-r]:has(.l-SHOULD)"),
        ("#f-verdict", "rejected", "tr[data-r]:has(.v-rejected)"),
    ],
)
def test_filters_show_exactly_what_fits(
    open_page: Any, plain: Path, control: str, value: str, selector: str
) -> None:
    """Chapter, level and verdict; the count is announced."""
    page = open_page(plain).page
    page.select_option(control, value)

    ids = "rows => rows.map(row => row.dataset.r).sort()"
    shown = page.locator("tr[data-r]:visible").evaluate_all(ids)
    assert page.locator(selector).evaluate_all(ids) == shown
    assert f"{len(shown)} of 50 requirements" == page.inner_text("#f-count")

    page.click("button[type=reset]")
    page.locator("#f-count", has_text="50 of 50 requirements").wait_for()


def test_the_text_filter_finds_messages(open_page: Any, plain: Path) -> None:
    """What a verdict says is found too, whatever the case."""
    page = open_page(plain).page
    page.fill("#f-text", "USAGE.TOTAL_TOKENS IS 13")

    shown = page.locator("tr[data-r]:visible")
    assert shown.count() == page.locator("tr[data-r]:visible:has(.v-fail)").count() > 0


def test_a_stream_shows_its_arrivals_with_the_guilty_event(open_page: Any, plain: Path) -> None:
    """A timeline of events, one of them marked in words."""
    page = open_page(plain).page
    for button in page.locator(
        "td > button.v-fail, td > button.v-rejected, td > button.v-ignored"
    ).all():
        button.click()
        if page.locator(".guilty").count():
            break

    assert "▶ guilty:" in page.locator(".guilty").first.inner_text()
    assert page.locator(".time thead th[scope=col]").count() >= 5


def test_hostile_text_stays_text(open_page: Any, hostile: Path) -> None:
    """Every cell opened: no script ran, no element of theirs exists, nothing was asked for."""
    opened = open_page(hostile)
    page = opened.page
    for button in page.locator("td > button").all():
        button.evaluate("node => node.click()")
        assert (
            0 == page.locator(".detail img, .detail script, .detail iframe, .detail style").count()
        )

    assert page.evaluate("window.pwned === undefined && ({}).pwned === undefined")
    assert 2 == page.locator("script").count()
    assert 0 == page.locator("img, iframe, object, embed, link, base").count()
    assert not page.evaluate(
        "Array.from(document.querySelectorAll('*')).some(e => Array.from(e.attributes).some(a => a.name.startsWith('on')))"
    )
    links = page.locator("a").evaluate_all("all => all.map(a => a.protocol)")
    assert {"file:", "https:"} >= set(links)
    assert [opened.uri] == opened.requests
    assert [] == opened.complaints


def test_an_interrupted_run_has_a_visible_banner(open_page: Any, hostile: Path) -> None:
    """Whoever looks sees that something is missing."""
    banner = open_page(hostile).page.locator("[role=alert]")

    assert banner.is_visible()
    assert "interrupted" in banner.inner_text()


def test_without_script_the_table_is_still_there(open_page: Any, plain: Path) -> None:
    """Verdicts in words, filters out of the way, and a sentence about the evidence."""
    page = open_page(plain, java_script_enabled=False).page

    assert 150 == page.locator("td > button:visible").count()
    assert not page.locator("#filters").is_visible()
    assert "Without JavaScript" in page.inner_text("noscript")


@pytest.mark.parametrize("width", [360, 768, 1280])
def test_the_page_never_scrolls_sideways(open_page: Any, plain: Path, width: int) -> None:
    """Wide tables scroll in their own box; the page does not."""
    page = open_page(plain).page
    page.set_viewport_size({"width": width, "height": 800})
    page.locator(".reader > summary").first.click()
    page.locator("td > button.v-fail").first.click()

    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_verdict_can_be_read_in_light_and_dark(
    open_page: Any, plain: Path, scheme: str
) -> None:
    """Contrast of at least 4.5 : 1 (WCAG 2.2, 1.4.3) for the text of every tone."""
    page = open_page(plain, color_scheme=scheme).page
    page.locator(".legend").last.evaluate("node => { node.open = true }")

    low = page.evaluate(CONTRAST)

    assert [] == low
    assert len(Verdict) <= page.locator(".legend").last.locator(".chip").count()


CONTRAST = """() => {
  const parts = (colour) => colour.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => {
    const f = (c) => ((c /= 255) <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4);
    return 0.2126 * f(r) + 0.7152 * f(g) + 0.0722 * f(b);
  };
  const behind = (node) => {
    for (; node; node = node.parentElement) {
      const colour = parts(getComputedStyle(node).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const node of document.querySelectorAll(".chip, td > button, .c, .lv, .say, .st, .meta, .bad, small, dd, dt")) {
    const [a, b] = [light(parts(getComputedStyle(node).color)), light(behind(node))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) low.push(node.className + " " + ratio.toFixed(2));
  }
  return Array.from(new Set(low));
}"""
