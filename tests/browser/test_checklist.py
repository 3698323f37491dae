"""A checklist in JupyterLab: boxes that remember through a reload, and a button that runs the real check."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]

NOTEBOOK = "checklist.ipynb"
SOURCE = 'from fraudkit.workbook import checklist\n\nchecklist("constraints")'
COUNTRIES = "Need to support 50+ countries/currencies"
BUDGET = "Limited compute budget ($50K/month)"
VERIFY_MS = 60_000


@pytest.fixture(scope="module")
def folder(notebook_folder: Callable[..., Path]) -> Path:
    """A notebook with one checklist, and a home for the progress."""
    return notebook_folder(NOTEBOOK, SOURCE)


@pytest.fixture(scope="module")
def lab(start_lab, folder: Path) -> str:
    return start_lab(folder, {"FRAUDKIT_HOME": str(folder / "home")})


def ticked(folder: Path) -> set[str]:
    """What the progress file says."""
    path = folder / "home" / "progress.json"
    return set(json.loads(path.read_bytes())["checklists"]["constraints"]["ticked"]) if path.exists() else set()


def test_a_tick_and_a_verified_item_are_still_there_after_a_reload(
    lab: str, folder: Path, open_page, in_lab, tmp_path: Path
):
    watched = open_page(viewport={"width": 1280, "height": 900})
    page, notebook = watched.page, in_lab(watched.page)
    notebook.open(lab, NOTEBOOK)
    notebook.run(0)
    output = notebook.cell(0).locator(".jp-OutputArea-output")
    box = output.get_by_label(BUDGET)
    expect(box).not_to_be_checked(timeout=VERIFY_MS)
    box.check()
    expect(output).to_contain_text("1 of 5")
    assert ticked(folder) == {"budget"}

    output.get_by_role("button", name="verify").last.click()
    expect(output).to_contain_text("more than 50 are needed", timeout=VERIFY_MS)
    expect(output.get_by_label(COUNTRIES)).to_be_checked()
    expect(output).to_contain_text("2 of 5")
    page.screenshot(path=tmp_path / "ticked.png")

    page.reload()
    notebook.open(lab, NOTEBOOK)
    notebook.run(0)
    output = notebook.cell(0).locator(".jp-OutputArea-output")
    for text in (BUDGET, COUNTRIES):
        expect(output.get_by_label(text)).to_be_checked(timeout=VERIFY_MS)
    output.get_by_label(BUDGET).uncheck()
    expect(output).to_contain_text("1 of 5")
    page.screenshot(path=tmp_path / "again.png")
    assert ticked(folder) == {"countries"}
