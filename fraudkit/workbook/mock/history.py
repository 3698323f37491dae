"""What the mocks held so far show: a table, and a picture of the averages of each round with the target."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.table import Table

from fraudkit.workbook.mock.record import Held, history
from fraudkit.workbook.mock.rounds import ROUNDS, SCHEDULE
from fraudkit.workbook.picture import Picture
from fraudkit.workbook.plan.scorecard import HIGHEST, LOWEST, TARGET
from fraudkit.workbook.progress import Progress, ProgressFile

GREEN, RED, GREY = "#2e8b57", "#c8553d", "#888888"


def history_table(held: Sequence[Held]) -> Table:
    """One row an interview, the latest last."""
    table = Table("held", "round", "about", "minutes", "hints", "average", "weakest", title=f"{len(held)} mocks")
    for one in held:
        mean = "abandoned" if one.average is None else f"{one.average:.1f}"
        used = f"{one.used_s / 60:.0f} of {one.minutes}"
        weakest = min(one.marks, key=lambda name: one.marks[name], default="")
        hints = str(one.evidence.get("hints", ""))
        table.add_row(one.ended_at[:10], one.round, ", ".join(one.about[:2]), used, hints, mean, weakest)
    return table


def history_markdown(held: Sequence[Held]) -> str:
    """The table as Markdown; the schedule of seven where nothing was held."""
    if not held:
        return f"No mock interview was held yet. The plan has {len(SCHEDULE)}: {', '.join(SCHEDULE)}."
    lines = ["| held | round | minutes | average | marks |", "|---|---|---:|---:|---|"]
    for one in held:
        marks = ", ".join(f"{name} {mark}" for name, mark in one.marks.items())
        mean = "abandoned" if one.average is None else f"{one.average:.1f}"
        used = f"{one.used_s / 60:.0f} of {one.minutes}"
        lines.append(f"| {one.ended_at[:10]} | {one.round} | {used} | {mean} | {marks} |")
    return "\n".join(lines)


def evidence_lines(held: Held) -> list[str]:
    """What the scorecard is kept with, a line a piece: "hints: 2"."""
    return [f"{name.replace('_', ' ')}: {_plain(value)}" for name, value in held.evidence.items()]


def _plain(value: Any) -> str:
    """A number, text, list or table of the evidence without brackets."""
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_plain(part)}" for name, part in value.items()) or "none"
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or "none"
    return str(value)


def trend_picture(progress: Progress | None = None) -> Picture:
    """For each round the average of every mock in order, with the lowest mark below it and the target as a line.

    Parameters
    ----------
    progress : what was held; that of this home by default
    """
    held = history(ProgressFile().read() if progress is None else progress)
    figure = Picture(figsize=(10.4, 2.9), layout="constrained")
    panels = figure.subplots(1, len(ROUNDS), sharey=True)
    for axes, found in zip(panels, ROUNDS.values(), strict=True):
        scored = [one for one in held if one.round == found.name and one.marks]
        means = [one.average or 0.0 for one in scored]
        places = range(1, len(scored) + 1)
        axes.axhline(TARGET, linestyle="--", color=GREY, linewidth=1)
        if scored:
            axes.vlines(places, [min(one.marks.values()) for one in scored], means, color=GREY, linewidth=1)
            axes.plot(places, means, color=GREY, linewidth=1)
            axes.scatter(places, means, c=[GREEN if mean >= TARGET else RED for mean in means], zorder=3)
        else:
            axes.text(0.5, 0.4, "none held yet", ha="center", transform=axes.transAxes, color=GREY)
        asked = SCHEDULE.count(found.name)
        last = max(len(scored), asked, 2)
        plan = f" of {asked}" if len(scored) <= asked else f", {asked} planned"
        axes.set(title=f"{found.name}: {len(scored)}{plan}", xlim=(0.5, last + 0.5))
        axes.set(ylim=(LOWEST - 0.2, HIGHEST + 0.2), xticks=range(1, last + 1), yticks=range(LOWEST, HIGHEST + 1))
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("average mark")
    panels[0].text(0.03, TARGET - 0.06, f"target {TARGET:g}+", transform=panels[0].get_yaxis_transform(), va="top")
    figure.supxlabel("mock, in order; the grey line goes down to the lowest mark in it", fontsize="medium")
    return figure
