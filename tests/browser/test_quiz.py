"""The quiz in JupyterLab: asked, answered by keyboard alone, recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import expect

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]

NOTEBOOK = "quiz.ipynb"
SOURCE = 'from fraudkit.workbook import quiz\n\nquiz(2, topic="linear_algebra", kind="choice")'
SHOWN_MS = 60_000


@pytest.fixture(scope="module")
def folder(notebook_folder: Callable[..., Path]) -> Path:
    """A notebook with a quiz, and a home for the progress."""
    return notebook_folder(NOTEBOOK, SOURCE)


@pytest.fixture(scope="module")
def lab(start_lab, folder: Path) -> str:
    return start_lab(folder, {"FRAUDKIT_HOME": str(folder / "home")})


def test_a_question_is_answered_by_keyboard_and_recorded(lab: str, folder: Path, open_page, in_lab, tmp_path: Path):
    watched = open_page(viewport={"width": 1280, "height": 900})
    page, notebook = watched.page, in_lab(watched.page)
    notebook.open(lab, NOTEBOOK)
    notebook.run(0)
    output = notebook.cell(0).locator(".jp-OutputArea-output")
    options = output.get_by_role("button")
    expect(output).to_contain_text("1 of", timeout=SHOWN_MS)
    page.screenshot(path=tmp_path / "asked.png")

    first = options.first
    first.focus()
    page.keyboard.press("Enter")
    expect(output.get_by_role("button", name="next")).to_be_focused()
    expect(output.get_by_role("status")).to_contain_text("right")
    page.screenshot(path=tmp_path / "answered.png")
    cards = json.loads((folder / "home" / "progress.json").read_bytes())["quiz"]["cards"]
    assert [card["seen"] for card in cards.values()] == [1]

    page.keyboard.press("Enter")
    expect(output.get_by_role("button", name="next")).not_to_be_visible()
    assert watched.errors == []
