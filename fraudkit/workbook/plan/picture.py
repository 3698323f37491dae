"""The plan as one picture: a row for each stretch of weeks, a tile for each of its areas, filled by the share done."""

from __future__ import annotations

import textwrap

from matplotlib.patches import Rectangle

from fraudkit.workbook.picture import Picture
from fraudkit.workbook.plan.items import read_plan
from fraudkit.workbook.plan.state import PlanState
from fraudkit.workbook.progress import Progress, ProgressFile

GROUND, FILLED = "#e9ebee", "#8fc7a6"
LINE_CHARS = 20


def plan_picture(state: PlanState | Progress | None = None) -> Picture:
    """Weeks downwards, areas to the right; the green part of a tile is the share of its items that is done.

    Parameters
    ----------
    state : the plan beside a progress, or a progress; what stands in this home by default
    """
    if not isinstance(state, PlanState):
        state = PlanState(read_plan(), ProgressFile().read() if state is None else state)
    plan = state.plan
    columns = max(len(plan.areas(week.id)) for week in plan.weeks)
    figure = Picture(figsize=(2.4 + 1.95 * columns, 0.9 + 0.66 * len(plan.weeks)), layout="constrained")
    axes = figure.subplots()
    for row, week in enumerate(plan.weeks):
        name = f"{'week' if week.id.isdigit() else 'weeks'} {week.id}\n{week.focus}"
        axes.text(-0.06, row + 0.5, name, ha="right", va="center", fontsize=9)
        for column, area in enumerate(plan.areas(week.id)):
            share = state.share(week.id, area)
            axes.add_patch(Rectangle((column + 0.02, row + 0.06), 0.96, 0.88, facecolor=GROUND))
            axes.add_patch(Rectangle((column + 0.02, row + 0.06), 0.96 * share.value, 0.88, facecolor=FILLED))
            label = "\n".join([*textwrap.wrap(area, LINE_CHARS), f"{share.done} of {share.of}"])
            axes.text(column + 0.5, row + 0.5, label, ha="center", va="center", fontsize=8)
    whole = state.share()
    axes.set(xlim=(-0.02, columns), ylim=(len(plan.weeks), 0), title=f"Plan: {whole.done} of {whole.of} items done")
    axes.set_axis_off()
    return figure
