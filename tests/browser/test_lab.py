"""The first chapter in JupyterLab, run through the menu as a reader would."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from urllib.parse import urlsplit

import nbformat
import pytest
from playwright.sync_api import Page, expect

from fraudkit.core.config import PROJECT_ROOT

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]

CHAPTERS = ("00_start_here.ipynb", "02_requirements.ipynb", "15_interview_preparation.ipynb")
SCALE = 0.25  # of the small world's card holders
RUN_MS = 150_000


@pytest.fixture(scope="module")
def notebooks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the notebooks; the first one works on a smaller world and has never been run."""
    folder = tmp_path_factory.mktemp("lab") / "notebooks"
    shutil.copytree(PROJECT_ROOT / "notebooks", folder, ignore=shutil.ignore_patterns(".*"))
    for name in CHAPTERS:
        notebook = nbformat.read(folder / name, as_version=4)
        for cell in notebook.cells:
            if cell.cell_type == "code":
                cell.outputs, cell.execution_count = [], None
            if "parameters" in cell.metadata.get("tags", []):
                cell.source = f'world = "small"\nscale = {SCALE}\nseed = 7'
        nbformat.write(notebook, folder / name)
    return folder


@pytest.fixture(scope="module")
def lab(start_lab, notebooks: Path) -> str:
    return start_lab(notebooks)


CELLS = "[...window.jupyterapp.shell.currentWidget.content.model.cells]"
ERRORS = f"""() => {CELLS}.filter(c => c.type === "code").flatMap(c => c.outputs.toJSON())
  .filter(o => o.output_type === "error").map(o => o.ename + ": " + o.evalue)"""
ALL_RUN = f"""() => ({ERRORS})().length > 0
  || {CELLS}.filter(c => c.type === "code").every(c => c.executionCount !== null)"""
BEGUN = (
    f"""() => {CELLS}.some(c => c.type === "code" && (c.executionCount !== null || c.executionState === "running"))"""
)
FIGURES = f"""() => {CELLS}.flatMap((c, i) =>
  c.type === "code" && c.outputs.toJSON().some(o => o.data && o.data["image/png"]) ? [i] : [])"""


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_a_chapter_runs_through_the_menu(lab: str, notebooks: Path, open_page, in_lab, tmp_path: Path, chapter: str):
    watched = open_page(viewport={"width": 1280, "height": 900})
    page = watched.page
    in_lab(page).open(lab, chapter)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.locator('.lm-Menu-item[data-command="runmenu:run-all"]').click()
    page.wait_for_function(BEGUN)
    page.wait_for_function(ALL_RUN, timeout=RUN_MS)

    assert page.evaluate(ERRORS) == []
    figures = page.evaluate(FIGURES)
    assert len(figures) >= 2
    for number in figures:
        see_figure(page, number)
        page.screenshot(path=tmp_path / f"figure-{number}.png")

    page.keyboard.press("Control+S")
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.context.model.dirty")
    code = [cell for cell in json.loads((notebooks / chapter).read_text())["cells"] if cell["cell_type"] == "code"]
    assert [cell["execution_count"] for cell in code] == list(range(1, len(code) + 1))
    assert watched.hosts == {urlsplit(lab).netloc}


def see_figure(page: Page, number: int) -> None:
    """Scroll to a cell and wait until its picture is drawn, not merely there."""
    page.evaluate("n => window.jupyterapp.shell.currentWidget.content.scrollToItem(n, 'center')", number)
    cell = page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{number}"]')
    picture = cell.locator(".jp-RenderedImage img")
    expect(picture).to_be_visible()
    picture.scroll_into_view_if_needed()
    assert picture.evaluate("image => image.complete && image.naturalWidth > 200")
