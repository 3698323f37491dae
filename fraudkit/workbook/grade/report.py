"""report.html: the class at one look, what it got wrong, and what an instructor should look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from statistics import median
from urllib.parse import quote

from fraudkit.core.files import replace_file
from fraudkit.workbook.grade.learner import learner_page
from fraudkit.workbook.grade.marks import RUN_WORDS, GradeResult, LearnerResult, Mark, by_task
from fraudkit.workbook.grade.names import file_names
from fraudkit.workbook.grade.page import bar, cell, page, text, tile
from fraudkit.workbook.notebooks import Topic

MAX_PAIRS = 60
LEGEND: tuple[tuple[str, str, str], ...] = (
    ("pass", "✓", "right"),
    ("part", "4", "points for a part"),
    ("none", "0", "wrong"),
    ("none", "t", "too slow"),
    ("none", "✕", "ended the process"),
    ("alert", "!", "tried what is not allowed"),
    ("missing", "–", "no answer"),
)


def write_report(result: GradeResult, topics: Sequence[Topic]) -> None:
    """Write report.html and learners/NAME.html; pages of learners who are gone are removed."""
    folder = result.folder / "learners"
    folder.mkdir(parents=True, exist_ok=True)
    titles = {topic.name: topic.title for topic in topics}
    names = file_names(learner.learner for learner in result.learners)
    for learner in result.learners:
        replace_file(folder / f"{names[learner.learner]}.html", learner_page(learner, titles))
    for old in folder.glob("*.html"):
        if old.stem not in names.values():
            old.unlink()
    replace_file(result.folder / "report.html", class_page(result, titles))


def class_page(result: GradeResult, titles: dict[str, str]) -> bytes:
    """The page of the whole class."""
    names = file_names(learner.learner for learner in result.learners)
    parts = [
        f"<h1>{_count(len(result.learners), 'learner')}, {_count(len(by_task(result.learners)), 'task')}</h1>",
        '<p class="soft">Points are in <a href="gradebook.csv">gradebook.csv</a>; a page for each learner lies in '
        "learners/, the notebooks as they ran in executed/.</p>",
        _tiles(result),
        _heat(result.learners, titles, names),
        _tasks(result.learners),
        _similarity(result),
        _notebooks(result.learners, names),
        _notes(result),
    ]
    return page("Graded", "".join(parts))


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"


def _share(learner: LearnerResult) -> float:
    return learner.points / learner.possible if learner.possible else 0.0


def _tiles(result: GradeResult) -> str:
    shares = [_share(learner) for learner in result.learners]
    marks = [mark for learner in result.learners for mark in learner.marks]
    right = sum(mark.status == "pass" for mark in marks)
    suspicious = {(pair.first, pair.second) for pair in result.pairs if pair.suspicious}
    notebooks = sum(notebook.run != "missing" for learner in result.learners for notebook in learner.notebooks)
    figures = [
        tile(f"{100 * median(shares):.0f} %" if shares else "–", "median of all points"),
        tile(f"{right} of {len(marks)}", "answers right"),
        tile(notebooks, "notebooks run"),
        tile(len(suspicious), "pairs to look at"),
    ]
    return f'<div class="tiles">{"".join(figures)}{_histogram(shares)}</div>'


def _histogram(shares: list[float]) -> str:
    """How many learners have how many per cent, in steps of ten."""
    if len(shares) < 3:
        return ""
    counts = Counter(min(int(share * 10), 9) for share in shares)
    most = max(counts.values())
    bars = "".join(
        f'<div style="height:{100 * counts[step] / most:.0f}%" '
        f'title="{10 * step} to {10 * step + 10} %: {_count(counts[step], "learner")}"></div>'
        for step in range(10)
    )
    return (
        f'<div class="tile"><div class="bins">{bars}</div><div class="axis"><span>0</span><span>50</span>'
        "<span>100 % of the points</span></div></div>"
    )


def _heat(learners: Sequence[LearnerResult], titles: dict[str, str], names: dict[str, str]) -> str:
    """Learners by tasks, a coloured square each."""
    if not learners:
        return ""
    notebooks = learners[0].notebooks
    topics = "".join(
        f'<th class="topic first" colspan="{len(notebook.marks)}" title="{text(titles.get(notebook.topic, ""))}">'
        f"{text(notebook.topic)}</th>"
        for notebook in notebooks
        if notebook.marks
    )
    tasks = "".join(
        f'<th class="task{" first" if index == 0 else ""}"><span>{text(mark.exercise_id)}</span></th>'
        for notebook in notebooks
        for index, mark in enumerate(notebook.marks)
    )
    rows = "".join(_row(learner, names[learner.learner]) for learner in learners)
    shares = "".join(
        f'<td class="share{" first" if index == 0 else ""}">{_percent_right(learners, mark.exercise_id)}</td>'
        for notebook in notebooks
        for index, mark in enumerate(notebook.marks)
    )
    legend = "".join(f'<span><span class="cell {kind}">{sign}</span>{words}</span>' for kind, sign, words in LEGEND)
    return (
        '<h2>Everybody, every task</h2><div class="panel"><div class="scroll"><table class="heat"><thead>'
        f'<tr><th class="who"></th><th></th>{topics}</tr><tr><th class="who"></th><th></th>{tasks}</tr></thead>'
        f'<tbody>{rows}</tbody><tfoot><tr><th class="who soft">right, %</th><td></td>{shares}</tr></tfoot>'
        "</table></div>"
        f'<div class="legend">{legend}</div></div>'
    )


def _row(learner: LearnerResult, name: str) -> str:
    cells = "".join(
        f"<td{' class=first' if index == 0 else ''}>{cell(mark)}</td>"
        for notebook in learner.notebooks
        for index, mark in enumerate(notebook.marks)
    )
    return (
        f'<tr><th scope="row"><a href="learners/{quote(name)}.html">{text(learner.learner)}</a></th>'
        f'<td class="number">{bar(_share(learner))} {100 * _share(learner):.0f} %</td>{cells}</tr>'
    )


def _percent_right(learners: Sequence[LearnerResult], exercise_id: str) -> str:
    marks = by_task(learners)[exercise_id]
    return f"{100 * sum(mark.status == 'pass' for mark in marks) / len(marks):.0f}"


def _tasks(learners: Sequence[LearnerResult]) -> str:
    """What each task was like, the hardest first, with the misconception met most often."""
    rows = []
    for exercise_id, marks in by_task(learners).items():
        right = sum(mark.status == "pass" for mark in marks)
        rows.append((right / len(marks), exercise_id, marks, right))
    rows.sort(key=lambda row: (row[0], row[1]))
    lines = "".join(
        f'<tr><td>{text(exercise_id)}</td><td class="number">{right} of {len(marks)}</td><td>{bar(share)}</td>'
        f"<td>{_most_common(marks)}</td></tr>"
        for share, exercise_id, marks, right in rows
        if share < 1
    )
    if not lines:
        return ""
    return (
        '<h2>Where the class stands</h2><div class="panel scroll"><table><thead><tr><th>task</th>'
        '<th class="number">right</th><th></th><th>what went wrong most often</th></tr></thead>'
        f"<tbody>{lines}</tbody></table></div>"
    )


def _most_common(marks: Sequence[Mark]) -> str:
    """The reason met most often among wrong answers."""
    reasons = Counter(
        mark.misconception.removeprefix("Perhaps: ") or (f"{mark.case}: {mark.words}" if mark.case else mark.words)
        for mark in marks
        if mark.status not in ("pass", "missing")
    )
    missing = sum(mark.status == "missing" for mark in marks)
    if not reasons:
        return f'<span class="soft">no answer: {missing}</span>'
    reason, count = min(reasons.items(), key=lambda item: (-item[1], item[0]))
    also = f', <span class="soft">no answer: {missing}</span>' if missing else ""
    return f'{text(reason)} <span class="soft">({count})</span>{also}'


def _similarity(result: GradeResult) -> str:
    """Pairs of answers that somebody should compare by eye."""
    suspicious = [pair for pair in result.pairs if pair.suspicious]
    intro = (
        '<h2>Answers that resemble each other</h2><p class="soft">Compared by structure: names, comments, layout '
        "and the order of helpers do not count, and what much of the class or our own solution writes counts little. A "
        'high figure is a reason to look, not a finding. All pairs: <a href="similarity.csv">similarity.csv</a>.</p>'
    )
    if not suspicious:
        return intro + "<p>No pair stands out.</p>"
    together = Counter((pair.first, pair.second) for pair in suspicious)
    suspicious.sort(key=lambda pair: (-together[pair.first, pair.second], pair.first, pair.second, -pair.score))
    lines = "".join(
        f"<tr><td>{text(pair.first)}</td><td>{text(pair.second)}</td><td>{text(pair.exercise_id)}</td>"
        f'<td class="number">{bar(pair.score)} {100 * pair.score:.0f} %</td></tr>'
        for pair in suspicious[:MAX_PAIRS]
    )
    more = len(suspicious) - MAX_PAIRS
    rest = f'<p class="soft">and {more} more in similarity.csv</p>' if more > 0 else ""
    return (
        f'{intro}<div class="panel scroll"><table><thead><tr><th>learner</th><th>other learner</th><th>task</th>'
        f'<th class="number">shared structure</th></tr></thead><tbody>{lines}</tbody></table>{rest}</div>'
    )


def _notebooks(learners: Sequence[LearnerResult], names: dict[str, str]) -> str:
    """Notebooks that did not run as they should."""
    lines = "".join(
        f"<tr><td>{text(learner.learner)}</td><td>{text(notebook.file)}</td><td>{text(RUN_WORDS[notebook.run])}"
        f"{': ' + text(notebook.note) if notebook.note else ''}</td><td>{_executed_link(notebook.executed)}</td></tr>"
        for learner in learners
        for notebook in learner.notebooks
        if notebook.run not in ("ran", "missing", "errors")
    )
    if not lines:
        return ""
    return (
        '<h2>Notebooks that did not run to the end</h2><p class="soft">Answers are judged apart from the run, so this '
        f'costs no points by itself.</p><div class="panel scroll"><table><tbody>{lines}</tbody></table></div>'
    )


def _executed_link(executed: str) -> str:
    return f'<a href="{quote(executed)}">as it ran</a>' if executed else ""


def _notes(result: GradeResult) -> str:
    if not result.problems:
        return ""
    lines = "".join(f"<li>{text(problem)}</li>" for problem in result.problems)
    return f"<h2>Left out, and other notes</h2><ul>{lines}</ul>"
