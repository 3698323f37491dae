"""A mock interview in JupyterLab: begun and answered by keyboard, the countdown going on after a restarted kernel."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from fraudkit.workbook.mock.interview import Interview
from fraudkit.workbook.mock.notebook import ensure_notebook
from fraudkit.workbook.notebooks import section, solution_text
from fraudkit.workbook.progress import ProgressFile
from fraudkit.workbook.stories.shelf import template
from tests.workbook.mock_helpers import go_on

pytestmark = [pytest.mark.browser, pytest.mark.timeout(280)]

NOTEBOOK = "mock.ipynb"
BEGIN = 'from fraudkit.workbook import mock\n\nmock("theory", minutes=30, about="linear_algebra", seed=1)'
GO_ON = "from fraudkit.workbook import mock as again\n\nagain()"
WRONG = "def roc_auc(y_true, y_score):\n    return 0.5"
RIGHT = solution_text(section("roc_auc").answer)
SHOWN_MS = 60_000
RESTARTED = "() => window.jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart().then(() => true)"


@pytest.fixture
def folder(notebook_folder: Callable[..., Path]) -> Path:
    """A notebook that begins an interview, and a home for the progress."""
    return notebook_folder(NOTEBOOK, BEGIN, GO_ON)


@pytest.fixture
def lab(start_lab, folder: Path) -> str:
    return start_lab(folder, {"FRAUDKIT_HOME": str(folder / "home")})


def current(folder: Path) -> dict[str, object]:
    return json.loads((folder / "home" / "progress.json").read_bytes())["mocks"]["current"]


def seconds(output: Locator) -> int:
    """What the countdown shows."""
    found = re.match(r"(\d+):(\d\d)", output.get_by_role("timer").inner_text())
    assert found is not None
    return 60 * int(found[1]) + int(found[2])


def test_code_is_checked_in_the_interviews_own_notebook(lab: str, folder: Path, open_page, in_lab, tmp_path: Path):
    file = ProgressFile(folder / "home" / "progress.json")
    interview = Interview.start(file, "coding", about="roc_auc")
    while (prompt := interview.prompt) is not None and prompt.kind != "code":
        interview.answer("none" if interview.revealed else "aloud")
    path = ensure_notebook(interview, "roc_auc")

    watched = open_page(viewport={"width": 1280, "height": 900})
    page, notebook = watched.page, in_lab(watched.page)
    notebook.open(lab, path.relative_to(folder).as_posix())
    notebook.run(1)
    output = notebook.cell(1).locator(".jp-OutputArea-output").first
    expect(output).to_contain_text("Code", timeout=SHOWN_MS)
    output.get_by_role("button", name="check").click()
    expect(output.get_by_role("status")).to_contain_text("not defined", timeout=SHOWN_MS)

    notebook.run(notebook.find("import numpy"))
    trial = notebook.find("# Try it here")
    notebook.run(trial, 'from fraudkit.workbook import hint\n\nhint("roc_auc")')
    expect(notebook.cell(trial)).to_contain_text("costs a mark of Solution correctness", timeout=SHOWN_MS)
    stub = notebook.find("def roc_auc")
    for written, said in ((WRONG, "cases pass. First that fails"), (RIGHT, "all ")):
        notebook.run(stub, written)
        output = notebook.cell(1).locator(".jp-OutputArea-output").first
        output.get_by_role("button", name="check").click()
        expect(output.get_by_role("status")).to_contain_text(said, timeout=SHOWN_MS)
    expect(output).to_contain_text("Follow-up", timeout=SHOWN_MS)
    page.screenshot(path=tmp_path / "code.png")
    reply = Interview.resume(file).state.replies["roc_auc"]
    assert (reply.attempts, reply.passed, reply.looked) == (2, reply.total, (1,))
    Interview.resume(file).abandon()
    assert watched.errors == []


def test_the_scorecard_ends_with_the_trend_and_the_evidence(lab: str, folder: Path, open_page, in_lab, tmp_path: Path):
    file = ProgressFile(folder / "home" / "progress.json")
    (folder / "home" / "stories").mkdir(parents=True)
    (folder / "home" / "stories" / "alarm.md").write_text(template("example.md"), encoding="utf-8")
    interview = Interview.start(file, "behavioral", about="time-you-failed")
    watched = open_page(viewport={"width": 1280, "height": 900})
    page, notebook = watched.page, in_lab(watched.page)
    notebook.open(lab, NOTEBOOK)
    notebook.run(1)
    output = notebook.cell(1).locator(".jp-OutputArea-output").first
    expect(output).to_contain_text("Your stories that fit: The alarm that cried every day", timeout=SHOWN_MS)
    page.screenshot(path=tmp_path / "story.png")

    go_on(interview)
    notebook.run(1)
    output = notebook.cell(1).locator(".jp-OutputArea-output").first
    expect(output).to_contain_text("Scorecard", timeout=SHOWN_MS)
    for row in output.locator(".widget-toggle-buttons").all():
        row.get_by_role("button", name="4", exact=True).click()
    page.screenshot(path=tmp_path / "scorecard.png")
    output.get_by_role("button", name="save the scorecard").click()
    expect(output.get_by_role("status")).to_contain_text("average 4.0; the target is 4 or more: met", timeout=SHOWN_MS)
    expect(output).to_contain_text("stories told: time-you-failed: alarm", timeout=SHOWN_MS)
    trend = output.locator("img")
    expect(trend).to_be_visible()
    page.screenshot(path=tmp_path / "trend.png")
    whole, drawn = output.bounding_box(), trend.bounding_box()
    assert whole is not None and drawn is not None and drawn["width"] <= whole["width"]
    assert watched.errors == []


def test_an_interview_goes_on_after_the_kernel_was_restarted(lab: str, folder: Path, open_page, in_lab, tmp_path: Path):
    watched = open_page(viewport={"width": 1280, "height": 900})
    page, notebook = watched.page, in_lab(watched.page)
    notebook.open(lab, NOTEBOOK)
    notebook.run(0)
    output = notebook.cell(0).locator(".jp-OutputArea-output").first
    expect(output).to_contain_text("Before we start", timeout=SHOWN_MS)
    expect(output.get_by_role("timer")).to_have_text(re.compile(r"29:5\d"), timeout=SHOWN_MS)

    field = output.get_by_role("textbox")
    field.focus()
    page.keyboard.insert_text("Which of your products is it about?")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(output).to_contain_text("Question 1 of", timeout=SHOWN_MS)
    expect(output.get_by_role("button", name="a", exact=True)).to_be_focused()
    page.screenshot(path=tmp_path / "question.png")
    assert current(folder)["replies"] == {  # saved at once
        "clarify": {"text": "Which of your products is it about?", "said": True, "done": True}
    }
    before = seconds(output)
    expect(output.get_by_role("timer")).not_to_have_text(re.compile(f"^{before // 60}:{before % 60:02d}$"))

    assert page.evaluate(RESTARTED)
    notebook.run(1)
    output = notebook.cell(1).locator(".jp-OutputArea-output").first
    expect(output).to_contain_text("Question 1 of", timeout=SHOWN_MS)
    after = seconds(output)
    assert 29 * 60 - 60 < after < before
    page.screenshot(path=tmp_path / "after.png")
    expect(output.get_by_role("timer")).not_to_have_text(re.compile(f"^{after // 60}:{after % 60:02d}$"))

    output.get_by_role("button", name="abandon").click()
    output.get_by_role("button", name="yes, abandon it").click()
    expect(output.get_by_role("status")).to_contain_text("abandoned", timeout=SHOWN_MS)
    page.screenshot(path=tmp_path / "end.png")
    mocks = json.loads((folder / "home" / "progress.json").read_bytes())["mocks"]
    assert "current" not in mocks and [entry["how"] for entry in mocks["history"]] == ["abandoned"]
    assert watched.errors == []
