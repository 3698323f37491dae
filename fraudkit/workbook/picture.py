"""One picture of what is done: a tile an exercise, a row a topic."""

from __future__ import annotations

from io import BytesIO

from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch, Patch

from fraudkit.workbook.notebooks import Topic, topics
from fraudkit.workbook.progress import STATES, Progress, ProgressFile, State

# Fill, text and sign; the sign says what the colour says, for whom colours look alike.
LOOKS: dict[State, tuple[str, str, str]] = {
    "passed": ("#2e8b57", "white", "✓"),
    "passed after the solution": ("#a6d5b5", "black", "✓"),
    "solution seen": ("#e3b04b", "black", "○"),
    "tried": ("#7fa8d6", "black", "…"),
    "open": ("#e9ebee", "#444444", ""),
}
LINE_CHARS = 15
TILE_INCHES = (1.0, 0.44)
TITLE_INCHES = 2.3


class Picture(Figure):
    """A figure that belongs to no window, and that a notebook shows whether or not pyplot was imported."""

    def _repr_png_(self) -> bytes:
        drawn = BytesIO()
        self.savefig(drawn, format="png")
        return drawn.getvalue()


def progress_picture(progress: Progress | None = None, found: list[Topic] | None = None) -> Picture:
    """Every exercise as a tile in the colour of its state, one row a topic.

    Parameters
    ----------
    progress : what is done; that of this home by default
    found : the topics; those of solutions/ by default
    """
    progress = ProgressFile().read() if progress is None else progress
    found = topics() if found is None else found
    ids = [exercise_id for topic in found for exercise_id in topic.exercise_ids]
    passed = sum(progress.record(exercise_id).passed for exercise_id in ids)
    columns = max([len(topic.sections) for topic in found], default=1)
    size = (TITLE_INCHES + columns * TILE_INCHES[0], 1.1 + max(1, len(found)) * TILE_INCHES[1])
    figure = Picture(figsize=size, layout="constrained")
    axes = figure.subplots()
    for row, topic in enumerate(found):
        done = sum(progress.record(exercise_id).passed for exercise_id in topic.exercise_ids)
        axes.text(
            -0.15, row + 0.5, f"{topic.title}\n{done} of {len(topic.sections)}", ha="right", va="center", fontsize=8
        )
        for column, exercise_id in enumerate(topic.exercise_ids):
            fill, ink, sign = LOOKS[progress.record(exercise_id).state]
            axes.add_patch(_tile(column, row, fill))
            label = f"{_broken(exercise_id)} {sign}".rstrip()
            axes.text(column + 0.5, row + 0.5, label, ha="center", va="center", fontsize=6.5, color=ink)
    axes.set(xlim=(-0.05, columns), ylim=(max(1, len(found)), 0), title=f"Exercises passed: {passed} of {len(ids)}")
    axes.set_axis_off()
    handles = [Patch(facecolor=LOOKS[state][0], label=f"{state} {LOOKS[state][2]}".rstrip()) for state in STATES]
    figure.legend(handles=handles, loc="outside lower center", ncols=len(STATES), frameon=False, fontsize=8)
    return figure


def _tile(column: int, row: int, fill: str) -> FancyBboxPatch:
    style = "round,pad=0,rounding_size=0.06"
    return FancyBboxPatch((column + 0.04, row + 0.07), 0.92, 0.86, boxstyle=style, facecolor=fill, edgecolor="none")


def _broken(exercise_id: str) -> str:
    """An id on as many lines as it needs, broken at underscores.

    >>> _broken("stratified_k_fold")
    'stratified_k_\\nfold'
    """
    lines = [""]
    for part in exercise_id.replace("_", "_ ").split(" "):
        if lines[-1] and len(lines[-1]) + len(part) > LINE_CHARS:
            lines.append("")
        lines[-1] += part
    return "\n".join(lines)
