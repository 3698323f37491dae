"""An exercise in JupyterLab as a learner does it: a wrong answer, the panel that says why, the right answer."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from fraudkit.core.config import PROJECT_ROOT
from fraudkit.workbook.exercise import exercise
from fraudkit.workbook.judge import mutant_source
from fraudkit.workbook.notebooks import reference_source

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]

NOTEBOOK = "01_metrics.ipynb"
TOKEN = "test-token"
AUC = exercise("roc_auc")
TIES = next(mutant for mutant in AUC.mutants if mutant.name == "ties-ordered")
CHECK_MS = 60_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the learner's notebook, and a home for the progress."""
    made = tmp_path_factory.mktemp("learner")
    shutil.copy(PROJECT_ROOT / "exercises" / NOTEBOOK, made / NOTEBOOK)
    return made


@pytest.fixture(scope="module")
def lab(start, folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    own = tmp_path_factory.mktemp("jupyter")
    arguments = [
        "jupyter", "lab", "--no-browser", "--allow-root", "--ip=127.0.0.1", "--port=0",
        f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={TOKEN}",
        "--LabApp.extension_manager=readonly", "--LabApp.news_url=None", "--expose-app-in-browser",
        "--LabApp.check_for_updates_class=jupyterlab.handlers.announcements.NeverCheckForUpdate",
    ]  # fmt: skip
    variables = {f"JUPYTER_{name}_DIR": str(own / name) for name in ("CONFIG", "DATA", "RUNTIME")}
    variables |= {"IPYTHONDIR": str(own / "ipython"), "FRAUDKIT_HOME": str(folder / "home")}
    with start(arguments, r"(http://127\.0\.0\.1:\d+)/lab\?token", own / "log.txt", variables) as url:
        yield url


# JupyterLab draws only the cells in view, so the notebook's model is asked; `--expose-app-in-browser` shows it.
CELLS = "[...window.jupyterapp.shell.currentWidget.content.model.cells]"
IDLE = f"""() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel?.status === "idle"
  && {CELLS}.length > 0"""
FIND = f"""text => {CELLS}.findIndex(c => c.type === "code" && c.sharedModel.getSource().startsWith(text))"""
RUNS = f"""n => {CELLS}[n].executionCount"""
RUN_SINCE = f"""([n, before]) => {CELLS}[n].executionCount !== before && {CELLS}[n].executionCount !== null"""


def cell(page: Page, number: int) -> Locator:
    """A cell, scrolled into view."""
    page.evaluate("n => window.jupyterapp.shell.currentWidget.content.scrollToItem(n, 'center')", number)
    return page.locator(f'.jp-Notebook .jp-Cell[data-windowed-list-index="{number}"]')


def run(page: Page, number: int, written: str | None = None) -> None:
    """Click into a cell, write in it if there is something to write, run it and wait until it has run."""
    before = page.evaluate(RUNS, number)
    cell(page, number).locator(".jp-InputArea .cm-content").click()
    if written is not None:
        page.keyboard.press("Control+A")
        page.keyboard.insert_text(written)
    page.keyboard.press("Control+Enter")
    page.wait_for_function(RUN_SINCE, arg=[number, before], timeout=CHECK_MS)


def test_a_learner_is_told_why_and_then_passes(lab: str, folder: Path, open_page, tmp_path: Path):
    watched = open_page(viewport={"width": 1280, "height": 1000})
    page = watched.page
    page.goto(f"{lab}/lab/tree/{NOTEBOOK}?token={TOKEN}")
    page.wait_for_function(IDLE, timeout=60_000)
    imports, answer, check = (page.evaluate(FIND, text) for text in ("import", "def roc_auc", 'check("roc_auc")'))
    assert -1 < imports < answer < check
    run(page, imports)

    run(page, answer, mutant_source(AUC, TIES))
    run(page, check)
    panel = cell(page, check).locator('.jp-OutputArea [role="status"]')
    expect(panel).to_contain_text(TIES.says, timeout=CHECK_MS)
    for part in ("is not right yet", "all scores equal", "expected", 'hint("roc_auc")'):
        expect(panel).to_contain_text(part)
    panel.scroll_into_view_if_needed()
    assert panel.evaluate("box => box.scrollWidth <= box.clientWidth && box.clientHeight > 100")
    panel.screenshot(path=tmp_path / "wrong.png")

    run(page, answer, reference_source("roc_auc", "roc_auc"))
    run(page, check)
    expect(panel).to_contain_text("passes all", timeout=CHECK_MS)
    expect(panel).to_contain_text("Next:")
    expect(panel).not_to_contain_text(TIES.says)
    panel.screenshot(path=tmp_path / "right.png")

    record = json.loads((folder / "home" / "progress.json").read_bytes())["exercises"]["roc_auc"]
    assert (record["attempts"], record["last_status"]) == (2, "pass")
