"""The page that a learner gets back: every task, its points, and what was wrong in words.

Holds no hidden input, no expected value and nothing of another learner.
"""

from __future__ import annotations

from fraudkit.workbook.grade.marks import RUN_WORDS, LearnerResult, Mark, NotebookResult
from fraudkit.workbook.grade.page import bar, chip, page, text


def learner_page(learner: LearnerResult, titles: dict[str, str]) -> bytes:
    """The page of one learner; `titles` gives the title of a topic."""
    share = learner.points / learner.possible if learner.possible else 0.0
    right = sum(mark.status == "pass" for mark in learner.marks)
    head = (
        f"<h1>{text(learner.learner)}</h1>"
        f"<p><b>{learner.points:g}</b> of {learner.possible:g} points, {right} of {len(learner.marks)} tasks right</p>"
        f"{bar(share, wide=True)}"
    )
    notes = "".join(f'<p class="soft">{text(note)}</p>' for note in learner.notes)
    return page(learner.learner, head + notes + "".join(_topic(one, titles) for one in learner.notebooks), narrow=True)


def _topic(notebook: NotebookResult, titles: dict[str, str]) -> str:
    """One notebook: how it ran and its tasks."""
    rows = "".join(_task(mark) for mark in notebook.marks)
    return (
        f"<h2>{text(titles.get(notebook.topic, notebook.topic))}</h2>{_how_it_ran(notebook)}"
        f'<div class="panel scroll"><table><tbody>{rows}</tbody></table></div>'
    )


def _how_it_ran(notebook: NotebookResult) -> str:
    if notebook.run == "ran":
        return ""
    note = f": {text(notebook.note)}" if notebook.note else ""
    file = f"{text(notebook.file)}: " if notebook.file else ""
    return f'<p class="soft">{file}{text(RUN_WORDS[notebook.run])}{note}</p>'


def _task(mark: Mark) -> str:
    cases = f'<br><span class="soft">{mark.passed} of {mark.total} cases</span>' if mark.total else ""
    return (
        f"<tr><td><b>{text(mark.title)}</b><br><span class=soft>{text(mark.exercise_id)}</span></td>"
        f"<td>{chip(mark)}{_explained(mark)}</td>"
        f'<td class="number">{mark.points:g} of {mark.possible:g}{cases}</td></tr>'
    )


def _explained(mark: Mark) -> str:
    """What was wrong: the case, what it is there for, and the misconception."""
    if mark.status == "pass":
        return ""
    parts = []
    if mark.case:
        parts.append(f"<p>At “{text(mark.case)}”: {text(mark.words)}.</p>")
    elif mark.words:
        parts.append(f"<p>{text(mark.words)}</p>")
    if mark.why:
        parts.append(f'<p class="soft">{text(mark.why)}</p>')
    if mark.misconception:
        parts.append(f'<p class="says">{text(mark.misconception)}</p>')
    return "".join(parts)
