"""The readiness page as one file of HTML: no scripts, nothing from elsewhere, light and dark.

Knows plain values only, those of `readiness.Readiness`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from fraudkit.workbook.plan.scorecard import HIGHEST, LOWEST, TARGET

WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 320, 132, 22, 76, 12, 20  # of a trend, in its own units
STYLE = """
:root { color-scheme: light dark; --line: #8886; --accent: #0b57d0; --bad: #b3261e; --good: #146c2e; }
@media (prefers-color-scheme: dark) { :root { --accent: #a8c7fa; --bad: #f2b8b5; --good: #8fd6a0; } }
* { box-sizing: border-box; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 68rem; margin: 0 auto; padding: 1rem; overflow-wrap: anywhere; }
h1 { font-size: 1.5rem; margin: .5rem 0; } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 0; }
.quiet { font-size: .9rem; opacity: .85; margin: .25rem 0; }
.verdict { border-left: 4px solid var(--bad); padding: .4rem .9rem; } .verdict.yes { border-color: var(--good); }
.yes b { color: var(--good); } .no b { color: var(--bad); }
.figures { display: grid; grid-template-columns: repeat(auto-fit, minmax(8.5rem, 1fr)); gap: .75rem; padding: 0; }
.figures li { list-style: none; border: 1px solid var(--line); border-radius: .5rem; padding: .5rem .75rem; }
.figures b { display: block; font-size: 1.4rem; line-height: 1.3; }
.rounds { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 24rem), 1fr)); gap: 1rem; }
.rounds article { border: 1px solid var(--line); border-radius: .5rem; padding: .75rem 1rem; }
.rounds p { margin: .25rem 0; }
svg { width: 100%; display: block; } svg text { font: 11px system-ui, sans-serif; fill: currentColor; }
svg .grid { stroke: var(--line); } svg .target { stroke: var(--good); stroke-width: 1.5; stroke-dasharray: 5 4; }
svg .aim { fill: var(--good); opacity: .1; } svg .name { fill: var(--good); font-weight: 600; }
svg .path { fill: none; stroke: currentColor; opacity: .5; }
svg .yes { fill: var(--good); } svg .no { fill: var(--bad); }
.weak { padding: 0; margin: 0; }
.weak li { list-style: none; padding: .4rem 0; border-bottom: 1px solid var(--line); display: flex; flex-wrap: wrap;
  gap: .1rem 1rem; justify-content: space-between; align-items: baseline; }
code { font: .9em ui-monospace, Menlo, Consolas, "DejaVu Sans Mono", monospace; background: #8882; padding: .1rem .4rem;
  border-radius: .25rem; }
.week { display: grid; grid-template-columns: 9rem 1fr 11rem; gap: .25rem 1rem; padding: .4rem 0; align-items: center;
  border-bottom: 1px solid var(--line); }
.bar { display: flex; height: .8rem; border: 1px solid var(--line); border-radius: .25rem; overflow: hidden; }
.shown { background: var(--accent); }
.ticked { background: repeating-linear-gradient(135deg, var(--accent) 0 3px, transparent 3px 6px); }
.key { display: inline-block; width: 1.6rem; height: .8rem; vertical-align: middle; border: 1px solid var(--line); }
details { border-bottom: 1px solid var(--line); padding: .4rem 0; } summary { cursor: pointer; }
details ul { margin: .25rem 0 .5rem; }
@media (max-width: 40rem) { .week { grid-template-columns: 1fr auto; }
  .week .bar { grid-column: 1 / -1; grid-row: 2; } }
