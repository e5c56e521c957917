"""The page audited by axe-core: WCAG 2.2 A and AA and its best practices, light and dark."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from conformance.report.history import night_of
from conformance.report.results import read_run
from conformance.report.trends import trends
from conformance.report.write import write_reports

from .fakes import CLIENTS, write_run

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

AXE = "axe-core@4"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.fixture(scope="session")
def axe(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The script of axe-core from npm (or of the file that ``AXE_CORE`` names)."""
    if given := os.environ.get("AXE_CORE"):
        return Path(given).read_text(encoding="utf-8")
    if shutil.which("npm") is None:
        pytest.skip("ACCESSIBILITY WAS NOT AUDITED: npm is not installed")
    folder = tmp_path_factory.mktemp("axe")
    command = ["npm", "install", AXE, "--no-audit", "--no-fund", "--silent", "--ignore-scripts"]
    try:
        subprocess.run(command, cwd=folder, check=True, timeout=120, capture_output=True)
    except (subprocess.SubprocessError, OSError) as error:
        pytest.skip(f"ACCESSIBILITY WAS NOT AUDITED: npm could not install {AXE} ({error})")
    return (folder / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page with everything on it: failures, streams, parameters, clients, trends."""
    folder = tmp_path_factory.mktemp("pages") / "run"
    folder.mkdir()
    targets = ("reference", "mlx")
    write_run(folder, targets=targets, requirements=50, trouble=0.3, seed=3, clients=CLIENTS)
    run = read_run(folder)
    write_reports(folder, trends([night_of(run), night_of(run)]))
    return folder / "matrix.html"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [360, 1280])
def test_axe_finds_nothing(
    browser: Any, axe: str, page_file: Path, scheme: str, width: int
) -> None:
    """With every legend, list and one failing cell open."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    try:
        page = context.new_page()
        page.goto(page_file.as_uri())
        page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true })")
        page.locator("td > button.v-fail").first.click()
        page.evaluate(axe)
        options = {"runOnly": {"type": "tag", "values": TAGS}, "resultTypes": ["violations"]}
        found = page.evaluate("options => axe.run(document, options)", options)
    finally:
        context.close()

    told = [
        f"{each['id']}: {each['help']}: {[node['html'][:160] for node in each['nodes'][:3]]}"
        for each in found["violations"]
    ]
    assert [] == told
    assert 20 < len(found["passes"])
