"""What the report's pages share: one style for light and dark, and the small things drawn in HTML.

Every text that comes from a learner goes through `text`, which escapes it. The pages need nothing
from anywhere else: no script, no font, no picture.
"""

from __future__ import annotations

import html

from fraudkit.workbook.grade.marks import STATUS_WORDS, Mark

STYLE = """
:root{--ground:#fbfbf9;--panel:#fff;--ink:#20242a;--soft:#626b76;--line:#e2e3df;--accent:#2a6f97;
--pass:#2d8a5f;--part:#c98a1b;--none:#b9473f;--alert:#8a3ab0;--empty:#eceeea;--onfill:#fff;--track:#e6e8e4}
@media(prefers-color-scheme:dark){:root{--ground:#15181c;--panel:#1d2126;--ink:#e6e8ea;--soft:#9aa4af;--line:#30363d;
--accent:#79b8dd;--pass:#4cb586;--part:#dba84a;--none:#e0776f;--alert:#c08ae0;--empty:#272c32;--onfill:#14171a;
--track:#2b3138}}
*{box-sizing:border-box}
body{margin:0;background:var(--ground);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:84rem;margin:0 auto;padding:2.2rem 1.4rem 4rem}main.narrow{max-width:50rem}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .3rem;letter-spacing:-.01em}
h2{font-size:1.12rem;margin:2.4rem 0 .7rem}
p{margin:.4rem 0}.soft{color:var(--soft)}a{color:var(--accent)}
.panel{background:var(--panel);border:1px solid var(--line);border-radius:10px;padding:1rem 1.2rem}
.tiles{display:flex;flex-wrap:wrap;gap:.8rem;margin:1.4rem 0}
.tile{background:var(--panel);border:1px solid var(--line);border-radius:10px;padding:.7rem 1.1rem;min-width:8.5rem}
.tile b{display:block;font-size:1.5rem;line-height:1.25;font-variant-numeric:tabular-nums}
.tile span{color:var(--soft);font-size:.85rem}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}
td,th{padding:.4rem .7rem;text-align:left;border-bottom:1px solid var(--line);vertical-align:top;font-weight:400}
thead th{color:var(--soft);font-size:.85rem;vertical-align:bottom}
.number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap}
.heat{width:auto;border-collapse:separate;border-spacing:2px}
.heat td,.heat th{border:0;padding:0}
.heat tbody th,.heat .who{position:sticky;left:0;background:var(--panel);padding:.15rem .8rem .15rem 0;
white-space:nowrap;max-width:16rem;overflow:hidden;text-overflow:ellipsis}
.heat .task{height:8.5rem;width:1.6rem;vertical-align:bottom;padding-bottom:.3rem}
.heat .task span{writing-mode:vertical-rl;transform:rotate(180deg);font-size:.78rem;white-space:nowrap}
.heat .topic{font-size:.78rem;padding:.1rem .2rem;white-space:nowrap;max-width:1px;overflow:hidden;
text-overflow:ellipsis;border-bottom:2px solid var(--line)}
.heat .first{border-left:.5rem solid transparent;background-clip:padding-box}
.cell{display:block;width:1.6rem;height:1.6rem;border-radius:4px;text-align:center;line-height:1.6rem;font-size:.78rem;
font-variant-numeric:tabular-nums;color:var(--onfill);background:var(--none)}
.cell.pass{background:var(--pass)}.cell.part{background:var(--part)}.cell.alert{background:var(--alert)}
.cell.missing{background:var(--empty);color:var(--soft)}
.share{font-size:.75rem;color:var(--soft);text-align:center}
.bar{display:inline-block;width:5.5rem;height:.55rem;border-radius:.3rem;background:var(--track);overflow:hidden;
vertical-align:middle}.bar i{display:block;height:100%;background:var(--accent)}
.bar.wide{width:100%;height:.7rem}
.chip{display:inline-block;border-radius:1rem;padding:.05rem .6rem;font-size:.8rem;white-space:nowrap;
color:var(--onfill);background:var(--none)}
.chip.pass{background:var(--pass)}.chip.part{background:var(--part)}.chip.alert{background:var(--alert)}
.chip.missing{background:var(--empty);color:var(--soft)}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.1rem;margin:.8rem 0 0;font-size:.85rem;color:var(--soft)}
.legend .cell{display:inline-block;vertical-align:middle;margin-right:.35rem}
.says{margin:.35rem 0 0;padding:.1rem 0 .1rem .8rem;border-left:3px solid var(--part)}
.bins{display:flex;align-items:flex-end;gap:3px;height:4.2rem;margin-top:.4rem}
.bins div{width:1.5rem;background:var(--accent);border-radius:3px 3px 0 0;min-height:2px}
.axis{display:flex;justify-content:space-between;width:calc(15rem + 27px);color:var(--soft);font-size:.78rem}
@media print{body{background:#fff}.panel,.tile{border-color:#ccc}}
"""

GLYPHS = {"pass": "✓", "timeout": "t", "crash": "✕", "missing": "–", "tampered": "!"}


def text(value: object) -> str:
    """A value as HTML text; what it holds cannot become markup."""
    return html.escape(str(value), quote=True)


def page(title: str, body: str, narrow: bool = False) -> bytes:
    """A whole page; `title` is plain text, `body` is HTML."""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        '<meta name="color-scheme" content="light dark">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{text(title)}</title><style>{STYLE}</style></head>"
        f"<body><main{' class=narrow' if narrow else ''}>{body}</main></body></html>\n"
    ).encode()


def kind_of(mark: Mark) -> str:
    """The colour of a mark: pass, part (some points), alert, missing, or none."""
    if mark.status in ("pass", "missing"):
        return mark.status
    if mark.status == "tampered":
        return "alert"
    return "part" if mark.points else "none"


def cell(mark: Mark) -> str:
    """One square of the heat table: colour, and a sign for who cannot tell colours."""
    sign = GLYPHS.get(mark.status) or f"{mark.points:.0f}"
    told = f"{mark.exercise_id}: {STATUS_WORDS[mark.status]}, {mark.points:g} of {mark.possible:g}"
    told += f" ({mark.case})" if mark.case else ""
    return f'<span class="cell {kind_of(mark)}" title="{text(told)}">{sign}</span>'


def chip(mark: Mark) -> str:
    """The status of a task in words."""
    return f'<span class="chip {kind_of(mark)}">{text(STATUS_WORDS[mark.status])}</span>'


def bar(share: float, wide: bool = False) -> str:
    """A bar filled to `share`, 0..1."""
    width = 100 * min(max(share, 0.0), 1.0)
    return f'<span class="bar{" wide" if wide else ""}"><i style="width:{width:.1f}%"></i></span>'


def tile(figure: object, words: str) -> str:
    """A figure with what it counts."""
    return f'<div class="tile"><b>{text(figure)}</b><span>{text(words)}</span></div>'