"""


def as_html(found: Mapping[str, Any], day: str, latest: int) -> bytes:
    """The whole page.

    Parameters
    ----------
    found : the fields of `Readiness`
    day : on which it is written
    latest : how many mocks the average of a round is taken over
    """
    head = "Every round is at the target" if found["is_ready"] else "Not every round is at the target yet"
    last = f"its last {latest} mocks"
    body = [
        f"<h1>Readiness, {escape(day)}</h1>",
        f'<p class="verdict {_yes(found["is_ready"])}"><b>{_sign(found["is_ready"])} {head}</b>: '
        f"an average of {TARGET:g} or more in each, over {last}.</p>",
        _figures(found),
        "<h2>The rounds</h2>",
        f'<p class="quiet">A dot is the average of one mock, marked {LOWEST} to {HIGHEST}; the dashed line is the '
        f"target of {TARGET:g}.</p>",
        f'<div class="rounds">{"".join(_round(row, latest) for row in found["rounds"])}</div>',
        "<h2>To work on</h2>",
        f'<ul class="weak">{"".join(map(_weak, found["weak"])) or "<li>Nothing that was recorded.</li>"}</ul>',
        "<h2>The plan</h2>",
        '<p><span class="key shown"></span> shown by evidence <span class="key ticked"></span> ticked by you</p>',
        "".join(map(_week, found["weeks"])),
        "<h2>Evidence</h2>",
        "".join(_mock(row, place == 0) for place, row in enumerate(found["mocks"]))
        or '<p class="quiet">No mock interview was held yet.</p>',
    ]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Readiness, {escape(day)}</title>'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>'
        f"<body><main>{''.join(body)}</main></body></html>\n"
    ).encode()


def _yes(is_so: bool) -> str:
    return "yes" if is_so else "no"


def _sign(is_so: bool) -> str:
    """What colour says, for whom colours look alike."""
    return "✓" if is_so else "○"


def _figures(found: Mapping[str, Any]) -> str:
    """The counts at the top: the plan, and what was recorded."""
    done, of = (sum(row[key] for row in found["weeks"]) for key in ("done", "of"))
    counts = {"items of the plan done": f"{done} of {of}", **found["evidence"]}
    listed = "".join(f"<li><b>{escape(str(count))}</b>{escape(name)}</li>" for name, count in counts.items())
    return f'<ul class="figures">{listed}</ul>'


def _round(row: Mapping[str, Any], latest: int) -> str:
    """One round: its trend, and where it stands beside the target."""
    reached, mean = row["at_target"], row["average"]
    count = min(row["held"], latest)
    over = f"its last {count} mocks" if count > 1 else "its one mock"
    stands = "no mock held yet" if mean is None else f"{mean:.1f} over {over}: {'reached' if reached else 'not yet'}"
    below = ", ".join(f"{name} {mark:.1f}" for name, mark in row["below"].items())
    return (
        f'<article class="{_yes(reached)}"><h3>{escape(row["title"])}</h3><p><b>{_sign(reached)} {stands}</b></p>'
        f"{trend(row['title'], row['averages'])}"
        + (f'<p class="quiet">below {TARGET:g}: {escape(below)}</p>' if below else "")
        + "</article>"
    )


def trend(title: str, averages: Sequence[float]) -> str:
    """The averages of one round in order as an SVG, with the target as a dashed line that bears its name."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM

    def y(mark: float) -> float:
        return round(bottom - (mark - LOWEST) / (HIGHEST - LOWEST) * (bottom - TOP), 1)

    step = (right - LEFT) / max(len(averages), 2)
    points = [(round(LEFT + (place + 0.5) * step, 1), y(mean)) for place, mean in enumerate(averages)]
    said = ", ".join(f"{mean:.1f}" for mean in averages) or "none held yet"
    parts = [
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}, averages in order: {said}; '
        f'target {TARGET:g}">',
        f'<rect class="aim" x="{LEFT}" y="{y(HIGHEST)}" width="{right - LEFT}" height="{y(TARGET) - y(HIGHEST)}"/>',
    ]
    for mark in range(LOWEST, HIGHEST + 1):
        parts.append(f'<line class="grid" x1="{LEFT}" x2="{right}" y1="{y(mark)}" y2="{y(mark)}"/>')
        parts.append(f'<text x="{LEFT - 8}" y="{y(mark) + 4}" text-anchor="end">{mark}</text>')
    parts.append(f'<line class="target" x1="{LEFT}" x2="{right}" y1="{y(TARGET)}" y2="{y(TARGET)}"/>')
    parts.append(f'<text class="name" x="{right + 6}" y="{y(TARGET) + 4}">target {TARGET:g}+</text>')
    if points:
        parts.append(f'<polyline class="path" points="{" ".join(f"{x},{height}" for x, height in points)}"/>')
    else:
        parts.append(f'<text x="{(LEFT + right) / 2}" y="{y(2.4)}" text-anchor="middle">none held yet</text>')
    crowded = len(points) > 8
    for number, ((x, height), mean) in enumerate(zip(points, averages, strict=True), 1):
        parts.append(f'<circle class="{_yes(mean >= TARGET)}" cx="{x}" cy="{height}" r="4"/>')
        if not crowded or number == len(points):
            beside = height - 8
            if beside < TOP or 0 < height - y(TARGET) < 18:  # outside the picture, or on the line of the target
                beside = height + 16
            parts.append(f'<text x="{x}" y="{beside}" text-anchor="middle">{mean:.1f}</text>')
            parts.append(f'<text x="{x}" y="{HEIGHT - 5}" text-anchor="middle">{number}</text>')
    return "".join(parts) + "</svg>"


def _weak(weak: Mapping[str, str]) -> str:
    command = escape(weak["command"]).replace("/", "/<wbr>").replace("_", "_<wbr>")
    return f"<li><span>{escape(weak['says'])}</span> <code>{command}</code></li>"


def _week(row: Mapping[str, Any]) -> str:
    """One week's bar: what was shown, then what was ticked."""
    of = max(row["of"], 1)
    parts = "".join(f'<span class="{how}" style="width:{row[how] / of:.1%}"></span>' for how in ("shown", "ticked"))
    weeks = "weeks" if "-" in row["week"] else "week"
    said = f"{row['done']} of {row['of']}" + (f", {row['ticked']} ticked" if row["ticked"] else "")
    return (
        f'<div class="week"><span>{weeks} {escape(row["week"])}<br><span class="quiet">{escape(row["focus"])}</span>'
        f'</span><div class="bar" role="img" aria-label="{said}">{parts}</div><span>{said}</span></div>'
    )


def _mock(row: Mapping[str, Any], is_open: bool) -> str:
    """One mock, and behind it what its marks rest on."""
    lines = "".join(f"<li>{escape(line)}</li>" for line in row["evidence"]) or "<li>nothing was recorded</li>"
    return (
        f"<details{' open' if is_open else ''}>"
        f"<summary>{escape(row['day'])} · {escape(row['title'])} · {row['average']:.1f}</summary>"
        f"<ul>{lines}</ul></details>"
    )
