"""An exercise in JupyterLab as a learner does it: a wrong answer, the panel that says why, the right answer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import expect

from fraudkit.core.config import PROJECT_ROOT
from fraudkit.workbook.exercise import exercise
from fraudkit.workbook.judge import mutant_source
from fraudkit.workbook.notebooks import reference_source

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]

NOTEBOOK = "01_metrics.ipynb"
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
def lab(start_lab, folder: Path) -> str:
    return start_lab(folder, {"FRAUDKIT_HOME": str(folder / "home")})


def test_a_learner_is_told_why_and_then_passes(lab: str, folder: Path, open_page, in_lab, tmp_path: Path):
    watched = open_page(viewport={"width": 1280, "height": 1000})
    notebook = in_lab(watched.page)
    notebook.open(lab, NOTEBOOK)
    imports, answer, check = (notebook.find(text) for text in ("import", "def roc_auc", 'check("roc_auc")'))
    assert -1 < imports < answer < check
    notebook.run(imports)

    notebook.run(answer, mutant_source(AUC, TIES))
    notebook.run(check)
    panel = notebook.cell(check).locator('.jp-OutputArea [role="status"]')
    expect(panel).to_contain_text(TIES.says, timeout=CHECK_MS)
    for part in ("is not right yet", "all scores equal", "expected", 'hint("roc_auc")'):
        expect(panel).to_contain_text(part)
    panel.scroll_into_view_if_needed()
    assert panel.evaluate("box => box.scrollWidth <= box.clientWidth && box.clientHeight > 100")
    panel.screenshot(path=tmp_path / "wrong.png")

    notebook.run(answer, reference_source("roc_auc", "roc_auc"))
    notebook.run(check)
    expect(panel).to_contain_text("passes all", timeout=CHECK_MS)
    expect(panel).to_contain_text("Next:")
    expect(panel).not_to_contain_text(TIES.says)
    panel.screenshot(path=tmp_path / "right.png")

    record = json.loads((folder / "home" / "progress.json").read_bytes())["exercises"]["roc_auc"]
    assert (record["attempts"], record["last_status"]) == (2, "pass")
